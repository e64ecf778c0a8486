// SPDX-License-Identifier: Apache-2.0
//! The command line, parsed by hand: every dependency here is measured.

use std::{ffi::OsString, path::PathBuf};

use eyre::{Result, bail, eyre};
use subrosa_types::frame::WIRE_VERSION;

const USAGE: &str = "\
usage: subrosa-enclave --socket PATH [--sealing-key-file PATH]

  --socket PATH            Unix socket to listen on
  --sealing-key-file PATH  32 secret bytes that stand in for the machine's sealing key; created if
                           absent. Software TEE only; without it nothing is sealed
  --version                print the version and the host-enclave protocol's version
";

pub(crate) enum Command {
    Serve(Arguments),
    Print(String),
}

pub(crate) struct Arguments {
    pub(crate) socket: PathBuf,
    pub(crate) sealing_key_file: Option<PathBuf>,
}

pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Command> {
    let (mut socket, mut sealing_key_file) = (None, None);
    while let Some(word) = words.next() {
        let slot = match word.to_str() {
            Some("--socket") => &mut socket,
            Some("--sealing-key-file") => &mut sealing_key_file,
            Some("--version" | "-V") => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Command::Print(format!(
                    "subrosa-enclave {version} wire {WIRE_VERSION}"
                )));
            }
            Some("--help" | "-h") => return Ok(Command::Print(USAGE.trim_end().into())),
            _ => bail!("unknown argument {word:?}\n\n{USAGE}"),
        };
        let value = words
            .next()
            .ok_or_else(|| eyre!("{word:?} needs a value\n\n{USAGE}"))?;
        if slot.replace(PathBuf::from(value)).is_some() {
            bail!("{word:?} is given twice");
        }
    }
    let socket = socket.ok_or_else(|| eyre!("--socket is missing\n\n{USAGE}"))?;
    Ok(Command::Serve(Arguments {
        socket,
        sealing_key_file,
    }))
}
