// SPDX-License-Identifier: Apache-2.0
// long: the model of the oracle, to be read beside it
//! What the oracle and the registry do, as far as a node depends on it: entries are appended with
//! chained digests, results must continue the head and be signed by an admitted signer.
//!
//! A model for simulations, held to the contracts by the conformance suite that the real ones pass
//! on a real chain. It knows of fees the part for landing and what is added to it, no callbacks, and of governance only that it withdraws runtime
//! generations.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy_sol_types::Eip712Domain;
use subrosa_chain::follow::{Appended, OracleEvent};
use subrosa_chain_proof::synthetic::{SyntheticProof, SyntheticState};
use subrosa_types::{
    ContractId,
    abi::{EnclaveConfig, Entry, EpochMember, EpochOpening, SignedResults},
    batch::{Batch, Group},
    change::{EpochChange, RuntimeChange},
    eip712,
    entry::{
        EntryKind, Execution, FLAG_INPUT_SEALED, FLAG_LEAVES_EPOCH, FLAG_OPENS_SESSION,
        FinalityClass, GWEI, Payment, RUNTIME_GENERATION, Settlement, mask_digest,
    },
    id::{self, TeeKind, measurement_id},
    result::{Head, HeadWord, LoggedResult},
    slot::{self, Place, RING},
};

use super::letters::Mailbox;
use crate::machine::{MEASUREMENT_HASH, ROOT_ID};

/// A request, as a consumer contract makes it.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Who asks.
    pub requester: Address,
    /// On whose behalf, as the requester asserts.
    pub context: B256,
    /// Fuel that the call may use.
    pub fuel_limit: u64,
    /// Whether the input is an envelope.
    pub sealed: bool,
    /// Whether the envelope opens a session.
    pub opens_session: bool,
    /// Bytes of output that are paid for.
    pub output_limit: u32,
    /// Gwei for whoever lands the result.
    pub landing: u64,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            requester: Address::repeat_byte(0x77),
            context: B256::ZERO,
            fuel_limit: 5_000_000,
            sealed: false,
            opens_session: false,
            output_limit: 64 << 10,
            landing: 1_000_000,
        }
    }
}

/// The contracts after some block.
#[derive(Clone, Debug)]
pub struct Contracts {
    chain_id: u64,
    oracle: Address,
    registry: Address,
    key_group: u32,
    config_hash: B256,
    state: SyntheticState,
    logs: BTreeMap<ContractId, Log>,
    /// Admitted signers, and until when (Unix seconds).
    signers: BTreeMap<Address, u64>,
    epochs: BTreeMap<(u32, u32), B256>,
    registered: u64,
    /// Gwei by which pending entries were topped up.
    added: BTreeMap<(ContractId, u64), u64>,
    /// Gwei that wait for accounts.
    earned: BTreeMap<Address, u64>,
    /// Runtime generations that were withdrawn, and which take over from them.
    withdrawn: BTreeMap<u16, u16>,
    pub(super) mailbox: Mailbox,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, Default)]
struct Log {
    next: u64,
    digest: B256,
    epoch: u32,
    runtime: u16,
}

/// The block in which something happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) number: u64,
    pub(crate) timestamp: u64,
}

/// Why a call reverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Revert {
    /// The signature is not one of an admitted signer over these results.
    #[error("not signed by an admitted signer")]
    Signer,
    /// Another epoch is open, or this one is already, or the contract is not before it.
    #[error("epoch is not the next one")]
    Epoch,
    /// The batch does not decode.
    #[error("malformed batch")]
    Malformed,
    /// Nothing waits for the account.
    #[error("nothing to withdraw")]
    NothingToWithdraw,
    /// Nothing can be asked of a contract that is not registered.
    #[error("unknown contract")]
    UnknownContract,
    /// Gas ran out, or whatever else befalls a transaction.
    #[error("out of gas")]
    OutOfGas,
    /// The generation is not later than the contract's own, or was withdrawn.
    #[error("not a later runtime generation")]
    Runtime,
    /// Only a contract's owner publishes its code.
    #[error("not the contract's owner")]
    NotTheOwner,
    /// Or its lease has ended.
    #[error("signer not admitted")]
    NotAdmitted,
    /// It was never put, or is over.
    #[error("not asked")]
    NotAsked,
    /// It waits for its answer already.
    #[error("already asked")]
    AlreadyAsked,
    /// It is too late to answer.
    #[error("too late to answer")]
    TooLate,
    /// The model has no such function.
    #[error("not part of the simulation")]
    Unsupported,
}

impl Contracts {
    /// Contracts where `config` has them.
    pub(crate) fn deployed(config: &EnclaveConfig) -> Self {
        let contracts = [
            (config.oracle, config.oracleCodeHash),
            (config.registry, config.registryCodeHash),
        ];
        Self {
            chain_id: config.chain_id(),
            oracle: config.oracle,
            registry: config.registry,
            key_group: config.keyGroup,
            config_hash: config.hash(),
            state: SyntheticState::new(contracts),
            logs: BTreeMap::new(),
            signers: BTreeMap::new(),
            epochs: BTreeMap::new(),
            registered: 0,
            added: BTreeMap::new(),
            earned: BTreeMap::new(),
            withdrawn: BTreeMap::new(),
            mailbox: Mailbox::default(),
        }
    }

    /// The domain of what enclaves sign for the oracle.
    pub(super) fn oracle_domain(&self) -> Eip712Domain {
        eip712::oracle_domain(self.chain_id, self.oracle)
    }

    pub(crate) fn root(&self) -> B256 {
        self.state.root()
    }

    pub(crate) fn prove(&self, account: Address, slot: B256) -> SyntheticProof {
        self.state.prove(account, slot)
    }

    /// Where an entry with this digest is, if it is on the log and its slot is no other's yet.
    pub fn place(&self, contract: ContractId, seq: u64, digest: B256) -> Option<Place> {
        let holds = |place: &Place| {
            let slot = self.slot(contract, place.position(seq));
            mask_digest(B256::from(slot)) == digest
        };
        Place::ALL.into_iter().find(holds)
    }

    /// How many entries a contract's log has.
    pub fn entries(&self, contract: ContractId) -> u64 {
        self.logs.get(&contract).map_or(0, |log| log.next)
    }

    /// A contract's head.
    pub fn head(&self, contract: ContractId) -> Head {
        HeadWord::unpack(self.state.slot(self.oracle, slot::head(contract))).head
    }

    /// What a storage slot of a contract holds.
    pub(crate) fn value(&self, account: Address, slot: B256) -> U256 {
        self.state.slot(account, slot)
    }

    /// By how many gwei a pending entry was topped up.
    pub fn added(&self, contract: ContractId, seq: u64) -> u64 {
        self.added
            .get(&(contract, seq))
            .copied()
            .unwrap_or_default()
    }

    /// Wei that wait for an account.
    pub fn earned(&self, account: Address) -> U256 {
        let gwei = self.earned.get(&account).copied().unwrap_or_default();
        U256::from(gwei) * U256::from(GWEI)
    }

    /// Tops up a pending entry.
    pub(crate) fn add_fee(
        &mut self,
        contract: ContractId,
        seq: u64,
        gwei: u64,
    ) -> Result<OracleEvent, Revert> {
        let is_pending = |log: &&Log| (self.head(contract).seq..log.next).contains(&seq);
        let log = self.logs.get(&contract).filter(is_pending);
        log.ok_or(Revert::UnknownContract)?;
        *self.added.entry((contract, seq)).or_default() += gwei;
        Ok(OracleEvent::FeeAdded {
            contract,
            seq,
            amount: U256::from(gwei) * U256::from(GWEI),
        })
    }

    /// Takes what waits for an account.
    pub(crate) fn withdraw(&mut self, account: Address) -> Result<(), Revert> {
        let taken = self.earned.remove(&account);
        taken.map(drop).ok_or(Revert::NothingToWithdraw)
    }

    fn slot(&self, contract: ContractId, position: u64) -> U256 {
        self.state
            .slot(self.oracle, slot::entry(contract, position))
    }

    /// Whether the oracle knows a contract.
    pub fn is_registered(&self, contract: ContractId) -> bool {
        self.logs.contains_key(&contract)
    }

    /// A key group's newest epoch; 0 if it has none.
    pub fn current_epoch(&self, group: u32) -> u32 {
        let mut opened = self.epochs.keys().filter(|(of, _)| *of == group);
        opened.next_back().map_or(0, |(_, epoch)| *epoch)
    }

    /// What the registry recorded of an epoch; zero if it was not opened.
    pub fn epoch_record(&self, group: u32, epoch: u32) -> B256 {
        let record = self.epochs.get(&(group, epoch));
        record.copied().unwrap_or_default()
    }

    /// Who may hold the secret of whichever epoch comes next, which is always scheduled: the one
    /// build there is.
    pub(crate) fn members(&self, group: u32) -> Vec<EpochMember> {
        if group != self.key_group {
            return Vec::new();
        }
        vec![EpochMember {
            measurementId: measurement_id(ROOT_ID, TeeKind::Tdx, MEASUREMENT_HASH),
            configHash: self.config_hash,
        }]
    }

    /// Until when a signer is admitted.
    pub fn lease(&self, signer: Address) -> Option<u64> {
        self.signers.get(&signer).copied()
    }

    /// Admits a signer; what it shows for itself is not looked at.
    pub(crate) fn admit(&mut self, signer: Address, until: u64) {
        self.signers.insert(signer, until);
    }

    /// Records the next epoch.
    pub(crate) fn open_epoch(&mut self, opening: &EpochOpening) -> Result<(), Revert> {
        if opening.keyGroup != self.key_group
            || opening.keyEpoch != self.current_epoch(self.key_group) + 1
        {
            return Err(Revert::Epoch);
        }
        let record = opening.record();
        self.state.store(
            self.registry,
            slot::epoch(opening.keyGroup, opening.keyEpoch),
            U256::from_be_bytes(record.0),
        );
        self.epochs
            .insert((opening.keyGroup, opening.keyEpoch), record);
        Ok(())
    }

    /// Registers a contract: entry 0 of its log.
    pub(crate) fn register(
        &mut self,
        moment: Moment,
        owner: Address,
        commitment: B256,
    ) -> (ContractId, Vec<OracleEvent>) {
        let contract = id::contract_id(self.chain_id, self.oracle, owner, self.registered);
        self.registered += 1;
        let log = Log {
            epoch: self.current_epoch(self.key_group),
            runtime: self.current_runtime(),
            ..Log::default()
        };
        self.logs.insert(contract, log);
        self.mailbox.own(contract, owner);
        let registered = OracleEvent::Registered {
            contract,
            owner,
            code_commitment: commitment,
        };
        let request = Request {
            requester: owner,
            ..Request::default()
        };
        let input = Bytes::from(commitment.to_vec());
        let appended = self.append(
            moment,
            contract,
            EntryKind::Deploy,
            request,
            commitment,
            input,
        );
        (contract, vec![registered, appended])
    }

    /// Appends a call.
    pub(crate) fn request(
        &mut self,
        moment: Moment,
        contract: ContractId,
        request: Request,
        input: Bytes,
    ) -> Result<(u64, OracleEvent), Revert> {
        let seq = self
            .logs
            .get(&contract)
            .ok_or(Revert::UnknownContract)?
            .next;
        let hash = keccak256(&input);
        let event = self.append(moment, contract, EntryKind::Call, request, hash, input);
        Ok((seq, event))
    }

    /// Moves a log to its key group's current epoch.
    pub(crate) fn advance_epoch(
        &mut self,
        moment: Moment,
        contract: ContractId,
        requester: Address,
    ) -> Result<(u64, OracleEvent), Revert> {
        let next = self.current_epoch(self.key_group);
        let record = self.epoch_record(self.key_group, next);
        let log = self.logs.get_mut(&contract);
        let log = log.ok_or(Revert::UnknownContract)?;
        let (previous, seq) = (log.epoch, log.next);
        if next <= previous {
            return Err(Revert::Epoch);
        }
        log.epoch = next;
        let change = EpochChange {
            previous,
            next,
            record,
        };
        let event = self.change(
            moment,
            contract,
            EntryKind::Epoch,
            requester,
            change.encode(),
        );
        Ok((seq, event))
    }

    /// Appends an upgrade to code with this commitment.
    pub(crate) fn upgrade(
        &mut self,
        moment: Moment,
        contract: ContractId,
        owner: Address,
        commitment: B256,
    ) -> Result<(u64, OracleEvent), Revert> {
        let log = self.logs.get(&contract).ok_or(Revert::UnknownContract)?;
        let seq = log.next;
        let request = Request {
            requester: owner,
            ..Request::default()
        };
        let input = Bytes::from(commitment.to_vec());
        let kind = EntryKind::Upgrade;
        let event = self.append(moment, contract, kind, request, commitment, input);
        Ok((seq, event))
    }

    /// Appends an entry that runs no code.
    fn change(
        &mut self,
        moment: Moment,
        contract: ContractId,
        kind: EntryKind,
        requester: Address,
        input: Vec<u8>,
    ) -> OracleEvent {
        let request = Request {
            requester,
            fuel_limit: 0,
            ..Request::default()
        };
        let hash = keccak256(&input);
        self.append(moment, contract, kind, request, hash, input.into())
    }

    /// Withdraws a runtime generation: contracts of it may move to `successor`.
    pub(crate) fn withdraw_runtime(&mut self, generation: u16, successor: u16) {
        self.withdrawn.insert(generation, successor);
    }

    /// Moves a log to the generation that takes over from its own, which anybody may once that is
    /// withdrawn.
    pub(crate) fn change_runtime(
        &mut self,
        moment: Moment,
        contract: ContractId,
        requester: Address,
    ) -> Result<(u64, OracleEvent), Revert> {
        let head_seq = self.head(contract).seq;
        let log = self.logs.get_mut(&contract);
        let log = log.ok_or(Revert::UnknownContract)?;
        let previous = log.runtime;
        let next = *self.withdrawn.get(&previous).ok_or(Revert::Runtime)?;
        if next <= previous || self.withdrawn.contains_key(&next) {
            return Err(Revert::Runtime);
        }
        let seq = log.next;
        log.runtime = next;
        let change = RuntimeChange {
            previous,
            next,
            head_seq,
        };
        let kind = EntryKind::Runtime;
        let event = self.change(moment, contract, kind, requester, change.encode());
        Ok((seq, event))
    }

    /// The generation that new contracts run in.
    fn current_runtime(&self) -> u16 {
        let mut generation = RUNTIME_GENERATION;
        while let Some(next) = self
            .withdrawn
            .get(&generation)
            .filter(|next| **next > generation)
        {
            generation = *next;
        }
        generation
    }

    fn append(
        &mut self,
        moment: Moment,
        contract: ContractId,
        kind: EntryKind,
        request: Request,
        input_hash: B256,
        input: Bytes,
    ) -> OracleEvent {
        let executed = self.head(contract).seq;
        let log = self.logs.entry(contract).or_default();
        let entry = Entry {
            contractId: contract,
            previousDigest: log.digest,
            context: request.context,
            inputHash: input_hash,
            execution: Execution {
                kind,
                flags: flags(request),
                fuel_limit: request.fuel_limit,
                code_version: 0,
                runtime_generation: log.runtime,
                finality_class: FinalityClass::HostAsserted,
                block_number: moment.number,
                block_timestamp: moment.timestamp,
                output_limit: request.output_limit,
            }
            .pack(),
            settlement: Settlement {
                requester: request.requester,
                callback_gas_limit: if kind == EntryKind::Epoch {
                    log.epoch.saturating_sub(1)
                } else {
                    0
                },
                flags: if kind == EntryKind::Epoch {
                    FLAG_LEAVES_EPOCH
                } else {
                    0
                },
                deadline: moment.timestamp + 600,
            }
            .pack(),
            payment: Payment {
                landing: request.landing,
                callback: 0,
                charge: 10,
                key_group: self.key_group,
                key_epoch: log.epoch,
                seq: log.next,
            }
            .pack(),
            refundTo: Address::ZERO,
        };
        let digest = entry.digest(self.chain_id, self.oracle);
        // What lies in the ring is a round older: pending entries are never written over.
        let place = if executed + RING <= log.next {
            Place::Own
        } else {
            Place::Ring
        };
        self.state.store(
            self.oracle,
            slot::entry(contract, place.position(log.next)),
            U256::from_be_bytes(digest.0),
        );
        let appended = Appended {
            contract,
            previous_digest: entry.previousDigest,
            context: entry.context,
            execution: entry.execution,
            settlement: entry.settlement,
            payment: entry.payment,
            refund_to: entry.refundTo,
            input,
        };
        (log.next, log.digest) = (log.next + 1, digest);
        OracleEvent::EntryAppended(appended)
    }

    /// Takes a packed batch: whatever continues a head, if an admitted signer signed all of it. The
    /// payee earns, or else the sender.
    pub(crate) fn fulfill(
        &mut self,
        moment: Moment,
        sender: Address,
        packed: &[u8],
    ) -> Result<Vec<OracleEvent>, Revert> {
        let batch = Batch::decode(packed).map_err(|_| Revert::Malformed)?;
        let placed = batch.placed(self.chain_id, self.oracle);
        let placed = placed.ok_or(Revert::Malformed)?;
        let signed = SignedResults {
            resultHashes: placed.iter().map(|item| item.result_hash).collect(),
            payee: batch.payee,
        };
        let domain = self.oracle_domain();
        let first = batch.signatures.first().ok_or(Revert::Malformed)?;
        let compact = [first.r.0, first.vs.0].concat();
        let signer = Signature::from_erc2098(&compact)
            .recover_address_from_prehash(&eip712::signing_hash(&signed, &domain))
            .map_err(|_| Revert::Signer)?;
        if self
            .lease(signer)
            .is_none_or(|until| until <= moment.timestamp)
        {
            return Err(Revert::Signer);
        }
        let digests = self.digests(&batch).ok_or(Revert::Malformed)?;
        let payee = if batch.payee.is_zero() {
            sender
        } else {
            batch.payee
        };
        let mut events = Vec::new();
        for group in &batch.groups {
            self.apply(group, &digests, payee, &mut events);
        }
        Ok(events)
    }

    /// The digests of the entries that a batch is about.
    pub(crate) fn digests(&self, batch: &Batch) -> Option<BTreeMap<(ContractId, u64), B256>> {
        let placed = batch.placed(self.chain_id, self.oracle)?;
        let digests = placed.iter();
        Some(
            digests
                .map(|item| ((item.contract, item.seq), item.digest))
                .collect(),
        )
    }

    /// Takes as many of a group's items as continue the head, whoever signed them. Digests that are not
    /// given are believed.
    pub(crate) fn apply(
        &mut self,
        group: &Group,
        digests: &BTreeMap<(ContractId, u64), B256>,
        payee: Address,
        events: &mut Vec<OracleEvent>,
    ) {
        let contract = group.contract;
        let (mut cursor, mut head) = (group.start, self.head(contract));
        let mut is_announced = false;
        // Digests chain: the last that is stored vouches for those before it.
        let is_stored = |seq: u64| {
            digests
                .get(&(contract, seq))
                .is_none_or(|digest| self.place(contract, seq, *digest).is_some())
        };
        let seqs = (0..group.items.len() as u64).map(|index| group.start.seq + index);
        let known = seqs.rev().find(|seq| is_stored(*seq));
        for item in &group.items {
            let next = Head {
                seq: cursor.seq + 1,
                commitment: item.result.commitment,
            };
            let skipped = |reason| OracleEvent::ItemsSkipped {
                contract,
                seq: cursor.seq,
                reason,
            };
            if head != cursor {
                if head.seq <= cursor.seq {
                    events.push(skipped(DOES_NOT_CONTINUE));
                    break;
                }
                if !is_announced {
                    events.push(skipped(ALREADY_EXECUTED));
                    is_announced = true;
                }
                cursor = next;
                continue;
            }
            if known.is_none_or(|known| known < cursor.seq) {
                events.push(skipped(NOT_ON_THE_LOG));
                break;
            }
            let added = self.added.remove(&(contract, cursor.seq));
            *self.earned.entry(payee).or_default() += item.landing + added.unwrap_or_default();
            events.push(OracleEvent::EntryFulfilled {
                contract,
                outcome: LoggedResult::unpack(
                    LoggedResult {
                        result: item.result,
                        seq: cursor.seq,
                    }
                    .pack(),
                ),
                data: item.data.clone(),
            });
            (cursor, head) = (next, next);
        }
        let word = HeadWord {
            head,
            ..HeadWord::default()
        };
        self.state
            .store(self.oracle, slot::head(contract), word.pack());
    }
}

fn flags(request: Request) -> u16 {
    let sealed = if request.sealed { FLAG_INPUT_SEALED } else { 0 };
    let opens = if request.opens_session {
        FLAG_OPENS_SESSION
    } else {
        0
    };
    sealed | opens
}

/// `ItemsSkipped` reasons of the oracle.
const ALREADY_EXECUTED: u8 = 1;
const DOES_NOT_CONTINUE: u8 = 2;
const NOT_ON_THE_LOG: u8 = 3;
