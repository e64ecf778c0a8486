// SPDX-License-Identifier: Apache-2.0
//! What the mailbox works with.

use std::sync::Arc;

use subrosa_store::Storage;

use super::room::Mailroom;
use crate::{
    chain::Chain, clock::Clock, metrics::MailboxMetrics, rpc::Api, serving::Stage,
    settings::Settings, transactions::Transactions,
};

/// What the mailbox works with.
pub(crate) struct Needs {
    pub(crate) settings: Arc<Settings>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) transactions: Arc<Transactions>,
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) api: Api,
    pub(crate) room: Arc<Mailroom>,
    pub(crate) metrics: MailboxMetrics,
}
