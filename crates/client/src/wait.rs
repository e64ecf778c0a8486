// SPDX-License-Identifier: Apache-2.0
//! Waiting for results, as the oracle accepted them.

use std::time::{Duration, Instant};

use alloy_primitives::{B256, Bytes};
use serde::Serialize;
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_crypto::{
    Subject, Zeroizing,
    reply::{self, ReplyBinding},
};
use subrosa_types::{
    ContractId,
    result::{LoggedResult, Status},
};

use crate::{CallSession, ChainError, ClientError, Connection, ReplyKey, Ticket};

/// How long, and how often, to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitOptions {
    /// After this, give up.
    pub timeout: Duration,
    /// Between two looks.
    pub interval: Duration,
}

impl Default for WaitOptions {
    /// Two minutes, ten looks a second.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(120),
            interval: Duration::from_millis(100),
        }
    }
}

/// A fulfilled entry: the oracle checked the signature over its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fulfilled {
    /// The contract.
    pub contract: ContractId,
    /// Position of the entry in its log.
    pub seq: u64,
    /// How it went.
    pub status: Status,
    /// Smallest b with fuel used <= 2^b.
    pub fuel_bucket: u8,
    /// The first 160 bits of the head's commitment after it; the others are zero.
    pub commitment: B256,
    /// Public output.
    pub output: Bytes,
    /// Output sealed to the reply key.
    pub sealed_output: Bytes,
    /// Block that fulfilled it.
    pub block: u64,
    /// Transaction that fulfilled it.
    pub transaction: B256,
}

impl Connection {
    /// Waits until the oracle has accepted the result of an entry.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotFulfilled`] after the timeout.
    pub async fn wait(
        &self,
        ticket: &Ticket,
        options: WaitOptions,
    ) -> Result<Fulfilled, ClientError> {
        // No plain retry, so not backon's: each look begins where the one before ended.
        let started = Instant::now();
        let mut from = ticket.block;
        loop {
            // The block is read before its events, so that none is passed over.
            let newest = self.chain.block_number().await?;
            if newest >= from {
                let events = self.chain.events(ticket.contract, from, newest).await?;
                if let Some(fulfilled) = pick(ticket, events)? {
                    return Ok(fulfilled);
                }
                // Look at the newest blocks again: a reorganization may replace them.
                from = from.max(newest.saturating_sub(REVISITED_BLOCKS));
            }
            if started.elapsed() >= options.timeout {
                return Err(ClientError::NotFulfilled {
                    contract: ticket.contract,
                    seq: ticket.seq,
                    waited: started.elapsed(),
                });
            }
            tokio::time::sleep(options.interval).await;
        }
    }

    /// Opens the sealed output of a fulfilled entry.
    ///
    /// # Errors
    ///
    /// [`ClientError::Reply`] if it was sealed to another key, or is not the answer to this entry.
    pub fn open_reply(
        &self,
        ticket: &Ticket,
        fulfilled: &Fulfilled,
        key: &ReplyKey,
    ) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        self.open_sealed(
            ticket.contract,
            Subject::Entry(ticket.digest),
            &fulfilled.sealed_output,
            key,
        )
    }

    /// Opens the sealed output of a call that was made in `session`. That of the call that opened the
    /// session is sealed to the key it named: [`open_reply`](Self::open_reply).
    ///
    /// # Errors
    ///
    /// [`ClientError::Reply`] if it is not sealed in this session, or answers something else.
    pub fn open_session_reply(
        &self,
        ticket: &Ticket,
        fulfilled: &Fulfilled,
        session: &CallSession,
    ) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        let sealed = &fulfilled.sealed_output;
        let binding = self.reply_binding(ticket.contract, Subject::Entry(ticket.digest));
        reply::open_in_session(&session.sealing_session(), &binding, sealed).map_err(|source| {
            ClientError::Reply {
                bytes: sealed.len(),
                source,
            }
        })
    }

    pub(crate) fn open_sealed(
        &self,
        contract: ContractId,
        subject: Subject,
        sealed: &[u8],
        key: &ReplyKey,
    ) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        let binding = self.reply_binding(contract, subject);
        reply::open(key.key(), &binding, sealed).map_err(|source| ClientError::Reply {
            bytes: sealed.len(),
            source,
        })
    }

    fn reply_binding(&self, contract: ContractId, subject: Subject) -> ReplyBinding {
        ReplyBinding {
            chain_id: self.deployment.measured.chain_id,
            oracle: self.deployment.measured.oracle,
            contract_id: contract,
            subject,
        }
    }
}

type Event = (SubrosaOracle::EntryFulfilled, alloy::rpc::types::Log);

fn pick(ticket: &Ticket, events: Vec<Event>) -> Result<Option<Fulfilled>, ChainError> {
    let found = events
        .into_iter()
        .find(|(event, _)| LoggedResult::unpack(event.outcome).seq == ticket.seq);
    let Some((event, log)) = found else {
        return Ok(None);
    };
    let result = LoggedResult::unpack(event.outcome).result;
    let status = Status::try_from(result.status)
        .map_err(|error| ChainError::Inconsistent(error.to_string()))?;
    let Some((output, sealed_output, _)) = result.split(&event.data) else {
        let length = result.output_length;
        let found = format!("output of {length} bytes in {}", event.data.len());
        return Err(ChainError::Inconsistent(found));
    };
    Ok(Some(Fulfilled {
        contract: ticket.contract,
        seq: ticket.seq,
        status,
        fuel_bucket: result.fuel_bucket,
        commitment: result.commitment,
        output: Bytes::copy_from_slice(output),
        sealed_output: Bytes::copy_from_slice(sealed_output),
        block: log.block_number.unwrap_or_default(),
        transaction: log.transaction_hash.unwrap_or_default(),
    }))
}

/// How many of the newest blocks are looked at again.
const REVISITED_BLOCKS: u64 = 64;

#[cfg(test)]
mod tests {
    use subrosa_types::result::ResultWord;

    use super::*;

    fn ticket(seq: u64) -> Ticket {
        Ticket {
            contract: B256::repeat_byte(1),
            seq,
            digest: B256::ZERO,
            block: 1,
            transaction: B256::ZERO,
        }
    }

    fn event(seq: u64, status: u8, length: u32, data: &[u8]) -> Event {
        let event = SubrosaOracle::EntryFulfilled {
            contractId: B256::repeat_byte(1),
            outcome: LoggedResult {
                result: ResultWord {
                    commitment: B256::ZERO,
                    status,
                    fuel_bucket: 3,
                    has_logs: false,
                    output_length: length,
                },
                seq,
            }
            .pack(),
            data: Bytes::copy_from_slice(data),
        };
        (event, Default::default())
    }

    #[test]
    fn outputs_are_split_where_the_result_word_says() {
        let events = vec![event(1, 1, 0, b""), event(2, 2, 3, b"abcde")];
        let fulfilled = pick(&ticket(2), events).unwrap().unwrap();
        assert_eq!(fulfilled.status, Status::Failed);
        assert_eq!(fulfilled.output.as_ref(), b"abc");
        assert_eq!(fulfilled.sealed_output.as_ref(), b"de");
        assert_eq!(pick(&ticket(3), vec![event(1, 1, 0, b"")]).unwrap(), None);
    }

    #[test]
    fn impossible_events_are_errors() {
        for (status, length) in [(0, 0), (4, 0), (1, 6)] {
            let events = vec![event(2, status, length, b"abcde")];
            assert!(matches!(
                pick(&ticket(2), events),
                Err(ChainError::Inconsistent(_))
            ));
        }
    }
}
