// SPDX-License-Identifier: Apache-2.0
//! The modules of one crate: what each defines, imports and uses.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail};
use syn::{Attribute, Item};

use super::{
    module::{Module, attributes, is_test},
    uses,
};

/// Every module below a crate's root, which is the first.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) files: Vec<PathBuf>,
    pub(super) modules: Vec<Module>,
}

/// Text of a file, if there is one.
pub(super) type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

impl Tree {
    /// Reads the crate whose root is the file `root`.
    pub(super) fn read(root: &Path, read: Read<'_>) -> Result<Self> {
        let mut tree = Self::default();
        let directory = root.parent().unwrap_or(root).to_path_buf();
        tree.file(root, &directory, None, read)?;
        Ok(tree)
    }

    /// Reads a file as a module whose own children are in `directory`.
    fn file(
        &mut self,
        path: &Path,
        directory: &Path,
        parent: Option<usize>,
        read: Read<'_>,
    ) -> Result<Option<usize>> {
        let Some(text) = read(path) else {
            bail!("cannot read {}", path.display());
        };
        let parsed =
            syn::parse_file(&text).wrap_err_with(|| format!("{} is not Rust", path.display()))?;
        if is_test(&parsed.attrs) {
            return Ok(None);
        }
        self.files.push(path.to_path_buf());
        let file = self.files.len() - 1;
        self.module(file, &parsed.items, directory, parent, read)
            .map(Some)
    }

    fn module(
        &mut self,
        file: usize,
        items: &[Item],
        directory: &Path,
        parent: Option<usize>,
        read: Read<'_>,
    ) -> Result<usize> {
        let index = self.modules.len();
        self.modules.push(Module {
            file,
            parent,
            ..Module::default()
        });
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            match item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let below = directory.join(&name);
                    let module = if let Some((_, items)) = &child.content {
                        Some(self.module(file, items, &below, Some(index), read)?)
                    } else {
                        let (path, below) = match named(&child.attrs) {
                            // Such a file's own children are beside it.
                            Some(named) => {
                                let path = beside(&self.files[file]).join(named);
                                let below = beside(&path).to_path_buf();
                                (path, below)
                            }
                            None => (place(directory, &name, read), below),
                        };
                        self.file(&path, &below, Some(index), read)?
                    };
                    if let Some(module) = module {
                        self.modules[index].children.insert(name, module);
                    }
                }
                Item::Macro(item) => self.macro_item(index, item),
                item => {
                    if let Some(name) = defined(item) {
                        self.modules[index].items.insert(name, index);
                    }
                }
            }
            if !matches!(item, Item::Mod(_)) {
                uses::collect(item, &mut self.modules[index]);
            }
        }
        Ok(index)
    }

    fn macro_item(&mut self, index: usize, item: &syn::ItemMacro) {
        let Some(name) = &item.ident else {
            self.modules[index].has_macro = true;
            return;
        };
        let name = name.to_string();
        if item.attrs.iter().any(|a| a.path().is_ident("macro_export")) {
            self.modules[0].items.insert(name.clone(), index);
        }
        self.modules[index].items.insert(name, index);
    }
}

/// The file that `#[path]` names.
fn named(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let syn::Meta::NameValue(value) = &attribute.meta else {
            return None;
        };
        let syn::Expr::Lit(literal) = &value.value else {
            return None;
        };
        match &literal.lit {
            syn::Lit::Str(path) if value.path.is_ident("path") => Some(path.value()),
            _ => None,
        }
    })
}

fn beside(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

/// Where the file of the child `name` is.
fn place(directory: &Path, name: &str, read: Read<'_>) -> PathBuf {
    let beside = directory.join(format!("{name}.rs"));
    if read(&beside).is_some() {
        return beside;
    }
    directory.join(name).join("mod.rs")
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
