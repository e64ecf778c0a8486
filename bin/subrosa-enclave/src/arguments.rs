// SPDX-License-Identifier: Apache-2.0
//! The command line, parsed by hand: every dependency here is measured.

use std::{
    ffi::OsString,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use eyre::{Result, bail, eyre};
use subrosa_tee::{Name, Selection};
use subrosa_types::frame::WIRE_VERSION;

const USAGE: &str = "\
usage: subrosa-enclave --socket PATH [--tee NAME] [--sealing-key-file PATH]
                       [--workers NUMBER] [--memory-mib NUMBER]

  --socket PATH            Unix socket to listen on
  --tee NAME               tdx, snp, sgx-gramine, nitro, azure-vtpm or software; else whichever of
                           the first five is found, and the software TEE if --sealing-key-file is
                           given
  --sealing-key-file PATH  32 secret bytes that stand in for the machine's sealing key; created if
                           absent. Software TEE only; without it nothing is sealed
  --workers NUMBER         threads that execute; as many as there are processors if not given. One
                           more answers control requests, and one queries
  --memory-mib NUMBER      memory for the states of contracts, MiB, 4096 if not given. The least
                           recently used are dropped beyond it, and loaded again when needed
  --version                print the version and the host-enclave protocol's version
";

pub(crate) enum Command {
    Serve(Arguments),
    Print(String),
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) socket: PathBuf,
    pub(crate) environment: Environment,
    pub(crate) workers: NonZeroUsize,
    pub(crate) memory_mib: usize,
}

/// Where this process is to find itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    /// In hardware.
    Hardware(Selection),
    /// In the software TEE, with or without a file for a machine's sealing key.
    Software(Option<PathBuf>),
}

pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Command> {
    let (mut socket, mut tee, mut sealing_key_file) = (None, None, None);
    let (mut workers, mut memory_mib) = (None, None);
    while let Some(word) = words.next() {
        let slot = match word.to_str() {
            Some("--socket") => &mut socket,
            Some("--tee") => &mut tee,
            Some("--sealing-key-file") => &mut sealing_key_file,
            Some("--workers") => &mut workers,
            Some("--memory-mib") => &mut memory_mib,
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
    let tee = tee
        .map(|name| name.to_string_lossy().parse::<Name>())
        .transpose()?;
    let environment = match (tee, sealing_key_file) {
        (Some(Name::Software), file) => Environment::Software(file),
        (None, Some(file)) => Environment::Software(Some(file)),
        (None, None) => Environment::Hardware(Selection::Detect),
        (Some(name), None) => Environment::Hardware(Selection::Named(name)),
        (Some(name), Some(_)) => {
            bail!("--sealing-key-file is for the software TEE, not for {name}")
        }
    };
    let workers = match workers {
        Some(word) => number("--workers", &word)?,
        None => thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };
    let memory_mib = match memory_mib {
        Some(word) => number("--memory-mib", &word)?.get(),
        None => MEMORY_MIB,
    };
    Ok(Command::Serve(Arguments {
        socket,
        environment,
        workers,
        memory_mib,
    }))
}

fn number(name: &str, word: &Path) -> Result<NonZeroUsize> {
    let number = word.to_str().and_then(|word| word.parse().ok());
    number.ok_or_else(|| eyre!("{name} takes a number from 1 up, not {word:?}"))
}

const MEMORY_MIB: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(words: &str) -> Result<Environment> {
        let words = format!("--socket s {words}");
        match parse(words.split_whitespace().map(OsString::from))? {
            Command::Serve(arguments) => Ok(arguments.environment),
            Command::Print(text) => bail!("{text}"),
        }
    }

    #[test]
    fn nothing_named_means_hardware_and_never_the_software_tee() {
        assert_eq!(
            environment("").unwrap(),
            Environment::Hardware(Selection::Detect)
        );
    }

    #[test]
    fn the_software_tee_is_named_or_given_a_key_file() {
        let file = Some(PathBuf::from("k"));
        for words in [
            "--sealing-key-file k",
            "--tee software --sealing-key-file k",
        ] {
            assert_eq!(
                environment(words).unwrap(),
                Environment::Software(file.clone())
            );
        }
        assert_eq!(
            environment("--tee software").unwrap(),
            Environment::Software(None)
        );
    }

    #[test]
    fn threads_and_memory_are_numbers_from_one_up() {
        let parsed = |words: &str| {
            let words = format!("--socket s --tee software {words}");
            match parse(words.split_whitespace().map(OsString::from)) {
                Ok(Command::Serve(arguments)) => {
                    Ok((arguments.workers.get(), arguments.memory_mib))
                }
                Ok(Command::Print(text)) => bail!("{text}"),
                Err(error) => Err(error),
            }
        };
        assert_eq!(parsed("--workers 3 --memory-mib 64").unwrap(), (3, 64));
        assert_eq!(parsed("--workers 3").unwrap(), (3, MEMORY_MIB));
        for words in ["--workers 0", "--workers two", "--memory-mib -1"] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }

    #[test]
    fn hardware_is_opened_by_name_and_takes_no_key_file() {
        assert_eq!(
            environment("--tee tdx").unwrap(),
            Environment::Hardware(Selection::Named(Name::Tdx))
        );
        for words in [
            "--tee tdx --sealing-key-file k",
            "--tee sgx",
            "--tee tdx --tee tdx",
        ] {
            assert!(environment(words).is_err(), "{words}");
        }
    }
}
