// SPDX-License-Identifier: Apache-2.0
//! When to look for new blocks: heads from a websocket, a clock while there is none.

use std::time::{Duration, Instant};

use alloy::providers::Provider;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::{
    sync::{broadcast::error::RecvError, watch},
    task::AbortHandle,
};

use crate::{
    ChainError,
    block::BlockRef,
    endpoint::{open_websocket, within},
};

/// Says when there may be a new block.
#[derive(Debug)]
pub(super) struct Heads {
    news: watch::Receiver<News>,
    task: Option<AbortHandle>,
    poll_interval: Duration,
    next_poll: Instant,
}

/// The last that was heard.
#[derive(Clone, Copy, Debug, Default)]
struct News {
    head: Option<BlockRef>,
    live: bool,
}

impl Heads {
    pub(super) fn start(ws: Option<String>, poll_interval: Duration) -> Self {
        let (sender, news) = watch::channel(News::default());
        let task = ws.map(|url| tokio::spawn(subscribe(url, sender)).abort_handle());
        Self {
            news,
            task,
            poll_interval,
            next_poll: Instant::now() + poll_interval,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.news.borrow().live
    }

    /// Waits for a new head, or until it is time to ask for one (`None`). Cancel safe.
    pub(super) async fn changed(&mut self) -> Option<BlockRef> {
        let was_live = self.is_live();
        // A subscription can fall silent without breaking.
        let interval = if was_live {
            self.poll_interval.max(QUIET_INTERVAL)
        } else {
            self.poll_interval
        };
        // Kept over calls, for each may be dropped before it ends.
        self.next_poll = self.next_poll.min(Instant::now() + interval);
        let heard = tokio::select! {
            biased;
            changed = self.news.changed(), if self.task.is_some() => changed.is_ok(),
            () = until(self.next_poll) => false,
        };
        self.next_poll = Instant::now() + interval;
        let News { head, live } = *self.news.borrow_and_update();
        // If it broke or came back, blocks may have been missed.
        head.filter(|_| heard && live && was_live)
    }
}

impl Drop for Heads {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Subscribes, again and again, until nobody listens any more.
async fn subscribe(url: String, news: watch::Sender<News>) {
    let growing = ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times();
    let mut pauses = growing.build();
    while !news.is_closed() {
        let began = Instant::now();
        if let Err(error) = listen(&url, &news).await {
            tracing::warn!(%error, "websocket is not available, polling");
        }
        news.send_modify(|news| news.live = false);
        if began.elapsed() > LONGEST_PAUSE {
            pauses = growing.build();
        }
        tokio::time::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}

/// Passes heads on until the websocket breaks.
async fn listen(url: &str, news: &watch::Sender<News>) -> Result<(), ChainError> {
    let provider = open_websocket(url, 1).await?;
    let mut heads = within(async { provider.subscribe_blocks().await }).await?;
    tracing::debug!("subscribed to new heads");
    news.send_modify(|news| news.live = true);
    loop {
        match heads.recv().await {
            Ok(header) => news.send_modify(|news| news.head = Some(BlockRef::from(&header))),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Err(ChainError::Endpoint("websocket closed".into())),
        }
    }
}

/// When a deadline is reached, however often the waiting is begun anew.
pub(super) async fn until(deadline: Instant) {
    tokio::time::sleep_until(deadline.into()).await;
}

/// While heads arrive, a look is taken after this long without one.
const QUIET_INTERVAL: Duration = Duration::from_secs(2);

/// First pause before a broken websocket is opened again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
