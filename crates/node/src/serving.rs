// SPDX-License-Identifier: Apache-2.0
//! An enclave that is admitted and holds its epoch's key, and what is loaded in it.

use std::sync::Arc;

use subrosa_types::{
    abi::EpochOpening,
    frame::{PublishedEpoch, Started},
};
use tokio::sync::watch;

use crate::{enclave::Link, loading::Loading};

/// One boot of an enclave over one connection, brought up. When the link breaks it is over; the
/// next one may be the same boot or another.
#[derive(Debug)]
pub(crate) struct Serving {
    /// The stream.
    pub(crate) link: Link,
    /// Its keys and identity.
    pub(crate) started: Started,
    /// Public keys of its key group's current epoch.
    pub(crate) keys: PublishedEpoch,
    /// What the registry recorded for that epoch.
    pub(crate) opening: EpochOpening,
    /// Unix seconds at which its signer's lease ends.
    pub(crate) lease_until: u64,
    /// What is loaded in it, and what loads more.
    pub(crate) contracts: Loading,
}

/// Shows which enclave serves, if one does.
#[derive(Debug)]
pub(crate) struct Stage(watch::Sender<Option<Arc<Serving>>>);

impl Stage {
    /// Nobody serves yet.
    pub(crate) fn empty() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The enclave that serves, now and after each change.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Arc<Serving>>> {
        self.0.subscribe()
    }

    /// The enclave that serves at the moment.
    pub(crate) fn now(&self) -> Option<Arc<Serving>> {
        self.0.borrow().clone()
    }

    /// Announces an enclave that serves, or that none does.
    pub(crate) fn show(&self, serving: Option<Arc<Serving>>) {
        self.0.send_replace(serving);
    }
}
