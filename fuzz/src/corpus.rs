// SPDX-License-Identifier: Apache-2.0
//! The committed regression inputs, `corpus/TARGET/*`.

use std::path::{Path, PathBuf};

/// Every committed input of the target, in the order of file names; none if it has no directory.
pub(crate) fn committed(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let bytes = std::fs::read(&path).ok()?;
            Some((path, bytes))
        })
        .collect()
}
