// SPDX-License-Identifier: Apache-2.0
//! The two signing keys.

mod error;
mod file;
mod rotation;

use subrosa_attestation::admission::AdmissionKey;
use subrosa_attestation::ear::EarKey;
use subrosa_evidence::api::Jwk;

pub use self::error::KeysError;
use self::file::{
    ADMISSION, EAR, KeyFile, Retired, ear_key, file_error, fresh, read, scalar, write,
};
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
            .any(|old| subrosa_attestation::ear::validate(&old.key).is_err())
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

#[cfg(test)]
mod tests;
