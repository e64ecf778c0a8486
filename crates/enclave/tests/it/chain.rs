// SPDX-License-Identifier: Apache-2.0
//! A synthetic chain: one state trie with an oracle and a registry in it, proofs as a node gives
//! them. What the oracle contract would do to its slots is done here by hand.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use subrosa_chain_proof::synthetic::SyntheticState;
use subrosa_types::{
    ContractId,
    abi::{EnclaveConfig, Entry, EpochOpening},
    change::{EpochChange, RuntimeChange},
    config::{CONFIG_VERSION, HeaderTrustKind, Recovery},
    entry::{
        EntryKind, Execution, FLAG_INPUT_SEALED, FLAG_OPENS_SESSION, FinalityClass, Payment,
        Settlement,
    },
    frame::{EntryProof, HeaderFrame, LoggedEntry, SlotProof, StorageProof},
    id,
    slot::{self, Place},
};

pub(crate) const GROUP: u32 = 1;
pub(crate) const EPOCH: u32 = 1;

/// The chain's head state and clock.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) chain_id: u64,
    pub(crate) oracle: Address,
    pub(crate) registry: Address,
    pub(crate) number: u64,
    pub(crate) timestamp: u64,
    state: SyntheticState,
    logs: BTreeMap<ContractId, Log>,
    registered: u64,
}

/// What the oracle keeps of a log.
#[derive(Clone, Copy)]
struct Log {
    next: u64,
    digest: B256,
    epoch: u32,
    generation: u16,
    stateless: bool,
}

/// What a requester chooses.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) requester: Address,
    pub(crate) context: B256,
    pub(crate) fuel_limit: u64,
    pub(crate) sealed: bool,
    pub(crate) opens_session: bool,
    pub(crate) output_limit: u32,
    /// Of a deployment: what kind of contract is asked for.
    pub(crate) flags: u16,
}

impl Ask {
    pub(crate) const DEFAULT: Self = Self {
        requester: Address::repeat_byte(0x77),
        context: B256::ZERO,
        fuel_limit: 5_000_000,
        sealed: false,
        opens_session: false,
        output_limit: 64 << 10,
        flags: 0,
    };
}

impl Default for Ask {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Chain {
    pub(crate) fn new() -> Self {
        let (oracle, registry) = (Address::repeat_byte(0x0a), Address::repeat_byte(0x0b));
        Self {
            chain_id: 31_337,
            oracle,
            registry,
            number: 100,
            timestamp: 1_800_000_000,
            state: SyntheticState::new([oracle, registry].map(|at| (at, code_hash(at)))),
            logs: BTreeMap::new(),
            registered: 0,
        }
    }

    pub(crate) fn config(&self) -> EnclaveConfig {
        EnclaveConfig {
            version: CONFIG_VERSION,
            chainId: U256::from(self.chain_id),
            registry: self.registry,
            registryCodeHash: code_hash(self.registry),
            oracle: self.oracle,
            oracleCodeHash: code_hash(self.oracle),
            headerTrust: HeaderTrustKind::HostAsserted as u8,
            headerTrustParameters: Bytes::new(),
            evidenceRoots: vec![],
            policyHash: B256::repeat_byte(0x99),
            keyGroup: GROUP,
            recovery: Recovery::SealedDevelopment.pack(),
        }
    }

    pub(crate) fn mine(&mut self) {
        self.number += 1;
        self.timestamp += 12;
    }

    pub(crate) fn record_epoch(&mut self, opening: &EpochOpening) {
        let record = U256::from_be_bytes(opening.record().0);
        let slot = slot::epoch(opening.keyGroup, opening.keyEpoch);
        self.state.store(self.registry, slot, record);
    }

    /// Registers a contract at a runtime generation, stateful or not: entry 0.
    pub(crate) fn register(
        &mut self,
        ask: Ask,
        commitment: B256,
        generation: u16,
        stateless: bool,
    ) -> (ContractId, LoggedEntry) {
        let contract = id::contract_id(self.chain_id, self.oracle, ask.requester, self.registered);
        self.registered += 1;
        let log = Log {
            next: 0,
            digest: B256::ZERO,
            epoch: EPOCH,
            generation,
            stateless,
        };
        self.logs.insert(contract, log);
        let input = Bytes::from(commitment.to_vec());
        (
            contract,
            self.append(contract, EntryKind::Deploy, ask, commitment, input),
        )
    }

    /// Logs a call.
    pub(crate) fn request(&mut self, contract: ContractId, ask: Ask, input: Bytes) -> LoggedEntry {
        let hash = keccak256(&input);
        self.append(contract, EntryKind::Call, ask, hash, input)
    }

    /// Logs an upgrade.
    pub(crate) fn upgrade(
        &mut self,
        contract: ContractId,
        ask: Ask,
        commitment: B256,
    ) -> LoggedEntry {
        let input = Bytes::from(commitment.to_vec());
        self.append(contract, EntryKind::Upgrade, ask, commitment, input)
    }

    /// Moves a log to an epoch that the registry has recorded.
    pub(crate) fn advance_epoch(&mut self, contract: ContractId, next: u32) -> LoggedEntry {
        let log = self.logs.get_mut(&contract).unwrap();
        let previous = std::mem::replace(&mut log.epoch, next);
        let record = self.state.slot(self.registry, slot::epoch(GROUP, next));
        let change = EpochChange {
            previous,
            next,
            record: B256::from(record),
        };
        self.change(contract, EntryKind::Epoch, change.encode())
    }

    /// Moves a log to another runtime generation when `head_seq` entries are executed.
    pub(crate) fn change_runtime(
        &mut self,
        contract: ContractId,
        next: u16,
        head_seq: u64,
    ) -> LoggedEntry {
        let log = self.logs.get_mut(&contract).unwrap();
        let previous = std::mem::replace(&mut log.generation, next);
        let change = RuntimeChange {
            previous,
            next,
            head_seq,
        };
        self.change(contract, EntryKind::Runtime, change.encode())
    }

    /// Logs an entry that runs no code, whatever its input is.
    pub(crate) fn change(
        &mut self,
        contract: ContractId,
        kind: EntryKind,
        input: Vec<u8>,
    ) -> LoggedEntry {
        let hash = keccak256(&input);
        self.append(contract, kind, Ask::default(), hash, input.into())
    }

    /// The epoch of a log's next entry.
    pub(crate) fn epoch_of(&self, contract: ContractId) -> u32 {
        self.logs.get(&contract).map_or(EPOCH, |log| log.epoch)
    }

    fn append(
        &mut self,
        contract: ContractId,
        kind: EntryKind,
        ask: Ask,
        input_hash: B256,
        input: Bytes,
    ) -> LoggedEntry {
        self.mine();
        let log = self.logs[&contract];
        let entry = Entry {
            contractId: contract,
            previousDigest: if log.stateless {
                B256::ZERO
            } else {
                log.digest
            },
            context: ask.context,
            inputHash: input_hash,
            execution: Execution {
                kind,
                flags: if ask.sealed { FLAG_INPUT_SEALED } else { 0 }
                    | if ask.opens_session {
                        FLAG_OPENS_SESSION
                    } else {
                        0
                    }
                    | ask.flags,
                fuel_limit: ask.fuel_limit,
                code_version: 0,
                runtime_generation: log.generation,
                finality_class: FinalityClass::HostAsserted,
                block_number: self.number,
                block_timestamp: self.timestamp,
                output_limit: ask.output_limit,
            }
            .pack(),
            settlement: Settlement {
                requester: ask.requester,
                callback_gas_limit: 100_000,
                flags: 0,
                deadline: self.timestamp + 600,
            }
            .pack(),
            payment: Payment {
                landing: 1_000,
                callback: 100,
                charge: 10,
                key_group: GROUP,
                key_epoch: log.epoch,
                seq: log.next,
            }
            .pack(),
            refundTo: Address::ZERO,
        };
        self.log(&entry);
        LoggedEntry { entry, input }
    }

    /// Stores an entry's digest, with a settlement status in the low byte.
    pub(crate) fn log(&mut self, entry: &Entry) {
        let digest = entry.digest(self.chain_id, self.oracle);
        let status = U256::from(entry.seq() as u8 & 3);
        let word = U256::from_be_bytes(digest.0) | status;
        self.state
            .store(self.oracle, slot_of(entry.contractId, entry.seq()), word);
        let log = self.logs.get_mut(&entry.contractId).unwrap();
        (log.next, log.digest) = (entry.seq() + 1, digest);
    }

    /// Stores something else in the slot of an entry, as another entry of the ring does.
    pub(crate) fn overwrite(&mut self, contract: ContractId, seq: u64) {
        let word = U256::from_be_bytes(keccak256(seq.to_be_bytes()).0);
        self.state.store(self.oracle, slot_of(contract, seq), word);
    }

    pub(crate) fn prove_entry(&self, contract: ContractId, seq: u64) -> EntryProof {
        EntryProof::Slot(Box::new(self.prove_slot(contract, seq)))
    }

    pub(crate) fn prove_slot(&self, contract: ContractId, seq: u64) -> SlotProof {
        SlotProof {
            place: place_of(seq),
            storage: self.prove(self.oracle, slot_of(contract, seq)),
        }
    }

    /// The same in a state that holds nothing else: as good, and made in no time however long logs are.
    #[allow(
        dead_code,
        reason = "the benchmark of hostile guests has the long logs"
    )]
    pub(crate) fn prove_alone(&self, entry: &Entry) -> EntryProof {
        let contracts = [self.oracle, self.registry].map(|at| (at, code_hash(at)));
        let slot = slot_of(entry.contractId, entry.seq());
        let mut chain = Self {
            state: SyntheticState::new(contracts),
            logs: BTreeMap::new(),
            ..*self
        };
        let word = U256::from_be_bytes(entry.digest(self.chain_id, self.oracle).0);
        chain.state.store(self.oracle, slot, word);
        EntryProof::Slot(Box::new(SlotProof {
            place: place_of(entry.seq()),
            storage: chain.prove(self.oracle, slot),
        }))
    }

    pub(crate) fn prove_epoch(&self, epoch: u32) -> StorageProof {
        self.prove(self.registry, slot::epoch(GROUP, epoch))
    }

    pub(crate) fn header(&self) -> HeaderFrame {
        HeaderFrame {
            trusted: alloy_rlp::encode(self.sealed_header(self.state.root())).into(),
            ..HeaderFrame::default()
        }
    }

    fn prove(&self, account: Address, slot: B256) -> StorageProof {
        let proof = self.state.prove(account, slot);
        StorageProof {
            header: self.header(),
            account_proof: proof.account,
            slot_proof: proof.slot,
        }
    }

    fn sealed_header(&self, state_root: B256) -> Header {
        Header {
            number: self.number,
            timestamp: self.timestamp,
            state_root,
            parent_hash: keccak256(self.number.to_be_bytes()),
            base_fee_per_gas: Some(7),
            gas_limit: 30_000_000,
            ..Header::default()
        }
    }
}

/// Here every entry keeps a slot: the first ones those of the ring, the others one of their own.
fn place_of(seq: u64) -> Place {
    if seq < slot::RING {
        Place::Ring
    } else {
        Place::Own
    }
}

fn slot_of(contract: ContractId, seq: u64) -> B256 {
    slot::entry(contract, place_of(seq).position(seq))
}

pub(crate) fn code_hash(address: Address) -> B256 {
    keccak256([address.as_slice(), b"code"].concat())
}
