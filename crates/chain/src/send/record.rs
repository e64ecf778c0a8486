// SPDX-License-Identifier: Apache-2.0
//! Attempts are recorded before they are broadcast.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::{attempt::Attempt, error::RecordError};

/// Records an attempt durably. It is broadcast only after this succeeded.
pub type Record = Arc<dyn Fn(Attempt) -> BoxFuture<'static, Result<(), RecordError>> + Send + Sync>;

/// For transactions that need not survive a crash.
pub fn unrecorded() -> Record {
    Arc::new(|_| Box::pin(async { Ok(()) }))
}
