// SPDX-License-Identifier: Apache-2.0
//! How many enclaves must sign a contract's results (`contracts/src/oracle/OracleStorage.sol`).

use alloy_primitives::{B256, U256};
use serde::Serialize;

/// How many enclaves must sign a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Threshold {
    /// How many, on distinct machines; zero or one for one.
    pub signers: u8,
    /// How many kinds of TEE must be among them.
    pub kinds: u8,
    /// A lower one that is announced.
    pub next: Option<NextThreshold>,
}

/// A threshold that is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextThreshold {
    /// See [`Threshold::signers`].
    pub signers: u8,
    /// See [`Threshold::kinds`].
    pub kinds: u8,
    /// From when on it counts, Unix seconds.
    pub from: u64,
}

impl Threshold {
    /// As the oracle stores it; what was announced for a time up to `now` counts.
    pub fn of(word: B256, now: u64) -> Self {
        let word = U256::from_be_bytes(word.0).as_limbs()[..2].to_vec();
        let [signers, kinds, next_signers, next_kinds, ..] = word[0].to_le_bytes();
        let from = word[0] >> 32 | (word[1] & 0xffff) << 32;
        match from {
            0 => Self {
                signers,
                kinds,
                next: None,
            },
            from if from <= now => Self {
                signers: next_signers,
                kinds: next_kinds,
                next: None,
            },
            from => Self {
                signers,
                kinds,
                next: Some(NextThreshold {
                    signers: next_signers,
                    kinds: next_kinds,
                    from,
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_threshold_counts_from_its_time_on() {
        let word = U256::from(2) | U256::from(1) << 8 | U256::from(1) << 16 | U256::from(100) << 32;
        let word = B256::from(word);
        let before = Threshold::of(word, 99);
        assert_eq!((before.signers, before.kinds), (2, 1));
        let next = NextThreshold {
            signers: 1,
            kinds: 0,
            from: 100,
        };
        assert_eq!(before.next, Some(next));
        let after = Threshold::of(word, 100);
        assert_eq!((after.signers, after.kinds, after.next), (1, 0, None));
    }
}
