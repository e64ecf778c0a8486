// SPDX-License-Identifier: Apache-2.0
//! `subrosa contract announce-upgrade`, `withdraw-upgrade` and `upgrade`.

use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use clap::Args;
use eyre::{Result, WrapErr};
use serde::Serialize;
use subrosa_client::{
    Account, Connection, ContractPolicy, Upgrade, UpgradeTerms, Upgraded, code_salt,
};

use crate::{
    args::{
        code::CodeArgs,
        deployment::{AttestationArgs, DeploymentArgs},
        key::KeyArgs,
        wait::WaitArgs,
    },
    output::{self, Output},
};

/// Announces other code by its commitment, and prints what users will see. The code itself stays
/// here until it is run.
#[derive(Debug, Args)]
pub(crate) struct AnnounceArgs {
    /// Contract id
    contract: B256,

    #[command(flatten)]
    code: CodeArgs,

    /// File of the commitment's salt, made if absent; `upgrade` needs it, and the same code and
    /// arguments
    #[arg(long, value_name = "FILE")]
    salt_file: PathBuf,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// Withdraws what is announced.
#[derive(Debug, Args)]
pub(crate) struct WithdrawArgs {
    /// Contract id
    contract: B256,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// Appends the announced upgrade, encrypts its code to the attested enclave, and waits for its
/// constructor, which runs on what the contract stores.
#[derive(Debug, Args)]
pub(crate) struct UpgradeArgs {
    /// Contract id
    contract: B256,

    #[command(flatten)]
    code: CodeArgs,

    /// File of the salt, as `announce-upgrade` wrote it
    #[arg(long, value_name = "FILE")]
    salt_file: PathBuf,

    /// Fuel of the constructor
    #[arg(long, value_name = "FUEL", default_value_t = ContractPolicy::default().fuel_limit)]
    fuel: u64,

    /// Hand in the code of an upgrade that is on the log already, at this position
    #[arg(long, value_name = "SEQ")]
    entry: Option<u64>,

    #[command(flatten)]
    attestation: AttestationArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// What was announced, as everybody sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Announcement {
    contract: B256,
    #[serde(flatten)]
    terms: UpgradeTerms,
}

impl AnnounceArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let bytecode = self.code.read()?;
        let commitment = bytecode.commitment(made_salt(&self.salt_file)?);
        let connection = self.deployment.open().await?;
        Announcement::make(&connection, self.contract, commitment, &account, output).await
    }
}

impl WithdrawArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        Announcement::make(&connection, self.contract, B256::ZERO, &account, output).await
    }
}

impl Announcement {
    async fn make(
        connection: &Connection,
        contract: B256,
        commitment: B256,
        account: &Account,
        output: &Output,
    ) -> Result<()> {
        let terms = connection
            .announce_upgrade(contract, commitment, account)
            .await?;
        output.result(&Self { contract, terms }, |made| {
            let mut pairs = vec![("contract", made.contract.to_string())];
            pairs.extend(super::terms::in_words(&made.terms));
            output::pairs(&pairs)
        })
    }
}

impl UpgradeArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let upgrade = Upgrade {
            contract: self.contract,
            bytecode: self.code.read()?,
            salt: read_salt(&self.salt_file)?,
            fuel_limit: self.fuel,
            appended: self.entry,
        };
        let attested = self.attestation.attest(output).await?;
        output.progress(format_args!(
            "upgrading to {} bytes of code with {} of arguments, both encrypted",
            upgrade.bytecode.code.len(),
            upgrade.bytecode.init.len()
        ));
        let upgraded = attested
            .upgrade(&upgrade, &account, self.wait.options())
            .await?;
        output.result(&upgraded, text)
    }
}

fn text(upgraded: &Upgraded) -> String {
    output::pairs(&[
        ("contract", upgraded.contract.to_string()),
        ("code commitment", upgraded.code_commitment.to_string()),
        ("entry", upgraded.fulfilled.seq.to_string()),
        ("appended in", upgraded.appended.to_string()),
        ("fulfilled in", upgraded.fulfilled.transaction.to_string()),
    ])
}

fn read_salt(path: &Path) -> Result<B256> {
    let at = || format!("cannot use salt file {}", path.display());
    let text = std::fs::read_to_string(path).wrap_err_with(at)?;
    text.trim()
        .parse()
        .wrap_err("it does not hold a salt")
        .wrap_err_with(at)
}

/// The salt in a file, which is made if absent and then readable by its owner alone.
fn made_salt(path: &Path) -> Result<B256> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    if path.exists() {
        return read_salt(path);
    }
    let at = || format!("cannot make salt file {}", path.display());
    let salt = code_salt()?;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .wrap_err_with(at)?;
    writeln!(file, "{salt}")
        .and_then(|()| file.sync_all())
        .wrap_err_with(at)?;
    Ok(salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_made_once_and_read_again() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("salt");
        assert!(read_salt(&path).is_err());
        let made = made_salt(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(made_salt(&path).unwrap(), made);
        assert_eq!(read_salt(&path).unwrap(), made);
        std::fs::write(&path, "0x12").unwrap();
        assert!(made_salt(&path).is_err());
    }
}
