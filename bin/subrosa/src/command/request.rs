// SPDX-License-Identifier: Apache-2.0
//! `subrosa request`.

use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, U256};
use clap::Args;
use eyre::{Result, ensure};
use serde::Serialize;
use subrosa_client::{
    Attested, CallRequest, ClientError, Connection, Fulfilled, ReplyKey, Sealing, Suite, Ticket,
};
use subrosa_types::{entry::LARGEST_CALLBACK_GAS, result::Status};

use crate::{
    args::{
        call::{Call, CallArgs, Decoded},
        deployment::AttestationArgs,
        key::KeyArgs,
        reply_key,
        session::{KeptSession, Opener},
        through_chain::ThroughChainArgs,
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
    #[arg(long, conflicts_with_all = ["reply_key_file", "through_chain"])]
    clear: bool,

    /// Make the output public; the input stays encrypted
    #[arg(long, conflicts_with = "reply_key_file")]
    public_output: bool,

    /// File of the key that the output is sealed to, made if absent; without one the key lives as
    /// long as this command
    #[arg(long, value_name = "FILE")]
    reply_key_file: Option<PathBuf>,

    /// File of a session: the first call with it opens one, and those after it carry a key of eight
    /// bytes instead of over a thousand. The file holds secrets and is made readable by its owner
    /// only
    #[arg(long, value_name = "FILE", conflicts_with_all = ["clear", "reply_key_file"])]
    session: Option<PathBuf>,

    /// Do not wait for the result; `subrosa result` gets it later
    #[arg(long)]
    no_wait: bool,

    /// Use X25519 alone instead of the post-quantum suite: over a thousand bytes less calldata
    #[arg(long)]
    classical: bool,

    /// Fuel the call may use
    #[arg(long, value_name = "FUEL", default_value_t = 10_000_000)]
    fuel: u64,

    /// Bytes of output to pay for, before it is padded and sealed; a call that yields more fails
    #[arg(long, value_name = "BYTES", default_value_t = 1_024,
        value_parser = clap::value_parser!(u32).range(..=24 * 1024))]
    output_limit: u32,

    /// Refuse to ask if another version of the contract's code runs: the number of its upgrades
    #[arg(long, value_name = "NUMBER")]
    code_version: Option<u16>,

    /// Gas for a callback of the account that asks, if it is one with code; 0 for none
    #[arg(long, value_name = "GAS", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=i64::from(LARGEST_CALLBACK_GAS)))]
    callback_gas: u32,

    /// Want no callback after the deadline
    #[arg(long)]
    callback_expires: bool,

    /// Account that refunds go to [default: the account that asks]
    #[arg(long, value_name = "ADDRESS")]
    refund_to: Option<Address>,

    /// Wei to pay [default: what the oracle asks, with a margin for the base fee to rise]
    #[arg(long, value_name = "WEI")]
    fee: Option<U256>,

    /// Largest charge of the contract's owner agreed to, gwei: refuse to ask if the owner raises it above this; 0
    /// agrees to any [default: the charge when asking]
    #[arg(long, value_name = "GWEI", value_parser = clap::value_parser!(u64).range(..1 << 48))]
    maximum_charge: Option<u64>,

    /// Seconds from now after which the fee can be taken back
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    deadline: u64,

    #[command(flatten)]
    attestation: AttestationArgs,
    #[command(flatten)]
    through_chain: ThroughChainArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// A request and, if it was waited for, its result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestReport {
    pub(crate) request: Ticket,
    pub(crate) fulfilled: Option<Fulfilled>,
    #[serde(flatten)]
    pub(crate) output: Option<Decoded>,
}

impl RequestArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let call = self.call.call()?;
        // A key file that cannot be used is found before anything is asked of anyone; whether a
        // session needs one is known once it is read.
        let own_key = match &self.session {
            None => self.reply_key()?,
            Some(_) => None,
        };
        let (connection, attested) = if self.clear {
            (self.attestation.deployment.open().await?, None)
        } else {
            let own = account.clone();
            let attested = self
                .through_chain
                .attest(&self.attestation, || Ok(own), &self.wait, output)
                .await?;
            (attested.connection().clone(), Some(attested))
        };
        let kept = match (&self.session, &attested) {
            (Some(path), Some(attested)) => self.kept(path, attested, output)?,
            _ => None,
        };
        let (kept, reply_key) = match kept {
            Some(kept) => (Some(kept), None),
            None if self.session.is_some() => (None, self.reply_key()?),
            None => (None, own_key),
        };
        let request = CallRequest {
            reply: reply_key.as_ref(),
            fuel_limit: self.fuel,
            output_limit: self.output_limit,
            code_version: self.code_version,
            callback_gas_limit: self.callback_gas,
            callback_expires: self.callback_expires,
            refund_to: self.refund_to.unwrap_or_default(),
            fee: self.fee,
            maximum_charge_gwei: self.maximum_charge,
            deadline: self.deadline,
            sealing: Sealing {
                suite: self.suite(),
                ..Sealing::default()
            },
            ..CallRequest::new(self.contract, &call.input)
        };
        let (ticket, opened) = match (&attested, &kept, &self.session) {
            (None, ..) => {
                let ticket = connection.request_in_the_clear(&request, &account).await?;
                (ticket, None)
            }
            (Some(attested), Some(kept), _) => {
                let ticket = attested
                    .request_in_session(&kept.session, &request, &account)
                    .await?;
                (ticket, None)
            }
            (Some(attested), None, Some(path)) => {
                let (ticket, opened) = attested.request_opening_session(&request, &account).await?;
                (ticket, Some((path, opened)))
            }
            (Some(attested), None, None) => (attested.request(&request, &account).await?, None),
        };
        output.progress(format_args!("entry {} of {}", ticket.seq, ticket.contract));
        let in_session = kept.is_some();
        let opener = match (opened, kept) {
            (Some((path, session)), _) => {
                let kept = KeptSession {
                    session,
                    reply: reply_key,
                };
                kept.write(path)?;
                output.progress(format_args!("opens a session, kept in {}", path.display()));
                Some(Opener::Session(kept))
            }
            (None, Some(kept)) => Some(Opener::Session(kept)),
            (None, None) => reply_key.map(Opener::Key),
        };
        let report = if self.no_wait {
            RequestReport {
                request: ticket,
                fulfilled: None,
                output: None,
            }
        } else {
            let fulfilled = connection.wait(&ticket, self.wait.options()).await?;
            if let (Some(path), true, Status::Rejected) =
                (&self.session, in_session, fulfilled.status)
            {
                output.progress(format_args!(
                    "the session may have ended; without {} the next call opens another",
                    path.display()
                ));
            }
            RequestReport::open(&connection, ticket, fulfilled, opener.as_ref(), &call)?
        };
        output.result(&report, RequestReport::text)?;
        report.check()
    }

    /// The session in the file, if it can carry this call.
    fn kept(
        &self,
        path: &Path,
        attested: &Attested,
        output: &Output,
    ) -> Result<Option<KeptSession>> {
        let Some(kept) = KeptSession::read(path)? else {
            return Ok(None);
        };
        let session = &kept.session;
        ensure!(
            session.contract() == self.contract,
            "the session in {} is one of contract {}",
            path.display(),
            session.contract()
        );
        if session.epoch() != attested.epoch_id() {
            output.progress(format_args!("the session ended with its key epoch"));
            return Ok(None);
        }
        Ok(Some(kept))
    }

    fn reply_key(&self) -> Result<Option<ReplyKey>> {
        if self.clear || self.public_output {
            return Ok(None);
        }
        if let Some(path) = &self.reply_key_file {
            return reply_key::file(path, self.suite()).map(Some);
        }
        ensure!(
            !self.no_wait || self.session.is_some(),
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

impl RequestReport {
    /// Opens the output of a fulfilled request.
    pub(crate) fn open(
        connection: &Connection,
        request: Ticket,
        fulfilled: Fulfilled,
        opener: Option<&Opener>,
        call: &Call,
    ) -> Result<Self> {
        let opened = match opener {
            Some(opener) if !fulfilled.sealed_output.is_empty() => {
                Some(opener.open(connection, &request, &fulfilled)?)
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
