// SPDX-License-Identifier: Apache-2.0
//! The chain as the host uses it: what it reads of the contracts, and the transactions it sends.
//!
//! Every transaction is noted down before it is broadcast. A host that was killed goes on with
//! what it finds noted, under the same nonces, before it sends anything new.

mod intent;
mod transactions;

use std::{sync::Arc, time::Duration};

use alloy::{
    providers::DynProvider, signers::local::PrivateKeySigner, sol_types::SolEventInterface,
};
use alloy_primitives::{Address, B256, U256};
use subrosa_chain::{
    ChainError, Endpoints, Sender,
    bindings::{
        SubrosaOracle::{self, SubrosaOracleEvents, SubrosaOracleInstance},
        SubrosaRegistry::{self, SubrosaRegistryInstance},
    },
    code_hash,
    dcap::Dcap,
    fetch_block, fetch_header, fetch_proof,
    send::{Pending, SendError, SenderConfig},
};
use subrosa_store::{Storage, StoreError};
use subrosa_types::{
    ContractId,
    abi::EnclaveConfig,
    frame::{HeaderFrame, Started, StorageProof},
    result::Head,
};
use tokio::sync::Mutex;

use crate::config::Config;

pub(crate) use self::transactions::Fulfilled;

/// The chain, its two contracts, and the account that pays.
pub(crate) struct Ledger {
    provider: DynProvider,
    oracle: SubrosaOracleInstance<DynProvider>,
    registry: SubrosaRegistryInstance<DynProvider>,
    sender: Sender,
    store: Arc<dyn Storage>,
    /// Transactions that an earlier process had sent and that are not known to be mined.
    leftovers: Mutex<Vec<Pending>>,
}

/// A block of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockId {
    pub(crate) number: u64,
    pub(crate) hash: B256,
}

/// How long the registry lets a signer sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// When it ends, Unix seconds.
    pub(crate) until: u64,
    /// Whether the signer was revoked, for good.
    pub(crate) revoked: bool,
}

impl Ledger {
    /// Connects, checks that the configured contracts are there, and goes on with transactions
    /// that an earlier process noted down.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Elsewhere`] if chain or contracts are others than configured, and what the
    /// chain or the store fail with.
    pub(crate) async fn connect(
        config: &Config,
        key: PrivateKeySigner,
        store: Arc<dyn Storage>,
    ) -> Result<Self, LedgerError> {
        let measured = config.enclave_config()?;
        let provider = subrosa_chain::connect(&endpoints(config)).await?;
        let options = SenderConfig {
            poll_interval: Duration::from_millis(config.chain.poll_milliseconds),
            ..SenderConfig::default()
        };
        let sender = Sender::new(provider.clone(), key, options).await?;
        check(&provider, sender.chain_id(), &measured).await?;
        let ledger = Self {
            oracle: SubrosaOracle::new(measured.oracle, provider.clone()),
            registry: SubrosaRegistry::new(measured.registry, provider.clone()),
            provider,
            sender,
            store,
            leftovers: Mutex::default(),
        };
        ledger.resume().await?;
        Ok(ledger)
    }

    /// The account that pays for transactions.
    pub(crate) fn account(&self) -> Address {
        self.sender.address()
    }

    /// Says that there is a new block, so that receipts are looked for.
    pub(crate) fn wake(&self) {
        self.sender.wake();
    }

    /// Reads nonces again after a reorganization.
    pub(crate) async fn resync(&self) -> Result<(), LedgerError> {
        Ok(self.sender.resync().await?)
    }

    /// The chain's latest block.
    pub(crate) async fn tip(&self) -> Result<BlockId, LedgerError> {
        let block = fetch_block(&self.provider, alloy::eips::BlockId::latest()).await?;
        Ok(BlockId {
            number: block.number,
            hash: block.hash,
        })
    }

    /// A block's header, as enclaves want it.
    pub(crate) async fn header(&self, block: BlockId) -> Result<HeaderFrame, LedgerError> {
        Ok(fetch_header(&self.provider, block.hash).await?)
    }

    /// Proof of one slot at one block.
    pub(crate) async fn proof(
        &self,
        account: Address,
        slot: B256,
        block: BlockId,
    ) -> Result<StorageProof, LedgerError> {
        Ok(fetch_proof(&self.provider, account, slot, block.hash).await?)
    }

    /// The newest epoch of a key group; 0 if it has none.
    pub(crate) async fn current_epoch(&self, group: u32) -> Result<u32, LedgerError> {
        Ok(self.registry.currentEpoch(group).call().await?)
    }

    /// The registry's record of an epoch; zero if it was not opened.
    pub(crate) async fn epoch_record(&self, group: u32, epoch: u32) -> Result<B256, LedgerError> {
        Ok(self.registry.epochRecord(group, epoch).call().await?)
    }

    /// A signer's lease; `None` if it was never admitted.
    pub(crate) async fn lease(&self, signer: Address) -> Result<Option<Lease>, LedgerError> {
        let known = self.registry.signerOf(signer).call().await?;
        let lease = Lease {
            until: known.leaseUntil.to::<u64>(),
            revoked: known.revoked,
        };
        Ok((lease.until > 0 || lease.revoked).then_some(lease))
    }

    /// The contract that verifies DCAP quotes for the registry; `None` if it names none.
    pub(crate) async fn dcap(&self) -> Result<Option<Dcap>, LedgerError> {
        let named = self.registry.dcapVerification().call().await?.dcap;
        let dcap = || Dcap::new(named, self.provider.clone());
        Ok((!named.is_zero()).then(dcap))
    }

    /// The timestamp of the chain's latest block, Unix seconds.
    pub(crate) async fn now(&self) -> Result<u64, LedgerError> {
        let block = fetch_block(&self.provider, alloy::eips::BlockId::latest()).await?;
        Ok(block.timestamp)
    }

    /// Whether the registry accepts results of this signer at the moment.
    pub(crate) async fn is_accepted(&self, started: &Started) -> Result<bool, LedgerError> {
        let check =
            self.registry
                .checkSigner(started.signer, started.measurement_id, started.config_hash);
        match check.call().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_revert_data().is_some() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the oracle knows a contract.
    pub(crate) async fn is_registered(&self, contract: ContractId) -> Result<bool, LedgerError> {
        Ok(!self.oracle.logOf(contract).call().await?.is_zero())
    }

    /// Commitment of the code that a contract's owner announced; zero if none is.
    pub(crate) async fn announced(&self, contract: ContractId) -> Result<B256, LedgerError> {
        Ok(self.oracle.upgradeOf(contract).call().await?.codeCommitment)
    }

    /// Whether a contract's entries stand alone.
    pub(crate) async fn is_stateless(&self, contract: ContractId) -> Result<bool, LedgerError> {
        let log = self.oracle.logOf(contract).call().await?;
        Ok(subrosa_types::log::LogWord::unpack(log).stateless)
    }

    /// A stateful contract's head.
    pub(crate) async fn head(&self, contract: ContractId) -> Result<Head, LedgerError> {
        let head = self.oracle.head(contract).call().await?;
        Ok(Head {
            seq: head.seq.to::<u64>(),
            commitment: head.commitment,
        })
    }

    /// The digest in an entry's slot, settlement status cleared; zero if there is no such entry.
    pub(crate) async fn digest(
        &self,
        contract: ContractId,
        seq: u64,
        block: B256,
    ) -> Result<B256, LedgerError> {
        let slot = self.oracle.entryDigest(contract, U256::from(seq));
        let slot = slot.block(block.into()).call().await?;
        Ok(subrosa_types::entry::mask_digest(slot))
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

/// Where the chain is, as the chain crate wants it.
pub(crate) fn endpoints(config: &Config) -> Endpoints {
    Endpoints {
        ws: config.chain.ws.as_ref().map(|ws| ws.url().to_string()),
        http: Some(config.chain.http.url().to_string()),
    }
}

/// An oracle event, if the log is one.
fn oracle_event(log: &alloy::rpc::types::Log) -> Option<SubrosaOracleEvents> {
    Some(SubrosaOracleEvents::decode_log(&log.inner).ok()?.data)
}

/// Holds what is measured against the chain: an enclave would refuse every proof of another.
async fn check(
    provider: &DynProvider,
    chain_id: u64,
    measured: &EnclaveConfig,
) -> Result<(), LedgerError> {
    let differs = |what: &'static str, expected: String, found: String| {
        if expected == found {
            return Ok(());
        }
        Err(LedgerError::Elsewhere {
            what,
            expected,
            found,
        })
    };
    differs(
        "chain id",
        measured.chain_id().to_string(),
        chain_id.to_string(),
    )?;
    let registry = code_hash(provider, measured.registry).await?;
    differs(
        "registry code hash",
        measured.registryCodeHash.to_string(),
        registry.to_string(),
    )?;
    let oracle = code_hash(provider, measured.oracle).await?;
    differs(
        "oracle code hash",
        measured.oracleCodeHash.to_string(),
        oracle.to_string(),
    )
}

/// Why the chain failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The chain, or a contract on it, is not the configured one.
    #[error("{what} is {found} on the chain, {expected} in [measured]")]
    Elsewhere {
        /// What differs.
        what: &'static str,
        /// As configured.
        expected: String,
        /// As found.
        found: String,
    },
    /// The configuration is wrong.
    #[error("configuration is refused")]
    Config(#[from] crate::ConfigError),
    /// The chain gave no answer, or an unusable one.
    #[error("the chain gave no usable answer")]
    Chain(#[from] ChainError),
    /// A contract could not be called.
    #[error("a contract could not be called")]
    Call(#[from] alloy::contract::Error),
    /// A transaction could not be sent, or came to no good end.
    #[error("a transaction failed")]
    Send(#[from] SendError),
    /// An earlier transaction is still not mined.
    #[error("transaction with nonce {0} is not mined yet")]
    NotMined(u64),
    /// A transaction could not be noted down, or found again.
    #[error("the store failed")]
    Store(#[from] StoreError),
}
