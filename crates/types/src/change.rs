// SPDX-License-Identifier: Apache-2.0
//! Inputs of the entries that change what later entries mean, as the oracle encodes them.

use alloc::vec::Vec;

use alloy_primitives::{B256, aliases::U48};
use alloy_sol_types::SolValue;

/// The input of an EPOCH entry: `abi.encode(uint32 previous, uint32 next, bytes32 record)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochChange {
    /// Epoch of the entries before it.
    pub previous: u32,
    /// Epoch of this entry and of those after it.
    pub next: u32,
    /// What the registry recorded when it opened `next`.
    pub record: B256,
}

/// The input of a RUNTIME entry: `abi.encode(uint16 previous, uint16 next, uint48 headSeq)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeChange {
    /// Generation of the entries before it.
    pub previous: u16,
    /// Generation of this entry and of those after it.
    pub next: u16,
    /// How many entries the oracle knew to be executed when it was appended; zero for a stateless
    /// contract.
    pub head_seq: u64,
}

impl EpochChange {
    /// Reads an input; `None` if it is not the encoding of one.
    pub fn decode(input: &[u8]) -> Option<Self> {
        let (previous, next, record) = whole::<(u32, u32, B256)>(input)?;
        Some(Self {
            previous,
            next,
            record,
        })
    }

    /// The input.
    pub fn encode(&self) -> Vec<u8> {
        (self.previous, self.next, self.record).abi_encode()
    }
}

impl RuntimeChange {
    /// Reads an input; `None` if it is not the encoding of one.
    pub fn decode(input: &[u8]) -> Option<Self> {
        let (previous, next, head_seq) = whole::<(u16, u16, U48)>(input)?;
        Some(Self {
            previous,
            next,
            head_seq: head_seq.to::<u64>(),
        })
    }

    /// The input. `head_seq` is truncated to 48 bits.
    pub fn encode(&self) -> Vec<u8> {
        let head_seq = U48::from(self.head_seq & ((1 << 48) - 1));
        (self.previous, self.next, head_seq).abi_encode()
    }
}

/// Decodes three words, of which every bit must count.
fn whole<T: SolValue + From<<T::SolType as alloy_sol_types::SolType>::RustType>>(
    input: &[u8],
) -> Option<T> {
    T::abi_decode_validate(input)
        .ok()
        .filter(|_| input.len() == 3 * 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn changes_round_trip_and_nothing_else_decodes(
            numbers in any::<(u16, u16)>(),
            head_seq in 0..1u64 << 48,
            epochs in any::<(u32, u32)>(),
            record in any::<[u8; 32]>(),
            extra in proptest::collection::vec(any::<u8>(), 1..40),
            byte in 0usize..26,
        ) {
            let runtime = RuntimeChange { previous: numbers.0, next: numbers.1, head_seq };
            prop_assert_eq!(RuntimeChange::decode(&runtime.encode()), Some(runtime));
            let epoch = EpochChange { previous: epochs.0, next: epochs.1, record: record.into() };
            prop_assert_eq!(EpochChange::decode(&epoch.encode()), Some(epoch));

            for encoded in [runtime.encode(), epoch.encode()] {
                let longer = [encoded.as_slice(), &extra].concat();
                let shorter = &encoded[..encoded.len() - 1];
                let mut dirty = encoded.clone();
                dirty[byte] = 1;
                for input in [longer.as_slice(), shorter, &dirty] {
                    prop_assert_eq!(RuntimeChange::decode(input), None);
                    prop_assert_eq!(EpochChange::decode(input), None);
                }
            }
        }
    }
}
