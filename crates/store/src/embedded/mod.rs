// SPDX-License-Identifier: Apache-2.0
//! The embedded store: fjall in one directory.

mod files;

use std::{fmt, path::Path, sync::Arc};

use tokio::{sync::watch, task::spawn_blocking};

use self::files::Files;
use crate::{Identity, StoreError, calls::Calls, directory::Directory, engine::Engine};

/// A store in a directory, for one process.
///
/// The directory holds `lock`, `identity` (text) and `data` (the storage engine's files). Calls
/// run on tokio's blocking threads, all of them: reads wait for the disk too.
pub struct Store {
    opened: Arc<Opened>,
}

/// What is open, and shared with the calls that are underway. Fields are dropped in this order:
/// the lock outlives the engine, and [`Store::closed`] waits for the lock.
struct Opened {
    engine: Engine,
    directory: Directory,
    open: watch::Sender<()>,
}

impl Store {
    /// Creates or opens the store in `directory`, and locks it until the store is dropped and no
    /// call is underway. Waits for the disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if it is open already, [`StoreError::Identity`] if it belongs to
    /// someone else, [`StoreError::Format`] if another version wrote it,
    /// [`StoreError::NotAStore`] if something else is there, [`StoreError::Engine`] if its files
    /// are damaged, [`StoreError::Io`].
    pub fn open(directory: impl AsRef<Path>, identity: Identity) -> Result<Self, StoreError> {
        let directory = Directory::open(directory.as_ref(), &identity)?;
        let files = Files::open(&directory.data())?;
        let opened = Opened {
            engine: Engine::new(Arc::new(files), identity),
            directory,
            open: watch::Sender::new(()),
        };
        Ok(Self {
            opened: Arc::new(opened),
        })
    }

    /// Completes once the store was dropped, the calls underway have ended, and the directory is
    /// free for whoever opens it next.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut open = self.opened.open.subscribe();
        // Nothing is ever sent: what can happen is that the sender goes.
        async move { while open.changed().await.is_ok() {} }
    }
}

impl Calls for Store {
    /// A call that panics panics where it was awaited.
    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let opened = Arc::clone(&self.opened);
        match spawn_blocking(move || work(&opened.engine)).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down and did not begin with it.
                Err(error) => Err(StoreError::Engine(Box::new(error))),
            },
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("directory", &self.opened.directory)
            .finish_non_exhaustive()
    }
}
