// SPDX-License-Identifier: Apache-2.0
//! A transaction that was sent, as its caller sees it.

use std::time::Duration;

use alloy::{primitives::B256, rpc::types::TransactionReceipt};
use tokio::sync::watch;

use super::error::SendError;

/// A transaction that was sent. Dropping it changes nothing: the [`Sender`](crate::Sender) sees it through.
#[derive(Debug)]
pub struct Pending {
    nonce: u64,
    hash: B256,
    fate: watch::Receiver<Option<Fate>>,
}

impl Pending {
    pub(super) fn new(nonce: u64, hash: B256, fate: watch::Receiver<Option<Fate>>) -> Self {
        Self { nonce, hash, fate }
    }

    /// Its nonce.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Hash of its first attempt. Another one may be mined in its place: see the receipt.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// Waits until one of its attempts is mined. A receipt may say that it reverted.
    ///
    /// # Errors
    ///
    /// [`SendError::Timeout`] if that takes longer than `timeout`; it can be waited for again.
    /// [`SendError::NonceTaken`] if another transaction has its nonce: someone else uses the key.
    /// [`SendError::Closed`] if the sender was dropped.
    pub async fn receipt(&mut self, timeout: Duration) -> Result<TransactionReceipt, SendError> {
        let fate = match tokio::time::timeout(timeout, self.fate.wait_for(Option::is_some)).await {
            Ok(Ok(fate)) => fate.clone(),
            Ok(Err(_)) => return Err(SendError::Closed),
            Err(_) => return Err(SendError::Timeout { nonce: self.nonce }),
        };
        match fate {
            Some(Fate::Mined(receipt)) => Ok(*receipt),
            Some(Fate::NonceTaken) => Err(SendError::NonceTaken { nonce: self.nonce }),
            None => Err(SendError::Closed),
        }
    }
}

/// How a transaction ended.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// One of its attempts is mined.
    Mined(Box<TransactionReceipt>),
    /// Something else is mined under its nonce.
    NonceTaken,
}
