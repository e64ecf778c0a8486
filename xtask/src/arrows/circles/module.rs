// SPDX-License-Identifier: Apache-2.0
//! One module: what it defines, imports and uses.

use std::collections::BTreeMap;

use syn::{Attribute, Item, UseTree, Visibility};

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
