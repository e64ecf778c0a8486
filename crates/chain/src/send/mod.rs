// SPDX-License-Identifier: Apache-2.0
//! Sends transactions with one key and sees each of them through.
//!
//! The [`Sender`] owns the nonces of its key: nothing else may send with it. A transaction is
//! recorded by its caller *before* it is broadcast, first attempt and replacements alike, so that
//! after a crash [`Sender::resume`] goes on with exactly what may be out there. A transaction that
//! is not mined in time is replaced under the same nonce with fees at least 12.5 % higher, until
//! it is mined or the fee limit is reached, and from then on broadcast again as it is. What may not pay what the
//! network asks (`Call::max_fee_per_gas`) holds up whatever has a later nonce, so after a while its nonce is used
//! up by a transfer of nothing to the sender itself.

mod attempt;
mod call;
mod drive;
mod error;
mod pending;
mod record;
mod shared;
mod table;

use std::{fmt, sync::Arc};

use alloy::{
    primitives::{Address, Bytes},
    providers::{DynProvider, Provider},
    signers::local::PrivateKeySigner,
};
use tokio::sync::{Mutex, watch};

pub use self::{
    attempt::Attempt,
    call::Call,
    error::{RecordError, SendError},
    pending::Pending,
    record::{Record, unrecorded},
    shared::SenderConfig,
};
use self::{drive::InFlight, shared::Shared};
use crate::{ChainError, endpoint::within};

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
    /// sending anything new. `None` if the nonce is used up on the chain. If it is `capped`, it is not
    /// made to pay more than its last attempt offers.
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
        capped: bool,
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
        let in_flight = InFlight::resumed(attempts, record, capped).ok_or(SendError::Unusable)?;
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
