// SPDX-License-Identifier: Apache-2.0
//! Where the relay's key comes from.

use std::path::{Path, PathBuf};

use alloy::signers::local::{LocalSignerError, PrivateKeySigner};
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Where to find a secp256k1 private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum KeySource {
    /// A file that holds the key in hex, with or without 0x.
    File {
        /// Its path.
        file: PathBuf,
    },
    /// An environment variable that holds the key in hex, with or without 0x.
    Environment {
        /// Its name.
        env: String,
    },
    /// A keystore file (Web3 Secret Storage, version 3).
    Keystore {
        /// Its path.
        keystore: PathBuf,
        /// A file whose first line is the password.
        password_file: PathBuf,
    },
}

impl KeySource {
    /// Reads the key. Decrypting a keystore takes about a second of processor time.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn load(&self) -> Result<PrivateKeySigner, KeyError> {
        match self {
            Self::File { file } => parse(&read(file)?, || file.display().to_string()),
            Self::Environment { env } => {
                let text = std::env::var(env).map_err(|_| KeyError::Unset(env.clone()))?;
                parse(&Zeroizing::new(text), || env.clone())
            }
            Self::Keystore {
                keystore,
                password_file,
            } => {
                let password = read(password_file)?;
                let password = password.lines().next().unwrap_or_default();
                PrivateKeySigner::decrypt_keystore(keystore, password).map_err(|source| {
                    KeyError::Keystore {
                        path: keystore.clone(),
                        source,
                    }
                })
            }
        }
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read key file {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The environment variable is not set, or is not text.
    #[error("environment variable {0} holds no key")]
    Unset(String),
    /// What was found is not 32 bytes of hex, or not a valid secp256k1 key.
    #[error("{0} does not hold a private key of 64 hex digits")]
    Malformed(String),
    /// The keystore does not open with that password.
    #[error("cannot open keystore {path}", path = path.display())]
    Keystore {
        /// The keystore.
        path: PathBuf,
        /// Why.
        source: LocalSignerError,
    },
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(source) => Err(KeyError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn parse(text: &str, origin: impl Fn() -> String) -> Result<PrivateKeySigner, KeyError> {
    let mut key: B256 = text
        .trim()
        .parse()
        .map_err(|_| KeyError::Malformed(origin()))?;
    let signer = PrivateKeySigner::from_bytes(&key);
    key.0.zeroize();
    signer.map_err(|_| KeyError::Malformed(origin()))
}
