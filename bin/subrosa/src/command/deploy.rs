// SPDX-License-Identifier: Apache-2.0
//! `subrosa deploy`.

use std::path::{Path, PathBuf};

use alloy_primitives::{Bytes, U256, hex};
use clap::Args;
use eyre::{Result, WrapErr, ensure};
use subrosa_client::{Bytecode, ContractPolicy, Deployed, ENGINE_EVM};

use crate::{
    args::{
        call::{encode_arguments, read_hex},
        deployment::AttestationArgs,
        key::KeyArgs,
        wait::WaitArgs,
    },
    output::{self, Output},
};

/// Registers a contract, encrypts its code to the attested enclave, and waits for its constructor.
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    /// Creation code: a file of hexadecimal digits, or a compiler's JSON artifact with a `bytecode`
    #[arg(long, value_name = "FILE")]
    code: PathBuf,

    /// Types of the constructor's arguments, such as '(address,uint256)'
    #[arg(long, value_name = "TYPES", conflicts_with = "init_file")]
    constructor: Option<String>,

    /// The constructor's arguments. Other processes of this machine can read them here: for
    /// secrets, use --init-file
    #[arg(
        value_name = "ARGUMENT",
        requires = "constructor",
        allow_negative_numbers = true
    )]
    arguments: Vec<String>,

    /// File of the encoded constructor arguments, hexadecimal; - for standard input
    #[arg(long, value_name = "FILE")]
    init_file: Option<PathBuf>,

    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    attestation: AttestationArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// The contract's public policy.
#[derive(Debug, Args)]
#[command(next_help_heading = "Policy")]
struct PolicyArgs {
    /// Execute entries in any order, on no state
    #[arg(long)]
    stateless: bool,

    /// Fuel of the constructor
    #[arg(long, value_name = "FUEL", default_value_t = ContractPolicy::default().fuel_limit)]
    fuel: u64,

    /// The part of every fee that is never refunded, gwei
    #[arg(long, value_name = "GWEI", default_value_t = 0,
        value_parser = clap::value_parser!(u64).range(..1 << 40))]
    execution_charge: u64,

    /// Least seconds between a request and its deadline
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(..1 << 24))]
    minimum_deadline: u32,

    /// Largest callback gas limit a request may name; 0 forbids callbacks
    #[arg(long, value_name = "GAS", default_value_t = 1_000_000)]
    maximum_callback_gas: u32,

    /// Wei to pay for the deployment [default: the execution charge]
    #[arg(long, value_name = "WEI")]
    fee: Option<U256>,
}

impl DeployArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        // Everything local comes first: nothing is asked of the network for a typing error.
        let account = self.key.required()?;
        let bytecode = Bytecode {
            engine: ENGINE_EVM,
            code: read_code(&self.code)?,
            init: self.init()?,
        };
        let attested = self.attestation.attest(output).await?;
        output.progress(format_args!(
            "deploying {} bytes of code and {} of arguments, both encrypted",
            bytecode.code.len(),
            bytecode.init.len()
        ));
        let policy = self.policy.policy();
        let deployed = attested
            .deploy(&bytecode, &policy, &account, self.wait.options())
            .await?;
        output.result(&deployed, text)
    }

    fn init(&self) -> Result<Bytes> {
        Ok(match (&self.constructor, &self.init_file) {
            (Some(types), _) => encode_arguments(types, &self.arguments)?.into(),
            (None, Some(path)) => read_hex(path)?.into(),
            (None, None) => Bytes::new(),
        })
    }
}

impl PolicyArgs {
    fn policy(&self) -> ContractPolicy {
        ContractPolicy {
            stateless: self.stateless,
            fuel_limit: self.fuel,
            execution_charge_gwei: self.execution_charge,
            minimum_deadline: self.minimum_deadline,
            maximum_callback_gas: self.maximum_callback_gas,
            fee: self.fee,
            ..ContractPolicy::default()
        }
    }
}

fn text(deployed: &Deployed) -> String {
    output::pairs(&[
        ("contract", deployed.contract.to_string()),
        ("guest address", deployed.guest_address.to_string()),
        ("code commitment", deployed.code_commitment.to_string()),
        ("salt", deployed.salt.to_string()),
        ("registered in", deployed.registered.to_string()),
        ("fulfilled in", deployed.fulfilled.transaction.to_string()),
    ])
}

/// Reads creation code from hexadecimal digits or an artifact of forge, hardhat or solc.
fn read_code(path: &Path) -> Result<Bytes> {
    let at = || format!("cannot use code file {}", path.display());
    let text = std::fs::read_to_string(path).wrap_err_with(at)?;
    let digits = match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(artifact) if artifact.is_object() => {
            let bytecode = artifact.get("bytecode");
            let digits = bytecode
                .and_then(|bytecode| bytecode.get("object").or(Some(bytecode)))
                .and_then(|digits| digits.as_str())
                .map(str::to_owned);
            digits
                .ok_or_else(|| eyre::eyre!("the artifact has no bytecode"))
                .wrap_err_with(at)?
        }
        _ => text,
    };
    let code = hex::decode(digits.trim())
        .wrap_err("not hexadecimal digits; a library may be unlinked")
        .wrap_err_with(at)?;
    ensure!(!code.is_empty(), "{}: it holds no code", at());
    Ok(code.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Bytes> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("code");
        std::fs::write(&path, content).unwrap();
        read_code(&path)
    }

    #[test]
    fn code_is_read_from_digits_and_artifacts() {
        for content in [
            "6001",
            "0x6001\n",
            r#"{"bytecode": "0x6001"}"#,
            r#"{"bytecode": {"object": "0x6001"}}"#,
        ] {
            assert_eq!(read(content).unwrap().as_ref(), [0x60, 0x01], "{content}");
        }
        for content in ["", "0x", "60__$lib$__01", "{}", r#"{"bytecode": {}}"#] {
            assert!(read(content).is_err(), "{content}");
        }
    }
}
