// SPDX-License-Identifier: Apache-2.0
//! `subrosa request`.

use std::path::{Path, PathBuf};

use alloy_primitives::{B256, U256};
use clap::Args;
use eyre::{Result, WrapErr, ensure, eyre};
use serde::Serialize;
use subrosa_client::{
    CallRequest, ClientError, Fulfilled, ReplyKey, Sealing, Session, Suite, Ticket,
};
use subrosa_types::result::Status;

use crate::{
    args::{
        call::{Call, CallArgs, Decoded},
        deployment::AttestationArgs,
        key::KeyArgs,
        wait::WaitArgs,
    },
    output::{self, Output},
};

/// Appends a call to a contract's log, encrypted to the attested enclave, waits for its result,
/// and opens it. By default nobody but this command can read input and output.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// Contract id
    contract: B256,

    #[command(flatten)]
    call: CallArgs,

    /// Send the input in the clear; needs no attestation, and the output is public
    #[arg(long, conflicts_with_all = ["reply_key_file"])]
    clear: bool,

    /// Make the output public; the input stays encrypted
    #[arg(long, conflicts_with = "reply_key_file")]
    public_output: bool,

    /// File of the key that the output is sealed to, made if absent; without one the key lives as
    /// long as this command
    #[arg(long, value_name = "FILE")]
    reply_key_file: Option<PathBuf>,

    /// Do not wait for the result; `subrosa result` gets it later
    #[arg(long)]
    no_wait: bool,

    /// Use X25519 alone instead of the post-quantum suite: over a thousand bytes less calldata
    #[arg(long)]
    classical: bool,

    /// Fuel the call may use
    #[arg(long, value_name = "FUEL", default_value_t = 10_000_000)]
    fuel: u64,

    /// Wei to pay [default: the contract's execution charge]
    #[arg(long, value_name = "WEI")]
    fee: Option<U256>,

    /// Seconds from now after which the fee can be taken back
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    deadline: u64,

    #[command(flatten)]
    attestation: AttestationArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// A request and, if it was waited for, its result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    pub(crate) request: Ticket,
    pub(crate) fulfilled: Option<Fulfilled>,
    #[serde(flatten)]
    pub(crate) output: Option<Decoded>,
}

impl RequestArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let call = self.call.call()?;
        let reply_key = self.reply_key()?;
        let request = CallRequest {
            reply: reply_key.as_ref(),
            fuel_limit: self.fuel,
            fee: self.fee,
            deadline: self.deadline,
            sealing: Sealing {
                suite: self.suite(),
                ..Sealing::default()
            },
            ..CallRequest::new(self.contract, &call.input)
        };
        let (session, ticket) = if self.clear {
            let session = self.attestation.deployment.open().await?;
            let ticket = session.request_in_the_clear(&request, &account).await?;
            (session, ticket)
        } else {
            let attested = self.attestation.attest(output).await?;
            let ticket = attested.request(&request, &account).await?;
            (attested.session().clone(), ticket)
        };
        output.progress(format_args!("entry {} of {}", ticket.seq, ticket.contract));
        let outcome = if self.no_wait {
            Outcome {
                request: ticket,
                fulfilled: None,
                output: None,
            }
        } else {
            let fulfilled = session.wait(&ticket, self.wait.options()).await?;
            Outcome::open(&session, ticket, fulfilled, reply_key.as_ref(), &call)?
        };
        output.result(&outcome, Outcome::text)?;
        outcome.check()
    }

    fn reply_key(&self) -> Result<Option<ReplyKey>> {
        if self.clear || self.public_output {
            return Ok(None);
        }
        if let Some(path) = &self.reply_key_file {
            return reply_key_file(path, self.suite()).map(Some);
        }
        ensure!(
            !self.no_wait,
            "the output would be sealed to a key that nobody keeps: pass --reply-key-file or \
             --public-output with --no-wait"
        );
        let seed = *ReplyKey::generate()?.expose_seed();
        Ok(Some(ReplyKey::from_seed(self.suite(), &seed)))
    }

    fn suite(&self) -> Suite {
        if self.classical {
            Suite::X25519
        } else {
            Suite::XWing
        }
    }
}

impl Outcome {
    /// Opens the output of a fulfilled request.
    pub(crate) fn open(
        session: &Session,
        request: Ticket,
        fulfilled: Fulfilled,
        key: Option<&ReplyKey>,
        call: &Call,
    ) -> Result<Self> {
        let opened = match key {
            Some(key) if !fulfilled.sealed_output.is_empty() => {
                Some(session.open_reply(&request, &fulfilled, key)?)
            }
            _ => None,
        };
        let bytes = match &opened {
            Some(opened) => opened.as_slice(),
            None => fulfilled.output.as_ref(),
        };
        let output = match fulfilled.status {
            Status::Succeeded => call.decode(bytes)?,
            _ => Decoded::reverted(bytes),
        };
        Ok(Self {
            request,
            fulfilled: Some(fulfilled),
            output: Some(output),
        })
    }

    pub(crate) fn text(&self) -> String {
        let mut facts = vec![
            ("contract", self.request.contract.to_string()),
            ("entry", self.request.seq.to_string()),
            ("requested in", self.request.transaction.to_string()),
        ];
        if let Some(fulfilled) = &self.fulfilled {
            facts.push(("fulfilled in", fulfilled.transaction.to_string()));
            facts.push(("status", format!("{:?}", fulfilled.status).to_lowercase()));
        }
        let mut text = output::pairs(&facts);
        if let Some(output) = &self.output {
            text.push_str(&format!("\n\n{}", output.text()));
        }
        text
    }

    /// An entry that did not succeed is a failure of the command, after it was printed.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.fulfilled {
            Some(fulfilled) if fulfilled.status != Status::Succeeded => {
                Err(ClientError::Unsuccessful {
                    contract: fulfilled.contract,
                    seq: fulfilled.seq,
                    status: fulfilled.status,
                }
                .into())
            }
            _ => Ok(()),
        }
    }
}

/// Reads a reply key (`SUITE:SEED`, both hexadecimal), or makes one, readable by its owner only.
pub(crate) fn reply_key_file(path: &Path, suite: Suite) -> Result<ReplyKey> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let at = || format!("cannot use reply key file {}", path.display());
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let parsed = text.trim().split_once(':').and_then(|(suite, seed)| {
                let suite = Suite::try_from(u8::from_str_radix(suite, 16).ok()?).ok()?;
                Some(ReplyKey::from_seed(suite, &seed.parse::<B256>().ok()?.0))
            });
            parsed
                .ok_or_else(|| eyre!("it does not hold a reply key"))
                .wrap_err_with(at)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = ReplyKey::from_seed(suite, ReplyKey::generate()?.expose_seed());
            let mut options = std::fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .wrap_err_with(at)?;
            let seed = B256::from(*key.expose_seed());
            writeln!(file, "{:02x}:{seed}", key.suite() as u8)
                .and_then(|()| file.sync_all())
                .wrap_err_with(at)?;
            Ok(key)
        }
        Err(error) => Err(error).wrap_err_with(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_key_is_made_once_and_read_again() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reply.key");
        let made = reply_key_file(&path, Suite::X25519).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The file says which suite it is of.
        let read = reply_key_file(&path, Suite::XWing).unwrap();
        assert_eq!(read.public(), made.public());
        std::fs::write(&path, "01:nonsense").unwrap();
        assert!(reply_key_file(&path, Suite::XWing).is_err());
    }
}
