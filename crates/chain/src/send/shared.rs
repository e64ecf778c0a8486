// SPDX-License-Identifier: Apache-2.0
//! What a sender and the tasks of its transactions share: the key, the table of nonces, the node.

use std::time::Duration;

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::Encodable2718,
    network::{TransactionBuilder, TxSignerSync},
    primitives::TxKind,
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    signers::local::PrivateKeySigner,
};
use tokio::sync::{Mutex, watch};

use super::{
    attempt::{Attempt, Fees},
    call::Call,
    error::{Refusal, SendError},
    table::Table,
};
use crate::{ChainError, endpoint::within};

/// How transactions are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderConfig {
    /// How long an attempt may stay unmined before it is replaced.
    pub replace_after: Duration,
    /// How often receipts are looked for, if [`Sender::wake`](crate::Sender::wake) does not say when.
    pub poll_interval: Duration,
    /// How long a transaction that may not pay what the network asks stays unmined before it is given up.
    pub give_up_after: Duration,
    /// Most to pay per gas, in wei.
    pub max_fee_per_gas: u128,
    /// How much is added to an estimate of gas, in percent.
    pub gas_margin_percent: u64,
}

impl Default for SenderConfig {
    /// 30 s, 500 ms, 2 min, 500 gwei, 20 %.
    fn default() -> Self {
        Self {
            replace_after: Duration::from_secs(30),
            poll_interval: Duration::from_millis(500),
            give_up_after: Duration::from_secs(120),
            max_fee_per_gas: 500_000_000_000,
            gas_margin_percent: 20,
        }
    }
}

/// What the sender and its tasks share.
pub(super) struct Shared {
    pub(super) provider: DynProvider,
    pub(super) key: PrivateKeySigner,
    pub(super) chain_id: u64,
    pub(super) config: SenderConfig,
    pub(super) table: Mutex<Table>,
    pub(super) heads: watch::Sender<()>,
    /// Closed when the sender is dropped.
    pub(super) stop: watch::Receiver<()>,
}

impl Shared {
    /// How many transactions of this key are mined, which is the next nonce.
    pub(super) async fn mined(&self) -> Result<u64, ChainError> {
        within(async {
            self.provider
                .get_transaction_count(self.key.address())
                .latest()
                .await
        })
        .await
    }

    pub(super) async fn resync(&self) -> Result<(), ChainError> {
        let mined = self.mined().await?;
        self.table.lock().await.reset(mined);
        Ok(())
    }

    /// Gas for a call, with a margin.
    pub(super) async fn estimate(&self, call: &Call) -> Result<u64, SendError> {
        let mut request = TransactionRequest::default()
            .with_from(self.key.address())
            .with_value(call.value)
            .with_input(call.input.clone());
        match call.to {
            Some(to) => request.set_to(to),
            None => request.set_create(),
        }
        match within(async { self.provider.estimate_gas(request).await }).await {
            Ok(gas) => Ok(gas.saturating_add(gas * self.config.gas_margin_percent / 100)),
            Err(ChainError::Rpc(error)) => Err(SendError::from_estimate(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// What to offer now, from the table if that is recent.
    pub(super) async fn fees(&self, table: &mut Table) -> Result<Fees, ChainError> {
        if let Some(fees) = table.recent_fees() {
            return Ok(fees);
        }
        let estimate = within(async { self.provider.estimate_eip1559_fees().await }).await?;
        let fees = Fees::from(estimate).limited(self.config.max_fee_per_gas);
        table.remember(fees);
        Ok(fees)
    }

    pub(super) async fn broadcast(&self, attempt: &Attempt) -> Result<(), Refusal> {
        within(async { self.provider.send_raw_transaction(&attempt.raw).await })
            .await
            .map(|_| ())
            .map_err(Refusal::from)
    }

    /// Signs one attempt.
    pub(super) fn sign(
        &self,
        call: &Call,
        nonce: u64,
        gas: u64,
        fees: Fees,
    ) -> Result<Attempt, SendError> {
        let mut tx = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.tip,
            to: call.to.map_or(TxKind::Create, TxKind::Call),
            value: call.value,
            access_list: Default::default(),
            input: call.input.clone(),
        };
        let signature = self
            .key
            .sign_transaction_sync(&mut tx)
            .map_err(SendError::Sign)?;
        let envelope = TxEnvelope::from(tx.into_signed(signature));
        Ok(Attempt {
            nonce,
            hash: *envelope.tx_hash(),
            raw: envelope.encoded_2718().into(),
            fees,
            call: call.clone(),
            gas,
        })
    }
}

/// How often a fresh transaction is signed anew before it is given up.
pub(super) const MAX_TRIES: usize = 12;
