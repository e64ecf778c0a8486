// SPDX-License-Identifier: Apache-2.0
//! What happened on the chain, into the store.

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry};

use alloy_primitives::B256;
use subrosa_chain::{
    Event,
    follow::{Appended, BlockRef, OracleEvent, OracleLog},
};
use subrosa_store::{Block, Cursor, EntryRecord, FulfillmentRecord, Receipt, Storage, StoreError};
use subrosa_types::{
    ContractId, abi::Fulfillment, frame::StorageProof, result::unpack_result, slot,
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
    receipt::{self, Place},
};

/// Takes in what happens on the chain, event by event.
pub(super) struct Intake {
    pub(super) needs: Needs,
    /// Whether contracts' entries stand alone, as far as asked.
    stateless: HashMap<ContractId, bool>,
    /// The chain's tip at the start: from there on the chain counts as followed.
    aim: u64,
}

/// What the logs of some blocks come to.
#[derive(Default)]
struct Taken {
    entries: Vec<EntryRecord>,
    /// Digests of `entries`.
    digests: HashMap<(ContractId, u64), B256>,
    fulfillments: Vec<(ContractId, u64, FulfillmentRecord)>,
}

impl Intake {
    pub(super) fn new(needs: Needs) -> Self {
        Self {
            needs,
            stateless: HashMap::new(),
            aim: 0,
        }
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
            Event::Blocks { last, logs } => self.grow(*last, logs).await,
            Event::Reorg { to } => self.rewind(*to).await,
        }
    }

    /// Stores what blocks brought, fetches the proofs that are needed at once, and wakes whoever
    /// has something to do.
    async fn grow(&mut self, last: BlockRef, logs: &[OracleLog]) -> Result<(), Fault> {
        self.needs.chain.wake();
        for log in logs {
            if let OracleEvent::EntryAppended(entry) = &log.event {
                self.needs.latency.seen(entry.contract, entry.seq);
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
        let shown = shown(&entries);
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
        self.keep(&shown, proofs).await;
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
    async fn prove(&self, entries: &[(ContractId, u64)], at: BlockRef) -> Vec<StorageProof> {
        let needs = &self.needs;
        let oracle = needs.settings.enclave_config.oracle;
        let slots = entries
            .iter()
            .map(|(contract, seq)| slot::entry(*contract, *seq));
        let slots: Vec<B256> = slots.collect();
        let mut proofs = Vec::with_capacity(slots.len());
        for slots in slots.chunks(MAX_SLOTS) {
            match needs.chain.proofs(oracle, slots, at.hash).await {
                Ok(proven) => proofs.extend(proven),
                Err(error) => {
                    warn!(
                        block = at.number,
                        error = &error as &dyn std::error::Error,
                        "no proofs yet"
                    );
                    break;
                }
            }
        }
        if let Some(proof) = proofs.first() {
            needs.anchor.saw(at.number, &proof.header);
        }
        proofs
    }

    /// Keeps the proofs of entries that are in the store by now.
    async fn keep(&self, entries: &[(ContractId, u64)], proofs: Vec<StorageProof>) {
        for ((contract, seq), proof) in entries.iter().zip(proofs) {
            if let Err(error) = self.needs.store.put_proof(*contract, *seq, proof).await {
                warn!(%contract, seq, error = &error as &dyn std::error::Error, "proof not kept");
            }
        }
    }

    async fn digest(&mut self, logs: &[OracleLog]) -> Result<Taken, Fault> {
        let mut taken = Taken::default();
        let mut receipts: HashMap<B256, Option<Receipt>> = HashMap::new();
        for log in logs {
            match &log.event {
                OracleEvent::EntryAppended(entry) => {
                    self.append(&mut taken, log, entry.clone()).await?;
                }
                OracleEvent::EntryFulfilled {
                    contract,
                    seq,
                    result,
                    ..
                } => {
                    let receipt = match receipts.entry(log.tx_hash) {
                        Entry::Occupied(known) => known.get().clone(),
                        Entry::Vacant(place) => place
                            .insert(self.receipt(&taken, log.tx_hash).await?)
                            .clone(),
                    };
                    let record = FulfillmentRecord {
                        block_number: log.block_number,
                        block_hash: log.block_hash,
                        tx_hash: log.tx_hash,
                        commitment: unpack_result(*result).0,
                        receipt,
                    };
                    taken.fulfillments.push((*contract, *seq, record));
                }
                _ => {}
            }
        }
        Ok(taken)
    }

    /// Completes an entry by the digest of the one before it.
    async fn append(
        &mut self,
        taken: &mut Taken,
        log: &OracleLog,
        appended: Appended,
    ) -> Result<(), Fault> {
        let (contract, seq) = (appended.contract, appended.seq);
        let previous = match seq.checked_sub(1) {
            None => B256::ZERO,
            Some(_) if self.is_stateless(contract).await? => B256::ZERO,
            Some(before) => match self.digest_of(taken, contract, before).await? {
                Some(digest) => digest,
                // The store began after it, or could not read it.
                None => {
                    let chain = &self.needs.chain;
                    chain.digest(contract, before, log.block_hash).await?
                }
            },
        };
        let logged = match appended.into_logged(previous) {
            Ok(logged) => logged,
            Err(unknown) => {
                // Its contract stops here until this node is upgraded; others go on.
                error!(%contract, seq, error = &unknown as &dyn std::error::Error, "unreadable entry");
                return Ok(());
            }
        };
        let config = &self.needs.settings.enclave_config;
        let digest = logged.entry.digest(config.chain_id(), config.oracle);
        taken.digests.insert((contract, seq), digest);
        taken.entries.push(EntryRecord {
            logged,
            block_number: log.block_number,
            block_hash: log.block_hash,
            tx_hash: log.tx_hash,
        });
        Ok(())
    }

    async fn is_stateless(&mut self, contract: ContractId) -> Result<bool, Fault> {
        if let Some(known) = self.stateless.get(&contract) {
            return Ok(*known);
        }
        let stateless = self.needs.chain.is_stateless(contract).await?;
        self.stateless.insert(contract, stateless);
        Ok(stateless)
    }

    async fn digest_of(
        &self,
        taken: &Taken,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<B256>, StoreError> {
        if let Some(digest) = taken.digests.get(&(contract, seq)) {
            return Ok(Some(*digest));
        }
        let config = &self.needs.settings.enclave_config;
        let stored = self.needs.store.entry(contract, seq).await?;
        Ok(stored.map(|entry| entry.logged.entry.digest(config.chain_id(), config.oracle)))
    }

    /// Under which signature a transaction fulfilled what it did.
    async fn receipt(&self, taken: &Taken, transaction: B256) -> Result<Option<Receipt>, Fault> {
        let Some(fulfillment) = self.needs.chain.carried(transaction).await? else {
            return Ok(None);
        };
        let config = &self.needs.settings.enclave_config;
        let place = Place {
            chain_id: config.chain_id(),
            oracle: config.oracle,
        };
        let digests = self.digests(taken, &fulfillment).await;
        let digest_of = |contract, seq| digests.get(&(contract, seq)).copied();
        Ok(receipt::read(place, &fulfillment, digest_of))
    }

    /// Digests of the entries whose results a fulfillment carries, as far as they can be read.
    async fn digests(
        &self,
        taken: &Taken,
        fulfillment: &Fulfillment,
    ) -> HashMap<(ContractId, u64), B256> {
        let mut digests = HashMap::new();
        for (contract, seq) in receipt::entries(fulfillment) {
            if let Ok(Some(digest)) = self.digest_of(taken, contract, seq).await {
                digests.insert((contract, seq), digest);
            }
        }
        digests
    }

    /// Goes back to a block: what came after it never was.
    async fn rewind(&mut self, to: BlockRef) -> Result<(), Fault> {
        let needs = &self.needs;
        needs.metrics.reorgs.increment(1);
        // The id of a contract that is registered on both branches does not tell which kind it is.
        self.stateless.clear();
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
        let contracts = {
            let mut rewinds = needs.rewinds.write().await;
            let contracts = needs.store.rewind(cursor_at(to)).await?;
            *rewinds += 1;
            contracts
        };
        needs.anchor.forget();
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

/// Entries of which a proof is fetched at inclusion. Digests chain, so of a stateful contract it is
/// the last one, and those that frames end with; entries that stand alone are proved one by one.
fn shown(entries: &[EntryRecord]) -> Vec<(ContractId, u64)> {
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
    shown.map(|(_, place)| place).take(MAX_SHOWN).collect()
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
