// SPDX-License-Identifier: Apache-2.0
//! The oracle's log into the store, block by block, and back out when the chain takes some back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::B256;
use futures::{StreamExt, stream};
use subrosa_chain::{
    ChainError, Event, Follower,
    follow::{Appended, BlockRef, FollowerConfig, OracleEvent, OracleLog},
};
use subrosa_store::{Block, Cursor, EntryRecord, FulfillmentRecord, Receipt, StoreError};
use subrosa_types::{ContractId, result::unpack_result, slot};
use tracing::{debug, error, info, warn};

use crate::{
    backoff::Backoff,
    failpoint::failpoint,
    host::Host,
    ledger::{BlockId, LedgerError, endpoints},
    receipt::{self, Place},
    shutdown::Shutdown,
};

/// Follows the oracle until shutdown.
///
/// # Errors
///
/// [`FollowError`] if the store fails, or the oracle speaks of something this build does not know.
pub(crate) async fn run(host: Arc<Host>, mut shutdown: Shutdown) -> Result<(), FollowError> {
    let mut follow = Follow {
        stateless: HashMap::new(),
        aim: 0,
        host,
    };
    let Some(follower) = shutdown.cancel(follow.start()).await else {
        return Ok(());
    };
    let mut follower = follower?;
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(10));
    while let Some(event) = shutdown.cancel(follower.next()).await {
        let event = event?;
        // The follower has moved on: what it yielded must be taken in, however long that takes.
        loop {
            match follow.take(&event).await {
                Ok(()) => break,
                Err(Fault::Store(error)) => return Err(error.into()),
                Err(Fault::Ledger(error)) => {
                    follow.host.metrics.follow.failures.increment(1);
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot take in a block yet"
                    );
                }
            }
            if shutdown.cancel(backoff.wait()).await.is_none() {
                return Ok(());
            }
        }
        backoff.reset();
    }
    Ok(())
}

/// Why the chain cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The chain cannot be reached at the start, or has an oracle of another version.
    #[error("the chain cannot be followed")]
    Chain(#[source] Box<ChainError>),
    /// The chain does not answer at the start.
    #[error("the chain does not answer")]
    Ledger(#[source] Box<LedgerError>),
}

impl From<ChainError> for FollowError {
    fn from(error: ChainError) -> Self {
        Self::Chain(Box::new(error))
    }
}

impl From<LedgerError> for FollowError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(Box::new(error))
    }
}

/// Why an event is not taken in.
enum Fault {
    Store(StoreError),
    /// Nothing was stored; the same again later.
    Ledger(LedgerError),
}

struct Follow {
    host: Arc<Host>,
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

impl Follow {
    async fn start(&mut self) -> Result<Follower, FollowError> {
        let host = &self.host;
        let mut config = FollowerConfig::new(
            endpoints(&host.config),
            host.enclave_config.oracle,
            host.config.chain.start_block,
        );
        config.poll_interval = Duration::from_millis(host.config.chain.poll_milliseconds);
        config.known = known_blocks(host).await?;
        self.aim = host.ledger.tip().await?.number;
        let cursor = host.store.cursor().await?.map_or(0, |cursor| cursor.number);
        info!(from = cursor, to = self.aim, "following the chain");
        // A fresh chain has nothing before the oracle's deployment.
        if cursor >= self.aim || host.config.chain.start_block > self.aim {
            host.caught_up();
        }
        Ok(Follower::start(config).await?)
    }

    async fn take(&mut self, event: &Event) -> Result<(), Fault> {
        match event {
            Event::Blocks { last, logs } => self.grow(*last, logs).await,
            Event::Reorg { to } => self.rewind(*to).await,
        }
    }

    /// Stores what blocks brought, fetches the proofs that are needed at once, and wakes whoever
    /// has something to do.
    async fn grow(&mut self, last: BlockRef, logs: &[OracleLog]) -> Result<(), Fault> {
        self.host.ledger.wake();
        for log in logs {
            if let OracleEvent::EntryAppended(entry) = &log.event {
                self.host.latency.seen(entry.contract, entry.seq);
            }
        }
        let Taken {
            entries,
            fulfillments,
            ..
        } = self.digest(logs).await?;
        let count = entries.len() as u64;
        let mut ends: BTreeMap<ContractId, u64> = BTreeMap::new();
        for entry in &entries {
            let seq = entry.logged.entry.seq();
            ends.insert(entry.logged.entry.contractId, seq);
        }
        let moved: BTreeSet<ContractId> = fulfillments
            .iter()
            .map(|(contract, ..)| *contract)
            .collect();
        self.host
            .store
            .apply_block(Block {
                cursor: cursor_at(last),
                entries,
                fulfillments,
            })
            .await?;
        if count > 0 {
            failpoint!("after_entries_persisted");
        }
        let metrics = &self.host.metrics.follow;
        metrics.block.set(last.number as f64);
        metrics.entries.increment(count);
        if last.number >= self.aim {
            self.host.caught_up();
        }
        if !logs.is_empty() {
            debug!(
                block = last.number,
                entries = count,
                moved = moved.len(),
                "blocks stored"
            );
        }
        let at = BlockId {
            number: last.number,
            hash: last.hash,
        };
        stream::iter(ends)
            .for_each_concurrent(PROOFS_AT_ONCE, |(contract, seq)| {
                self.prove(contract, seq, at)
            })
            .await;
        for contract in moved {
            self.host.offer(contract);
            self.host.executors.wake(contract);
        }
        Ok(())
    }

    /// Keeps the proof of an entry at its inclusion and wakes its contract. Without a proof the
    /// contract's task fetches one.
    async fn prove(&self, contract: ContractId, seq: u64, at: BlockId) {
        let host = &self.host;
        let slot = slot::entry(contract, seq);
        match host
            .ledger
            .proof(host.enclave_config.oracle, slot, at)
            .await
        {
            Ok(proof) => {
                host.saw_header(at.number, &proof.header);
                if let Err(error) = host.store.put_proof(contract, seq, proof).await {
                    warn!(%contract, seq, error = &error as &dyn std::error::Error, "proof not kept");
                }
            }
            Err(error) => {
                warn!(%contract, seq, error = &error as &dyn std::error::Error, "no proof yet");
            }
        }
        host.executors.wake(contract);
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
                    self.host
                        .ledger
                        .digest(contract, before, log.block_hash)
                        .await?
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
        let config = &self.host.enclave_config;
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
        let stateless = self.host.ledger.is_stateless(contract).await?;
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
        let config = &self.host.enclave_config;
        let stored = self.host.store.entry(contract, seq).await?;
        Ok(stored.map(|entry| entry.logged.entry.digest(config.chain_id(), config.oracle)))
    }

    /// Under which signature a transaction fulfilled what it did.
    async fn receipt(&self, taken: &Taken, transaction: B256) -> Result<Option<Receipt>, Fault> {
        let Some(fulfillment) = self.host.ledger.carried(transaction).await? else {
            return Ok(None);
        };
        let place = Place {
            chain_id: self.host.enclave_config.chain_id(),
            oracle: self.host.enclave_config.oracle,
        };
        let mut digests = HashMap::new();
        for (contract, seq) in receipt::entries(&fulfillment) {
            if let Ok(Some(digest)) = self.digest_of(taken, contract, seq).await {
                digests.insert((contract, seq), digest);
            }
        }
        let digest_of = |contract, seq| digests.get(&(contract, seq)).copied();
        Ok(receipt::read(place, &fulfillment, digest_of))
    }

    /// Goes back to a block: what came after it never was.
    async fn rewind(&mut self, to: BlockRef) -> Result<(), Fault> {
        let host = &self.host;
        host.metrics.follow.reorgs.increment(1);
        let Some(cursor) = host.store.cursor().await? else {
            return Ok(());
        };
        warn!(
            from = cursor.number,
            to = to.number,
            "the chain was reorganized"
        );
        host.ledger.resync().await?;
        if to.number > cursor.number {
            return Ok(());
        }
        let contracts = {
            let mut rewinds = host.rewinds.write().await;
            let contracts = host.store.rewind(cursor_at(to)).await?;
            *rewinds += 1;
            contracts
        };
        host.forget_anchor();
        for contract in contracts {
            if let Some(serving) = host.serving_now() {
                serving.forget(contract);
            }
            host.executors.wake(contract);
            host.offer(contract);
        }
        host.metrics.follow.block.set(to.number as f64);
        Ok(())
    }
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
async fn known_blocks(host: &Host) -> Result<Vec<(u64, B256)>, StoreError> {
    let Some(cursor) = host.store.cursor().await? else {
        return Ok(Vec::new());
    };
    let mut blocks = BTreeMap::new();
    for contract in host.store.contracts().await? {
        let Some(last) = host.store.last_entry(contract).await? else {
            continue;
        };
        let from = last
            .logged
            .entry
            .seq()
            .saturating_sub(KNOWN_PER_CONTRACT as u64);
        for entry in host
            .store
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

/// Proofs fetched at the same time.
const PROOFS_AT_ONCE: usize = 8;
/// Entries of each contract whose blocks are remembered across restarts.
const KNOWN_PER_CONTRACT: usize = 16;
/// Blocks that are remembered across restarts.
const MAX_KNOWN: usize = 1_024;

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}
