// SPDX-License-Identifier: Apache-2.0
//! Stopping in order.

use std::future::Future;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Completes at the first SIGTERM or SIGINT.
///
/// # Errors
///
/// If the handlers cannot be installed.
pub fn on_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Tells every component to stop; dropping it does the same.
#[derive(Debug)]
pub(crate) struct Trigger(watch::Sender<bool>);

/// One component's view of whether to stop.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

/// A connected pair.
pub(crate) fn channel() -> (Trigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Trigger(sender), Shutdown(receiver))
}

impl Trigger {
    /// Stops everything that listens.
    pub(crate) fn fire(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Whether to stop now.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Completes when it is time to stop.
    pub(crate) async fn requested(&mut self) {
        // An error means that the trigger is gone, which is a request too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Runs `work` until it is done or it is time to stop; `None` if it was stopped.
    pub(crate) async fn cancel<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.requested() => None,
            value = work => Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn firing_cancels_work_that_never_ends() {
        let (trigger, mut shutdown) = channel();
        assert!(!shutdown.is_requested());
        trigger.fire();
        assert_eq!(shutdown.cancel(std::future::pending::<()>()).await, None);
        assert!(shutdown.is_requested());
    }

    #[tokio::test]
    async fn a_dropped_trigger_counts_as_a_request() {
        let (trigger, mut shutdown) = channel();
        drop(trigger);
        assert_eq!(shutdown.cancel(std::future::pending::<()>()).await, None);
        assert!(shutdown.is_requested());
    }
}
