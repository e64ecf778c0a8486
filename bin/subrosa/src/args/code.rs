// SPDX-License-Identifier: Apache-2.0
//! Code and the arguments of its constructor.

use std::path::{Path, PathBuf};

use alloy_primitives::{Bytes, hex};
use clap::Args;
use eyre::{Result, WrapErr, ensure};
use subrosa_client::{Bytecode, ENGINE_EVM};

use super::call::{encode_arguments, read_hex};

/// What is deployed, or upgraded to.
#[derive(Debug, Args)]
pub(crate) struct CodeArgs {
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
}

impl CodeArgs {
    /// Reads what the arguments name.
    pub(crate) fn read(&self) -> Result<Bytecode> {
        Ok(Bytecode {
            engine: ENGINE_EVM,
            code: read_code(&self.code)?,
            init: self.init()?,
        })
    }

    fn init(&self) -> Result<Bytes> {
        Ok(match (&self.constructor, &self.init_file) {
            (Some(types), _) => encode_arguments(types, &self.arguments)?.into(),
            (None, Some(path)) => read_hex(path)?.into(),
            (None, None) => Bytes::new(),
        })
    }
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
