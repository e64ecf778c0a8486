// SPDX-License-Identifier: Apache-2.0
//! What executing works with.

use std::sync::Arc;

use alloy_primitives::Address;
use subrosa_store::Storage;

use crate::{
    anchor::Anchor,
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
    pub(crate) oracle: Address,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) executors: Arc<Executors>,
    pub(crate) offers: Arc<Offers>,
    pub(crate) anchor: Arc<Anchor>,
    pub(crate) rewinds: Arc<Rewinds>,
    /// Logs that cannot go on.
    pub(crate) stops: Arc<Stops>,
    pub(crate) metrics: ExecuteMetrics,
}
