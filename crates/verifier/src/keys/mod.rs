// SPDX-License-Identifier: Apache-2.0
//! The two signing keys.

mod file;
mod rotation;

use std::path::PathBuf;

use subrosa_attestation::admission::AdmissionKey;
use subrosa_attestation::ear::{self, EarKey};
use subrosa_evidence::api::Jwk;
use zeroize::Zeroizing;

use self::file::{ADMISSION, EAR, KeyFile, Retired, ear_key, file_error, read, scalar, write};
pub use self::rotation::Rotation;
use crate::Config;

/// The keys of a verifier.
///
/// Beside the one that signs attestation results there may be one that will sign next, and public
/// ones whose results may still be in force. [`Keys::rotate`] moves them along:
///
/// | rotation | signs | published |
/// |---|---|---|
/// | before the first | A | A |
/// | first: announces | A | A, B |
/// | second, after `jwks_seconds`: switches | B | B, C, and A until its last result has run out |
///
/// A running service takes over what was rotated with
/// [`Verifier::replace_keys`](crate::Verifier::replace_keys).
#[derive(Debug)]
pub struct Keys {
    pub(crate) ear: EarKey,
    /// Published, and not used yet.
    pub(crate) next: Option<EarKey>,
    /// Published, and not used any more.
    pub(crate) retired: Vec<Retired>,
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
    /// Clients may not have seen the announced key yet.
    #[error("the announced key may sign from {usable_from} (Unix seconds), now is {now}")]
    TooSoon {
        /// From when.
        usable_from: u64,
        /// When it was tried.
        now: u64,
    },
    /// Not a private key: zero, or not below the group's order.
    #[error("scalar is not a private key")]
    Scalar,
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
            next: None,
            retired: Vec::new(),
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
        let path = &config.ear_key_file;
        let file = read(path, EAR, config.development)?;
        let admission = read(&config.admission_key_file, ADMISSION, config.development)?;
        let malformed = || KeysError::Malformed {
            path: path.to_owned(),
        };
        if file
            .retired
            .iter()
            .any(|old| ear::validate(&old.key).is_err())
        {
            return Err(malformed());
        }
        let mut keys = Self::from_scalars(
            &*scalar(path, &file.scalar)?,
            &*scalar(&config.admission_key_file, &admission.scalar)?,
        )?;
        keys.next = match &file.next {
            Some(next) => Some(ear_key(path, &next.scalar)?),
            None => None,
        };
        keys.retired.clone_from(&file.retired);
        Ok(keys)
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
        for (path, usage) in [
            (&config.ear_key_file, EAR),
            (&config.admission_key_file, ADMISSION),
        ] {
            write(path, &KeyFile::fresh(usage, config.development)?)?;
        }
        Self::load(config)
    }

    /// What is published at `now`: the key that signs, the next one, retired ones.
    pub(crate) fn published(&self, now: u64) -> Vec<Jwk> {
        let mut keys = vec![self.ear.jwk()];
        keys.extend(self.next.iter().map(EarKey::jwk));
        for old in self.retired.iter().filter(|old| now < old.until) {
            if keys.iter().all(|key| key.kid != old.key.kid) {
                keys.push(old.key.clone());
            }
        }
        keys
    }
}

/// 32 random bytes. That they are no valid scalar has the probability of a hash collision and is
/// found when they are used.
fn fresh() -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut scalar = Zeroizing::new([0; 32]);
    getrandom::fill(scalar.as_mut()).map_err(|_| KeysError::Random)?;
    Ok(scalar)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A configuration with both files in `directory`.
    pub(super) fn config(directory: &Path, development: bool) -> Config {
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
    fn private_keys_do_not_print() {
        let keys = Keys::from_scalars(&[0x5a; 32], &[0x5b; 32]).unwrap();
        let printed = format!("{keys:?}");
        assert!(
            !printed.contains("5a5a") && !printed.contains("90, 90"),
            "{printed}"
        );
    }
}
