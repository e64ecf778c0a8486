// SPDX-License-Identifier: Apache-2.0
//! Where a storage is kept, so that it can be closed and opened again.

use async_trait::async_trait;

use crate::Storage;

/// Where one storage is kept.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the storage, as [`identity`](super::identity). The one that was opened before has
    /// been dropped, as if its process had died.
    async fn open(&self) -> Box<dyn Storage>;
}

/// A place whose power can fail.
pub trait Unplug: Place {
    /// Takes away what is not durable. The storage that is open is of no use any more.
    fn unplug(&self);
}
