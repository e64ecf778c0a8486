// SPDX-License-Identifier: Apache-2.0
//! Entries on the log whose results are waited for.

use alloy::rpc::types::TransactionReceipt;
use alloy_primitives::{B256, U256};
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_types::ContractId;

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
        let seq = appended.seq.saturating_to::<u64>();
        Ok(Ticket {
            contract,
            seq,
            digest: self.chain.digest(contract, seq).await?,
            block: receipt.block_number.unwrap_or_default(),
            transaction: receipt.transaction_hash,
        })
    }

    /// The ticket of an entry that is on the log already, found by its position.
    ///
    /// # Errors
    ///
    /// [`ChainError::UnknownEntry`].
    pub async fn find(&self, contract: ContractId, seq: u64) -> Result<Ticket, ClientError> {
        let digest = self.chain.digest(contract, seq).await?;
        let newest = self.chain.block_number().await?;
        let events: Vec<(SubrosaOracle::EntryAppended, _)> =
            self.chain.events(contract, 0, newest).await?;
        let found = events
            .into_iter()
            .find(|(event, _)| event.seq == U256::from(seq));
        let Some((_, log)) = found else {
            return Err(ChainError::UnknownEntry { contract, seq }.into());
        };
        Ok(Ticket {
            contract,
            seq,
            digest,
            block: log.block_number.unwrap_or_default(),
            transaction: log.transaction_hash.unwrap_or_default(),
        })
    }
}
