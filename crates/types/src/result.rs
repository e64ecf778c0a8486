// SPDX-License-Identifier: Apache-2.0
//! Results of executed entries: status, hashes, the packed result word and the head slot.

use alloy_primitives::{B256, U256};

use crate::Domain;
pub use crate::abi::Outcome;

/// The public status of an executed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Status {
    /// The guest returned.
    Succeeded = 1,
    /// The guest reverted or ran out of fuel; state is unchanged.
    Failed = 2,
    /// The input did not open or decode under the key the entry names; state is unchanged.
    Rejected = 3,
}

impl TryFrom<u8> for Status {
    type Error = UnknownStatus;

    fn try_from(byte: u8) -> Result<Self, UnknownStatus> {
        match byte {
            1 => Ok(Self::Succeeded),
            2 => Ok(Self::Failed),
            3 => Ok(Self::Rejected),
            _ => Err(UnknownStatus(byte)),
        }
    }
}

/// A status byte outside 1 to 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown status {0}")]
pub struct UnknownStatus(pub u8);

impl Outcome {
    /// H\["outcome"\](status, outputHash, sealedOutputHash, fuelBucket).
    pub fn hash(&self) -> B256 {
        Domain::Outcome.hash(&(
            U256::from(self.status),
            self.outputHash,
            self.sealedOutputHash,
            U256::from(self.fuelBucket),
        ))
    }
}

/// H\["result"\](digest, outcomeHash, previousCommitment, newCommitment): what is signed for one
/// entry, the same whichever enclave computes it.
pub fn result_hash(digest: B256, outcome: B256, previous: B256, new: B256) -> B256 {
    Domain::Result.hash(&(digest, outcome, previous, new))
}

/// The smallest b with `fuel <= 2^b`: what the chain learns of the fuel used.
pub fn fuel_bucket(fuel: u64) -> u8 {
    match fuel {
        0 | 1 => 0,
        _ => (64 - (fuel - 1).leading_zeros()) as u8,
    }
}

/// The `result` word of a fulfillment item: commitment 208 ‖ status 8 ‖ fuelBucket 8 ‖
/// outputLength 32.
pub fn pack_result(commitment: B256, status: u8, fuel_bucket: u8, output_length: u32) -> U256 {
    (U256::from_be_bytes(commitment.0) >> 48 << 48)
        | (U256::from(status) << 40)
        | (U256::from(fuel_bucket) << 32)
        | U256::from(output_length)
}

/// Takes a `result` word apart: (commitment, status byte, fuel bucket, output length).
pub fn unpack_result(word: U256) -> (B256, u8, u8, u32) {
    let low = word.as_limbs()[0];
    (
        B256::from(word >> 48 << 48),
        (low >> 40) as u8,
        (low >> 32) as u8,
        low as u32,
    )
}

/// A contract's head: how many entries are executed and the commitment to the state after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// Number of executed entries, which is the seq of the next one.
    pub seq: u64,
    /// Commitment after them (208 bits, low six bytes zero); zero before the first.
    pub commitment: B256,
}

impl Head {
    /// The oracle's head slot: commitment 208 ‖ seq 48.
    pub fn pack(&self) -> U256 {
        (U256::from_be_bytes(self.commitment.0) >> 48 << 48)
            | U256::from(self.seq & ((1 << 48) - 1))
    }

    /// Reads a head slot; every word is valid.
    pub fn unpack(word: U256) -> Self {
        Self {
            seq: word.as_limbs()[0] & ((1 << 48) - 1),
            commitment: B256::from(word >> 48 << 48),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fuel_bucket_is_the_ceiling_of_the_logarithm() {
        for (fuel, bucket) in [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 3),
            (u64::MAX, 64),
        ] {
            assert_eq!(fuel_bucket(fuel), bucket, "{fuel}");
        }
    }

    proptest! {
        #[test]
        fn result_and_head_words_round_trip(word in any::<[u8; 32]>()) {
            let word = U256::from_be_bytes(word);
            let (commitment, status, bucket, length) = unpack_result(word);
            prop_assert_eq!(pack_result(commitment, status, bucket, length), word);
            prop_assert_eq!(Head::unpack(word).pack(), word);
        }
    }
}
