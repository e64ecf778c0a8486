// SPDX-License-Identifier: Apache-2.0
//! What a client reads from the chain and writes to it.

use alloy::{
    contract::{CallBuilder, CallDecoder},
    network::{Ethereum, EthereumWallet},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::{Filter, Log, TransactionReceipt},
    signers::local::PrivateKeySigner,
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolEvent;
use subrosa_chain::{
    DataFees,
    bindings::{AccessManager, SubrosaMailbox, SubrosaOracle, SubrosaRegistry},
    mailbox::Mailbox,
    revert_reason,
};
use subrosa_crypto::EpochId;
use subrosa_types::{
    ContractId,
    abi::EpochMember,
    log::LogWord,
    price::Prices,
    result::{Head, HeadWord},
    slot,
};

use crate::{ChainError, ClientError, UpgradeTerms};

/// The oracle and the registry, through a JSON-RPC endpoint that is believed about the chain.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    provider: DynProvider,
    /// What is signed is of this chain and of no other.
    id: u64,
    oracle: Address,
    registry: Address,
}

impl Chain {
    pub(crate) async fn connect(
        url: &str,
        id: u64,
        oracle: Address,
        registry: Address,
    ) -> Result<Self, ChainError> {
        let provider = ProviderBuilder::new()
            .connect(url)
            .await
            .map_err(|source| ChainError::Unreachable {
                url: url.to_owned(),
                source: Box::new(source),
            })?;
        Ok(Self {
            provider: provider.erased(),
            id,
            oracle,
            registry,
        })
    }

    /// A contract instance that reads.
    pub(crate) fn oracle(&self) -> SubrosaOracle::SubrosaOracleInstance<DynProvider> {
        SubrosaOracle::new(self.oracle, self.provider.clone())
    }

    /// A contract instance whose transactions `account` signs.
    pub(crate) fn oracle_as(
        &self,
        account: &PrivateKeySigner,
    ) -> SubrosaOracle::SubrosaOracleInstance<DynProvider> {
        SubrosaOracle::new(self.oracle, self.signing(account))
    }

    /// A mailbox.
    pub(crate) fn mailbox(&self, address: Address) -> Mailbox {
        Mailbox::new(address, self.provider.clone())
    }

    /// A mailbox whose transactions `account` signs.
    pub(crate) fn mailbox_as(
        &self,
        address: Address,
        account: &PrivateKeySigner,
    ) -> SubrosaMailbox::SubrosaMailboxInstance<DynProvider> {
        SubrosaMailbox::new(address, self.signing(account))
    }

    /// A provider that reads.
    pub(crate) fn provider(&self) -> &DynProvider {
        &self.provider
    }

    pub(crate) fn registry(&self) -> SubrosaRegistry::SubrosaRegistryInstance<DynProvider> {
        SubrosaRegistry::new(self.registry, self.provider.clone())
    }

    /// A call of the registry that `account` signs.
    pub(crate) fn registry_call(
        &self,
        account: &PrivateKeySigner,
        data: Bytes,
    ) -> CallBuilder<DynProvider, (), Ethereum> {
        CallBuilder::new_raw(self.signing(account), data).to(self.registry)
    }

    /// The registry, and the AccessManager that governs it, whose transactions `account` signs.
    pub(crate) async fn authority_as(
        &self,
        account: &PrivateKeySigner,
    ) -> Result<(Address, AccessManager::AccessManagerInstance<DynProvider>), ChainError> {
        let authority = self.authority().await?;
        let manager = AccessManager::new(authority, self.signing(account));
        Ok((self.registry, manager))
    }

    /// For how many seconds an account has to schedule a call of the registry ahead. Zero, too, for
    /// one that may not make it at all.
    pub(crate) async fn governing_delay(
        &self,
        account: Address,
        data: &[u8],
    ) -> Result<u32, ChainError> {
        let selector = data.first_chunk().copied().unwrap_or_default();
        let manager = AccessManager::new(self.authority().await?, self.provider.clone());
        let answer = manager
            .canCall(account, self.registry, selector.into())
            .call()
            .await;
        Ok(answer
            .map_err(contract("reading the account's role"))?
            .delay)
    }

    /// When a call that an account scheduled is ready, Unix seconds; zero if it scheduled none.
    pub(crate) async fn scheduled(
        &self,
        account: Address,
        target: Address,
        data: &Bytes,
    ) -> Result<u64, ChainError> {
        let manager = AccessManager::new(self.authority().await?, self.provider.clone());
        let step = "reading what the account scheduled";
        let id = manager.hashOperation(account, target, data.clone());
        let id = id.call().await.map_err(contract(step))?;
        let answer = manager.getSchedule(id).call().await;
        Ok(answer.map_err(contract(step))?.to::<u64>())
    }

    async fn authority(&self) -> Result<Address, ChainError> {
        let answer = self.registry().authority().call().await;
        answer.map_err(contract("reading the registry's authority"))
    }

    /// A provider whose transactions `account` signs; they are sent with [`Self::send`].
    pub(crate) fn signing(&self, account: &PrivateKeySigner) -> DynProvider {
        ProviderBuilder::new()
            .wallet(EthereumWallet::from(account.clone()))
            .connect_provider(self.provider.clone())
            .erased()
    }

    pub(crate) async fn chain_id(&self) -> Result<u64, ChainError> {
        let answer = self.provider.get_chain_id().await;
        answer.map_err(transport("reading the chain id"))
    }

    /// Number of the newest block.
    pub(crate) async fn block_number(&self) -> Result<u64, ChainError> {
        let answer = self.provider.get_block_number().await;
        answer.map_err(transport("reading the block number"))
    }

    /// Timestamp of a block, Unix seconds.
    pub(crate) async fn timestamp(&self, block: u64) -> Result<Option<u64>, ChainError> {
        let answer = self.provider.get_block_by_number(block.into()).await;
        let block = answer.map_err(transport("reading a block"))?;
        Ok(block.map(|block| block.header.timestamp))
    }

    /// Receipt of a transaction, if it was mined.
    pub(crate) async fn transaction(
        &self,
        hash: B256,
    ) -> Result<Option<TransactionReceipt>, ChainError> {
        let answer = self.provider.get_transaction_receipt(hash).await;
        answer.map_err(transport("reading a transaction's receipt"))
    }

    /// keccak256 of an account's code.
    pub(crate) async fn code_hash(&self, account: Address) -> Result<B256, ChainError> {
        let answer = self.provider.get_code_at(account).await;
        Ok(keccak256(
            answer.map_err(transport("reading a contract's code"))?,
        ))
    }

    pub(crate) async fn current_epoch(&self, group: u32) -> Result<u32, ChainError> {
        let answer = self.registry().currentEpoch(group).call().await;
        answer.map_err(contract("reading the current epoch"))
    }

    pub(crate) async fn epoch_record(&self, group: u32, epoch: u32) -> Result<B256, ChainError> {
        let answer = self.registry().epochRecord(group, epoch).call().await;
        answer.map_err(contract("reading an epoch's record"))
    }

    /// Why the registry does not let `signer` sign for an epoch; `None` if it does.
    pub(crate) async fn signer_refusal(
        &self,
        signer: Address,
        epoch: EpochId,
        member: &EpochMember,
    ) -> Result<Option<String>, ChainError> {
        let registry = self.registry();
        let answer = registry
            .checkSigner(signer, epoch.group, epoch.epoch)
            .call()
            .await;
        match answer {
            Ok(_) => {
                let known = registry.foundationOf(signer).call().await;
                let known = known.map_err(contract("reading what the signer was admitted with"))?;
                let same = known.measurementId == member.measurementId
                    && known.configHash == member.configHash;
                Ok((!same).then(|| {
                    format!(
                        "{signer} admitted with measurement {} and configuration {}",
                        known.measurementId, known.configHash
                    )
                }))
            }
            Err(error) => match error.as_revert_data() {
                Some(_) => Ok(Some(refusal(&error).unwrap_or_else(|| error.to_string()))),
                None => Err(contract("checking the signer")(error)),
            },
        }
    }

    /// A contract's log word.
    pub(crate) async fn log(&self, id: ContractId) -> Result<LogWord, ChainError> {
        let answer = self.oracle().logOf(id).call().await;
        let word = answer.map_err(contract("reading a contract's log"))?;
        if word.is_zero() {
            return Err(ChainError::UnknownContract(id));
        }
        Ok(LogWord::unpack(word))
    }

    /// A contract's head.
    pub(crate) async fn head(&self, id: ContractId) -> Result<Head, ChainError> {
        let answer = self.oracle().head(id).call().await;
        let head = answer.map_err(contract("reading a contract's head"))?;
        Ok(HeadWord::unpack(head).head)
    }

    /// Whether and when a contract's code can change.
    pub(crate) async fn upgrade_terms(&self, id: ContractId) -> Result<UpgradeTerms, ChainError> {
        let oracle = self.oracle();
        let terms = oracle.extsload(slot::upgrade(id)).call().await;
        let terms = terms.map_err(contract("reading a contract's terms of upgrade"))?;
        let announced = oracle.extsload(slot::announced(id)).call().await;
        let announced = announced.map_err(contract("reading what code is announced"))?;
        Ok(UpgradeTerms::of(terms, announced))
    }

    /// How much gas is what to the oracle.
    pub(crate) async fn prices(&self) -> Result<Prices, ChainError> {
        let answer = self.oracle().prices().call().await;
        let word = answer.map_err(contract("reading the oracle's prices"))?;
        Ok(Prices::unpack(word))
    }

    /// The newest block's base fee, wei. In a call many nodes set it to zero.
    pub(crate) async fn base_fee(&self) -> Result<u128, ChainError> {
        let newest = alloy::eips::BlockNumberOrTag::Latest;
        let answer = self.provider.get_block_by_number(newest).await;
        let block = answer.map_err(transport("reading the base fee"))?;
        let fee = block.and_then(|block| block.header.base_fee_per_gas);
        Ok(fee.unwrap_or_default().into())
    }

    /// What the network asks for gas now, base fee and tip, wei.
    pub(crate) async fn gas_price(&self) -> Result<u128, ChainError> {
        let answer = self.provider.get_gas_price().await;
        answer.map_err(transport("reading the price of gas"))
    }

    /// What the chain asks for a byte of a transaction's data besides gas, wei.
    pub(crate) async fn data_price(&self) -> Result<U256, ChainError> {
        let step = "reading the price of data";
        let read = |source| ChainError::DataPrice {
            step,
            source: Box::new(source),
        };
        let fees = DataFees::of(&self.provider).await.map_err(read)?;
        fees.per_byte(&self.provider).await.map_err(read)
    }

    /// What waits at the oracle for an account, wei.
    pub(crate) async fn waiting(&self, account: Address) -> Result<U256, ChainError> {
        let answer = self.oracle().balanceOf(account).call().await;
        answer.map_err(contract("reading what waits for an account"))
    }

    /// The oracle's events of one kind about one contract, in a range of blocks.
    pub(crate) async fn events<E: SolEvent>(
        &self,
        id: ContractId,
        from: u64,
        to: u64,
    ) -> Result<Vec<(E, Log)>, ChainError> {
        let filter = Filter::new()
            .address(self.oracle)
            .event_signature(E::SIGNATURE_HASH)
            .topic1(id)
            .from_block(from)
            .to_block(to);
        let answer = self.provider.get_logs(&filter).await;
        let logs = answer.map_err(transport("reading the oracle's events"))?;
        logs.into_iter()
            .map(|log| match E::decode_log(&log.inner) {
                Ok(event) => Ok((event.data, log)),
                Err(error) => Err(ChainError::Inconsistent(error.to_string())),
            })
            .collect()
    }

    /// Refuses to go on if the endpoint is of another chain than the deployment.
    async fn check_id(&self) -> Result<(), ChainError> {
        match self.chain_id().await? {
            found if found == self.id => Ok(()),
            found => Err(ChainError::OtherChain {
                expected: self.id,
                found,
            }),
        }
    }

    /// Sends a contract call and waits until it is mined and has not reverted. Nothing is signed for another
    /// chain than the deployment's.
    pub(crate) async fn send<P: Provider, D: CallDecoder>(
        &self,
        step: &'static str,
        call: CallBuilder<P, D, Ethereum>,
    ) -> Result<TransactionReceipt, ClientError> {
        self.check_id().await?;
        let pending = call.chain_id(self.id).send().await;
        let pending = pending.map_err(contract(step))?;
        let receipt = pending
            .get_receipt()
            .await
            .map_err(|source| ChainError::Pending {
                step,
                source: Box::new(source),
            })?;
        if !receipt.status() {
            let transaction = receipt.transaction_hash;
            return Err(ChainError::Reverted { step, transaction }.into());
        }
        Ok(receipt)
    }

    /// The events of one kind that a filter matches.
    pub(crate) async fn matching<E: SolEvent>(
        &self,
        step: &'static str,
        filter: &Filter,
    ) -> Result<Vec<E>, ChainError> {
        let answer = self.provider.get_logs(filter).await;
        let logs = answer.map_err(transport(step))?;
        logs.into_iter()
            .map(|log| match E::decode_log(&log.inner) {
                Ok(event) => Ok(event.data),
                Err(error) => Err(ChainError::Inconsistent(error.to_string())),
            })
            .collect()
    }

    /// The first of the oracle's events of a kind in a receipt.
    pub(crate) fn event<E: SolEvent>(
        &self,
        step: &'static str,
        receipt: &TransactionReceipt,
    ) -> Result<E, ChainError> {
        let logs = receipt.inner.logs().iter();
        logs.filter(|log| log.address() == self.oracle)
            .find_map(|log| E::decode_log(&log.inner).ok())
            .map(|event| event.data)
            .ok_or(ChainError::MissingEvent {
                step,
                transaction: receipt.transaction_hash,
                event: E::SIGNATURE,
            })
    }
}

/// The contracts' error behind a revert, with its arguments.
fn refusal(error: &alloy::contract::Error) -> Option<String> {
    revert_reason(&error.as_revert_data()?)
}

/// What reading the past fails with.
pub(crate) fn past(step: &'static str) -> impl FnOnce(subrosa_chain::ChainError) -> ChainError {
    move |source| ChainError::Past {
        step,
        source: Box::new(source),
    }
}

pub(crate) fn transport(
    step: &'static str,
) -> impl FnOnce(alloy::transports::TransportError) -> ChainError {
    move |source| ChainError::Transport {
        step,
        source: Box::new(source),
    }
}

pub(crate) fn contract(step: &'static str) -> impl FnOnce(alloy::contract::Error) -> ChainError {
    move |source| match refusal(&source) {
        Some(reason) => ChainError::Refused { step, reason },
        None => ChainError::Contract {
            step,
            source: Box::new(source),
        },
    }
}
