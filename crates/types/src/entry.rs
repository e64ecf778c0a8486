// SPDX-License-Identifier: Apache-2.0
//! Log entries: typed views of their packed words, and their digest.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue;

pub use crate::abi::Entry;
use crate::{
    domain::Domain,
    word::{Packer, Unpacker},
};

/// What kind of log entry this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
#[non_exhaustive]
pub enum EntryKind {
    /// The first entry: constructs the contract.
    Deploy = 0,
    /// A request.
    Call = 1,
    /// Replaces the code.
    Upgrade = 2,
    /// Moves the log to another key epoch.
    Epoch = 3,
    /// Moves the log to another runtime generation.
    Runtime = 4,
}

impl TryFrom<u8> for EntryKind {
    type Error = EntryError;

    fn try_from(byte: u8) -> Result<Self, EntryError> {
        Ok(match byte {
            0 => Self::Deploy,
            1 => Self::Call,
            2 => Self::Upgrade,
            3 => Self::Epoch,
            4 => Self::Runtime,
            _ => return Err(EntryError::UnknownKind(byte)),
        })
    }
}

/// Finality class of a contract: what must hold of a block before its entries are executed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
#[non_exhaustive]
pub enum FinalityClass {
    /// The host's word; development only.
    HostAsserted = 1,
    /// A number of confirmations; heuristic.
    Depth = 2,
    /// m-of-n independent watchers.
    Signers = 3,
    /// Signed headers of a BFT chain.
    Bft = 4,
    /// Optimistic header of the sync committee.
    Attested = 5,
    /// Finalized header of the sync committee.
    Finalized = 6,
}

impl TryFrom<u8> for FinalityClass {
    type Error = EntryError;

    fn try_from(byte: u8) -> Result<Self, EntryError> {
        Ok(match byte {
            1 => Self::HostAsserted,
            2 => Self::Depth,
            3 => Self::Signers,
            4 => Self::Bft,
            5 => Self::Attested,
            6 => Self::Finalized,
            _ => return Err(EntryError::UnknownFinalityClass(byte)),
        })
    }
}

/// The newest runtime generation: price table and engine version. A contract is registered with
/// one, and moves to another by an entry of its log.
pub const RUNTIME_GENERATION: u16 = 1;

/// Execution flag: the input is an envelope.
pub const FLAG_INPUT_SEALED: u16 = 1;

/// Execution flag: the input's envelope opens a session, whose id is the entry's seq.
pub const FLAG_OPENS_SESSION: u16 = 2;
/// Settlement flag: no callback after the deadline.
pub const FLAG_CALLBACK_EXPIRES: u16 = 1;

/// The most gas that a contract's policy may promise its requesters' callbacks: more than this no
/// transaction could carry for certain (EIP-7825), and an entry that asks for it would hold its log
/// up. The oracle refuses such a policy.
pub const LARGEST_CALLBACK_GAS: u32 = 10_000_000;

/// The `execution` word of an entry.
///
/// Packed, high to low: kind 8 ‖ flags 16 ‖ fuelLimit 64 ‖ codeVersion 16 ‖ runtimeGeneration 16 ‖
/// finalityClass 8 ‖ blockNumber 48 ‖ blockTimestamp 48 ‖ zero 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// What the entry is.
    pub kind: EntryKind,
    /// [`FLAG_INPUT_SEALED`], [`FLAG_OPENS_SESSION`].
    pub flags: u16,
    /// Fuel the entry may use; for the EVM one unit is one gas.
    pub fuel_limit: u64,
    /// Version of the code that executes it: the number of upgrades before it.
    pub code_version: u16,
    /// Runtime generation (price table and engine version) that executes it.
    pub runtime_generation: u16,
    /// What must hold of its block.
    pub finality_class: FinalityClass,
    /// Block that appended it.
    pub block_number: u64,
    /// That block's timestamp, Unix seconds.
    pub block_timestamp: u64,
}

impl Execution {
    /// The packed word. Block number and timestamp are truncated to 48 bits, as the oracle does.
    pub fn pack(&self) -> U256 {
        let mut word = Packer::new();
        word.push(u64::from(self.kind as u8), 8);
        word.push(u64::from(self.flags), 16);
        word.push(self.fuel_limit, 64);
        word.push(u64::from(self.code_version), 16);
        word.push(u64::from(self.runtime_generation), 16);
        word.push(u64::from(self.finality_class as u8), 8);
        word.push(self.block_number, 48);
        word.push(self.block_timestamp, 48);
        word.push(0, 32);
        word.0
    }

    /// Reads a packed word.
    ///
    /// # Errors
    ///
    /// [`EntryError`] for an unknown kind or finality class, or a nonzero reserved field.
    pub fn unpack(word: U256) -> Result<Self, EntryError> {
        let mut word = Unpacker(word);
        if word.pop(32) != 0 {
            return Err(EntryError::ReservedNotZero);
        }
        let block_timestamp = word.pop(48);
        let block_number = word.pop(48);
        let finality_class = FinalityClass::try_from(word.pop(8) as u8)?;
        let runtime_generation = word.pop(16) as u16;
        let code_version = word.pop(16) as u16;
        let fuel_limit = word.pop(64);
        let flags = word.pop(16) as u16;
        let kind = EntryKind::try_from(word.pop(8) as u8)?;
        Ok(Self {
            kind,
            flags,
            fuel_limit,
            code_version,
            runtime_generation,
            finality_class,
            block_number,
            block_timestamp,
        })
    }

    /// Whether the input is an envelope.
    pub fn input_is_sealed(&self) -> bool {
        self.flags & FLAG_INPUT_SEALED != 0
    }

    /// Whether the input's envelope opens a session.
    pub fn opens_session(&self) -> bool {
        self.flags & FLAG_OPENS_SESSION != 0
    }
}

/// The `settlement` word: requester 160 ‖ callbackGasLimit 32 ‖ flags 16 ‖ deadline 48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Who asked; `msg.sender` in the guest and the callback's target.
    pub requester: Address,
    /// Gas for the callback; zero asks for none.
    pub callback_gas_limit: u32,
    /// [`FLAG_CALLBACK_EXPIRES`].
    pub flags: u16,
    /// After this time (Unix seconds, 48 bits) the fee can be refunded.
    pub deadline: u64,
}

impl Settlement {
    /// The packed word.
    pub fn pack(&self) -> U256 {
        let mut word = Packer(U256::from_be_slice(self.requester.as_slice()));
        word.push(u64::from(self.callback_gas_limit), 32);
        word.push(u64::from(self.flags), 16);
        word.push(self.deadline, 48);
        word.0
    }

    /// Reads a packed word; every word is valid.
    pub fn unpack(word: U256) -> Self {
        let mut word = Unpacker(word);
        let deadline = word.pop(48);
        let flags = word.pop(16) as u16;
        let callback_gas_limit = word.pop(32) as u32;
        let requester = Address::from_word(B256::from(word.0));
        Self {
            requester,
            callback_gas_limit,
            flags,
            deadline,
        }
    }
}

/// The `payment` word: fee 96 ‖ executionCharge 96 ‖ keyGroup 32 ‖ keyEpoch 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Wei, all of it (96 bits).
    pub fee: u128,
    /// Wei, the part of the fee that is never refunded (96 bits).
    pub execution_charge: u128,
    /// The key group that executes the contract.
    pub key_group: u32,
    /// The epoch whose key opens the entry's input.
    pub key_epoch: u32,
}

impl Payment {
    /// The packed word. Amounts are truncated to 96 bits.
    pub fn pack(&self) -> U256 {
        let mask = U256::from(u128::MAX >> 32);
        ((U256::from(self.fee) & mask) << 160)
            | ((U256::from(self.execution_charge) & mask) << 64)
            | (U256::from(self.key_group) << 32)
            | U256::from(self.key_epoch)
    }

    /// Reads a packed word; every word is valid.
    pub fn unpack(word: U256) -> Self {
        let mut low = Unpacker(word);
        let key_epoch = low.pop(32) as u32;
        let key_group = low.pop(32) as u32;
        let mask = U256::from(u128::MAX >> 32);
        let charge: U256 = (word >> 64) & mask;
        let fee: U256 = word >> 160;
        let (execution_charge, fee) = (charge.to::<u128>(), fee.to::<u128>());
        Self {
            fee,
            execution_charge,
            key_group,
            key_epoch,
        }
    }
}

impl Entry {
    /// keccak256(abi.encode(context, inputHash, execution)).
    pub fn execution_hash(&self) -> B256 {
        keccak256((self.context, self.inputHash, self.execution).abi_encode())
    }

    /// The digest the oracle stores: the top 248 bits of
    /// H\["entry"\](chainId, oracle, contractId, seq, previousDigest, executionHash, settlement,
    /// payment), low byte zero.
    pub fn digest(&self, chain_id: u64, oracle: Address) -> B256 {
        let hash = Domain::Entry.hash(&(
            U256::from(chain_id),
            oracle,
            self.contractId,
            U256::from(self.seq),
            self.previousDigest,
            self.execution_hash(),
            self.settlement,
            self.payment,
        ));
        mask_digest(hash)
    }

    /// Whether it is an entry of a stateless contract, whose entries do not chain. Entry 0 does not
    /// tell: it is the same in either kind of log.
    pub fn is_stateless(&self) -> bool {
        self.seq() > 0 && self.previousDigest.is_zero()
    }

    /// Number and timestamp of the block that appended it. There even if the rest of the execution
    /// word is malformed.
    pub fn block(&self) -> (u64, u64) {
        let mut word = Unpacker(self.execution);
        word.pop(32);
        let timestamp = word.pop(48);
        (word.pop(48), timestamp)
    }

    /// The entry's position as a plain integer.
    pub fn seq(&self) -> u64 {
        self.seq.to::<u64>()
    }
}

/// Clears the low byte, which in the oracle's slot holds the settlement status.
pub fn mask_digest(word: B256) -> B256 {
    let mut word = word;
    word.0[31] = 0;
    word
}

/// Why a packed word of an entry cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The kind byte is not one of [`EntryKind`].
    #[error("unknown entry kind {0}")]
    UnknownKind(u8),
    /// The finality byte is not one of [`FinalityClass`].
    #[error("unknown finality class {0}")]
    UnknownFinalityClass(u8),
    /// Bits that must be zero are not.
    #[error("reserved bits of the execution word are not zero")]
    ReservedNotZero,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        Entry {
            contractId: B256::repeat_byte(1),
            seq: alloy_primitives::aliases::U48::from(7),
            previousDigest: B256::repeat_byte(2),
            context: B256::repeat_byte(3),
            inputHash: B256::repeat_byte(4),
            execution: U256::from(5),
            settlement: U256::from(6),
            payment: U256::from(7),
        }
    }

    #[test]
    fn only_an_entry_after_the_first_that_names_none_before_it_is_of_a_stateless_contract() {
        let with = |seq: u64, previous: u8| Entry {
            seq: alloy_primitives::aliases::U48::from(seq),
            previousDigest: B256::repeat_byte(previous),
            ..entry()
        };
        assert!(with(1, 0).is_stateless() && with(9, 0).is_stateless());
        assert!(!with(0, 0).is_stateless());
        assert!(!with(1, 1).is_stateless() && !with(9, 1).is_stateless());
    }

    proptest! {
        #[test]
        fn packed_words_round_trip(words in any::<[[u8; 32]; 3]>()) {
            let [execution, settlement, payment] = words.map(U256::from_be_bytes);
            prop_assert_eq!(Settlement::unpack(settlement).pack(), settlement);
            prop_assert_eq!(Payment::unpack(payment).pack(), payment);
            match Execution::unpack(execution) {
                Ok(fields) => {
                    prop_assert_eq!(fields.pack(), execution);
                    let entry = Entry { execution, ..entry() };
                    prop_assert_eq!(entry.block(), (fields.block_number, fields.block_timestamp));
                }
                Err(_) => {
                    let kind = execution.byte(31);
                    let finality = execution.byte(16);
                    let reserved = execution & U256::from(u32::MAX);
                    prop_assert!(kind > 4 || finality == 0 || finality > 6 || !reserved.is_zero());
                }
            }
        }

        #[test]
        fn every_field_of_an_entry_changes_its_digest(field in 0usize..9, bit in 0usize..48) {
            let entry = entry();
            let oracle = Address::repeat_byte(9);
            let mut other = entry.clone();
            let mut chain_id = 1u64;
            let flip = U256::from(1) << bit;
            let xor = |word: B256| B256::from(U256::from_be_bytes(word.0) ^ flip);
            match field {
                0 => other.contractId = xor(other.contractId),
                1 => other.seq ^= alloy_primitives::aliases::U48::from(1u64 << bit),
                2 => other.previousDigest = xor(other.previousDigest),
                3 => other.context = xor(other.context),
                4 => other.inputHash = xor(other.inputHash),
                5 => other.execution ^= flip,
                6 => other.settlement ^= flip,
                7 => other.payment ^= flip,
                _ => chain_id ^= 1 << bit,
            }
            prop_assert_ne!(entry.digest(1, oracle), other.digest(chain_id, oracle));
        }
    }
}
