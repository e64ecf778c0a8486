// SPDX-License-Identifier: Apache-2.0
//! The modules of one crate: what each defines, imports and uses.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr, bail};
use syn::{Attribute, Item, UseTree, Visibility};

use super::uses;

/// Every module below a crate's root, which is the first.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) files: Vec<PathBuf>,
    pub(super) modules: Vec<Module>,
}

/// A module. An inline one is of the file that it stands in.
#[derive(Default)]
pub(super) struct Module {
    pub(super) file: usize,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    /// Name of an item, and the module that defines it: this one, but for exported macros.
    pub(super) items: BTreeMap<String, usize>,
    /// Name, and the path it was imported or re-exported from.
    pub(super) imports: BTreeMap<String, Vec<Vec<String>>>,
    /// Paths of which everything was imported.
    pub(super) globs: Vec<Vec<String>>,
    /// A macro at the level of items may define names that are not seen.
    pub(super) has_macro: bool,
    pub(super) uses: Vec<Use>,
}

/// A path in a module's code.
pub(super) struct Use {
    pub(super) line: usize,
    pub(super) path: Vec<String>,
    /// It makes the name visible elsewhere.
    pub(super) reexport: bool,
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

impl Module {
    /// Takes in what `use` brings into scope.
    pub(super) fn import(&mut self, item: &syn::ItemUse) {
        if item.leading_colon.is_some() {
            return;
        }
        let reexport = !matches!(item.vis, Visibility::Inherited);
        self.import_tree(&item.tree, &mut Vec::new(), reexport);
    }

    fn import_tree(&mut self, tree: &UseTree, path: &mut Vec<String>, reexport: bool) {
        let (name, line, imported) = match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.import_tree(&step.tree, path, reexport);
                path.pop();
                return;
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import_tree(tree, path, reexport);
                }
                return;
            }
            UseTree::Glob(_) => {
                self.globs.push(path.clone());
                return;
            }
            UseTree::Name(name) => (&name.ident, name.ident.span().start().line, &name.ident),
            UseTree::Rename(name) => (&name.ident, name.ident.span().start().line, &name.rename),
        };
        let mut full = path.clone();
        let mut imported = imported.to_string();
        if name == "self" {
            // `a::{self}`
            if imported == "self" {
                imported = path.last().cloned().unwrap_or_default();
            }
        } else {
            full.push(name.to_string());
        }
        self.imports.entry(imported).or_default().push(full.clone());
        self.uses.push(Use {
            line,
            path: full,
            reexport,
        });
    }
}

/// Whether these attributes make it test code.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        if attribute
            .path()
            .segments
            .last()
            .is_some_and(|last| last.ident == "test")
        {
            return true;
        }
        let syn::Meta::List(list) = &attribute.meta else {
            return false;
        };
        list.path.is_ident("cfg")
            && list
                .parse_args::<syn::Meta>()
                .is_ok_and(|condition| needs_test(&condition))
    })
}

fn needs_test(condition: &syn::Meta) -> bool {
    match condition {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("all") => {
            let parser = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
            let all = list.parse_args_with(parser);
            all.is_ok_and(|all| all.iter().any(needs_test))
        }
        _ => false,
    }
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

pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
