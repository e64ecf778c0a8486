// SPDX-License-Identifier: Apache-2.0
//! Results of executed entries: status, hashes, the packed result word and the head slot.

use alloy_primitives::{B256, U256, keccak256};

use crate::Domain;
pub use crate::abi::Outcome;

/// The public status of an executed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Status {
    /// The guest returned.
    Succeeded = 1,
    /// The guest reverted, ran out of fuel or yielded more than the output limit; state is unchanged.
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
    /// keccak256(abi.encode(outputHash, sealedOutputHash, sealedLogsHash, tag)), where tag is the first
    /// 240 bits of the domain ‖ status ‖ fuel bucket.
    pub fn hash(&self) -> B256 {
        let mut tag = Domain::Outcome.tag();
        tag.0[30] = self.status;
        tag.0[31] = self.fuelBucket;
        let words = [
            self.outputHash,
            self.sealedOutputHash,
            self.sealedLogsHash,
            tag,
        ];
        keccak256(words.concat())
    }
}

/// What is signed for one entry, the same whichever enclave computes it: keccak256(abi.encode(digest,
/// outcomeHash, previousCommitment | tag, newCommitment)), where tag is the first 48 bits of the domain,
/// in the 48 bits that a commitment leaves free.
pub fn result_hash(digest: B256, outcome: B256, previous: B256, new: B256) -> B256 {
    let mut tagged = previous;
    for (byte, tag) in tagged.0[26..].iter_mut().zip(Domain::Result.tag().0) {
        *byte |= tag;
    }
    keccak256([digest, outcome, tagged, new].concat())
}

/// The smallest b with `fuel <= 2^b`: what the chain learns of the fuel used.
pub fn fuel_bucket(fuel: u64) -> u8 {
    match fuel {
        0 | 1 => 0,
        _ => (64 - (fuel - 1).leading_zeros()) as u8,
    }
}

/// The `result` word of an item of a batch: commitment 208 ‖ status 8 ‖ fuelBucket 8 ‖ hasLogs 1 ‖
/// outputLength 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultWord {
    /// The head's commitment after the entry (208 bits, low six bytes zero).
    pub commitment: B256,
    /// A [`Status`].
    pub status: u8,
    /// Smallest b with fuel used <= 2^b.
    pub fuel_bucket: u8,
    /// Whether the last 32 bytes of the data are the hash of the sealed logs.
    pub has_logs: bool,
    /// How many bytes of the data are public output (31 bits).
    pub output_length: u32,
}

impl ResultWord {
    /// The packed word.
    pub fn pack(&self) -> U256 {
        let low = u64::from(self.status) << 40
            | u64::from(self.fuel_bucket) << 32
            | u64::from(self.has_logs) << 31
            | u64::from(self.output_length & MOST_OUTPUT);
        commitment(U256::from_be_bytes(self.commitment.0)) | U256::from(low)
    }

    /// Reads a packed word; every word is valid.
    pub fn unpack(word: U256) -> Self {
        let low = word.as_limbs()[0];
        Self {
            commitment: B256::from(commitment(word)),
            status: (low >> 40) as u8,
            fuel_bucket: (low >> 32) as u8,
            has_logs: low >> 31 & 1 == 1,
            output_length: low as u32 & MOST_OUTPUT,
        }
    }

    /// Takes an item's data apart: public output, sealed output, hash of the sealed logs. `None` if the word
    /// claims more than there is.
    pub fn split<'a>(&self, data: &'a [u8]) -> Option<(&'a [u8], &'a [u8], B256)> {
        let (outputs, logs) = if self.has_logs {
            let (outputs, hash) = data.split_last_chunk::<32>()?;
            (outputs, B256::from(*hash))
        } else {
            (data, B256::ZERO)
        };
        let (public, sealed) = outputs.split_at_checked(self.output_length as usize)?;
        Some((public, sealed, logs))
    }

    /// The outcome that the word and its data state.
    pub fn outcome(&self, data: &[u8]) -> Option<Outcome> {
        let (public, sealed, logs) = self.split(data)?;
        Some(Outcome {
            status: self.status,
            outputHash: keccak256(public),
            sealedOutputHash: keccak256(sealed),
            sealedLogsHash: logs,
            fuelBucket: self.fuel_bucket,
        })
    }
}

/// The word of `EntryFulfilled`: first bits of the commitment 160 ‖ status 8 ‖ fuelBucket 8 ‖ hasLogs 1 ‖
/// outputLength 31 ‖ seq 48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedResult {
    /// As in the batch, but for the commitment, of which only the first 160 bits are there.
    pub result: ResultWord,
    /// The entry's position.
    pub seq: u64,
}

impl LoggedResult {
    /// The packed word.
    pub fn pack(&self) -> U256 {
        let commitment = U256::from_be_bytes(self.result.commitment.0) >> 96;
        let low = self.result.pack().as_limbs()[0] & ((1 << 48) - 1);
        let packed: U256 = commitment << 48 | U256::from(low);
        packed << 48 | U256::from(self.seq & ((1 << 48) - 1))
    }

    /// Reads a packed word; every word is valid.
    pub fn unpack(word: U256) -> Self {
        let seq = word.as_limbs()[0] & ((1 << 48) - 1);
        let result: U256 = word >> 48;
        let commitment: U256 = result >> 48 << 96;
        let low = U256::from(result.as_limbs()[0] & ((1 << 48) - 1));
        Self {
            result: ResultWord::unpack(commitment | low),
            seq,
        }
    }

    /// Whether a commitment begins as the logged one does.
    pub fn begins(&self, commitment: B256) -> bool {
        commitment[..20] == self.result.commitment[..20]
    }
}

const MOST_OUTPUT: u32 = (1 << 31) - 1;

/// A contract's head: how many entries are executed and the commitment to the state after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// Number of executed entries, which is the seq of the next one.
    pub seq: u64,
    /// Commitment after them (208 bits, low six bytes zero); zero before the first.
    pub commitment: B256,
}

impl Head {
    /// Where a group of a batch starts: commitment 208 ‖ seq 48.
    pub fn pack(&self) -> U256 {
        commitment(U256::from_be_bytes(self.commitment.0)) | U256::from(self.seq & ((1 << 48) - 1))
    }

    /// Reads where a group starts; every word is valid.
    pub fn unpack(word: U256) -> Self {
        Self {
            seq: word.as_limbs()[0] & ((1 << 48) - 1),
            commitment: B256::from(commitment(word)),
        }
    }
}

/// The oracle's head slot: commitment 208 ‖ flags 8 ‖ seq 40; of a stateless contract, which has no
/// head, zero 112 ‖ pending 64 ‖ epoch 32 ‖ flags 8 ‖ zero 40.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadWord {
    /// How far the log is executed; the default of a stateless contract.
    pub head: Head,
    /// Whether a pending entry's slot has a status.
    pub marked: bool,
    /// Whether the contract has a threshold that is to be looked up.
    pub threshold: bool,
    /// How many must sign, if that is all of its threshold.
    pub signers: u8,
    /// Of a stateless contract, which entries its epoch is needed for; of any other there is none.
    pub stateless: Option<Waiting>,
}

/// How many entries a stateless contract needs the keys of its current epoch for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The epoch.
    pub epoch: u32,
    /// How many pending entries were appended in it.
    pub pending: u64,
}

impl HeadWord {
    /// The packed word.
    pub fn pack(&self) -> U256 {
        let flags = u64::from(self.marked)
            | u64::from(self.threshold) << 1
            | u64::from(self.stateless.is_some()) << 2
            | u64::from(self.signers & 0x1f) << 3;
        if let Some(Waiting { epoch, pending }) = self.stateless {
            let counted = U256::from(pending) << 80 | U256::from(epoch) << 48;
            return counted | U256::from(flags << 40);
        }
        let low = flags << 40 | (self.head.seq & ((1 << 40) - 1));
        commitment(U256::from_be_bytes(self.head.commitment.0)) | U256::from(low)
    }

    /// Reads the packed word. What means nothing of a stateless contract's is passed over.
    pub fn unpack(word: U256) -> Self {
        let low = word.as_limbs()[0];
        let flag = |bit: u32| low >> (40 + bit) & 1 == 1;
        let stateless = flag(2).then(|| Waiting {
            epoch: (word >> 48_usize).as_limbs()[0] as u32,
            pending: (word >> 80_usize).as_limbs()[0],
        });
        let head = match stateless {
            Some(_) => Head::default(),
            None => Head {
                seq: low & ((1 << 40) - 1),
                commitment: B256::from(commitment(word)),
            },
        };
        Self {
            head,
            marked: flag(0),
            threshold: flag(1),
            signers: (low >> 43) as u8 & 0x1f,
            stateless,
        }
    }
}

/// The 208 bits of a word that are a commitment.
fn commitment(word: U256) -> U256 {
    word >> 48 << 48
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

    #[test]
    fn data_is_taken_apart_as_its_word_says_or_not_at_all() {
        let word = |output_length, has_logs| ResultWord {
            commitment: B256::ZERO,
            status: 1,
            fuel_bucket: 0,
            has_logs,
            output_length,
        };
        let data = [[1; 2].as_slice(), &[2; 3], &[3; 32]].concat();
        let (logs, none) = (B256::repeat_byte(3), B256::ZERO);
        assert_eq!(
            word(2, true).split(&data),
            Some((&data[..2], &data[2..5], logs))
        );
        assert_eq!(
            word(2, false).split(&data),
            Some((&data[..2], &data[2..], none))
        );
        assert_eq!(
            word(5, true).split(&data),
            Some((&data[..5], &data[5..5], logs))
        );
        assert_eq!(word(6, true).split(&data), None);
        assert_eq!(word(0, true).split(&data[..31]), None);
        assert_eq!(word(38, false).split(&data), None);
    }

    proptest! {
        #[test]
        fn result_and_head_words_round_trip(word in any::<[u8; 32]>()) {
            let word = U256::from_be_bytes(word);
            prop_assert_eq!(ResultWord::unpack(word).pack(), word);
            prop_assert_eq!(Head::unpack(word).pack(), word);
            let logged = LoggedResult::unpack(word);
            prop_assert_eq!(logged.pack(), word);
            prop_assert!(logged.begins(B256::from(word)));
            let stateless: U256 = U256::from(4_u64) << 40;
            prop_assert_eq!(HeadWord::unpack(word & !stateless).pack(), word & !stateless);
            let counts = (U256::ONE << 144_usize) - (U256::ONE << 40_usize);
            prop_assert_eq!(HeadWord::unpack(word | stateless).pack(), (word & counts) | stateless);
        }
    }
}
