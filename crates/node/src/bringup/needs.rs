// SPDX-License-Identifier: Apache-2.0
//! What bringing an enclave up works with.

use std::sync::Arc;

use metrics::Counter;
use subrosa_store::Storage;
use tokio::sync::Notify;

use crate::{
    chain::Chain, clock::Clock, metrics::BringupMetrics, readiness::Readiness, serving::Stage,
    settings::Settings, stops::Stops, transactions::Transactions, verifier::Verifier,
};

/// What bringing an enclave up works with.
pub(crate) struct Needs {
    pub(crate) settings: Arc<Settings>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) transactions: Arc<Transactions>,
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    /// `None`: the chain admits the signer by its quote.
    pub(crate) verifier: Option<Arc<Verifier>>,
    pub(crate) stage: Arc<Stage>,
    /// Logs that cannot go on.
    pub(crate) stops: Arc<Stops>,
    pub(crate) readiness: Arc<Readiness>,
    /// The registry refused the signer that serves.
    pub(crate) distrusted: Arc<Notify>,
    pub(crate) metrics: BringupMetrics,
    /// Counts requests that the enclave refused.
    pub(crate) refusals: Counter,
}
