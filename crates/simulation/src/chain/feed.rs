// SPDX-License-Identifier: Apache-2.0
//! The oracle's log, followed along the canonical chain.

use alloy_primitives::B256;
use async_trait::async_trait;
use subrosa_chain::{ChainError, Event};
use subrosa_node::{ChainEvents, ChainFeed, StartingPoint};

use super::{SimulatedChain, State};

#[async_trait]
impl ChainFeed for SimulatedChain {
    async fn follow(&self, from: StartingPoint) -> Result<Box<dyn ChainEvents>, ChainError> {
        Ok(Box::new(Follower {
            chain: self.clone(),
            first: from.first,
            known: from.known,
        }))
    }
}

struct Follower {
    chain: SimulatedChain,
    first: u64,
    /// Blocks that were yielded, ascending.
    known: Vec<(u64, B256)>,
}

#[async_trait]
impl ChainEvents for Follower {
    async fn next(&mut self) -> Result<Event, ChainError> {
        let mut changes = self.chain.0.changes.subscribe();
        loop {
            changes.borrow_and_update();
            let chain = self.chain.clone();
            if let Some(event) = self.step(&chain.state()) {
                return Ok(event);
            }
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

impl Follower {
    /// What there is to say now.
    fn step(&mut self, state: &State) -> Option<Event> {
        let is_canonical = |(number, hash): &(u64, B256)| {
            state
                .blocks
                .at(*number)
                .is_some_and(|block| block.hash == *hash)
        };
        let kept = self.known.iter().rposition(is_canonical);
        if kept.map_or(0, |last| last + 1) < self.known.len() {
            let (number, _) = kept.and_then(|last| self.known.get(last))?;
            let to = state.blocks.at(*number)?.reference();
            self.known.retain(|(number, _)| *number <= to.number);
            return Some(Event::Reorg { to });
        }
        let next = self
            .known
            .last()
            .map_or(self.first, |(number, _)| number + 1);
        let blocks: Vec<_> = state.blocks.from(next).collect();
        let last = blocks.last()?.reference();
        let logs = blocks.iter().flat_map(|block| block.logs()).collect();
        let mail = blocks.iter().flat_map(|block| block.mail()).collect();
        let numbers = blocks.iter().map(|block| (block.header.number, block.hash));
        self.known.extend(numbers);
        Some(Event::Blocks { last, logs, mail })
    }
}
