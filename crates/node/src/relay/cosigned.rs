// SPDX-License-Identifier: Apache-2.0
//! Contracts that ask for several enclaves' signatures. A relay has its own enclave's, and a batch with that alone
//! would be passed over by the oracle, at its sender's cost, as often as it is sent.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use subrosa_chain::ChainError;
use subrosa_types::ContractId;
use tracing::warn;

use super::{
    batch::{Batch, Queue},
    fees::LOOK_AGAIN,
    needs::Needs,
    verdict::Verdict,
};
use crate::clock::elapsed;

/// Leaves them aside.
pub(super) struct Cosigned {
    needs: Arc<Needs>,
    /// Whether contracts ask for more than one, and when the chain said so.
    known: BTreeMap<ContractId, (bool, Duration)>,
}

impl Cosigned {
    pub(super) fn new(needs: Arc<Needs>) -> Self {
        Self {
            needs,
            known: BTreeMap::new(),
        }
    }

    /// Takes the queues of such contracts out. Returns whether there was any.
    pub(super) async fn leave_aside(
        &mut self,
        queues: &mut Vec<Queue>,
    ) -> Result<bool, ChainError> {
        let (mut kept, mut results) = (Vec::with_capacity(queues.len()), 0);
        for queue in core::mem::take(queues) {
            if self.asks_for_more(queue.contract).await? {
                results += queue.candidates.len();
            } else {
                kept.push(queue);
            }
        }
        *queues = kept;
        self.needs.metrics.cosigned.set(results as f64);
        Ok(results != 0)
    }

    /// Asks again about contracts of which a transaction moved less than was sent: an owner may have asked for more
    /// meanwhile.
    pub(super) fn doubt(&mut self, batch: &Batch, verdict: &Verdict) {
        for group in &batch.groups {
            let mut seqs = group.items.iter().map(|item| item.entry.seq());
            if seqs.any(|seq| !verdict.fulfilled.contains(&(group.contract, seq))) {
                self.known.remove(&group.contract);
            }
        }
    }

    async fn asks_for_more(&mut self, contract: ContractId) -> Result<bool, ChainError> {
        let clock = self.needs.clock.as_ref();
        if let Some((more, since)) = self.known.get(&contract)
            && elapsed(clock, *since) < if *more { LOOK_AGAIN } else { LASTS }
        {
            return Ok(*more);
        }
        let more = self.needs.chain.asks_for_cosigners(contract).await?;
        if more && !self.known.get(&contract).is_some_and(|(more, _)| *more) {
            warn!(%contract, "asks for several enclaves' signatures, which this node cannot collect: left aside");
        }
        self.known
            .retain(|_, (_, since)| elapsed(clock, *since) < LASTS);
        self.known.insert(contract, (more, clock.monotonic()));
        Ok(more)
    }
}

/// For how long a contract is taken to ask for one alone, as long as what is sent lands.
const LASTS: Duration = Duration::from_secs(60);
