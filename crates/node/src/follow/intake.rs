// SPDX-License-Identifier: Apache-2.0
//! What happened on the chain, into the store.

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry};

use alloy_primitives::{Address, B256};
use subrosa_chain::{
    Event,
    follow::{Appended, BlockRef, OracleEvent, OracleLog},
};
use subrosa_store::{Block, Cursor, EntryRecord, FulfillmentRecord, Storage, StoreError};
use subrosa_types::{
    ContractId,
    frame::SlotProof,
    result::LoggedResult,
    slot::{self, Place},
};
use tracing::{debug, error, info, warn};

use super::{
    error::{Fault, FollowError},
    needs::Needs,
};
use crate::{
    chain::{ChainEvents, MAX_SLOTS, StartingPoint},
    execute::ends_frame,
    failpoint::failpoint,
    places::slot_of,
    receipt::{self, Carried},
};

/// Takes in what happens on the chain, event by event.
pub(super) struct Intake {
    pub(super) needs: Needs,
    /// The chain's tip at the start: from there on the chain counts as followed.
    aim: u64,
}

/// What the logs of some blocks come to.
#[derive(Default)]
struct Taken {
    entries: Vec<EntryRecord>,
    fulfillments: Vec<(ContractId, u64, FulfillmentRecord)>,
}

impl Intake {
    pub(super) fn new(needs: Needs) -> Self {
        Self { needs, aim: 0 }
    }

    /// Begins to follow where the store ends.
    pub(super) async fn start(&mut self) -> Result<Box<dyn ChainEvents>, FollowError> {
        let needs = &self.needs;
        let first = needs.settings.start_block;
        let known = known_blocks(needs.store.as_ref()).await?;
        self.aim = needs.chain.tip().await?.number;
        let cursor = needs.store.cursor().await?;
        let cursor = cursor.map_or(0, |cursor| cursor.number);
        info!(from = cursor, to = self.aim, "following the chain");
        // A fresh chain has nothing before the oracle's deployment.
        if cursor >= self.aim || first > self.aim {
            needs.readiness.caught_up();
        }
        Ok(needs.chain.follow(StartingPoint { first, known }).await?)
    }

    /// Takes in an event.
    pub(super) async fn take(&mut self, event: &Event) -> Result<(), Fault> {
        match event {
            Event::Blocks { last, logs, mail } => {
                self.grow(*last, logs).await?;
                // After the entries: what is published is of a contract that is known.
                self.needs.mail.deliver(mail, last.number);
                Ok(())
            }
            Event::Reorg { to } => self.rewind(*to).await,
        }
    }

    /// Stores what blocks brought, fetches the proofs that are needed at once, and wakes whoever
    /// has something to do.
    async fn grow(&mut self, last: BlockRef, logs: &[OracleLog]) -> Result<(), Fault> {
        self.needs.chain.wake();
        for log in logs {
            if let OracleEvent::EntryAppended(entry) = &log.event {
                self.needs.latency.seen(entry.contract, entry.seq());
            }
        }
        let Taken {
            entries,
            fulfillments,
            ..
        } = self.digest(logs).await?;
        let count = entries.len() as u64;
        let appended: BTreeSet<ContractId> = entries
            .iter()
            .map(|entry| entry.logged.entry.contractId)
            .collect();
        let config = &self.needs.settings.enclave_config;
        let shown = shown(&entries, config.chain_id(), config.oracle);
        let moved: BTreeSet<ContractId> = fulfillments
            .iter()
            .map(|(contract, ..)| *contract)
            .collect();
        let block = Block {
            cursor: cursor_at(last),
            entries,
            fulfillments,
        };
        // Asked for at the same time, as neither needs the other.
        let (proofs, stored) = tokio::join!(
            self.prove(&shown, last),
            self.needs.store.apply_block(block)
        );
        stored?;
        if count > 0 {
            failpoint!("after_entries_persisted");
        }
        let metrics = &self.needs.metrics;
        metrics.block.set(last.number as f64);
        metrics.entries.increment(count);
        if last.number >= self.aim {
            self.needs.readiness.caught_up();
        }
        if !logs.is_empty() {
            debug!(
                block = last.number,
                entries = count,
                moved = moved.len(),
                "blocks stored"
            );
        }
        self.keep(proofs).await;
        for contract in appended {
            self.needs.executors.wake(contract);
        }
        for contract in moved {
            self.needs.offers.offer(contract);
            self.needs.executors.wake(contract);
        }
        Ok(())
    }

    /// Fetches proofs of entries at their inclusion, as far as they are to be had. Without one, the
    /// contract's task fetches it.
    async fn prove(&self, entries: &[Shown], at: BlockRef) -> Vec<(ContractId, u64, SlotProof)> {
        let needs = &self.needs;
        let oracle = needs.settings.enclave_config.oracle;
        let mut proofs = Vec::with_capacity(entries.len());
        for entries in entries.chunks(MAX_SLOTS / Place::ALL.len()) {
            let slots: Vec<B256> = entries.iter().flat_map(Shown::slots).collect();
            let fetched = match needs.chain.proofs(oracle, &slots, at.hash).await {
                Ok(fetched) => fetched,
                Err(error) => {
                    warn!(
                        block = at.number,
                        error = &error as &dyn std::error::Error,
                        "no proofs yet"
                    );
                    break;
                }
            };
            let mut fetched = fetched.into_iter();
            for entry in entries {
                let slots = fetched.by_ref().take(Place::ALL.len());
                if let Some(proof) = slot_of(entry.digest, slots.collect()) {
                    proofs.push((entry.contract, entry.seq, proof));
                }
            }
        }
        proofs
    }

    /// Keeps the proofs of entries that are in the store by now.
    async fn keep(&self, proofs: Vec<(ContractId, u64, SlotProof)>) {
        for (contract, seq, proof) in proofs {
            if let Err(error) = self.needs.store.put_proof(contract, seq, proof).await {
                warn!(%contract, seq, error = &error as &dyn std::error::Error, "proof not kept");
            }
        }
    }

    async fn digest(&mut self, logs: &[OracleLog]) -> Result<Taken, Fault> {
        let mut taken = Taken::default();
        let mut receipts: HashMap<B256, Option<Carried>> = HashMap::new();
        for log in logs {
            match &log.event {
                OracleEvent::EntryAppended(entry) => append(&mut taken, log, entry.clone()),
                OracleEvent::EntryFulfilled {
                    contract, outcome, ..
                } => {
                    let carried = match receipts.entry(log.tx_hash) {
                        Entry::Occupied(known) => known.get().clone(),
                        Entry::Vacant(place) => {
                            place.insert(self.receipt(log.tx_hash).await?).clone()
                        }
                    };
                    let record = FulfillmentRecord {
                        block_number: log.block_number,
                        block_hash: log.block_hash,
                        tx_hash: log.tx_hash,
                        commitment: self
                            .commitment(*contract, outcome, carried.as_ref())
                            .await?,
                        receipt: carried.map(|carried| carried.receipt),
                    };
                    taken.fulfillments.push((*contract, outcome.seq, record));
                }
                _ => {}
            }
        }
        Ok(taken)
    }

    /// The head's commitment after an entry, of which the event has the first bits: as the transaction
    /// says, or the enclave, or the chain. If none knows, those bits.
    async fn commitment(
        &self,
        contract: ContractId,
        outcome: &LoggedResult,
        carried: Option<&Carried>,
    ) -> Result<B256, Fault> {
        let seq = outcome.seq;
        let said = carried.and_then(|carried| carried.commitments.get(&(contract, seq)));
        if let Some(said) = said.filter(|said| outcome.begins(**said)) {
            return Ok(*said);
        }
        let result = self.needs.store.result(contract, seq).await?;
        if let Some(result) = result.filter(|result| outcome.begins(result.commitment)) {
            return Ok(result.commitment);
        }
        let head = self.needs.chain.head(contract).await?;
        if head.seq == seq + 1 && outcome.begins(head.commitment) {
            return Ok(head.commitment);
        }
        Ok(outcome.result.commitment)
    }

    /// Under which signatures a transaction fulfilled what it did.
    async fn receipt(&self, transaction: B256) -> Result<Option<Carried>, Fault> {
        let Some(batch) = self.needs.chain.carried(transaction).await? else {
            return Ok(None);
        };
        let config = &self.needs.settings.enclave_config;
        Ok(receipt::read(config.chain_id(), config.oracle, &batch))
    }

    /// Goes back to a block: what came after it never was.
    async fn rewind(&mut self, to: BlockRef) -> Result<(), Fault> {
        let needs = &self.needs;
        needs.metrics.reorgs.increment(1);
        let Some(cursor) = needs.store.cursor().await? else {
            return Ok(());
        };
        warn!(
            from = cursor.number,
            to = to.number,
            "the chain was reorganized"
        );
        needs.chain.resync().await?;
        if to.number > cursor.number {
            return Ok(());
        }
        needs.mail.rewind(to.number);
        let contracts = {
            let mut rewinds = needs.rewinds.write().await;
            let contracts = needs.store.rewind(cursor_at(to)).await?;
            *rewinds += 1;
            contracts
        };
        for contract in contracts {
            if let Some(serving) = needs.stage.now() {
                serving.contracts.forget(contract);
            }
            needs.executors.wake(contract);
            needs.offers.offer(contract);
        }
        needs.metrics.block.set(to.number as f64);
        Ok(())
    }
}

/// Takes an entry in.
fn append(taken: &mut Taken, log: &OracleLog, appended: Appended) {
    let (contract, seq) = (appended.contract, appended.seq());
    match appended.into_logged() {
        Ok(logged) => taken.entries.push(EntryRecord {
            logged,
            block_number: log.block_number,
            block_hash: log.block_hash,
            tx_hash: log.tx_hash,
        }),
        // Its contract stops here until this node is upgraded; others go on.
        Err(unknown) => {
            error!(%contract, seq, error = &unknown as &dyn std::error::Error, "unreadable entry");
        }
    }
}

/// An entry of which a proof is fetched at inclusion.
struct Shown {
    contract: ContractId,
    seq: u64,
    digest: B256,
}

impl Shown {
    /// The slots that it may be in.
    fn slots(&self) -> [B256; 2] {
        Place::ALL.map(|place| slot::entry(self.contract, place.position(self.seq)))
    }
}

/// Entries of which a proof is fetched at inclusion. Digests chain, so of a stateful contract it is
/// the last one, and those that frames end with; entries that stand alone are proved one by one.
fn shown(entries: &[EntryRecord], chain_id: u64, oracle: Address) -> Vec<Shown> {
    let places = entries
        .iter()
        .map(|record| (record.logged.entry.contractId, record.logged.entry.seq()));
    let last: HashMap<ContractId, u64> = places.clone().collect();
    let shown = entries
        .iter()
        .zip(places)
        .filter(|(record, (contract, seq))| {
            last.get(contract) == Some(seq)
                || ends_frame(*seq)
                || record.logged.entry.is_stateless()
        });
    let shown = shown.map(|(record, (contract, seq))| Shown {
        contract,
        seq,
        digest: record.logged.entry.digest(chain_id, oracle),
    });
    shown.take(MAX_SHOWN).collect()
}

fn cursor_at(block: BlockRef) -> Cursor {
    Cursor {
        number: block.number,
        hash: block.hash,
        parent_hash: block.parent_hash,
    }
}

/// Blocks that the store knows the hashes of, ascending, the cursor last: where a reorganization
/// that happened while nobody looked can be found to have begun.
async fn known_blocks(store: &dyn Storage) -> Result<Vec<(u64, B256)>, StoreError> {
    let Some(cursor) = store.cursor().await? else {
        return Ok(Vec::new());
    };
    let mut blocks = BTreeMap::new();
    for contract in store.contracts().await? {
        let Some(last) = store.last_entry(contract).await? else {
            continue;
        };
        let from = last
            .logged
            .entry
            .seq()
            .saturating_sub(KNOWN_PER_CONTRACT as u64);
        for entry in store
            .entries(contract, from, KNOWN_PER_CONTRACT + 1)
            .await?
        {
            blocks.insert(entry.block_number, entry.block_hash);
        }
    }
    blocks.retain(|number, _| *number < cursor.number);
    blocks.insert(cursor.number, cursor.hash);
    let surplus = blocks.len().saturating_sub(MAX_KNOWN);
    Ok(blocks.into_iter().skip(surplus).collect())
}

/// Entries proved at inclusion, of what is followed at once; of a long backlog, others when they
/// are executed.
const MAX_SHOWN: usize = 4 * MAX_SLOTS;
/// Entries of each contract whose blocks are remembered across restarts.
const KNOWN_PER_CONTRACT: usize = 16;
/// Blocks that are remembered across restarts.
const MAX_KNOWN: usize = 1_024;
