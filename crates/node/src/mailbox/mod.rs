// SPDX-License-Identifier: Apache-2.0
//! What passes through the chain instead of through this node's RPC: code that owners publish, and challenges
//! to its enclave.
//!
//! The chain is the memory. What follows it notes which envelopes are complete and which challenges wait, in
//! so many bytes; parts are read back from the chain when all of them are there, and so is what an earlier
//! run had seen. What comes of it goes the way of everything else: code through the API's `deploy`, answers
//! through the ordinary transactions.

mod answers;
mod assemble;
mod budget;
mod challenges;
mod code;
mod needs;
mod parts;
mod room;

use std::sync::Arc;

pub(crate) use self::{needs::Needs, room::Mailroom};
use crate::shutdown::Shutdown;

/// Takes in code and answers challenges until shutdown, as far as the settings say.
pub(crate) async fn run(needs: Needs, mut shutdown: Shutdown) {
    let needs = Arc::new(needs);
    tokio::join!(
        code::run(Arc::clone(&needs), shutdown.clone()),
        answers::run(needs, shutdown.clone()),
    );
    shutdown.requested().await;
}
