// SPDX-License-Identifier: Apache-2.0
//! What a node asks of a chain: to be read, to be followed, and to take transactions.
//!
//! Nothing that a chain answers is trusted by an enclave. Implementations retry nothing but where
//! it is said: who asks decides what a failure means.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use async_trait::async_trait;
use futures::future::BoxFuture;
use subrosa_chain::{
    ChainError, Event, FetchedSlot,
    bindings::{SubrosaMailbox::answerChallengeCall, SubrosaRegistry::DcapRegistration},
    dcap::{CollateralDocument, Dcap, Kept, Refusal, Standing, Submission},
    follow::{BlockRef, OracleEvent},
    mailbox::{AskedChallenge, CodePart, PendingChallenge},
    send::{Call, RecordError, SendError},
};
use subrosa_types::{
    ContractId,
    abi::{EpochAcknowledgement, EpochMember, EpochOpening, SignerAdmission},
    frame::{HeaderFrame, Started, StorageProof},
    price::Prices,
    result::Head,
};

/// A chain with an oracle and a registry, and an account on it.
pub trait Chain: ChainView + ChainFeed + ChainAccount {}

impl<T: ChainView + ChainFeed + ChainAccount> Chain for T {}

/// The state of the chain and of its two contracts, as of the latest block unless it says otherwise.
///
/// Every method fails with [`ChainError`] if the chain gives no usable answer.
#[async_trait]
pub trait ChainView: Send + Sync {
    /// The latest block.
    async fn tip(&self) -> Result<BlockRef, ChainError>;

    /// The header of the block with this hash, as enclaves want it.
    async fn header(&self, block: B256) -> Result<HeaderFrame, ChainError>;

    /// What storage slots of a contract hold after the block with this hash, and what proves it, in their
    /// order. At most [`MAX_SLOTS`] at once.
    async fn proofs(
        &self,
        account: Address,
        slots: &[B256],
        block: B256,
    ) -> Result<Vec<FetchedSlot>, ChainError>;

    /// The proof of one slot.
    async fn proof(
        &self,
        account: Address,
        slot: B256,
        block: B256,
    ) -> Result<StorageProof, ChainError> {
        let proofs = self.proofs(account, &[slot], block).await?;
        let mut proofs = proofs.into_iter().map(|slot| slot.proof);
        proofs
            .next()
            .ok_or(ChainError::Inconsistent("no proof of a slot"))
    }

    /// The newest epoch of a key group; 0 if it has none.
    async fn current_epoch(&self, group: u32) -> Result<u32, ChainError>;

    /// The registry's record of an epoch; zero if it never became current.
    async fn epoch_record(&self, group: u32, epoch: u32) -> Result<B256, ChainError>;

    /// Who may hold the secret of an epoch, as governance scheduled it; nobody if it did not.
    async fn epoch_members(&self, group: u32, epoch: u32) -> Result<Vec<EpochMember>, ChainError>;

    /// What is to be acknowledged of an epoch: its last opening; zero if there is none.
    async fn epoch_opening(&self, group: u32, epoch: u32) -> Result<B256, ChainError>;

    /// A signer's lease; `None` if it was never admitted.
    async fn lease(&self, signer: Address) -> Result<Option<Lease>, ChainError>;

    /// Whether the registry accepts results of this signer.
    async fn is_accepted(&self, started: &Started) -> Result<bool, ChainError>;

    /// The contract that verifies DCAP quotes for the registry; `None` if it names none.
    async fn dcap(&self) -> Result<Option<Box<dyn DcapContract>>, ChainError>;

    /// Whether the oracle knows a contract.
    async fn is_registered(&self, contract: ContractId) -> Result<bool, ChainError>;

    /// Commitment of the code that a contract's owner announced; zero if none is.
    async fn announced(&self, contract: ContractId) -> Result<B256, ChainError>;

    /// A stateful contract's head.
    async fn head(&self, contract: ContractId) -> Result<Head, ChainError>;

    /// Whether a contract asks for the signatures of several enclaves under its results.
    async fn asks_for_cosigners(&self, _contract: ContractId) -> Result<bool, ChainError> {
        Ok(false)
    }

    /// By how many gwei a pending entry's landing part was topped up.
    async fn added(&self, contract: ContractId, seq: u64) -> Result<u64, ChainError>;

    /// How much gas is what to the oracle.
    async fn prices(&self) -> Result<Prices, ChainError>;

    /// What the gas of the account's next transaction costs about, wei.
    async fn gas_price(&self) -> Result<u128, ChainError>;

    /// What the chain asks for each byte of a transaction's data besides gas, wei; zero where gas is all.
    async fn data_price(&self) -> Result<U256, ChainError> {
        Ok(U256::ZERO)
    }

    /// What an account has, wei.
    async fn balance(&self, account: Address) -> Result<U256, ChainError>;

    /// What waits at the oracle for an account to withdraw, wei.
    async fn earned(&self, account: Address) -> Result<U256, ChainError>;

    /// The packed batch that a transaction's calldata holds; `None` unless it is a direct call of the
    /// oracle's `fulfill`.
    async fn carried(&self, transaction: B256) -> Result<Option<Bytes>, ChainError>;

    /// The parts of a contract's code envelopes that its owner published at the mailbox from a block on, of
    /// one envelope or of all, the newest first; of more than anybody needs not the oldest. None if there
    /// is no mailbox.
    async fn published(
        &self,
        contract: ContractId,
        envelope: Option<B256>,
        from: u64,
    ) -> Result<Vec<CodePart>, ChainError>;

    /// The challenges of a signer that were put at the mailbox since a time (Unix seconds), whether or not
    /// they wait for an answer; of more than anybody answers the newest. None if there is no mailbox.
    async fn asked(&self, signer: Address, since: u64) -> Result<Vec<AskedChallenge>, ChainError>;

    /// What is held for the answer to a challenge; `None` if it does not wait for one.
    async fn pending(&self, challenge: B256) -> Result<Option<PendingChallenge>, ChainError>;
}

/// The contract that verifies DCAP quotes: what collateral it keeps, and what submits more.
#[async_trait]
pub trait DcapContract: Send + Sync {
    /// What is kept under a key.
    async fn kept(&self, key: B256) -> Result<Option<Kept>, ChainError>;

    /// How a document compares with what is kept.
    async fn standing(&self, document: &CollateralDocument) -> Result<Standing, ChainError>;

    /// Why the contract would not take a document now; `None` if it would.
    async fn refusal(&self, document: &CollateralDocument) -> Result<Option<Refusal>, ChainError>;

    /// What submits documents, in as few transactions as possible.
    fn submissions(&self, documents: &[&CollateralDocument]) -> Vec<Submission>;

    /// What stores the configuration register of TDs started with a configuration; `None` if it is
    /// stored.
    async fn config_register(&self, config_hash: B256) -> Result<Option<Call>, ChainError>;
}

#[async_trait]
impl DcapContract for Dcap {
    async fn kept(&self, key: B256) -> Result<Option<Kept>, ChainError> {
        self.kept(key).await
    }

    async fn standing(&self, document: &CollateralDocument) -> Result<Standing, ChainError> {
        self.standing(document).await
    }

    async fn refusal(&self, document: &CollateralDocument) -> Result<Option<Refusal>, ChainError> {
        self.refusal(document).await
    }

    fn submissions(&self, documents: &[&CollateralDocument]) -> Vec<Submission> {
        self.submissions(documents)
    }

    async fn config_register(&self, config_hash: B256) -> Result<Option<Call>, ChainError> {
        self.config_register(config_hash).await
    }
}

/// How long the registry lets a signer sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// When it ends, Unix seconds.
    pub until: u64,
    /// Whether the signer was revoked, for good.
    pub revoked: bool,
}

/// The oracle's log, followed.
#[async_trait]
pub trait ChainFeed: Send + Sync {
    /// Begins to follow.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the chain cannot be reached.
    async fn follow(&self, from: StartingPoint) -> Result<Box<dyn ChainEvents>, ChainError>;
}

/// Where following begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartingPoint {
    /// The first block that can have logs of the oracle.
    pub first: u64,
    /// Numbers and hashes of blocks already dealt with, ascending; what comes continues the last
    /// one. Earlier ones serve to find where a reorganization began. Empty: begin with `first`.
    pub known: Vec<(u64, B256)>,
}

/// What happens on the chain, in order and without gaps.
#[async_trait]
pub trait ChainEvents: Send {
    /// The next event. Cancel safe. A chain that does not answer is asked again, for as long as it
    /// takes.
    ///
    /// # Errors
    ///
    /// [`ChainError::UndecodableLog`] if the oracle is not one that this build knows.
    async fn next(&mut self) -> Result<Event, ChainError>;
}

/// The account that pays for a node's transactions. Nothing else sends with its key.
#[async_trait]
pub trait ChainAccount: Send + Sync {
    /// Its address.
    fn address(&self) -> Address;

    /// Sends a transaction, and sees to it that it is mined from then on, whether or not anyone
    /// waits. Each attempt is given to `note` first, and broadcast only after that succeeded.
    ///
    /// # Errors
    ///
    /// [`SendError`] if nothing was sent.
    async fn send(
        &self,
        transaction: Transaction,
        note: Note,
    ) -> Result<Box<dyn InFlight>, SendError>;

    /// Goes on with a transaction that was noted before a crash: `attempts` are what `note` was
    /// given under `nonce`, oldest first. In ascending order of nonces, before anything new is sent.
    /// `None` if the nonce is used up on the chain. If it is `capped`, it is not made to pay more than it offers.
    ///
    /// # Errors
    ///
    /// [`SendError::Unusable`] if an attempt is not one of this account.
    async fn resume(
        &self,
        nonce: u64,
        attempts: &[Bytes],
        note: Note,
        capped: bool,
    ) -> Result<Option<Box<dyn InFlight>>, SendError>;

    /// Says that there is a new block, so that receipts are looked for at once.
    fn wake(&self);

    /// Reads the next nonce again after a reorganization.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the chain gives no answer.
    async fn resync(&self) -> Result<(), ChainError>;
}

/// Most slots that are proved at once: a quarter of what geth allows, and some megabytes.
pub const MAX_SLOTS: usize = 256;

/// Notes durably under which nonce which signed transaction is about to be broadcast.
pub type Note =
    Arc<dyn Fn(u64, Bytes) -> BoxFuture<'static, Result<(), RecordError>> + Send + Sync>;

/// What a node sends.
#[derive(Clone, Debug)]
pub enum Transaction {
    /// The registry's `admit`.
    Admit {
        /// As a verifier signed it.
        admission: Box<SignerAdmission>,
        /// Of verifiers.
        signatures: Vec<Bytes>,
    },
    /// The registry's `registerSignerDcap`.
    RegisterByQuote(Box<DcapRegistration>),
    /// The registry's `openEpoch`.
    OpenEpoch {
        /// As the enclave proposed it.
        opening: EpochOpening,
        /// Who signed it.
        signer: Address,
        /// The signer's.
        signature: Bytes,
    },
    /// The registry's `acknowledgeEpoch`.
    AcknowledgeEpoch {
        /// As the enclave signed it.
        acknowledgement: EpochAcknowledgement,
        /// Who signed it.
        signer: Address,
        /// The signer's.
        signature: Bytes,
    },
    /// The oracle's `fulfill`.
    Fulfill {
        /// Signed results, packed.
        batch: Bytes,
        /// Gas limit. Estimating would cost a round trip and know less, as callbacks need not be
        /// given all of theirs.
        gas: u64,
        /// Most to pay per gas, wei: what its entries' fees cover. `None` for whatever is asked.
        max_fee_per_gas: Option<u128>,
    },
    /// The oracle's `withdraw`, to the account itself.
    Withdraw,
    /// The mailbox's `answerChallenge`.
    Answer {
        /// Where it is.
        mailbox: Address,
        /// What the enclave answers.
        call: Box<answerChallengeCall>,
    },
    /// What a [`DcapContract`] prepared.
    Prepared(Call),
}

/// A transaction that was sent. Dropping it changes nothing.
#[async_trait]
pub trait InFlight: Send {
    /// Its nonce.
    fn nonce(&self) -> u64;

    /// Waits until one of its attempts is mined, however long that takes. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`SendError::NonceTaken`] if another transaction has its nonce, [`SendError::Closed`] if
    /// nobody sees to it any more.
    async fn mined(&mut self) -> Result<Mined, SendError>;
}

/// A transaction that was mined, whether or not it did what it should.
#[derive(Clone, Debug, PartialEq)]
pub struct Mined {
    /// Its hash.
    pub transaction: B256,
    /// Whether it did not revert.
    pub succeeded: bool,
    /// The oracle's events in it, in order.
    pub events: Vec<OracleEvent>,
}
