// SPDX-License-Identifier: Apache-2.0
//! Keeping entries in the store while they are executed.

use tokio::sync::RwLock;

/// Held for writing while the store is rewound, for reading while entries read from it are executed
/// and their results stored. Counts rewinds.
pub(crate) type Rewinds = RwLock<u64>;
