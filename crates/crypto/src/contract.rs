// SPDX-License-Identifier: Apache-2.0
//! A confidential contract's own secrets.

use alloy_primitives::B256;
use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::{
    commitment::CommitmentKey,
    kdf::{Prk, Secret, hmac},
};

/// What an answer answers. Randomness and sealed outputs are separated by it, so that a query,
/// which anyone may repeat, never sees what an entry saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// A log entry, by its digest.
    Entry(B256),
    /// A query, by its EIP-712 hash.
    Query(B256),
}

impl Subject {
    /// Kind (1 byte) ‖ hash.
    pub(crate) fn to_bytes(self) -> [u8; 33] {
        let (kind, hash) = match self {
            Self::Entry(digest) => (1, digest),
            Self::Query(hash) => (2, hash),
        };
        let mut out = [kind; 33];
        out[1..].copy_from_slice(hash.as_slice());
        out
    }
}

/// The root of a confidential contract's secrets: drawn once, when it is deployed
/// ([`EpochSecret::contract_root`](crate::EpochSecret::contract_root)), and kept in sealed state,
/// so that commitments and randomness survive the epoch.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct ContractRoot {
    root: Secret,
    commitment: CommitmentKey,
    randomness: Secret,
    sealed_output: Secret,
}

impl ContractRoot {
    /// Takes over a root that was kept in sealed state.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let prk = Prk::new("subrosa/v1/contract-root", bytes);
        Self {
            root: Zeroizing::new(*bytes),
            commitment: CommitmentKey::new(prk.derive("subrosa/v1/commitment", &[])),
            randomness: prk.derive("subrosa/v1/randomness", &[]),
            sealed_output: prk.derive("subrosa/v1/sealed-output", &[]),
        }
    }

    /// The root itself, to be kept in sealed state.
    pub fn expose(&self) -> &[u8; 32] {
        &self.root
    }

    /// The key of the contract's state commitments.
    pub fn commitment_key(&self) -> &CommitmentKey {
        &self.commitment
    }

    /// The random bytes that executing `subject` reads: PRF(root, subject), expanded. Whoever
    /// executes it, however often, reads the same.
    pub fn randomness(&self, subject: Subject) -> RandomStream {
        RandomStream::new(&hmac(&self.randomness, &[&subject.to_bytes()]))
    }

    /// The randomness with which `plaintext`, the answer to `subject`, is sealed to `recipient`
    /// (suite ‖ public key, of one length per suite).
    pub(crate) fn sealing_randomness(
        &self,
        subject: Subject,
        recipient: &[u8],
        plaintext: &[u8],
    ) -> RandomStream {
        RandomStream::new(&hmac(
            &self.sealed_output,
            &[&subject.to_bytes(), recipient, plaintext],
        ))
    }
}

/// A stream of pseudo-random bytes: the ChaCha20 keystream (RFC 8439) under a 32-byte seed, with
/// nonce and counter starting at zero.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct RandomStream(ChaCha20Rng);

impl RandomStream {
    fn new(seed: &[u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(*seed))
    }

    /// Reads the next `out.len()` bytes. A read takes whole 32-bit words of the keystream.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    /// The generator, for functions that draw.
    pub(crate) fn rng(&mut self) -> &mut ChaCha20Rng {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn randomness_is_a_function_of_root_and_subject() {
        let read = |root: u8, subject: Subject| {
            let mut out = [0; 64];
            ContractRoot::from_bytes(&[root; 32])
                .randomness(subject)
                .fill(&mut out);
            out
        };
        let hash = B256::repeat_byte(7);
        assert_eq!(read(1, Subject::Entry(hash)), read(1, Subject::Entry(hash)));
        assert_ne!(read(1, Subject::Entry(hash)), read(1, Subject::Query(hash)));
        assert_ne!(read(1, Subject::Entry(hash)), read(2, Subject::Entry(hash)));
        assert_ne!(
            read(1, Subject::Entry(hash)),
            read(1, Subject::Entry(B256::repeat_byte(8)))
        );
    }

    #[test]
    fn the_stream_is_the_chacha20_keystream() {
        // RFC 8439, appendix A.1, test vectors 1 and 2.
        let expected = concat!(
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7",
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
            "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed",
            "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
        );
        let mut out = [0; 128];
        RandomStream::new(&[0; 32]).fill(&mut out);
        assert_eq!(hex::encode(out), expected);
    }

    #[test]
    fn reads_continue_each_other() {
        let root = ContractRoot::from_bytes(&[1; 32]);
        let mut whole = [0; 96];
        root.randomness(Subject::Entry(B256::ZERO)).fill(&mut whole);
        let mut pieces = root.randomness(Subject::Entry(B256::ZERO));
        for piece in whole.chunks(24) {
            let mut out = [0; 24];
            pieces.fill(&mut out);
            assert_eq!(out, piece);
        }
    }
}
