// SPDX-License-Identifier: Apache-2.0
//! A recent header that some proof started at, for signatures to be anchored to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use subrosa_types::frame::HeaderFrame;

/// The latest header that was seen, with its number.
#[derive(Debug, Default)]
pub(crate) struct Anchor(Mutex<Option<(u64, HeaderFrame)>>);

impl Anchor {
    /// Keeps a header of the chain's tip; later ones replace it.
    pub(crate) fn saw(&self, number: u64, header: &HeaderFrame) {
        let mut kept = self.lock();
        if kept.as_ref().is_none_or(|(known, _)| *known < number) {
            *kept = Some((number, header.clone()));
        }
    }

    /// The latest header that was kept, with its number.
    pub(crate) fn latest(&self) -> Option<(u64, HeaderFrame)> {
        self.lock().clone()
    }

    /// Drops the header that was kept: it may not be the chain's any more.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u64, HeaderFrame)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
