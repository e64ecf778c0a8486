// SPDX-License-Identifier: Apache-2.0
//! Taking packed batches apart.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256};

use super::{Batch, CompactSignature, Group, Item, MOST_SIGNATURES};
use crate::result::{Head, ResultWord};

/// Why a batch does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch does not decode from byte {position} on: {reason}")]
pub struct DecodeError {
    /// The byte from which on it does not.
    pub position: usize,
    /// What is wrong there.
    pub reason: Malformed,
}

/// What is wrong with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It ends before what it announces.
    #[error("it ends in the middle")]
    Ends,
    /// There are none, or too many.
    #[error("no or too many signatures, groups or items")]
    Count,
    /// Bytes that must be zero are not.
    #[error("reserved bytes are not zero")]
    Reserved,
    /// An item claims more public output than it has data.
    #[error("an item claims more output than it has")]
    OutputLength,
}

impl Batch {
    /// Reads packed bytes, every one of which must count: what is read encodes to the same.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader { bytes, position: 0 };
        let payee = Address::from(reader.take()?);
        let key_group = u32::from_be_bytes(reader.take()?);
        let key_epoch = u32::from_be_bytes(reader.take()?);
        if reader.take()? != [0; 3] {
            return Err(reader.fault(3, Malformed::Reserved));
        }
        let [count] = reader.take()?;
        if count == 0 || usize::from(count) > MOST_SIGNATURES {
            return Err(reader.fault(1, Malformed::Count));
        }
        let mut signatures = Vec::with_capacity(count.into());
        for _ in 0..count {
            signatures.push(CompactSignature {
                r: B256::from(reader.take()?),
                vs: B256::from(reader.take()?),
            });
        }
        let mut groups = Vec::new();
        while reader.position < bytes.len() {
            groups.push(reader.group()?);
        }
        if groups.is_empty() {
            return Err(reader.fault(0, Malformed::Count));
        }
        Ok(Self {
            payee,
            key_group,
            key_epoch,
            signatures,
            groups,
        })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let taken = rest.first_chunk().ok_or(self.fault(0, Malformed::Ends))?;
        self.position += N;
        Ok(*taken)
    }

    /// Something that is wrong `back` bytes before where reading stands.
    fn fault(&self, back: usize, reason: Malformed) -> DecodeError {
        DecodeError {
            position: self.position - back,
            reason,
        }
    }

    fn part(&mut self) -> Result<u64, DecodeError> {
        let part: [u8; 6] = self.take()?;
        Ok(part
            .iter()
            .fold(0, |part, byte| part << 8 | u64::from(*byte)))
    }

    fn group(&mut self) -> Result<Group, DecodeError> {
        let contract = B256::from(self.take()?);
        let start = Head::unpack(U256::from_be_bytes::<32>(self.take()?));
        let digest: [u8; 31] = self.take()?;
        let mut previous_digest = B256::ZERO;
        previous_digest.0[..31].copy_from_slice(&digest);
        let [count] = self.take()?;
        if count == 0 {
            return Err(self.fault(1, Malformed::Count));
        }
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.item()?);
        }
        Ok(Group {
            contract,
            start,
            previous_digest,
            items,
        })
    }

    fn item(&mut self) -> Result<Item, DecodeError> {
        let execution_hash = B256::from(self.take()?);
        let settlement = U256::from_be_bytes::<32>(self.take()?);
        let (landing, callback, charge) = (self.part()?, self.part()?, self.part()?);
        let result = ResultWord::unpack(U256::from_be_bytes::<32>(self.take()?));
        let length = u32::from_be_bytes(self.take()?) as usize;
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let data = rest.get(..length).ok_or(self.fault(0, Malformed::Ends))?;
        if result.split(data).is_none() {
            return Err(self.fault(0, Malformed::OutputLength));
        }
        self.position += length;
        Ok(Item {
            execution_hash,
            settlement,
            landing,
            callback,
            charge,
            result,
            data: data.to_vec().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, strategy::ValueTree};

    use super::*;

    fn item() -> impl Strategy<Value = Item> {
        let parts = [0u64..1 << 48, 0..1 << 48, 0..1 << 48];
        let outputs = (
            vec(any::<u8>(), 0..40),
            vec(any::<u8>(), 0..40),
            any::<bool>(),
        );
        (any::<[[u8; 32]; 3]>(), parts, outputs, any::<(u8, u8)>()).prop_map(
            |([execution_hash, settlement, commitment], parts, outputs, (status, fuel_bucket))| {
                let (public, sealed, has_logs) = outputs;
                let logs: &[u8] = if has_logs { &[7; 32] } else { &[] };
                let [landing, callback, charge] = parts;
                let result = ResultWord {
                    commitment: Head::unpack(U256::from_be_bytes(commitment)).commitment,
                    status,
                    fuel_bucket,
                    has_logs,
                    output_length: public.len() as u32,
                };
                Item {
                    execution_hash: execution_hash.into(),
                    settlement: U256::from_be_bytes(settlement),
                    landing,
                    callback,
                    charge,
                    result,
                    data: [public.as_slice(), &sealed, logs].concat().into(),
                }
            },
        )
    }

    fn group() -> impl Strategy<Value = Group> {
        (any::<[[u8; 32]; 3]>(), vec(item(), 1..4)).prop_map(|(words, items)| {
            let [contract, start, digest] = words;
            Group {
                contract: contract.into(),
                start: Head::unpack(U256::from_be_bytes(start)),
                previous_digest: crate::entry::mask_digest(digest.into()),
                items,
            }
        })
    }

    fn batch() -> impl Strategy<Value = Batch> {
        let signature = any::<[[u8; 32]; 2]>().prop_map(|[r, vs]| CompactSignature {
            r: r.into(),
            vs: vs.into(),
        });
        let keys = any::<([u8; 20], u32, u32)>();
        (
            keys,
            vec(signature, 1..=MOST_SIGNATURES),
            vec(group(), 1..4),
        )
            .prop_map(
                |((payee, key_group, key_epoch), signatures, groups)| Batch {
                    payee: payee.into(),
                    key_group,
                    key_epoch,
                    signatures,
                    groups,
                },
            )
    }

    proptest! {
        #[test]
        fn batches_round_trip_and_no_part_of_one_decodes(batch in batch(), extra in 1u8..) {
            let bytes = batch.encode().unwrap();
            prop_assert_eq!(bytes.len(), batch.encoded_length());
            let decoded = Batch::decode(&bytes);
            prop_assert_eq!(decoded.as_ref(), Ok(&batch));
            let groups = batch.groups.iter().map(Group::encoded_length);
            let mut boundaries = vec![bytes.len()];
            for length in groups.rev() {
                boundaries.push(boundaries.last().unwrap() - length);
            }
            // The last of them is where the first group begins.
            boundaries.pop();
            for length in 0..bytes.len() {
                let part = Batch::decode(&bytes[..length]);
                prop_assert_eq!(part.is_ok(), boundaries.contains(&length));
                if let Err(error) = part {
                    prop_assert!(error.position <= length);
                }
            }
            let longer = [bytes.as_slice(), &[extra]].concat();
            prop_assert!(Batch::decode(&longer).is_err());
        }

        #[test]
        fn what_decodes_encodes_to_the_same(
            batch in batch(),
            index in any::<prop::sample::Index>(),
            flip in 1u8..,
        ) {
            let mut bytes = batch.encode().unwrap();
            let index = index.index(bytes.len());
            bytes[index] ^= flip;
            if let Ok(batch) = Batch::decode(&bytes) {
                prop_assert_eq!(batch.encode().unwrap(), bytes);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..512)) {
            let _ = Batch::decode(&bytes);
        }
    }

    #[test]
    fn what_a_field_cannot_hold_does_not_encode() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let batch = batch().new_tree(&mut runner).unwrap().current();
        let with = |change: fn(&mut Batch)| {
            let mut batch = batch.clone();
            change(&mut batch);
            batch.encode()
        };
        assert!(with(|_| {}).is_some());
        assert!(with(|batch| batch.signatures.clear()).is_none());
        assert!(with(|batch| batch.signatures = vec![batch.signatures[0]; 17]).is_none());
        assert!(with(|batch| batch.groups.clear()).is_none());
        assert!(with(|batch| batch.groups[0].items.clear()).is_none());
        assert!(with(|batch| batch.groups[0].items[0].charge = 1 << 48).is_none());
        let many = |count: usize| {
            let mut batch = batch.clone();
            let item = batch.groups[0].items[0].clone();
            batch.groups[0].items = vec![item; count];
            batch.encode()
        };
        assert!(many(255).is_some() && many(256).is_none());
    }
}
