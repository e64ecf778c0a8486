// SPDX-License-Identifier: Apache-2.0
//! One contract's code envelopes: which are tried, and what becomes of them.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, keccak256};
use subrosa_store::{CodeOf, EntryRecord, StoreError};
use subrosa_types::ContractId;
use tracing::{info, warn};

use super::needs::Needs;
use crate::signals::CodeOutcome;

/// The code envelopes of one contract.
pub(super) struct Envelopes {
    needs: Arc<Needs>,
    contract: ContractId,
    /// What was tried last.
    tried: Option<Tried>,
    /// What the enclave refused last for its code envelope.
    refused: Option<Tried>,
}

/// An entry that brings code, and keccak256 of the code envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tried {
    seq: u64,
    envelope: B256,
}

impl Envelopes {
    pub(super) fn new(needs: Arc<Needs>, contract: ContractId) -> Self {
        Self {
            needs,
            contract,
            tried: None,
            refused: None,
        }
    }

    /// The code envelope to try with an entry that brings code, unless it was refused already.
    pub(super) async fn of(&mut self, entry: &EntryRecord) -> Result<Option<Bytes>, StoreError> {
        let entry = &entry.logged.entry;
        let seq = entry.seq();
        let code = if seq > 0 {
            CodeOf::Upgrade(entry.inputHash)
        } else {
            CodeOf::Deploy
        };
        let envelope = self.needs.store.code_envelope(self.contract, code).await?;
        let tried = |envelope: &Bytes| Tried {
            seq,
            envelope: keccak256(envelope),
        };
        let envelope = envelope.filter(|envelope| self.refused != Some(tried(envelope)));
        if let Some(envelope) = &envelope {
            self.tried = Some(tried(envelope));
        }
        Ok(envelope)
    }

    /// Says that entry `seq` is executed, to whoever waits for its code envelope.
    pub(super) fn executed(&mut self, seq: u64) {
        if let Some(tried) = self.tried.take_if(|tried| tried.seq == seq) {
            info!(contract = %self.contract, seq, "code executed");
            self.announce(tried, None);
        }
    }

    /// Says that the code envelope that was tried last is refused.
    pub(super) fn refused(&mut self, reason: String) {
        if let Some(tried) = self.tried.take() {
            let seq = tried.seq;
            warn!(contract = %self.contract, seq, reason, "code refused");
            self.refused = Some(tried);
            self.announce(tried, Some(reason));
        }
    }

    fn announce(&self, tried: Tried, refused: Option<String>) {
        self.needs.executors.executed_code(CodeOutcome {
            contract: self.contract,
            seq: tried.seq,
            envelope: tried.envelope,
            refused,
        });
    }
}
