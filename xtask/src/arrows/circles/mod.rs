// SPDX-License-Identifier: Apache-2.0
//! Circles between the files of one crate: a file that uses another which uses the first.
//!
//! A file uses another where a path in it (`crate::`, `super::`, `self::`, an imported or a child's name)
//! leads to an item *defined* there; re-exports are followed to the definition. Declaring and re-exporting
//! a child uses nothing of it. A method call names no path, so what is used by methods alone is not seen.
//! Test code is left out.

mod module;
mod names;
mod tree;
mod uses;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use eyre::Result;

use self::{names::Names, tree::Tree};
use super::metadata::Workspace;
use crate::shell;

pub(super) fn faults(workspace: &Workspace) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for root in workspace
        .packages
        .iter()
        .flat_map(|package| package.roots())
    {
        let tree = Tree::read(root, &|path| fs::read_to_string(path).ok())?;
        let base = root.parent().unwrap_or(root);
        let shown = base.strip_prefix(shell::root()).unwrap_or(base);
        for circle in circles(&tree) {
            faults.push(format!(
                "{}:\n{}",
                shown.display(),
                circle.lines(&tree, base)
            ));
        }
    }
    Ok(faults)
}

/// From file to file, the lines that make the one use the other, each with the name it uses.
type Edges = BTreeMap<(usize, usize), BTreeSet<(usize, String)>>;

/// Files each of which uses, perhaps by way of others, every other one.
struct Circle {
    files: BTreeSet<usize>,
    edges: Edges,
}

fn circles(tree: &Tree) -> Vec<Circle> {
    let edges = edges(tree);
    let reach: Vec<BTreeSet<usize>> = (0..tree.files.len())
        .map(|file| reached(&edges, file))
        .collect();
    let mut circles: Vec<Circle> = Vec::new();
    for file in 0..tree.files.len() {
        if circles.iter().any(|circle| circle.files.contains(&file)) {
            continue;
        }
        let files: BTreeSet<usize> = reach[file]
            .iter()
            .copied()
            .filter(|other| reach[*other].contains(&file))
            .collect();
        if files.len() > 1 {
            let inside = |((from, to), lines): (&(usize, usize), &BTreeSet<_>)| {
                let both = files.contains(from) && files.contains(to);
                both.then(|| ((*from, *to), lines.clone()))
            };
            let edges = edges.iter().filter_map(inside).collect();
            circles.push(Circle { files, edges });
        }
    }
    circles
}

fn edges(tree: &Tree) -> Edges {
    let mut edges = Edges::new();
    let names = Names::new(tree);
    for (index, module) in tree.modules.iter().enumerate() {
        for used in &module.uses {
            let Some(defined_in) = names.file_of(index, used) else {
                continue;
            };
            if defined_in != module.file {
                edges
                    .entry((module.file, defined_in))
                    .or_default()
                    .insert((used.line, used.path.join("::")));
            }
        }
    }
    edges
}

/// All files that `file` uses, perhaps by way of others.
fn reached(edges: &Edges, file: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut left = vec![file];
    while let Some(from) = left.pop() {
        for (_, to) in edges.keys().filter(|(source, _)| *source == from) {
            if reached.insert(*to) {
                left.push(*to);
            }
        }
    }
    reached
}

impl Circle {
    /// One line for each file that uses another of the circle, with the first few lines that do.
    fn lines(&self, tree: &Tree, base: &Path) -> String {
        let name = |file: usize| {
            let path = &tree.files[file];
            path.strip_prefix(base).unwrap_or(path).display()
        };
        let mut lines = Vec::new();
        for ((from, to), used) in &self.edges {
            let mut shown: Vec<String> = used
                .iter()
                .take(SHOWN)
                .map(|(line, path)| format!("{line}: {path}"))
                .collect();
            if used.len() > SHOWN {
                shown.push(format!("{} more", used.len() - SHOWN));
            }
            lines.push(format!(
                "  {} uses {} ({})",
                name(*from),
                name(*to),
                shown.join(", ")
            ));
        }
        lines.join("\n")
    }
}

/// Lines shown of each pair of files.
const SHOWN: usize = 4;

#[cfg(test)]
mod tests;
