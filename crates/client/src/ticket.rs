// SPDX-License-Identifier: Apache-2.0
//! Entries on the log whose results are waited for.

use alloy::rpc::types::{Log, TransactionReceipt};
use alloy_primitives::B256;
use subrosa_chain::{bindings::SubrosaOracle, follow::Appended};
use subrosa_types::{ContractId, abi::Entry, entry::Payment};

use crate::{ChainError, ClientError, Connection};

/// An entry on the log, waiting for its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// The contract.
    pub contract: ContractId,
    /// Position of the entry in its log.
    pub seq: u64,
    /// The entry's digest; sealed outputs are bound to it.
    pub digest: B256,
    /// Block that appended it.
    pub block: u64,
    /// Transaction that appended it.
    pub transaction: B256,
}

impl Connection {
    /// The ticket of the entry that a transaction appended to a contract's log.
    pub(crate) async fn ticket(
        &self,
        step: &'static str,
        contract: ContractId,
        receipt: &TransactionReceipt,
    ) -> Result<Ticket, ClientError> {
        let appended: SubrosaOracle::EntryAppended = self.chain.event(step, receipt)?;
        let entry = entry_of(appended)?;
        Ok(Ticket {
            contract,
            seq: entry.seq(),
            digest: self.digest(&entry),
            block: receipt.block_number.unwrap_or_default(),
            transaction: receipt.transaction_hash,
        })
    }

    fn digest(&self, entry: &Entry) -> B256 {
        let measured = &self.deployment.measured;
        entry.digest(measured.chain_id, measured.oracle)
    }

    /// The ticket of an entry that is on the log already, found by its position.
    ///
    /// # Errors
    ///
    /// [`ChainError::UnknownEntry`].
    pub async fn find(&self, contract: ContractId, seq: u64) -> Result<Ticket, ClientError> {
        let (entry, log) = self.appended(contract, seq).await?;
        Ok(Ticket {
            contract,
            seq,
            digest: self.digest(&entry),
            block: log.block_number.unwrap_or_default(),
            transaction: log.transaction_hash.unwrap_or_default(),
        })
    }

    /// An entry as its event has it, found by its position.
    ///
    /// # Errors
    ///
    /// [`ChainError::UnknownEntry`].
    pub async fn entry(&self, contract: ContractId, seq: u64) -> Result<Entry, ClientError> {
        Ok(self.appended(contract, seq).await?.0)
    }

    async fn appended(&self, contract: ContractId, seq: u64) -> Result<(Entry, Log), ClientError> {
        let newest = self.chain.block_number().await?;
        let events: Vec<(SubrosaOracle::EntryAppended, _)> =
            self.chain.events(contract, 0, newest).await?;
        let found = events
            .into_iter()
            .find(|(event, _)| Payment::unpack(event.payment).seq == seq);
        let (event, log) = found.ok_or(ChainError::UnknownEntry { contract, seq })?;
        Ok((entry_of(event)?, log))
    }
}

fn entry_of(event: SubrosaOracle::EntryAppended) -> Result<Entry, ChainError> {
    let appended = Appended {
        contract: event.contractId,
        previous_digest: event.previousDigest,
        context: event.context,
        execution: event.execution,
        settlement: event.settlement,
        payment: event.payment,
        refund_to: event.refundTo,
        input: event.input,
    };
    let logged = appended.into_logged();
    let logged = logged.map_err(|error| ChainError::Inconsistent(error.to_string()))?;
    Ok(logged.entry)
}
