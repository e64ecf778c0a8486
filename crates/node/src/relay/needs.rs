// SPDX-License-Identifier: Apache-2.0
//! What relaying works with.

use std::sync::Arc;

use subrosa_store::Storage;
use tokio::sync::Notify;

use crate::{
    chain::Chain, clock::Clock, latency::Latency, metrics::RelayMetrics, rewinds::Rewinds,
    serving::Stage, settings::Settings, signals::Offers, transactions::Transactions,
};

/// What relaying works with.
pub(crate) struct Needs {
    pub(crate) settings: Arc<Settings>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) transactions: Arc<Transactions>,
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stage: Arc<Stage>,
    /// Contracts that may have results to send.
    pub(crate) offers: Arc<Offers>,
    pub(crate) rewinds: Arc<Rewinds>,
    pub(crate) latency: Arc<Latency>,
    /// The registry refused the signer that serves.
    pub(crate) distrusted: Arc<Notify>,
    pub(crate) metrics: RelayMetrics,
}
