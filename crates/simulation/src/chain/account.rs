// SPDX-License-Identifier: Apache-2.0
//! The account that a node sends with.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use async_trait::async_trait;
use subrosa_chain::{ChainError, send::SendError};
use subrosa_node::{ChainAccount, InFlight, Mined, Note, Transaction};

use super::{SimulatedChain, State, transaction::apply};

#[async_trait]
impl ChainAccount for SimulatedChain {
    fn address(&self) -> Address {
        super::transaction::ACCOUNT
    }

    async fn send(
        &self,
        transaction: Transaction,
        note: Note,
    ) -> Result<Box<dyn InFlight>, SendError> {
        // What a gas estimate would say; results are sent without one.
        if !matches!(transaction, Transaction::Fulfill { .. }) {
            let (mut contracts, moment) = {
                let state = self.state();
                (state.blocks.tip().contracts.clone(), state.blocks.next())
            };
            apply(
                &mut contracts,
                moment,
                super::transaction::ACCOUNT,
                &transaction,
            )
            .map_err(|revert| SendError::Reverted(revert.to_string()))?;
        }
        let (nonce, raw) = {
            let mut state = self.state();
            if state.closed {
                return Err(SendError::Closed);
            }
            let nonce = state.free_nonce();
            (nonce, state.sign(nonce, transaction))
        };
        note(nonce, raw.clone()).await.map_err(SendError::Record)?;
        Ok(self.broadcast(nonce, raw))
    }

    async fn resume(
        &self,
        nonce: u64,
        attempts: &[Bytes],
        _: Note,
        _: bool,
    ) -> Result<Option<Box<dyn InFlight>>, SendError> {
        let Some(raw) = attempts.last() else {
            return Err(SendError::Unusable);
        };
        let known = {
            let state = self.state();
            if nonce < state.next_nonce() {
                return Ok(None);
            }
            state.signed.contains_key(raw)
        };
        if !known || raw.get(..8) != Some(nonce.to_be_bytes().as_slice()) {
            return Err(SendError::Unusable);
        }
        Ok(Some(self.broadcast(nonce, raw.clone())))
    }

    fn wake(&self) {}

    async fn resync(&self) -> Result<(), ChainError> {
        Ok(())
    }
}

impl State {
    /// The encoding of a transaction of the node's account.
    pub(super) fn sign(&mut self, nonce: u64, transaction: Transaction) -> Bytes {
        let count = self.signed.len() as u64;
        let raw = Bytes::from([nonce.to_be_bytes(), count.to_be_bytes()].concat());
        self.signed.insert(raw.clone(), transaction);
        raw
    }
}

impl SimulatedChain {
    fn broadcast(&self, nonce: u64, raw: Bytes) -> Box<dyn InFlight> {
        let transaction = keccak256(&raw);
        let mines = {
            let mut state = self.state();
            if nonce >= state.next_nonce() {
                state.pool.insert(nonce, raw);
            }
            !state.holding
        };
        if mines {
            self.mine();
        }
        Box::new(Sent {
            chain: self.clone(),
            nonce,
            transaction,
        })
    }
}

struct Sent {
    chain: SimulatedChain,
    nonce: u64,
    transaction: B256,
}

#[async_trait]
impl InFlight for Sent {
    fn nonce(&self) -> u64 {
        self.nonce
    }

    async fn mined(&mut self) -> Result<Mined, SendError> {
        let mut changes = self.chain.0.changes.subscribe();
        loop {
            changes.borrow_and_update();
            {
                let state = self.chain.state();
                if state.closed {
                    return Err(SendError::Closed);
                }
                match state.mined.get(&self.nonce) {
                    Some(hash) if *hash != self.transaction => {
                        return Err(SendError::NonceTaken { nonce: self.nonce });
                    }
                    Some(hash) => {
                        if let Some(included) = state.blocks.included(*hash) {
                            return Ok(Mined {
                                transaction: included.transaction,
                                succeeded: included.succeeded,
                                events: included.emitted.events.clone(),
                            });
                        }
                    }
                    None => {}
                }
            }
            changes.changed().await.map_err(|_| SendError::Closed)?;
        }
    }
}
