// SPDX-License-Identifier: Apache-2.0
//! The cells of all contracts, and how much memory their states take together.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use subrosa_types::{
    ContractId,
    frame::{FrameError, Loaded},
};

use crate::{
    cell::{Cell, not_loaded},
    job::Job,
    limits::MAX_GREETED,
};

/// The contracts that something is known of.
pub(crate) struct Contracts {
    cells: Mutex<BTreeMap<ContractId, Arc<Cell<Job>>>>,
    /// Uses of any contract so far.
    uses: AtomicU64,
    /// Bytes that states take together.
    total: Arc<AtomicUsize>,
    /// Bytes that states may take together, as [`subrosa_vm::State::memory`] estimates them.
    memory: usize,
}

impl Contracts {
    pub(crate) fn new(memory: usize) -> Self {
        Self {
            cells: Mutex::default(),
            uses: AtomicU64::default(),
            total: Arc::default(),
            memory,
        }
    }

    /// The cell of a contract that something is known of.
    pub(crate) fn known(&self, id: ContractId) -> Result<Arc<Cell<Job>>, FrameError> {
        let cell = self.cells().get(&id).cloned();
        let cell = cell.ok_or_else(|| not_loaded(id))?;
        self.touch(&cell);
        Ok(cell)
    }

    /// The cell of a contract, new if need be.
    pub(crate) fn any(&self, id: ContractId) -> Arc<Cell<Job>> {
        let mut cells = self.cells();
        let new = || Arc::new(Cell::new(id, Arc::clone(&self.total)));
        let cell = cells.entry(id).or_insert_with(new);
        let cell = Arc::clone(cell);
        drop(cells);
        self.touch(&cell);
        cell
    }

    /// Forgets a cell that came to nothing.
    pub(crate) fn tidy(&self, id: ContractId) {
        let mut cells = self.cells();
        // Whoever else has it draws a ticket before this lock is taken again, or finds it in use.
        let unused = cells
            .get(&id)
            .is_some_and(|cell| Arc::strong_count(cell) == 1 && cell.lock().is_unused());
        if unused {
            cells.remove(&id);
        }
    }

    /// Drops the states that were used least recently until the rest fits, but never that of `except`.
    pub(crate) fn fit(&self, except: ContractId) {
        if self.fits() {
            return;
        }
        let cells: Vec<Arc<Cell<Job>>> = self.cells().values().cloned().collect();
        let used = cells.iter().filter_map(|cell| {
            let inner = cell.lock();
            inner.is_droppable().then_some((inner.used, cell))
        });
        let mut used: Vec<_> = used.collect();
        used.sort_unstable_by_key(|(used, _)| *used);
        for (_, cell) in used {
            if self.fits() {
                break;
            }
            let _displaced;
            let mut inner = cell.lock();
            if cell.id != except && inner.is_droppable() {
                _displaced = inner.drop_state();
            }
        }
    }

    fn fits(&self) -> bool {
        self.total.load(Ordering::Relaxed) <= self.memory
    }

    pub(crate) fn summaries(&self) -> Vec<Loaded> {
        let cells: Vec<Arc<Cell<Job>>> = self.cells().values().cloned().collect();
        let summaries = cells.iter().filter_map(|cell| cell.lock().summary());
        summaries.take(MAX_GREETED).collect()
    }

    fn touch(&self, cell: &Cell<Job>) {
        cell.lock().used = self.uses.fetch_add(1, Ordering::Relaxed);
    }

    fn cells(&self) -> MutexGuard<'_, BTreeMap<ContractId, Arc<Cell<Job>>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
