// SPDX-License-Identifier: Apache-2.0
//! Where a development network keeps its files.

use std::{
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::DevnetError;

/// The files of a development network. A temporary directory is removed when this is dropped.
#[derive(Debug)]
pub struct Layout {
    root: PathBuf,
    _temporary: Option<TempDir>,
}

impl Layout {
    /// Uses `directory`, which must be absent or empty, or a fresh temporary directory.
    pub(crate) fn create(directory: Option<&Path>) -> Result<Self, DevnetError> {
        let layout = match directory {
            Some(path) => {
                let path = std::path::absolute(path).map_err(|source| file(path, source))?;
                refuse_leftovers(&path)?;
                Self {
                    root: path,
                    _temporary: None,
                }
            }
            None => {
                let temporary = tempfile::Builder::new()
                    .prefix("subrosa-")
                    .tempdir()
                    .map_err(|source| file(&std::env::temp_dir(), source))?;
                Self {
                    root: temporary.path().to_path_buf(),
                    _temporary: Some(temporary),
                }
            }
        };
        for directory in [layout.root.clone(), layout.keys(), layout.logs()] {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&directory)
                .map_err(|source| file(&directory, source))?;
        }
        Ok(layout)
    }

    /// The directory of everything below.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What clients are told to trust.
    pub fn deployment_file(&self) -> PathBuf {
        self.root.join("deployment.toml")
    }

    /// Configuration of the node.
    pub fn node_config(&self) -> PathBuf {
        self.root.join("node.toml")
    }

    /// Configuration of the verifier.
    pub fn verifier_config(&self) -> PathBuf {
        self.root.join("verifier.toml")
    }

    /// The node's data directory.
    pub fn node_data(&self) -> PathBuf {
        self.root.join("node")
    }

    /// The socket between node and enclave.
    pub fn socket(&self) -> PathBuf {
        self.root.join("enclave.sock")
    }

    /// What stands in for the machine's sealing key.
    pub fn sealing_key(&self) -> PathBuf {
        self.keys().join("sealing.key")
    }

    /// The directory of key files.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The directory of logs.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The log of the process called `name`.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    /// The chain's state, which anvil writes when it is terminated.
    pub fn chain_state(&self) -> PathBuf {
        self.root.join("chain.json")
    }
}

/// Writes a file that only this user can read.
pub(crate) fn write(path: &Path, content: &str) -> Result<(), DevnetError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(path)
        .and_then(|mut opened| opened.write_all(content.as_bytes()))
        .map_err(|source| file(path, source))
}

fn refuse_leftovers(path: &Path) -> Result<(), DevnetError> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(file(path, std::io::ErrorKind::DirectoryNotEmpty.into())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(file(path, source)),
    }
}

fn file(path: &Path, source: std::io::Error) -> DevnetError {
    DevnetError::File {
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_something_in_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("network");
        let layout = Layout::create(Some(&root)).unwrap();
        assert!(layout.logs().is_dir());
        let error = Layout::create(Some(&root)).unwrap_err();
        assert!(matches!(error, DevnetError::File { path, .. } if path == root));
        drop(layout);
        assert!(root.exists(), "a directory the caller named is kept");
    }

    #[test]
    fn a_temporary_directory_goes_away_and_keys_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let layout = Layout::create(None).unwrap();
        let key = layout.keys().join("key");
        write(&key, "secret").unwrap();
        let mode = std::fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let root = layout.root().to_path_buf();
        drop(layout);
        assert!(!root.exists());
    }
}
