// SPDX-License-Identifier: Apache-2.0
//! State commitments: what the oracle's head holds of a state it never sees.
//!
//! `h_n` chains everything that led to state n; the commitment is keyed, because a state of low
//! entropy could otherwise be guessed from it.

use alloy_primitives::{Address, B256, Keccak256, U256};

use crate::kdf::{Secret, hmac};

/// The key of a contract's commitments: [`ContractRoot::commitment_key`](crate::ContractRoot).
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct CommitmentKey(Secret);

impl CommitmentKey {
    pub(crate) fn new(key: Secret) -> Self {
        Self(key)
    }

    /// commitment_n: the top 208 bits of HMAC-SHA256(key, chainId u256 ‖ oracle 20 ‖ contractId 32
    /// ‖ n u64 ‖ h_n 32), the low six bytes zero as the oracle's head slot leaves them.
    pub fn commit(
        &self,
        chain_id: u64,
        oracle: Address,
        contract_id: B256,
        n: u64,
        chained: B256,
    ) -> B256 {
        let mac = hmac(
            &self.0,
            &[
                &U256::from(chain_id).to_be_bytes::<32>(),
                oracle.as_slice(),
                contract_id.as_slice(),
                &n.to_be_bytes(),
                chained.as_slice(),
            ],
        );
        let mut out = B256::from(*mac);
        out[COMMITMENT_LEN..].fill(0);
        out
    }
}

/// h_n = keccak256(h_{n-1} ‖ digest_n ‖ outcomeHash_n ‖ write set hash), h_{-1} being zero.
pub fn chain(previous: B256, digest: B256, outcome_hash: B256, write_set: B256) -> B256 {
    let mut hasher = Keccak256::new();
    for word in [previous, digest, outcome_hash, write_set] {
        hasher.update(word);
    }
    hasher.finalize()
}

/// Significant bytes of a commitment.
const COMMITMENT_LEN: usize = 26;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use alloy_primitives::b256;

    use super::*;
    use crate::{ContractRoot, EpochSecret, Subject};

    #[test]
    fn a_commitment_depends_on_every_argument_and_has_208_bits() {
        let root = ContractRoot::from_bytes(&[1; 32]);
        let key = root.commitment_key();
        let (a, b) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let (o, p) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let all = [
            key.commit(1, o, a, 1, a),
            key.commit(2, o, a, 1, a),
            key.commit(1, p, a, 1, a),
            key.commit(1, o, b, 1, a),
            key.commit(1, o, a, 2, a),
            key.commit(1, o, a, 1, b),
            ContractRoot::from_bytes(&[2; 32])
                .commitment_key()
                .commit(1, o, a, 1, a),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        for commitment in all {
            assert_eq!(&commitment[26..], [0; 6]);
            assert_ne!(
                commitment[25], 0,
                "by chance in one of 2^8 keys; not with this one"
            );
        }
        assert_eq!(key.commit(1, o, a, 1, a), all[0]);
    }

    #[test]
    fn commitments_and_randomness_are_as_they_were() {
        // A state outlives a build: what this pins must stay for as long as version 1 does.
        let root = EpochSecret::from_bytes(&[1; 32]).contract_root(B256::repeat_byte(2));
        let commitment = root.commitment_key().commit(
            31337,
            Address::repeat_byte(3),
            B256::repeat_byte(4),
            5,
            B256::repeat_byte(6),
        );
        let mut random = B256::ZERO;
        root.randomness(Subject::Entry(B256::repeat_byte(7)))
            .fill(random.as_mut_slice());
        assert_eq!((commitment, random), PINNED);
    }

    const PINNED: (B256, B256) = (
        b256!("85b63f207c2db0e937ef4f7ba6dd8ac96ebe5fb8e1f232117536000000000000"),
        b256!("f141975c4fdff6e39ddf5b063b218180c64e79b07675d7645589b2ca35d3441b"),
    );

    #[test]
    fn the_chain_depends_on_every_word_and_its_place() {
        let w = B256::repeat_byte;
        let all: HashSet<_> = [
            chain(w(1), w(2), w(3), w(4)),
            chain(w(2), w(1), w(3), w(4)),
            chain(w(1), w(3), w(2), w(4)),
            chain(w(1), w(2), w(4), w(3)),
            chain(w(0), w(2), w(3), w(4)),
        ]
        .into();
        assert_eq!(all.len(), 5);
    }
}
