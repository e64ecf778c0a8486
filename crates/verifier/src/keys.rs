// SPDX-License-Identifier: Apache-2.0
//! The two signing keys and the files they live in.
//!
//! A key file is one JSON object: `{"version": 1, "use": "ear" | "admission", "development": bool,
//! "scalar": "<64 hex digits>"}`. It is made once, on request, and never overwritten; its marks keep a
//! development key from ever signing in production and one key from doing two jobs.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subrosa_attestation::admission::AdmissionKey;
use subrosa_attestation::ear::EarKey;
use zeroize::Zeroizing;

use crate::Config;

/// The keys of a verifier.
#[derive(Debug)]
pub struct Keys {
    pub(crate) ear: EarKey,
    pub(crate) admission: AdmissionKey,
}

/// Why there are no keys. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("cannot access key file {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others can read the file.
    #[error("key file {} has mode {mode:03o}, expected 600", path.display())]
    Permissions {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key file.
    #[error("key file {} is malformed", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
    },
    /// Made for something else.
    #[error("key file {} was made for {found}, expected {expected}", path.display())]
    Purpose {
        /// Which.
        path: PathBuf,
        /// What it is marked for.
        found: String,
        /// What was asked of it.
        expected: String,
    },
    /// The system's random generator failed.
    #[error("the system yields no randomness")]
    Random,
    /// Not a private key: zero, or not below the group's order.
    #[error("scalar is not a private key")]
    Scalar,
}

#[derive(Serialize, Deserialize, zeroize::ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: u8,
    #[serde(rename = "use")]
    usage: String,
    development: bool,
    scalar: String,
}

impl Keys {
    /// Keys from private scalars, big-endian.
    ///
    /// # Errors
    ///
    /// [`KeysError::Scalar`].
    pub fn from_scalars(ear: &[u8; 32], admission: &[u8; 32]) -> Result<Self, KeysError> {
        Ok(Self {
            ear: EarKey::from_bytes(ear).ok_or(KeysError::Scalar)?,
            admission: AdmissionKey::from_bytes(admission).ok_or(KeysError::Scalar)?,
        })
    }

    /// Fresh random keys that live as long as the process.
    ///
    /// # Errors
    ///
    /// [`KeysError::Random`].
    pub fn ephemeral() -> Result<Self, KeysError> {
        Self::from_scalars(&*fresh()?, &*fresh()?)
    }

    /// Reads the files that `config` names. Creates nothing.
    ///
    /// # Errors
    ///
    /// [`KeysError`] if a file is missing, readable by others, malformed, or made for something
    /// else.
    pub fn load(config: &Config) -> Result<Self, KeysError> {
        let ear = read(&config.ear_key_file, EAR, config.development)?;
        let admission = read(&config.admission_key_file, ADMISSION, config.development)?;
        Self::from_scalars(&ear, &admission)
    }

    /// Makes the two files that `config` names, mode 0600, with fresh keys, and reads them. For
    /// `subrosa verifier init`; a running service never does this by itself.
    ///
    /// # Errors
    ///
    /// [`KeysError::File`] if one of them exists or cannot be written.
    pub fn create(config: &Config) -> Result<Self, KeysError> {
        for path in [&config.ear_key_file, &config.admission_key_file] {
            if path
                .try_exists()
                .map_err(|source| file_error(path, source))?
            {
                return Err(file_error(path, std::io::ErrorKind::AlreadyExists.into()));
            }
        }
        write(&config.ear_key_file, EAR, config.development)?;
        write(&config.admission_key_file, ADMISSION, config.development)?;
        Self::load(config)
    }
}

fn read(path: &Path, usage: &str, development: bool) -> Result<Zeroizing<[u8; 32]>, KeysError> {
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
    let mut scalar = Zeroizing::new([0; 32]);
    hex::decode_to_slice(file.scalar.as_bytes(), scalar.as_mut()).map_err(|_| malformed())?;
    Ok(scalar)
}

fn write(path: &Path, usage: &str, development: bool) -> Result<(), KeysError> {
    let failed = |source| file_error(path, source);
    let file = KeyFile {
        version: VERSION,
        usage: usage.to_owned(),
        development,
        scalar: hex::encode(*fresh()?),
    };
    let json = serde_json::to_string_pretty(&file)
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

/// 32 random bytes. That they are no valid scalar has the probability of a hash collision and is
/// found when they are used.
fn fresh() -> Result<Zeroizing<[u8; 32]>, KeysError> {
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

fn file_error(path: &Path, source: std::io::Error) -> KeysError {
    KeysError::File {
        path: path.to_owned(),
        source,
    }
}

const VERSION: u8 = 1;
const EAR: &str = "ear";
const ADMISSION: &str = "admission";

#[cfg(test)]
mod tests {
    use super::*;

    fn config(directory: &Path, development: bool) -> Config {
        let (ear, admission) = (directory.join("ear.key"), directory.join("admission.key"));
        let name = if development {
            "development"
        } else {
            "verifier"
        };
        Config::parse(&format!(
            "listen = \"127.0.0.1:0\"\nissuer = \"https://{name}.example\"\ndevelopment = \
             {development}\near_key_file = {ear:?}\nadmission_key_file = {admission:?}\n"
        ))
        .unwrap()
    }

    #[test]
    fn keys_are_made_once_and_only_on_request() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), false);
        assert!(matches!(Keys::load(&config), Err(KeysError::File { .. })));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        let made = Keys::create(&config).unwrap();
        let loaded = Keys::load(&config).unwrap();
        assert_eq!(made.ear.jwk(), loaded.ear.jwk());
        assert_eq!(made.admission.address(), loaded.admission.address());
        assert!(matches!(Keys::create(&config), Err(KeysError::File { .. })));
        assert_eq!(Keys::load(&config).unwrap().ear.jwk(), made.ear.jwk());
    }

    #[test]
    fn a_development_key_never_signs_in_production_nor_does_one_key_do_two_jobs() {
        let directory = tempfile::tempdir().unwrap();
        Keys::create(&config(directory.path(), true)).unwrap();
        let production = config(directory.path(), false);
        assert!(matches!(
            Keys::load(&production),
            Err(KeysError::Purpose { .. })
        ));
        let mut swapped = config(directory.path(), true);
        std::mem::swap(&mut swapped.ear_key_file, &mut swapped.admission_key_file);
        assert!(matches!(
            Keys::load(&swapped),
            Err(KeysError::Purpose { .. })
        ));
    }

    #[test]
    fn key_files_that_others_can_read_or_that_are_malformed_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), true);
        Keys::create(&config).unwrap();
        let mode = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&config.ear_key_file, permissions).unwrap();
        };
        mode(0o640);
        assert!(matches!(
            Keys::load(&config),
            Err(KeysError::Permissions { mode: 0o640, .. })
        ));
        mode(0o600);
        let sound = std::fs::read_to_string(&config.ear_key_file).unwrap();
        for text in [
            "",
            "{}",
            &sound.replace("\"version\": 1", "\"version\": 2"),
            &sound[..60],
        ] {
            std::fs::write(&config.ear_key_file, text).unwrap();
            assert!(
                matches!(Keys::load(&config), Err(KeysError::Malformed { .. })),
                "{text}"
            );
        }
        let zero = format!(
            "{{\"version\":1,\"use\":\"ear\",\"development\":true,\"scalar\":\"{}\"}}",
            "0".repeat(64)
        );
        std::fs::write(&config.ear_key_file, zero).unwrap();
        assert!(matches!(Keys::load(&config), Err(KeysError::Scalar)));
    }

    #[test]
    fn private_keys_do_not_print() {
        let keys = Keys::from_scalars(&[0x5a; 32], &[0x5b; 32]).unwrap();
        let printed = format!("{keys:?}");
        assert!(
            !printed.contains("5a5a") && !printed.contains("90, 90"),
            "{printed}"
        );
    }
}
