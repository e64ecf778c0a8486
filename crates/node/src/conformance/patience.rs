// SPDX-License-Identifier: Apache-2.0
//! How long a suite waits.

use std::{future::Future, time::Duration};

/// Longest wait for something that happens at once, or within a block.
pub const SOON: Duration = Duration::from_secs(60);

/// What `work` gives; fails if it hangs.
pub(super) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(SOON, work).await {
        Ok(value) => value,
        Err(_) => panic!("{what} hangs"),
    }
}
