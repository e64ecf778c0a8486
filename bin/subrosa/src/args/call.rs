// SPDX-License-Identifier: Apache-2.0
//! What is called, as people write it.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use alloy::{
    dyn_abi::{DynSolValue, FunctionExt, JsonAbiExt, Specifier},
    json_abi::Function,
    sol_types::{Panic, Revert, SolError},
};
use alloy_primitives::{Bytes, hex};
use clap::Args;
use eyre::{Result, WrapErr, bail, ensure};
use serde::Serialize;

/// The call: a function with arguments, or its encoding.
#[derive(Debug, Args)]
#[command(next_help_heading = "Call")]
pub(crate) struct CallArgs {
    /// Function, such as 'bid(uint256)' or 'winner()(address,uint256)'; with result types, the
    /// output is decoded
    #[arg(value_name = "FUNCTION", conflicts_with_all = ["data", "data_file"])]
    function: Option<String>,

    /// Its arguments. Other processes of this machine can read them here: for secrets, use
    /// --data-file
    #[arg(
        value_name = "ARGUMENT",
        requires = "function",
        allow_negative_numbers = true
    )]
    arguments: Vec<String>,

    /// The encoded call, hexadecimal
    #[arg(long, value_name = "HEX", conflicts_with = "data_file")]
    data: Option<Bytes>,

    /// File that holds the encoded call, hexadecimal; - for standard input
    #[arg(long, value_name = "FILE")]
    data_file: Option<PathBuf>,
}

/// An encoded call, and how to read what it returns.
pub(crate) struct Call {
    pub(crate) input: Vec<u8>,
    function: Option<Function>,
}

/// A call's output for people and machines.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Decoded {
    /// The output as it is.
    pub(crate) output: Bytes,
    /// Its values, if the function's result types are known.
    pub(crate) values: Option<Vec<String>>,
    /// Why the call reverted, if it did and says so in a way that Solidity does.
    pub(crate) reason: Option<String>,
}

impl CallArgs {
    pub(crate) fn call(&self) -> Result<Call> {
        if let Some(text) = &self.function {
            let function = Function::parse(text)
                .wrap_err_with(|| format!("cannot parse function {text:?}"))?;
            let input = function
                .abi_encode_input(&values(&function, &self.arguments)?)
                .wrap_err_with(|| format!("cannot encode a call of {text:?}"))?;
            return Ok(Call {
                input,
                function: Some(function),
            });
        }
        let input = match (&self.data, &self.data_file) {
            (Some(data), None) => data.to_vec(),
            (None, Some(path)) => read_hex(path)?,
            _ => {
                bail!("no call: name a FUNCTION with its arguments, or pass --data or --data-file")
            }
        };
        Ok(Call {
            input,
            function: None,
        })
    }
}

impl Call {
    /// No call, only what it would return.
    pub(crate) fn returning(function: Option<&str>) -> Result<Self> {
        let parse = |text: &str| {
            Function::parse(text).wrap_err_with(|| format!("cannot parse function {text:?}"))
        };
        Ok(Self {
            input: Vec::new(),
            function: function.map(parse).transpose()?,
        })
    }

    /// Reads an output with the function's result types.
    pub(crate) fn decode(&self, output: &[u8]) -> Result<Decoded> {
        let values = match &self.function {
            Some(function) if !function.outputs.is_empty() => {
                let values = function
                    .abi_decode_output(output)
                    .wrap_err("the output is not of the function's result types")?;
                Some(values.iter().map(show).collect())
            }
            _ => None,
        };
        Ok(Decoded {
            output: Bytes::copy_from_slice(output),
            values,
            reason: None,
        })
    }
}

impl Decoded {
    /// The output of a call that did not succeed: not of the function's result types.
    pub(crate) fn reverted(output: &[u8]) -> Self {
        Self {
            output: Bytes::copy_from_slice(output),
            values: None,
            reason: reason(output),
        }
    }

    pub(crate) fn text(&self) -> String {
        match (&self.values, &self.reason) {
            (Some(values), _) => values.join("\n"),
            (None, Some(reason)) => reason.clone(),
            (None, None) => self.output.to_string(),
        }
    }
}

/// What `Error(string)` or `Panic(uint256)` says.
fn reason(output: &[u8]) -> Option<String> {
    let revert = Revert::abi_decode(output).map(|revert| revert.reason);
    let panic = || Panic::abi_decode(output).map(|panic| panic.to_string());
    revert.or_else(|_| panic()).ok()
}

/// Encodes constructor arguments: `types` is such as '(address,uint256)'.
pub(crate) fn encode_arguments(types: &str, arguments: &[String]) -> Result<Vec<u8>> {
    let function = Function::parse(&format!("constructor_{types}"))
        .wrap_err_with(|| format!("cannot parse the types {types:?}"))?;
    let input = function.abi_encode_input(&values(&function, arguments)?)?;
    Ok(input.get(4..).unwrap_or_default().to_vec())
}

/// Reads a file of hexadecimal digits, or standard input for `-`.
pub(crate) fn read_hex(path: &Path) -> Result<Vec<u8>> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .wrap_err("cannot read standard input")?;
        text
    } else {
        std::fs::read_to_string(path).wrap_err_with(|| format!("cannot read {}", path.display()))?
    };
    hex::decode(text.trim())
        .wrap_err_with(|| format!("{} does not hold hexadecimal digits", path.display()))
}

fn values(function: &Function, arguments: &[String]) -> Result<Vec<DynSolValue>> {
    let expected = function.inputs.len();
    ensure!(
        expected == arguments.len(),
        "{} takes {expected} arguments, {} are given",
        function.signature(),
        arguments.len()
    );
    function
        .inputs
        .iter()
        .zip(arguments)
        .enumerate()
        .map(|(index, (input, argument))| {
            let kind = input.resolve()?;
            // The argument itself may be secret and stays out of the message.
            kind.coerce_str(argument)
                .map_err(|_| eyre::eyre!("argument {} is not a {}", index + 1, input.ty))
        })
        .collect()
}

fn show(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(word, size) => {
            hex::encode_prefixed(word.get(..*size).unwrap_or_default())
        }
        DynSolValue::Address(value) => value.to_string(),
        DynSolValue::Bytes(value) => hex::encode_prefixed(value),
        DynSolValue::String(value) => value.clone(),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => {
            format!(
                "[{}]",
                values.iter().map(show).collect::<Vec<_>>().join(", ")
            )
        }
        DynSolValue::Tuple(values) => {
            format!(
                "({})",
                values.iter().map(show).collect::<Vec<_>>().join(", ")
            )
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(function: &str, arguments: &[&str]) -> CallArgs {
        CallArgs {
            function: Some(function.to_owned()),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            data: None,
            data_file: None,
        }
    }

    #[test]
    fn a_function_is_encoded_and_its_output_decoded() {
        let call = args("winner(uint8)(address,uint256)", &["3"])
            .call()
            .unwrap();
        let selector = &alloy_primitives::keccak256("winner(uint8)")[..4];
        assert_eq!(&call.input[..4], selector);
        assert_eq!(call.input.len(), 36);
        assert_eq!(call.input[35], 3);
        let mut output = [0; 64];
        output[12..32].fill(0x11);
        output[63] = 42;
        let decoded = call.decode(&output).unwrap();
        assert_eq!(
            decoded.values.unwrap(),
            ["0x1111111111111111111111111111111111111111", "42"]
        );
        assert!(call.decode(&output[..40]).is_err());
    }

    #[test]
    fn without_result_types_the_output_stays_bytes() {
        let call = args("bid(uint256)", &["7"]).call().unwrap();
        assert_eq!(call.decode(&[1, 2]).unwrap().text(), "0x0102");
    }

    #[test]
    fn a_reason_to_revert_is_shown() {
        let mut output = hex::decode("08c379a0").unwrap();
        output.extend([&[0; 31][..], &[0x20], &[0; 31], &[3], b"why", &[0; 29]].concat());
        assert_eq!(Decoded::reverted(&output).text(), "why");
        assert_eq!(Decoded::reverted(b"hello").text(), "0x68656c6c6f");
    }

    #[test]
    fn a_wrong_argument_is_named_but_not_repeated() {
        let error = args("bid(uint256)", &["hunter2"])
            .call()
            .err()
            .unwrap()
            .to_string();
        assert_eq!(error, "argument 1 is not a uint256");
        let error = args("bid(uint256)", &[]).call().err().unwrap().to_string();
        assert_eq!(error, "bid(uint256) takes 1 arguments, 0 are given");
    }

    #[test]
    fn constructor_arguments_have_no_selector() {
        let encoded = encode_arguments("(uint256,bool)", &["5".into(), "true".into()]).unwrap();
        assert_eq!(encoded.len(), 64);
        assert_eq!((encoded[31], encoded[63]), (5, 1));
    }
}
