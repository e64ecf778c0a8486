// SPDX-License-Identifier: Apache-2.0
//! What executing works with.

use std::sync::Arc;

use alloy_primitives::Address;
use subrosa_store::Storage;
use tokio::sync::Semaphore;

use crate::{
    chain::Chain,
    clock::Clock,
    metrics::ExecuteMetrics,
    rewinds::Rewinds,
    serving::Stage,
    signals::{Executors, Offers},
    stops::Stops,
};

/// What executing works with.
pub(crate) struct Needs {
    pub(crate) chain_id: u64,
    pub(crate) oracle: Address,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) executors: Arc<Executors>,
    pub(crate) offers: Arc<Offers>,
    pub(crate) rewinds: Arc<Rewinds>,
    /// Logs that cannot go on.
    pub(crate) stops: Arc<Stops>,
    /// Held while blobs are looked through, which takes them into memory: when a node starts, every
    /// contract's task does.
    pub(crate) looking: Semaphore,
    pub(crate) metrics: ExecuteMetrics,
}

/// How many tasks look through their blobs at a time.
pub(crate) const LOOKING: usize = 4;
