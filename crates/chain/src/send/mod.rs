// SPDX-License-Identifier: Apache-2.0
//! Sends transactions with one key and sees each of them through.
//!
//! The [`Sender`] owns the nonces of its key: nothing else may send with it. A transaction is
//! recorded by its caller *before* it is broadcast, first attempt and replacements alike, so that
//! after a crash [`Sender::resume`] goes on with exactly what may be out there. A transaction that
//! is not mined in time is replaced under the same nonce with fees at least 12.5 % higher, until
//! it is mined or the fee limit is reached, and from then on broadcast again as it is.

mod attempt;
mod drive;
mod error;
mod table;

use std::{fmt, sync::Arc, time::Duration};

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U256},
    providers::{DynProvider, Provider},
    rpc::types::{TransactionReceipt, TransactionRequest},
    signers::local::PrivateKeySigner,
};
use futures::future::BoxFuture;
use tokio::sync::{Mutex, watch};

pub use self::{
    attempt::Attempt,
    error::{RecordError, SendError},
};
use self::{
    attempt::Fees,
    drive::{InFlight, Outcome},
    error::Refusal,
    table::Table,
};
use crate::{ChainError, endpoint::within};

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The contract; `None` creates one.
    pub to: Option<Address>,
    /// Calldata, or init code.
    pub input: Bytes,
    /// Wei.
    pub value: U256,
    /// Gas limit; `None` estimates it, with a margin. An estimate is the least gas with which the
    /// call does not revert: give `fulfill` a limit, for it ends early rather than revert.
    pub gas: Option<u64>,
}

impl Call {
    /// A call without value.
    pub fn new(to: Address, input: Bytes) -> Self {
        Self {
            to: Some(to),
            input,
            value: U256::ZERO,
            gas: None,
        }
    }

    /// Creates a contract.
    pub fn create(input: Bytes) -> Self {
        Self {
            to: None,
            input,
            value: U256::ZERO,
            gas: None,
        }
    }

    /// The same with value, in wei.
    pub fn with_value(self, value: U256) -> Self {
        Self { value, ..self }
    }

    /// The same with a gas limit.
    pub fn with_gas(self, gas: u64) -> Self {
        Self {
            gas: Some(gas),
            ..self
        }
    }
}

/// Records an attempt durably. It is broadcast only after this succeeded.
pub type Record = Arc<dyn Fn(Attempt) -> BoxFuture<'static, Result<(), RecordError>> + Send + Sync>;

/// For transactions that need not survive a crash.
pub fn unrecorded() -> Record {
    Arc::new(|_| Box::pin(async { Ok(()) }))
}

/// How transactions are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderConfig {
    /// How long an attempt may stay unmined before it is replaced.
    pub replace_after: Duration,
    /// How often receipts are looked for, if [`Sender::wake`] does not say when.
    pub poll_interval: Duration,
    /// Most to pay per gas, in wei.
    pub max_fee_per_gas: u128,
    /// How much is added to an estimate of gas, in percent.
    pub gas_margin_percent: u64,
}

impl Default for SenderConfig {
    /// 30 s, 500 ms, 500 gwei, 20 %.
    fn default() -> Self {
        Self {
            replace_after: Duration::from_secs(30),
            poll_interval: Duration::from_millis(500),
            max_fee_per_gas: 500_000_000_000,
            gas_margin_percent: 20,
        }
    }
}

/// Sends transactions with one key.
///
/// The transactions it watches are forgotten when it is dropped.
pub struct Sender {
    shared: Arc<Shared>,
    /// Dropped with the sender, which ends its tasks.
    _alive: watch::Sender<()>,
}

impl Sender {
    /// A sender that starts at the key's next nonce on the chain.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`], [`ChainError::Timeout`].
    pub async fn new(
        provider: DynProvider,
        key: PrivateKeySigner,
        config: SenderConfig,
    ) -> Result<Self, ChainError> {
        let chain_id = within(async { provider.get_chain_id().await }).await?;
        let (heads, _) = watch::channel(());
        let (alive, stop) = watch::channel(());
        let shared = Shared {
            provider,
            key,
            chain_id,
            config,
            table: Mutex::default(),
            heads,
            stop,
        };
        shared.resync().await?;
        Ok(Self {
            shared: Arc::new(shared),
            _alive: alive,
        })
    }

    /// The key's address.
    pub fn address(&self) -> Address {
        self.shared.key.address()
    }

    /// EIP-155 chain id.
    pub fn chain_id(&self) -> u64 {
        self.shared.chain_id
    }

    /// The provider it sends through.
    pub fn provider(&self) -> &DynProvider {
        &self.shared.provider
    }

    /// Signs, records and broadcasts a transaction, and watches it from then on. Goes on by itself
    /// if the returned future is dropped.
    ///
    /// # Errors
    ///
    /// [`SendError::Reverted`] if it would revert, [`SendError::Refused`] if the node does not
    /// take it, [`SendError::Record`] if `record` fails, [`SendError::Chain`] if nothing could be
    /// asked. In each of these cases nothing was sent and the nonce is free again.
    pub async fn send(&self, call: Call, record: Record) -> Result<Pending, SendError> {
        let shared = Arc::clone(&self.shared);
        // In a task of its own: half of it must not be dropped with the caller's future.
        match tokio::spawn(shared.submit(call, record)).await {
            Ok(submitted) => submitted,
            Err(_) => Err(SendError::Closed),
        }
    }

    /// Goes on with a transaction that was recorded before a crash: `attempts` are the signed
    /// transactions under `nonce`, oldest first. Resume in ascending order of nonces, before
    /// sending anything new. `None` if the nonce is used up on the chain.
    ///
    /// # Errors
    ///
    /// [`SendError::Unusable`] if an attempt is not one of this key, chain and nonce;
    /// [`SendError::Chain`].
    pub async fn resume(
        &self,
        nonce: u64,
        attempts: &[Bytes],
        record: Record,
    ) -> Result<Option<Pending>, SendError> {
        let shared = &self.shared;
        let mined = shared.mined().await?;
        let mut table = shared.table.lock().await;
        table.confirm(mined);
        if nonce < mined {
            return Ok(None);
        }
        let attempts: Vec<_> = attempts
            .iter()
            .map(|raw| Attempt::decode(raw, shared.chain_id, self.address(), nonce))
            .collect::<Result<_, _>>()?;
        let in_flight = InFlight::resumed(attempts, record).ok_or(SendError::Unusable)?;
        Ok(Some(shared.watch(&mut table, in_flight)))
    }

    /// Says that there is a new block, so that receipts are looked for at once.
    pub fn wake(&self) {
        self.shared.heads.send_replace(());
    }

    /// Reads the next nonce from the chain again. To be called after a reorganisation.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`], [`ChainError::Timeout`].
    pub async fn resync(&self) -> Result<(), ChainError> {
        self.shared.resync().await
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("address", &self.address())
            .field("chain_id", &self.chain_id())
            .finish_non_exhaustive()
    }
}

/// A transaction that was sent. Dropping it changes nothing: the [`Sender`] sees it through.
#[derive(Debug)]
pub struct Pending {
    nonce: u64,
    hash: B256,
    outcome: watch::Receiver<Option<Outcome>>,
}

impl Pending {
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
        let outcome =
            match tokio::time::timeout(timeout, self.outcome.wait_for(Option::is_some)).await {
                Ok(Ok(outcome)) => outcome.clone(),
                Ok(Err(_)) => return Err(SendError::Closed),
                Err(_) => return Err(SendError::Timeout { nonce: self.nonce }),
            };
        match outcome {
            Some(Outcome::Mined(receipt)) => Ok(*receipt),
            Some(Outcome::NonceTaken) => Err(SendError::NonceTaken { nonce: self.nonce }),
            None => Err(SendError::Closed),
        }
    }
}

/// How often a fresh transaction is signed anew before it is given up.
const MAX_TRIES: usize = 12;

/// What the sender and its tasks share.
struct Shared {
    provider: DynProvider,
    key: PrivateKeySigner,
    chain_id: u64,
    config: SenderConfig,
    table: Mutex<Table>,
    heads: watch::Sender<()>,
    /// Closed when the sender is dropped.
    stop: watch::Receiver<()>,
}

impl Shared {
    /// As [`Sender::send`].
    async fn submit(self: Arc<Self>, call: Call, record: Record) -> Result<Pending, SendError> {
        let gas = match call.gas {
            Some(gas) => gas,
            None => self.estimate(&call).await?,
        };
        // Held while the nonce is in question, so that nonces are used in order.
        let mut table = self.table.lock().await;
        let mut fees = self.fees(&mut table).await?;
        for _ in 0..MAX_TRIES {
            let nonce = table.free_nonce();
            let attempt = self.sign(&call, nonce, gas, fees)?;
            record(attempt.clone()).await.map_err(SendError::Record)?;
            match self.broadcast(&attempt).await {
                Ok(()) | Err(Refusal::Known) => {
                    return Ok(self.watch(&mut table, InFlight::new(call, gas, attempt, record)));
                }
                Err(Refusal::NonceTooLow) => table.confirm(self.mined().await?),
                Err(Refusal::Underpriced) => match fees.raised(None, self.config.max_fee_per_gas) {
                    Some(raised) => fees = raised,
                    None => return Err(SendError::Refused("underpriced at the fee limit".into())),
                },
                Err(Refusal::Other(reason)) => return Err(SendError::Refused(reason)),
                // It may have arrived: keep the nonce and try again until that is known.
                Err(Refusal::Unclear(error)) => {
                    tracing::warn!(nonce, %error, "broadcast failed, will try again");
                    let in_flight = InFlight::new(call, gas, attempt, record);
                    return Ok(self.watch(&mut table, in_flight.unsent()));
                }
            }
        }
        Err(SendError::Refused("no usable nonce or fee".into()))
    }

    /// How many transactions of this key are mined, which is the next nonce.
    async fn mined(&self) -> Result<u64, ChainError> {
        within(async {
            self.provider
                .get_transaction_count(self.key.address())
                .latest()
                .await
        })
        .await
    }

    async fn resync(&self) -> Result<(), ChainError> {
        let mined = self.mined().await?;
        self.table.lock().await.reset(mined);
        Ok(())
    }

    /// Gas for a call, with a margin.
    async fn estimate(&self, call: &Call) -> Result<u64, SendError> {
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
    async fn fees(&self, table: &mut Table) -> Result<Fees, ChainError> {
        if let Some(fees) = table.recent_fees() {
            return Ok(fees);
        }
        let estimate = within(async { self.provider.estimate_eip1559_fees().await }).await?;
        let fees = Fees::from(estimate).limited(self.config.max_fee_per_gas);
        table.remember(fees);
        Ok(fees)
    }

    async fn broadcast(&self, attempt: &Attempt) -> Result<(), Refusal> {
        within(async { self.provider.send_raw_transaction(&attempt.raw).await })
            .await
            .map(|_| ())
            .map_err(Refusal::from)
    }
}
