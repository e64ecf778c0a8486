// SPDX-License-Identifier: Apache-2.0
//! The account that signs. Its key comes from a file, a keystore or the environment, never from
//! an argument, which every process of the machine could read.

use std::path::PathBuf;

use clap::Args;
use eyre::{Result, bail, eyre};
use subrosa_client::Account;
use subrosa_node::config::KeySource;

/// Where the account's private key comes from; without any of these, from the environment variable
/// SUBROSA_PRIVATE_KEY.
#[derive(Debug, Args)]
#[command(next_help_heading = "Account")]
pub(crate) struct KeyArgs {
    /// Keystore file (Web3 Secret Storage); needs --password-file
    #[arg(
        long,
        value_name = "FILE",
        requires = "password_file",
        conflicts_with = "key_file"
    )]
    keystore: Option<PathBuf>,

    /// File whose first line is the keystore's password
    #[arg(long, value_name = "FILE", requires = "keystore")]
    password_file: Option<PathBuf>,

    /// File that holds the private key in hexadecimal [default: the key in SUBROSA_PRIVATE_KEY]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl KeyArgs {
    /// The account, if there is a key.
    pub(crate) fn account(&self) -> Result<Option<Account>> {
        let source = match (&self.keystore, &self.password_file, &self.key_file) {
            (Some(keystore), Some(password), None) => KeySource::Keystore {
                keystore: keystore.clone(),
                password_file: password.clone(),
            },
            (None, None, Some(file)) => KeySource::File { file: file.clone() },
            (None, None, None) if std::env::var_os(VARIABLE).is_some() => KeySource::Environment {
                env: VARIABLE.to_owned(),
            },
            (None, None, None) => return Ok(None),
            _ => bail!("pass --keystore with --password-file, or --key-file"),
        };
        Ok(Some(source.load()?))
    }

    /// The account.
    ///
    /// # Errors
    ///
    /// If there is no key, says how to give one.
    pub(crate) fn required(&self) -> Result<Account> {
        self.account()?.ok_or_else(|| {
            eyre!(
                "no key to sign with: pass --keystore FILE with --password-file FILE, or \
                 --key-file FILE, or set {VARIABLE}"
            )
        })
    }
}

const VARIABLE: &str = "SUBROSA_PRIVATE_KEY";
