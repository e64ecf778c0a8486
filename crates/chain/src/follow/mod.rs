// SPDX-License-Identifier: Apache-2.0
//! Follows the oracle's log along the canonical chain.
//!
//! New heads come over a websocket, or by polling while there is none; either only says *when* to
//! look. What is yielded is always fetched by block hash or checked against the hash of its block,
//! starting at the block after the last one yielded, whose hash must be the parent: a chain that
//! does not continue it is reported as [`Event::Reorg`] first.

mod event;
mod heads;

use std::{collections::VecDeque, time::Duration};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256},
    providers::{DynProvider, Provider},
    rpc::types::{Filter, Log},
};

pub use self::event::{Appended, OracleEvent, OracleLog};
use self::heads::Heads;
pub use crate::block::BlockRef;
use crate::{
    ChainError,
    endpoint::{Endpoints, connect, within},
    mailbox::MailboxLog,
    proof::fetch_block,
};

/// What happened on the chain.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The chain grew.
    Blocks {
        /// The last of the new blocks.
        last: BlockRef,
        /// The oracle's logs in them, in order.
        logs: Vec<OracleLog>,
        /// The mailbox's, likewise.
        mail: Vec<MailboxLog>,
    },
    /// Blocks after `to` are no part of the chain any more. What replaces them follows.
    Reorg {
        /// The last block that remains.
        to: BlockRef,
    },
}

/// What to follow, and from where.
#[derive(Clone, Debug)]
pub struct FollowerConfig {
    /// Where the node is.
    pub endpoints: Endpoints,
    /// The oracle.
    pub oracle: Address,
    /// The mailbox, if it is followed too.
    pub mailbox: Option<Address>,
    /// The first block that can have logs of the oracle: that of its deployment.
    pub from: u64,
    /// Blocks already dealt with, ascending; what is yielded continues the last one. Earlier ones
    /// serve to find where a reorganisation began. Empty: start with `from`.
    pub known: Vec<(u64, B256)>,
    /// How often to look for new blocks while no websocket says so.
    pub poll_interval: Duration,
    /// Most blocks in one request for logs.
    pub max_range: u64,
}

impl FollowerConfig {
    /// From the oracle's deployment on, polling each second, 2,000 blocks at a time.
    pub fn new(endpoints: Endpoints, oracle: Address, from: u64) -> Self {
        Self {
            endpoints,
            oracle,
            mailbox: None,
            from,
            known: Vec::new(),
            poll_interval: Duration::from_secs(1),
            max_range: 2000,
        }
    }
}

/// Yields what happens on the chain, in order, without gaps.
#[derive(Debug)]
pub struct Follower {
    config: FollowerConfig,
    provider: DynProvider,
    heads: Heads,
    /// Blocks already yielded, ascending by number.
    recent: VecDeque<(u64, B256)>,
    ready: VecDeque<Event>,
    /// Blocks per request for logs, after the node refused larger ranges.
    range: u64,
    /// There may be blocks that were not looked at.
    behind: bool,
    /// A head that was heard of and not reached yet.
    target: Option<BlockRef>,
    failures: u32,
}

impl Follower {
    /// Connects and finds the starting point.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the node cannot be reached for requests. An unreachable websocket is no
    /// error if there is an HTTP endpoint.
    pub async fn start(config: FollowerConfig) -> Result<Self, ChainError> {
        let provider = connect(&config.endpoints).await?;
        let mut recent: VecDeque<_> = config.known.iter().copied().collect();
        if recent.is_empty() {
            let origin = origin(&provider, config.from).await?;
            recent.push_back((origin.number, origin.hash));
        }
        Ok(Self {
            heads: Heads::start(config.endpoints.ws.clone(), config.poll_interval),
            range: config.max_range.max(1),
            config,
            provider,
            recent,
            ready: VecDeque::new(),
            behind: true,
            target: None,
            failures: 0,
        })
    }

    /// The provider it asks.
    pub fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// Whether new heads arrive over a websocket at the moment, rather than by polling.
    pub fn is_subscribed(&self) -> bool {
        self.heads.is_live()
    }

    /// The next event. Cancel safe: what a dropped call had fetched is fetched again.
    ///
    /// A node that fails is asked again, with growing pauses, for as long as it takes.
    ///
    /// # Errors
    ///
    /// [`ChainError::UndecodableLog`] if the oracle is not one that this build knows.
    pub async fn next(&mut self) -> Result<Event, ChainError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            if !self.behind {
                self.target = self.heads.changed().await;
                self.behind = true;
            }
            match self.advance(self.target).await {
                Ok(()) => {
                    self.failures = 0;
                    self.target = None;
                }
                Err(error @ ChainError::UndecodableLog { .. }) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, source = ?std::error::Error::source(&error), "chain gives no blocks");
                    if self.failures > HEAD_TRIES {
                        self.target = None;
                    }
                    // Not backon's retry: the count survives a dropped call of `next`.
                    let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(7));
                    self.failures = self.failures.saturating_add(1);
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// Looks once at what continues the last block, and queues at most one event.
    async fn advance(&mut self, head: Option<BlockRef>) -> Result<(), ChainError> {
        let head = match head {
            Some(head) => head,
            None => fetch_block(&self.provider, BlockId::latest()).await?,
        };
        let Some(&(number, hash)) = self.recent.back() else {
            return Err(ChainError::Inconsistent("nothing to continue"));
        };
        if head.number <= number {
            // A node that lags, or went back to one of our blocks, has nothing to say yet.
            let ours = self.recent.iter().find(|(at, _)| *at == head.number);
            if ours.is_none_or(|(_, hash)| *hash == head.hash) {
                self.behind = false;
                return Ok(());
            }
            return self.reorganise().await;
        }
        let next = if head.number == number + 1 {
            head
        } else {
            fetch_block(&self.provider, BlockId::number(number + 1)).await?
        };
        if next.parent_hash != hash {
            return self.reorganise().await;
        }
        let (last, logs) = if head.number == number + 1 {
            (head, self.logs_of(head.hash).await?)
        } else {
            self.logs_between(number + 1, head.number).await?
        };
        let (logs, mail): (Vec<Log>, Vec<Log>) = logs
            .into_iter()
            .partition(|log| log.address() == self.config.oracle);
        let logs = logs
            .iter()
            .map(OracleLog::decode)
            .collect::<Result<Vec<_>, _>>()?;
        let mail = mail.iter().filter_map(MailboxLog::decode).collect();
        // Nothing is awaited from here on.
        self.push_recent(&logs, last);
        self.behind = last.number < head.number;
        self.ready.push_back(Event::Blocks { last, logs, mail });
        Ok(())
    }

    fn filter(&self) -> Filter {
        let followed = [self.config.oracle].into_iter().chain(self.config.mailbox);
        Filter::new().address(followed.collect::<Vec<_>>())
    }

    async fn logs_of(&self, block: B256) -> Result<Vec<Log>, ChainError> {
        let filter = self.filter().at_block_hash(block);
        let logs = within(async { self.provider.get_logs(&filter).await }).await?;
        if logs.iter().any(|log| log.block_hash != Some(block)) {
            return Err(ChainError::Inconsistent("logs of another block"));
        }
        Ok(logs)
    }

    /// Logs of a range of blocks that begins at `first`, and the last block of the range.
    async fn logs_between(
        &mut self,
        first: u64,
        head: u64,
    ) -> Result<(BlockRef, Vec<Log>), ChainError> {
        let number = head.min(first.saturating_add(self.range - 1));
        let last = fetch_block(&self.provider, BlockId::number(number)).await?;
        let filter = self
            .filter()
            .from_block(first)
            .to_block(BlockNumberOrTag::Number(number));
        let logs = match within(async { self.provider.get_logs(&filter).await }).await {
            Ok(logs) => logs,
            Err(error) => {
                // Nodes limit ranges and results, each in its own words.
                self.range = (self.range / 2).max(1);
                return Err(error);
            }
        };
        // The chain may have changed in between: the last block vouches for those before it.
        let again = fetch_block(&self.provider, BlockId::number(number)).await?;
        let stray = logs.iter().any(|log| {
            log.block_number.is_none_or(|at| at < first || at > number)
                || (log.block_number == Some(number) && log.block_hash != Some(last.hash))
        });
        if again.hash != last.hash || stray {
            return Err(ChainError::Inconsistent("the chain changed meanwhile"));
        }
        self.range = self
            .range
            .saturating_mul(2)
            .min(self.config.max_range.max(1));
        Ok((last, logs))
    }

    /// Finds the last of our blocks that is still on the chain and goes back to it.
    async fn reorganise(&mut self) -> Result<(), ChainError> {
        // Blocks of ours that are on the chain come before those that are not.
        let (mut kept, mut gone) = (0, self.recent.len());
        let mut to = None;
        while kept < gone {
            let middle = (kept + gone) / 2;
            let Some(&(number, hash)) = self.recent.get(middle) else {
                break;
            };
            match fetch_block(&self.provider, BlockId::number(number)).await {
                Ok(block) if block.hash == hash => {
                    kept = middle + 1;
                    to = Some(block);
                }
                Ok(_) | Err(ChainError::UnknownBlock(_)) => gone = middle,
                Err(error) => return Err(error),
            }
        }
        let to = match to {
            Some(block) if kept == self.recent.len() => {
                // Everything of ours is there after all.
                tracing::debug!(number = block.number, "the node changed its mind");
                return Ok(());
            }
            Some(block) => block,
            None => origin(&self.provider, self.config.from).await?,
        };
        self.recent.truncate(kept);
        if kept == 0 {
            self.recent.push_back((to.number, to.hash));
        }
        self.behind = true;
        self.ready.push_back(Event::Reorg { to });
        Ok(())
    }

    /// Remembers the blocks whose hashes are known.
    fn push_recent(&mut self, logs: &[OracleLog], last: BlockRef) {
        for log in logs {
            if self
                .recent
                .back()
                .is_none_or(|(at, _)| *at < log.block_number)
                && log.block_number < last.number
            {
                self.recent.push_back((log.block_number, log.block_hash));
            }
        }
        self.recent.push_back((last.number, last.hash));
        while self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
    }
}

/// The block before the first that can have logs.
async fn origin(provider: &DynProvider, from: u64) -> Result<BlockRef, ChainError> {
    fetch_block(provider, BlockId::number(from.saturating_sub(1))).await
}

/// How many blocks are remembered to find where a reorganisation began.
const MAX_RECENT: usize = 1024;

/// How often a head that the node announced is asked for before another is.
const HEAD_TRIES: u32 = 3;

/// First pause after a failure; it doubles up to 2^7 of it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
