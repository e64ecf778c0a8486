// SPDX-License-Identifier: Apache-2.0
//! The cell of one contract: whose turn it is, what was published last, and what can be signed.
//!
//! Nothing that takes long is done while a cell is locked. Whoever executes takes the contract out as a
//! copy, and publishes what it has become; everybody else reads what was published last.

use alloc::{collections::BTreeMap, format, sync::Arc, vec::Vec};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use alloy_primitives::B256;
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, FrameError, Loaded},
};

use crate::{
    anchors::{Anchor, Anchors},
    contract::Contract,
    limits::{MAX_SIGNABLE, MAX_SIGNABLE_OUT},
    loading::Loading,
    snapshotting::Snapshotting,
    step::Signable,
};

/// One contract, loaded or not, and the work that waits for its turn at it.
pub(crate) struct Cell<W> {
    pub(crate) id: ContractId,
    inner: Mutex<Inner<W>>,
}

/// What a locked cell holds.
pub(crate) struct Inner<W> {
    /// As it was published last; `None` if it is not loaded.
    contract: Option<Arc<Contract>>,
    /// Bytes of its state and of what is loaded of one, as they are counted in `total`.
    bytes: usize,
    /// Bytes of all cells.
    total: Arc<AtomicUsize>,
    /// Results that can be signed, by seq.
    results: BTreeMap<u64, Signable>,
    /// Key epoch of the newest snapshot that is complete: what survives the loss of the secrets of
    /// epochs before it.
    whole_in: Option<u32>,
    /// Where the contract stood when its state was dropped.
    dropped_at: Option<(u64, B256)>,
    loading: Option<Loading>,
    /// Proven entries that are not executed.
    anchors: Anchors,
    pub(crate) snapshot: Option<Snapshotting>,
    /// The ticket that is drawn next, and the one whose turn it is.
    next: u64,
    turn: u64,
    /// Whether the one whose turn it is executes.
    busy: bool,
    /// Drawn, and not needed any more.
    void: Vec<u64>,
    /// Those that came before their turn.
    waiting: BTreeMap<u64, W>,
    /// When it was used last, in uses of any contract.
    pub(crate) used: u64,
}

/// What executing made of a contract.
pub(crate) struct Published {
    /// `None` if it is as it was.
    pub(crate) contract: Option<Arc<Contract>>,
    pub(crate) results: Vec<(u64, Signable)>,
    /// Key epoch of a snapshot that came with it.
    pub(crate) whole_in: Option<u32>,
}

/// What a cell held before. A large state takes long to drop, and whoever comes by a cell locks it: so
/// this is dropped once the cell is unlocked.
#[must_use = "dropped after the cell's lock"]
#[derive(Default)]
pub(crate) struct Displaced {
    _contract: Option<Arc<Contract>>,
    _loading: Option<Loading>,
    _snapshot: Option<Snapshotting>,
}

impl<W> Cell<W> {
    /// Nothing of a contract. The bytes of its state will be counted in `total`.
    pub(crate) fn new(id: ContractId, total: Arc<AtomicUsize>) -> Self {
        Self {
            id,
            inner: Mutex::new(Inner::new(total)),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner<W>> {
        // Nothing in here runs foreign code, and what panics leaves the cell whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The contract as it was published last.
    pub(crate) fn contract(&self) -> Result<Arc<Contract>, FrameError> {
        self.lock()
            .contract
            .clone()
            .ok_or_else(|| not_loaded(self.id))
    }

    /// The contract for a query: never one from before what was dropped from memory.
    pub(crate) fn for_query(&self) -> Result<Arc<Contract>, FrameError> {
        let inner = self.lock();
        let contract = inner.contract.clone().ok_or_else(|| not_loaded(self.id))?;
        let position = contract.position();
        match inner.dropped_at {
            Some((seq, digest))
                if position.head.seq < seq
                    || (position.head.seq == seq && position.digest != digest) =>
            {
                let message = format!("{} stood at {seq} before it was dropped", self.id);
                Err(FrameError::new(ErrorCode::OutOfOrder, message))
            }
            _ => Ok(contract),
        }
    }

    /// A result, if it can be signed.
    pub(crate) fn signable(&self, seq: u64) -> Result<Signable, FrameError> {
        let inner = self.lock();
        let Some(signable) = inner.results.get(&seq) else {
            let message = format!("no result of {} seq {seq}", self.id);
            return Err(FrameError::new(ErrorCode::Sequence, message));
        };
        if inner
            .whole_in
            .is_none_or(|whole| whole < signable.epoch.epoch)
        {
            let message = format!(
                "{} has no snapshot under the keys of {} yet: take one first",
                self.id, signable.epoch
            );
            return Err(FrameError::new(ErrorCode::OutOfOrder, message));
        }
        Ok(*signable)
    }

    /// Draws the ticket for a turn at executing.
    pub(crate) fn draw(&self) -> u64 {
        let mut inner = self.lock();
        let ticket = inner.next;
        inner.next += 1;
        ticket
    }
}

impl<W> Inner<W> {
    fn new(total: Arc<AtomicUsize>) -> Self {
        Self {
            contract: None,
            bytes: 0,
            total,
            results: BTreeMap::new(),
            whole_in: None,
            dropped_at: None,
            loading: None,
            anchors: Anchors::default(),
            snapshot: None,
            next: 0,
            turn: 0,
            busy: false,
            void: Vec::new(),
            waiting: BTreeMap::new(),
            used: 0,
        }
    }

    /// Begins to execute if it is the work's turn, with the contract as it stands; otherwise keeps the
    /// work until it is.
    pub(crate) fn enter(&mut self, ticket: u64, work: W) -> Option<(W, Option<Arc<Contract>>)> {
        if self.busy || ticket != self.turn {
            self.waiting.insert(ticket, work);
            return None;
        }
        self.busy = true;
        Some((work, self.contract.clone()))
    }

    /// Ends a turn that was begun. Returns the work whose turn it is next, if it is here.
    pub(crate) fn leave(&mut self) -> Option<W> {
        self.busy = false;
        self.turn += 1;
        self.advance()
    }

    /// Gives up a turn that was not begun.
    pub(crate) fn forgo(&mut self, ticket: u64) -> Option<W> {
        self.void.push(ticket);
        if self.busy { None } else { self.advance() }
    }

    fn advance(&mut self) -> Option<W> {
        while let Some(at) = self.void.iter().position(|ticket| *ticket == self.turn) {
            self.void.swap_remove(at);
            self.turn += 1;
        }
        self.waiting.remove(&self.turn)
    }

    pub(crate) fn publish(&mut self, published: Published) -> Displaced {
        self.results.extend(published.results);
        while self.results.len() > MAX_SIGNABLE {
            self.results.pop_first();
        }
        let mut displaced = Displaced::default();
        if let Some(contract) = published.contract {
            if self
                .dropped_at
                .is_some_and(|dropped| contract.position().head.seq > dropped.0)
            {
                self.dropped_at = None;
            }
            self.anchors.pass(contract.position().head.seq);
            displaced._contract = self.put(Some(contract));
        }
        if let Some(epoch) = published.whole_in {
            self.whole_in = self.whole_in.max(Some(epoch));
        }
        displaced
    }

    /// Puts what was loaded in the place of everything that was known.
    pub(crate) fn replace(&mut self, published: Published) -> Displaced {
        self.results.clear();
        self.whole_in = None;
        self.publish(published)
    }

    /// Keeps a snapshot that is under way.
    pub(crate) fn keep_snapshot(&mut self, snapshot: Snapshotting) -> Displaced {
        Displaced {
            _snapshot: self.snapshot.replace(snapshot),
            ..Displaced::default()
        }
    }

    /// A snapshot under this epoch's keys is complete.
    pub(crate) fn is_whole(&mut self, epoch: u32) {
        self.whole_in = self.whole_in.max(Some(epoch));
    }

    /// As it was published last.
    pub(crate) fn contract(&self) -> Option<Arc<Contract>> {
        self.contract.clone()
    }

    pub(crate) fn results(&self) -> &BTreeMap<u64, Signable> {
        &self.results
    }

    /// Whether there is something to drop, and nobody is changing it.
    pub(crate) fn is_droppable(&self) -> bool {
        (self.contract.is_some() || self.loading.is_some() || !self.anchors.is_empty())
            && !self.busy
    }

    /// Puts a contract, or none, in the place of the one that was here.
    fn put(&mut self, contract: Option<Arc<Contract>>) -> Option<Arc<Contract>> {
        let before = core::mem::replace(&mut self.contract, contract);
        self.count();
        before
    }

    /// The anchor at an entry, if there is one.
    pub(crate) fn anchor(&self, seq: u64) -> Option<Anchor> {
        self.anchors.at(seq)
    }

    /// Keeps an anchor at an entry.
    pub(crate) fn keep_anchor(&mut self, seq: u64, anchor: Anchor) {
        self.anchors.keep(seq, anchor);
        self.count();
    }

    /// Takes out the loading that is under way.
    pub(crate) fn take_loading(&mut self) -> Option<Loading> {
        let loading = self.loading.take();
        self.count();
        loading
    }

    /// Leaves a loading for its next part.
    pub(crate) fn put_loading(&mut self, loading: Option<Loading>) -> Displaced {
        let displaced = Displaced {
            _loading: core::mem::replace(&mut self.loading, loading),
            ..Displaced::default()
        };
        self.count();
        displaced
    }

    fn count(&mut self) {
        let contract = self.contract.as_ref();
        let state = contract.map_or(0, |contract| contract.state.memory());
        let loading = self.loading.as_ref();
        let loading = loading.map_or(0, |loading| loading.state.memory());
        let bytes = state + loading + self.anchors.memory();
        self.total.fetch_add(bytes, Ordering::Relaxed);
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// Drops the state, and what is loaded of one. What stays says where it was.
    pub(crate) fn drop_state(&mut self) -> Displaced {
        self.anchors.clear();
        let mut displaced = Displaced {
            _contract: None,
            _loading: self.take_loading(),
            _snapshot: self.snapshot.take(),
        };
        let Some(contract) = self.put(None) else {
            return displaced;
        };
        let position = contract.position();
        self.dropped_at = Some((position.head.seq, position.digest));
        while self.results.len() > MAX_SIGNABLE_OUT {
            self.results.pop_first();
        }
        displaced._contract = Some(contract);
        displaced
    }

    /// Whether nothing is known of the contract, and nobody wants to know.
    pub(crate) fn is_unused(&self) -> bool {
        self.contract.is_none()
            && self.dropped_at.is_none()
            && self.loading.is_none()
            && self.anchors.is_empty()
            && !self.busy
            && self.next == self.turn
    }

    /// Where it stands, for the host.
    pub(crate) fn summary(&self) -> Option<Loaded> {
        let contract = self.contract.as_ref()?;
        let position = contract.position();
        Some(Loaded {
            contract: contract.id,
            head: position.head,
            digest: position.digest,
            signable_from: self
                .results
                .first_key_value()
                .map_or(position.head.seq, |(seq, _)| *seq),
        })
    }
}

pub(crate) fn not_loaded(id: ContractId) -> FrameError {
    FrameError::new(ErrorCode::UnknownContract, format!("{id} is not loaded"))
}
