// SPDX-License-Identifier: Apache-2.0
//! The chain behind a JSON-RPC endpoint, by alloy.

use std::{fmt, sync::Arc, time::Duration};

use alloy::{
    consensus::Transaction as _,
    providers::{DynProvider, Provider},
    rpc::types::TransactionReceipt,
    signers::local::PrivateKeySigner,
    sol_types::{SolCall, SolError},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use async_trait::async_trait;
use subrosa_chain::{
    ChainError, DataFees, Endpoints, Event, FetchedSlot, Follower, Sender,
    bindings::{
        SubrosaOracle::{self, SubrosaOracleInstance},
        SubrosaRegistry::{self, SubrosaRegistryInstance},
    },
    code_hash,
    dcap::Dcap,
    fetch_block, fetch_header, fetch_proofs,
    follow::{BlockRef, FollowerConfig, OracleEvent},
    mailbox::{AskedChallenge, CodePart, Mailbox, PendingChallenge},
    send::{Attempt, Call, Pending, Record, SendError, SenderConfig},
};
use subrosa_types::{
    ContractId,
    abi::{EnclaveConfig, EpochMember},
    frame::{HeaderFrame, Started},
    price::Prices,
    result::{Head, HeadWord},
    slot,
    threshold::Threshold,
};

use super::{
    error::ChainAccessError,
    port::{
        ChainAccount, ChainEvents, ChainFeed, ChainView, DcapContract, InFlight, Lease, Mined,
        Note, StartingPoint, Transaction,
    },
};

/// The chain, its contracts, and the account that pays.
pub struct AlloyChain {
    provider: DynProvider,
    endpoints: Endpoints,
    poll_interval: Duration,
    oracle: SubrosaOracleInstance<DynProvider>,
    registry: SubrosaRegistryInstance<DynProvider>,
    mailbox: Option<Mailbox>,
    sender: Sender,
    data_fees: DataFees,
}

/// How the chain is reached, and with which account.
#[derive(Clone, Debug)]
pub struct AlloyOptions {
    /// Where it is.
    pub endpoints: Endpoints,
    /// How often to look for blocks and receipts while no websocket says when.
    pub poll_interval: Duration,
    /// Key of the account that pays.
    pub key: PrivateKeySigner,
    /// Where the mailbox is, if there is one.
    pub mailbox: Option<Address>,
}

impl AlloyChain {
    /// Connects, and checks that the configured contracts are there.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Elsewhere`] if chain or contracts are others than configured,
    /// [`ChainAccessError::Chain`] if the chain gives no answer.
    pub async fn connect(
        options: AlloyOptions,
        measured: &EnclaveConfig,
    ) -> Result<Self, ChainAccessError> {
        let AlloyOptions {
            endpoints,
            poll_interval,
            key,
            mailbox,
        } = options;
        let provider = subrosa_chain::connect(&endpoints).await?;
        let config = SenderConfig {
            poll_interval,
            ..SenderConfig::default()
        };
        let sender = Sender::new(provider.clone(), key, config).await?;
        check(&provider, sender.chain_id(), measured).await?;
        let mailbox = mailbox.map(|address| Mailbox::new(address, provider.clone()));
        if let Some(mailbox) = &mailbox {
            check_mailbox(mailbox, measured).await?;
        }
        Ok(Self {
            oracle: SubrosaOracle::new(measured.oracle, provider.clone()),
            registry: SubrosaRegistry::new(measured.registry, provider.clone()),
            mailbox,
            data_fees: DataFees::of(&provider).await?,
            provider,
            endpoints,
            poll_interval,
            sender,
        })
    }

    fn call(&self, transaction: Transaction) -> Call {
        let (registry, oracle) = (*self.registry.address(), *self.oracle.address());
        match transaction {
            Transaction::Admit {
                admission,
                signatures,
            } => {
                let call = SubrosaRegistry::admitCall {
                    admission: (*admission).into(),
                    signatures,
                };
                Call::new(registry, call.abi_encode().into())
            }
            Transaction::RegisterByQuote(registration) => {
                let call = SubrosaRegistry::registerSignerDcapCall {
                    registration: *registration,
                };
                Call::new(registry, call.abi_encode().into())
            }
            Transaction::OpenEpoch {
                opening,
                signer,
                signature,
            } => {
                let call = SubrosaRegistry::openEpochCall {
                    opening: opening.into(),
                    signer,
                    signature,
                };
                Call::new(registry, call.abi_encode().into())
            }
            Transaction::AcknowledgeEpoch {
                acknowledgement,
                signer,
                signature,
            } => {
                let call = SubrosaRegistry::acknowledgeEpochCall {
                    acknowledgement: acknowledgement.into(),
                    signer,
                    signature,
                };
                Call::new(registry, call.abi_encode().into())
            }
            Transaction::Fulfill {
                batch,
                gas,
                max_fee_per_gas,
            } => {
                let call = SubrosaOracle::fulfillCall { batch };
                let call = Call::new(oracle, call.abi_encode().into());
                call.with_gas(gas).with_max_fee(max_fee_per_gas)
            }
            Transaction::Withdraw => {
                let call = SubrosaOracle::withdrawCall {
                    recipient: self.sender.address(),
                };
                Call::new(oracle, call.abi_encode().into())
            }
            Transaction::Answer { mailbox, call } => Call::new(mailbox, call.abi_encode().into()),
            Transaction::Prepared(call) => call,
        }
    }

    fn in_flight(&self, pending: Pending) -> Box<dyn InFlight> {
        Box::new(SentTransaction {
            pending,
            oracle: *self.oracle.address(),
        })
    }
}

impl fmt::Debug for AlloyChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlloyChain")
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ChainView for AlloyChain {
    async fn tip(&self) -> Result<BlockRef, ChainError> {
        fetch_block(&self.provider, alloy::eips::BlockId::latest()).await
    }

    async fn header(&self, block: B256) -> Result<HeaderFrame, ChainError> {
        fetch_header(&self.provider, block).await
    }

    async fn proofs(
        &self,
        account: Address,
        slots: &[B256],
        block: B256,
    ) -> Result<Vec<FetchedSlot>, ChainError> {
        fetch_proofs(&self.provider, account, slots, block).await
    }

    async fn current_epoch(&self, group: u32) -> Result<u32, ChainError> {
        Ok(self.registry.currentEpoch(group).call().await?)
    }

    async fn epoch_record(&self, group: u32, epoch: u32) -> Result<B256, ChainError> {
        Ok(self.registry.epochRecord(group, epoch).call().await?)
    }

    async fn epoch_members(&self, group: u32, epoch: u32) -> Result<Vec<EpochMember>, ChainError> {
        let members = self.registry.membersOf(group, epoch).call().await?;
        Ok(members.into_iter().map(Into::into).collect())
    }

    async fn epoch_opening(&self, group: u32, epoch: u32) -> Result<B256, ChainError> {
        Ok(self.registry.openingOf(group, epoch).call().await?.record)
    }

    async fn lease(&self, signer: Address) -> Result<Option<Lease>, ChainError> {
        let known = self.registry.signerOf(signer).call().await?;
        let lease = Lease {
            until: known.leaseUntil.to::<u64>(),
            revoked: known.revoked,
        };
        Ok((lease.until > 0 || lease.revoked).then_some(lease))
    }

    async fn is_accepted(&self, started: &Started) -> Result<bool, ChainError> {
        let known = self.registry.signerOf(started.signer).call().await?;
        let epoch = self.registry.currentEpoch(known.keyGroup).call().await?;
        let check = self
            .registry
            .checkSigner(started.signer, known.keyGroup, epoch);
        match check.call().await {
            Ok(_) => Ok(true),
            // Whether it is of the current epoch is for bring-up to find out, and renews no lease.
            Err(error) => match error.as_revert_data() {
                Some(data) => Ok(data.starts_with(&SubrosaRegistry::SignerNotOfEpoch::SELECTOR)),
                None => Err(error.into()),
            },
        }
    }

    async fn dcap(&self) -> Result<Option<Box<dyn DcapContract>>, ChainError> {
        let named = self.registry.dcapVerification().call().await?.dcap;
        if named.is_zero() {
            return Ok(None);
        }
        Ok(Some(Box::new(Dcap::new(named, self.provider.clone()))))
    }

    async fn is_registered(&self, contract: ContractId) -> Result<bool, ChainError> {
        Ok(!self.oracle.logOf(contract).call().await?.is_zero())
    }

    async fn announced(&self, contract: ContractId) -> Result<B256, ChainError> {
        let slot = slot::announced(contract);
        Ok(self.oracle.extsload(slot).call().await?)
    }

    async fn head(&self, contract: ContractId) -> Result<Head, ChainError> {
        let head = self.oracle.head(contract).call().await?;
        Ok(HeadWord::unpack(head).head)
    }

    async fn asks_for_cosigners(&self, contract: ContractId) -> Result<bool, ChainError> {
        let head = HeadWord::unpack(self.oracle.head(contract).call().await?);
        if !head.threshold {
            return Ok(head.signers > 1);
        }
        // Kinds, or a lower threshold that is announced.
        let word = self
            .oracle
            .extsload(slot::threshold(contract))
            .call()
            .await?;
        let now = fetch_block(&self.provider, alloy::eips::BlockId::latest()).await?;
        Ok(Threshold::of(word, now.timestamp).signers > 1)
    }

    async fn added(&self, contract: ContractId, seq: u64) -> Result<u64, ChainError> {
        let word = self.oracle.extsload(slot::added(contract, seq));
        let word = U256::from_be_bytes(word.call().await?.0);
        Ok(u64::try_from(word).unwrap_or(u64::MAX))
    }

    async fn prices(&self) -> Result<Prices, ChainError> {
        Ok(Prices::unpack(self.oracle.prices().call().await?))
    }

    async fn gas_price(&self) -> Result<u128, ChainError> {
        Ok(self.provider.get_gas_price().await?)
    }

    async fn data_price(&self) -> Result<U256, ChainError> {
        self.data_fees.per_byte(&self.provider).await
    }

    async fn balance(&self, account: Address) -> Result<U256, ChainError> {
        Ok(self.provider.get_balance(account).await?)
    }

    async fn earned(&self, account: Address) -> Result<U256, ChainError> {
        Ok(self.oracle.balanceOf(account).call().await?)
    }

    async fn carried(&self, transaction: B256) -> Result<Option<Bytes>, ChainError> {
        let found = self.provider.get_transaction_by_hash(transaction).await?;
        let Some(transaction) = found else {
            return Ok(None);
        };
        if transaction.to() != Some(*self.oracle.address()) {
            return Ok(None);
        }
        let call = SubrosaOracle::fulfillCall::abi_decode(transaction.input());
        Ok(call.ok().map(|call| call.batch))
    }

    async fn published(
        &self,
        contract: ContractId,
        envelope: Option<B256>,
        from: u64,
    ) -> Result<Vec<CodePart>, ChainError> {
        let Some(mailbox) = &self.mailbox else {
            return Ok(Vec::new());
        };
        let parts = mailbox.published(contract, envelope, from, MAX_PUBLISHED_BYTES);
        parts.await
    }

    async fn asked(&self, signer: Address, since: u64) -> Result<Vec<AskedChallenge>, ChainError> {
        match &self.mailbox {
            Some(mailbox) => mailbox.asked(signer, since, MAX_ASKED).await,
            None => Ok(Vec::new()),
        }
    }

    async fn pending(&self, challenge: B256) -> Result<Option<PendingChallenge>, ChainError> {
        match &self.mailbox {
            Some(mailbox) => mailbox.pending(challenge).await,
            None => Ok(None),
        }
    }
}

#[async_trait]
impl ChainFeed for AlloyChain {
    async fn follow(&self, from: StartingPoint) -> Result<Box<dyn ChainEvents>, ChainError> {
        let endpoints = self.endpoints.clone();
        let mut config = FollowerConfig::new(endpoints, *self.oracle.address(), from.first);
        config.mailbox = self.mailbox.as_ref().map(Mailbox::address);
        config.poll_interval = self.poll_interval;
        config.known = from.known;
        Ok(Box::new(Follower::start(config).await?))
    }
}

#[async_trait]
impl ChainEvents for Follower {
    async fn next(&mut self) -> Result<Event, ChainError> {
        self.next().await
    }
}

#[async_trait]
impl ChainAccount for AlloyChain {
    fn address(&self) -> Address {
        self.sender.address()
    }

    async fn send(
        &self,
        transaction: Transaction,
        note: Note,
    ) -> Result<Box<dyn InFlight>, SendError> {
        let call = self.call(transaction);
        let pending = self.sender.send(call, record(note)).await?;
        Ok(self.in_flight(pending))
    }

    async fn resume(
        &self,
        nonce: u64,
        attempts: &[Bytes],
        note: Note,
        capped: bool,
    ) -> Result<Option<Box<dyn InFlight>>, SendError> {
        let resumed = self.sender.resume(nonce, attempts, record(note), capped);
        let pending = resumed.await?;
        Ok(pending.map(|pending| self.in_flight(pending)))
    }

    fn wake(&self) {
        self.sender.wake();
    }

    async fn resync(&self) -> Result<(), ChainError> {
        self.sender.resync().await
    }
}

fn record(note: Note) -> Record {
    Arc::new(move |attempt: Attempt| note(attempt.nonce, attempt.raw))
}

struct SentTransaction {
    pending: Pending,
    oracle: Address,
}

#[async_trait]
impl InFlight for SentTransaction {
    fn nonce(&self) -> u64 {
        self.pending.nonce()
    }

    async fn mined(&mut self) -> Result<Mined, SendError> {
        let receipt = loop {
            match self.pending.receipt(LOOK_AGAIN).await {
                Err(SendError::Timeout { .. }) => {}
                outcome => break outcome?,
            }
        };
        Ok(Mined {
            transaction: receipt.transaction_hash,
            succeeded: receipt.status(),
            events: events(&receipt, self.oracle),
        })
    }
}

/// The oracle's events in a transaction; what does not decode is left out.
fn events(receipt: &TransactionReceipt, oracle: Address) -> Vec<OracleEvent> {
    let logs = receipt.inner.logs().iter();
    logs.filter(|log| log.address() == oracle)
        .filter_map(OracleEvent::decode)
        .collect()
}

/// Holds the mailbox against what it must serve: it is not measured, and nothing that comes of another would
/// be of any use.
async fn check_mailbox(
    mailbox: &Mailbox,
    measured: &EnclaveConfig,
) -> Result<(), ChainAccessError> {
    let (oracle, registry) = mailbox.serves().await?;
    let places = [
        ("the mailbox's oracle", measured.oracle, oracle),
        ("the mailbox's registry", measured.registry, registry),
    ];
    for (what, expected, found) in places {
        if expected != found {
            return Err(ChainAccessError::Elsewhere {
                what,
                expected: expected.to_string(),
                found: found.to_string(),
            });
        }
    }
    Ok(())
}

/// Holds what is measured against the chain: an enclave would refuse every proof of another.
async fn check(
    provider: &DynProvider,
    chain_id: u64,
    measured: &EnclaveConfig,
) -> Result<(), ChainAccessError> {
    let differs = |what: &'static str, expected: String, found: String| {
        if expected == found {
            return Ok(());
        }
        Err(ChainAccessError::Elsewhere {
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

/// Bytes of published code that are read of a contract: two of the largest envelopes.
const MAX_PUBLISHED_BYTES: usize = 2 << 20;
/// Challenges that are read of a signer.
const MAX_ASKED: usize = 1_024;
/// How long a receipt is waited for at a time.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);
