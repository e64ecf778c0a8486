// SPDX-License-Identifier: Apache-2.0
//! Log entries: typed views of their packed words, and their digest.

mod execution;
mod link;
mod payment;
mod settlement;

use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolValue;

pub use self::{
    execution::{Execution, FLAG_INPUT_SEALED, FLAG_OPENS_SESSION, FLAG_WORLD, profile_of},
    link::{Link, mask_digest},
    payment::{GWEI, Payment},
    settlement::{FLAG_CALLBACK_EXPIRES, FLAG_LEAVES_EPOCH, Settlement},
};
pub use crate::abi::Entry;
use crate::word::Unpacker;

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

/// The most gas that a contract's policy may promise its requesters' callbacks: more than this no
/// transaction could carry for certain (EIP-7825), and an entry that asks for it would hold its log
/// up. The oracle refuses such a policy.
pub const LARGEST_CALLBACK_GAS: u32 = 10_000_000;

impl Entry {
    /// keccak256(abi.encode(context, inputHash, execution, refundTo)).
    pub fn execution_hash(&self) -> B256 {
        keccak256((self.context, self.inputHash, self.execution, self.refundTo).abi_encode())
    }

    /// The digest the oracle stores: the top 248 bits of
    /// H\["entry"\](chainId, oracle, contractId, previousDigest, executionHash, settlement, payment),
    /// low byte zero.
    pub fn digest(&self, chain_id: u64, oracle: Address) -> B256 {
        let log = (chain_id, oracle, self.contractId);
        self.link().digest(log, self.previousDigest)
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

    /// The entry's position in the log.
    pub fn seq(&self) -> u64 {
        self.payment.as_limbs()[0] & ((1 << 48) - 1)
    }

    /// Whom refunds go to.
    pub fn refund_recipient(&self) -> Address {
        if self.refundTo.is_zero() {
            Settlement::unpack(self.settlement).requester
        } else {
            self.refundTo
        }
    }

    /// What the entry adds to the chain of digests.
    pub fn link(&self) -> Link {
        Link {
            execution_hash: self.execution_hash(),
            settlement: self.settlement,
            payment: self.payment,
        }
    }
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
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        Entry {
            contractId: B256::repeat_byte(1),
            previousDigest: B256::repeat_byte(2),
            context: B256::repeat_byte(3),
            inputHash: B256::repeat_byte(4),
            execution: U256::from(5),
            settlement: U256::from(6),
            payment: U256::from(7),
            refundTo: Address::repeat_byte(8),
        }
    }

    #[test]
    fn only_an_entry_after_the_first_that_names_none_before_it_is_of_a_stateless_contract() {
        let with = |seq: u64, previous: u8| Entry {
            payment: U256::MAX << 48 | U256::from(seq),
            previousDigest: B256::repeat_byte(previous),
            ..entry()
        };
        assert!(with(1, 0).is_stateless() && with(9, 0).is_stateless());
        assert!(!with(0, 0).is_stateless());
        assert!(!with(1, 1).is_stateless() && !with(9, 1).is_stateless());
    }

    #[test]
    fn refunds_go_to_whom_the_entry_names_or_to_the_requester() {
        let settlement = U256::from_be_bytes(Address::repeat_byte(9).into_word().0) << 96;
        let named = Entry {
            settlement,
            ..entry()
        };
        assert_eq!(named.refund_recipient(), Address::repeat_byte(8));
        let unnamed = Entry {
            refundTo: Address::ZERO,
            ..named
        };
        assert_eq!(unnamed.refund_recipient(), Address::repeat_byte(9));
    }

    proptest! {
        #[test]
        fn packed_words_round_trip(words in any::<[[u8; 32]; 3]>()) {
            let [execution, settlement, payment] = words.map(U256::from_be_bytes);
            prop_assert_eq!(Settlement::unpack(settlement).pack(), settlement);
            prop_assert_eq!(Payment::unpack(payment).pack(), payment);
            let entry = Entry { execution, settlement, payment, ..entry() };
            prop_assert_eq!(entry.seq(), Payment::unpack(payment).seq);
            match Execution::unpack(execution) {
                Ok(fields) => {
                    prop_assert_eq!(fields.pack(), execution);
                    prop_assert_eq!(entry.block(), (fields.block_number, fields.block_timestamp));
                }
                Err(_) => {
                    let kind = execution.byte(31);
                    let finality = execution.byte(16);
                    prop_assert!(kind > 4 || finality == 0 || finality > 6);
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
                1 => other.refundTo = Address::from_word(xor(other.refundTo.into_word())),
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
