// SPDX-License-Identifier: Apache-2.0
//! The directory of a store: its lock, its format, its owner.

use std::{
    fmt::Write as _,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, B256};

use crate::{StoreError, format::FORMAT_VERSION};

/// The deployment that a store belongs to. A directory serves one for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Address of the oracle.
    pub oracle: Address,
    /// Address of the registry.
    pub registry: Address,
    /// Hash of the enclave's configuration.
    pub config_hash: B256,
}

/// A directory that this process alone may use.
///
/// The lock is the operating system's, on an open file: it ends with the process, however that
/// ends.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Creates or opens `path` for `identity`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`], [`StoreError::NotAStore`], [`StoreError::Format`],
    /// [`StoreError::Identity`], [`StoreError::Io`].
    pub(crate) fn open(path: &Path, identity: &Identity) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(at(path))?;
        let lock = lock(path)?;
        match fs::read(path.join(IDENTITY_FILE)) {
            Ok(bytes) => check(path, &bytes, identity)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, identity)?,
            Err(error) => return Err(at(&path.join(IDENTITY_FILE))(error)),
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where the storage engine keeps its files.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join(DATA_DIRECTORY)
    }
}

const LOCK_FILE: &str = "lock";
const IDENTITY_FILE: &str = "identity";
const DATA_DIRECTORY: &str = "data";
const TEMPORARY_FILE: &str = "identity.new";

fn lock(path: &Path) -> Result<File, StoreError> {
    let name = path.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(at(&name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(at(&name)(error)),
    }
}

/// Writes the identity file of a new store, whole or not at all.
fn create(path: &Path, identity: &Identity) -> Result<(), StoreError> {
    for found in fs::read_dir(path).map_err(at(path))? {
        let name = found.map_err(at(path))?.file_name();
        if name != LOCK_FILE && name != TEMPORARY_FILE {
            return Err(StoreError::NotAStore(path.to_owned()));
        }
    }
    let temporary = path.join(TEMPORARY_FILE);
    let mut file = File::create(&temporary).map_err(at(&temporary))?;
    file.write_all(identity.to_file().as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(at(&temporary))?;
    fs::rename(&temporary, path.join(IDENTITY_FILE)).map_err(at(&temporary))?;
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(at(path))
}

fn check(path: &Path, bytes: &[u8], identity: &Identity) -> Result<(), StoreError> {
    let not_a_store = || StoreError::NotAStore(path.to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| not_a_store())?;
    let mut lines = text.lines().map(|line| line.split_once(" = "));
    let mut value_of = |name| match lines.next() {
        Some(Some((field, value))) if field == name => Ok(value),
        _ => Err(not_a_store()),
    };
    let format = value_of("format")?;
    if format != FORMAT_VERSION.to_string() {
        return Err(StoreError::Format {
            path: path.to_owned(),
            found: format.to_owned(),
        });
    }
    for (field, expected) in identity.fields() {
        let found = value_of(field)?;
        if found != expected {
            return Err(StoreError::Identity {
                path: path.to_owned(),
                field,
                expected,
                found: found.to_owned(),
            });
        }
    }
    Ok(())
}

impl Identity {
    fn fields(&self) -> [(&'static str, String); 4] {
        [
            ("chain", self.chain_id.to_string()),
            ("oracle", format!("{:#x}", self.oracle)),
            ("registry", format!("{:#x}", self.registry)),
            ("configuration", format!("{:#x}", self.config_hash)),
        ]
    }

    fn to_file(self) -> String {
        let mut text = format!("format = {FORMAT_VERSION}\n");
        for (field, value) in self.fields() {
            let _ = writeln!(text, "{field} = {value}");
        }
        text
    }
}

/// Names the path at which a file operation failed.
fn at(path: &Path) -> impl Fn(io::Error) -> StoreError + '_ {
    move |source| StoreError::Io {
        path: path.to_owned(),
        source,
    }
}
