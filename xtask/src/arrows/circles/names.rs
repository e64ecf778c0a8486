// SPDX-License-Identifier: Apache-2.0
//! What a path leads to: the module that defines it, whichever way it was re-exported.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use super::{module::Use, tree::Tree};

/// What a name stands for.
#[derive(Clone, Copy)]
enum Found {
    Module(usize),
    /// An item, in the module that defines it.
    Item(usize),
}

/// What the last name of a path is wanted for: a module and a function may share a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Wanted {
    Module,
    Item,
}

/// Follows the names of one crate.
pub(super) struct Names<'a> {
    tree: &'a Tree,
    /// What was found of a name in a module.
    found: RefCell<HashMap<Key, Found>>,
    /// What is being looked for, or was not found, while one path is followed: imports can lead in circles.
    missed: RefCell<HashSet<Key>>,
}

type Key = (usize, String, Wanted);

impl<'a> Names<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        Self {
            tree,
            found: RefCell::default(),
            missed: RefCell::default(),
        }
    }

    /// The file that defines what is used, if it is an item of this crate.
    pub(super) fn file_of(&self, module: usize, used: &Use) -> Option<usize> {
        self.missed.borrow_mut().clear();
        let Found::Item(definer) = self.resolve(module, &used.path, Wanted::Item)? else {
            return None;
        };
        if used.reexport && self.is_from_child(module, &used.path) {
            return None;
        }
        Some(self.tree.modules[definer].file)
    }

    /// Whether a re-export's path leads through a child of the module that re-exports.
    fn is_from_child(&self, module: usize, path: &[String]) -> bool {
        let place = path.split_last().map_or(path, |(_, place)| place);
        self.missed.borrow_mut().clear();
        let Some(Found::Module(mut at)) = self.resolve(module, place, Wanted::Module) else {
            return false;
        };
        while let Some(parent) = self.tree.modules[at].parent {
            if parent == module {
                return true;
            }
            at = parent;
        }
        false
    }

    fn resolve(&self, from: usize, path: &[String], wanted: Wanted) -> Option<Found> {
        let mut at = from;
        let mut rest = path;
        // Until a step is taken, a name that is not found is another crate's, or the language's.
        let mut inside = false;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" => at = 0,
                "self" => {}
                "super" => at = self.tree.modules[at].parent?,
                _ => break,
            }
            inside = true;
            rest = after;
        }
        while let Some((name, after)) = rest.split_first() {
            let last = after.is_empty();
            let wanted = if last { wanted } else { Wanted::Module };
            match self.lookup(at, name, wanted) {
                Some(Found::Module(module)) => at = module,
                Some(item) => return Some(item),
                None if self.tree.modules[at].imports.contains_key(name) => return None,
                None if inside => return Some(Found::Item(self.maker(at))),
                None => return None,
            }
            inside = true;
            rest = after;
        }
        Some(Found::Module(at))
    }

    /// What `name` is in the scope of a module.
    fn lookup(&self, at: usize, name: &str, wanted: Wanted) -> Option<Found> {
        let key = (at, name.to_owned(), wanted);
        if let Some(found) = self.found.borrow().get(&key) {
            return Some(*found);
        }
        if !self.missed.borrow_mut().insert(key.clone()) {
            return None;
        }
        let found = self.search(at, name, wanted)?;
        self.missed.borrow_mut().remove(&key);
        self.found.borrow_mut().insert(key, found);
        Some(found)
    }

    fn search(&self, at: usize, name: &str, wanted: Wanted) -> Option<Found> {
        let module = &self.tree.modules[at];
        let child = module.children.get(name).map(|child| Found::Module(*child));
        if wanted == Wanted::Module && child.is_some() {
            return child;
        }
        if let Some(definer) = module.items.get(name) {
            return Some(Found::Item(*definer));
        }
        let imported = module.imports.get(name).into_iter().flatten();
        let mut imported = imported.filter_map(|path| self.resolve(at, path, wanted));
        if let Some(found) = imported.next() {
            return Some(found);
        }
        if child.is_some() {
            return child;
        }
        module.globs.iter().find_map(|path| {
            let Found::Module(source) = self.resolve(at, path, Wanted::Module)? else {
                return None;
            };
            (source != at).then(|| self.lookup(source, name, wanted))?
        })
    }

    /// The module that must have made a name that is seen nowhere: a macro did, here or in a module of
    /// which everything was imported.
    fn maker(&self, at: usize) -> usize {
        let module = &self.tree.modules[at];
        if module.has_macro {
            return at;
        }
        let mut sources = module.globs.iter().filter_map(|path| {
            match self.resolve(at, path, Wanted::Module)? {
                Found::Module(source) if self.tree.modules[source].has_macro => Some(source),
                _ => None,
            }
        });
        sources.next().unwrap_or(at)
    }
}
