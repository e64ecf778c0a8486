// SPDX-License-Identifier: Apache-2.0
//! The files that keys live in.
//!
//! A key file is one JSON object: `{"version": 1, "use": "ear" | "admission", "development": bool,
//! "scalar": "<64 hex digits>"}`. It is made once, on request, and never overwritten by a running
//! service; its marks keep a development key from ever signing in production and one key from doing
//! two jobs.
//!
//! The file of the key that signs attestation results may go on with `"next": {"scalar": …,
//! "announced": <Unix seconds>}`, the key that will sign next, and `"retired": [{"key": <JWK>,
//! "until": <Unix seconds>}]`, public keys whose results may still be in force.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};
use subrosa_attestation::ear::EarKey;
use subrosa_evidence::api::Jwk;
use zeroize::Zeroizing;

use super::error::KeysError;

/// What a file says.
#[derive(Serialize, Deserialize, zeroize::ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    version: u8,
    #[serde(rename = "use")]
    usage: String,
    development: bool,
    pub(super) scalar: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<NextKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[zeroize(skip)]
    pub(super) retired: Vec<Retired>,
}

/// A key that is published and signs later.
#[derive(Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(super) struct NextKey {
    pub(super) scalar: String,
    pub(super) announced: u64,
}

/// A key that signs no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retired {
    pub(crate) key: Jwk,
    /// When the last result signed with it has run out, Unix seconds.
    pub(crate) until: u64,
}

impl KeyFile {
    /// A file with a fresh key.
    pub(super) fn fresh(usage: &str, development: bool) -> Result<Self, KeysError> {
        Ok(Self {
            version: VERSION,
            usage: usage.to_owned(),
            development,
            scalar: hex::encode(*fresh()?),
            next: None,
            retired: Vec::new(),
        })
    }
}

/// Reads a file that must be for `usage`, and for development or not.
pub(super) fn read(path: &Path, usage: &str, development: bool) -> Result<KeyFile, KeysError> {
    let failed = |source| file_error(path, source);
    let mode = std::fs::metadata(path)
        .map_err(failed)?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Permissions {
            path: path.to_owned(),
            mode,
        });
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    let malformed = || KeysError::Malformed {
        path: path.to_owned(),
    };
    let file: KeyFile = serde_json::from_str(&text).map_err(|_| malformed())?;
    if file.version != VERSION {
        return Err(malformed());
    }
    if file.usage != usage || file.development != development {
        return Err(KeysError::Purpose {
            path: path.to_owned(),
            found: purpose(&file.usage, file.development),
            expected: purpose(usage, development),
        });
    }
    Ok(file)
}

/// The private key in `text`.
pub(super) fn scalar(path: &Path, text: &str) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut scalar = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.as_bytes(), scalar.as_mut()).map_err(|_| KeysError::Malformed {
        path: path.to_owned(),
    })?;
    Ok(scalar)
}

/// The same for attestation results.
pub(super) fn ear_key(path: &Path, text: &str) -> Result<EarKey, KeysError> {
    EarKey::from_bytes(&*scalar(path, text)?).ok_or(KeysError::Scalar)
}

/// Writes a file that does not exist yet.
pub(super) fn write(path: &Path, file: &KeyFile) -> Result<(), KeysError> {
    let failed = |source| file_error(path, source);
    let json = serde_json::to_string_pretty(file)
        .map_err(std::io::Error::from)
        .map_err(failed)?;
    let json = Zeroizing::new(json);
    let mut created = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    created
        .write_all(json.as_bytes())
        .and_then(|()| created.sync_all())
        .map_err(failed)
}

/// Replaces a file in one step. The file beside it that becomes it keeps two from doing so at
/// once.
pub(super) fn replace(path: &Path, file: &KeyFile) -> Result<(), KeysError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    write(&beside, file)?;
    std::fs::rename(&beside, path)
        .and_then(|()| match path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => {
                std::fs::File::open(directory)?.sync_all()
            }
            _ => Ok(()),
        })
        .map_err(|source| file_error(path, source))
}

/// 32 random bytes. That they are no valid scalar has the probability of a hash collision and is
/// found when they are used.
pub(super) fn fresh() -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut scalar = Zeroizing::new([0; 32]);
    getrandom::fill(scalar.as_mut()).map_err(|_| KeysError::Random)?;
    Ok(scalar)
}

fn purpose(usage: &str, development: bool) -> String {
    let usage: String = usage.chars().take(32).collect();
    format!(
        "{usage} ({})",
        if development {
            "development"
        } else {
            "production"
        }
    )
}

pub(super) fn file_error(path: &Path, source: std::io::Error) -> KeysError {
    KeysError::File {
        path: path.to_owned(),
        source,
    }
}

/// Uses: attestation results, admissions.
pub(super) const EAR: &str = "ear";
pub(super) const ADMISSION: &str = "admission";
const VERSION: u8 = 1;
