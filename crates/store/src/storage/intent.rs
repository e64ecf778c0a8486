// SPDX-License-Identifier: Apache-2.0
//! What the host does on the chain in its own name: transactions and admissions.

use alloy_primitives::Address;
use async_trait::async_trait;

use crate::{AdmissionRecord, Intent, StoreError};

/// Transactions that are about to be sent, and admissions of signers. What holds for every method
/// is said at [`Storage`](crate::Storage).
#[async_trait]
pub trait IntentStore: Send + Sync {
    /// Keeps what a nonce is used for. Durable: only after it returns may the transaction be sent.
    async fn put_intent(
        &self,
        sender: Address,
        nonce: u64,
        intent: Intent,
    ) -> Result<(), StoreError>;

    /// Every nonce of `sender` that has an intent, ascending.
    async fn intents(&self, sender: Address) -> Result<Vec<(u64, Intent)>, StoreError>;

    /// Forgets the intents of nonces below `nonce`: they are mined. Returns how many.
    async fn settle_intents(&self, sender: Address, nonce: u64) -> Result<usize, StoreError>;

    /// Keeps the admission of a signer. Durable.
    async fn put_admission(
        &self,
        signer: Address,
        admission: AdmissionRecord,
    ) -> Result<(), StoreError>;

    /// The admission of a signer.
    async fn admission(&self, signer: Address) -> Result<Option<AdmissionRecord>, StoreError>;
}
