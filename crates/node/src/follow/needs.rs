// SPDX-License-Identifier: Apache-2.0
//! What following works with.

use std::sync::Arc;

use subrosa_store::Storage;

use crate::{
    chain::Chain,
    clock::Clock,
    latency::Latency,
    mailbox::Mailroom,
    metrics::FollowMetrics,
    readiness::Readiness,
    rewinds::Rewinds,
    serving::Stage,
    settings::Settings,
    signals::{Executors, Offers},
};

/// What following works with.
pub(crate) struct Needs {
    pub(crate) settings: Arc<Settings>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) executors: Arc<Executors>,
    pub(crate) offers: Arc<Offers>,
    pub(crate) rewinds: Arc<Rewinds>,
    pub(crate) latency: Arc<Latency>,
    pub(crate) mail: Arc<Mailroom>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) metrics: FollowMetrics,
}
