// SPDX-License-Identifier: Apache-2.0
//! Randomness of one execution, from its secret seed.

use alloc::vec::Vec;

use alloy_primitives::B256;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Draws from a seed. Every draw is independent of every other, though each is repeatable: who
/// executes the same call again draws the same.
///
/// Draw n under a personalization p is the concatenation of HMAC-SHA256(k, i) for i = 0, 1, …
/// (4 bytes), where k = HMAC-SHA256(seed, "subrosa/v1/random-bytes" ‖ n (8 bytes) ‖ p). A draw
/// made by a frame that later reverts still counts.
pub(super) struct Randomness {
    seed: B256,
    drawn: u64,
}

impl Randomness {
    pub(super) fn new(seed: B256) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next draw, of `length` bytes.
    pub(super) fn draw(&mut self, personalization: &[u8], length: usize) -> Vec<u8> {
        let number = self.drawn;
        self.drawn += 1;
        let key = prf(
            &self.seed.0,
            &[RANDOM_BYTES, &number.to_be_bytes(), personalization],
        );
        let mut out = Vec::with_capacity(length.next_multiple_of(32));
        for block in 0u32.. {
            if out.len() >= length {
                break;
            }
            out.extend_from_slice(&prf(&key, &[&block.to_be_bytes()]));
        }
        out.truncate(length);
        out
    }
}

/// What a guest reads as `block.prevrandao`: HMAC-SHA256(seed, "subrosa/v1/prevrandao").
pub fn prevrandao(seed: B256) -> B256 {
    B256::from(prf(&seed.0, &[PREVRANDAO]))
}

/// HMAC-SHA256 (RFC 2104) of the concatenated parts.
fn prf(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than a block is padded with zeros, which makes this infallible.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

const RANDOM_BYTES: &[u8] = b"subrosa/v1/random-bytes";
const PREVRANDAO: &[u8] = b"subrosa/v1/prevrandao";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prf_is_hmac_sha256() {
        // RFC 4231, test case 1, whose key of 20 bytes zero-padded to 32 is the same HMAC key.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            hex::encode(prf(&key, &[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn draws_repeat_with_the_seed_and_never_otherwise() {
        let draws = |seed: u8| {
            let mut randomness = Randomness::new(B256::repeat_byte(seed));
            [
                randomness.draw(b"", 64),
                randomness.draw(b"", 64),
                randomness.draw(b"a", 64),
                prevrandao(B256::repeat_byte(seed)).to_vec(),
            ]
        };
        assert_eq!(draws(1), draws(1));
        let mut words: Vec<Vec<u8>> = [draws(1), draws(2)]
            .concat()
            .iter()
            .flat_map(|draw| draw.chunks(32).map(<[u8]>::to_vec).collect::<Vec<_>>())
            .collect();
        let count = words.len();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), count, "no 32 bytes occur twice");
    }

    #[test]
    fn the_first_draws_differ_by_personalization() {
        let draw = |p: &[u8]| Randomness::new(B256::ZERO).draw(p, 32);
        assert_ne!(draw(b"a"), draw(b"b"));
        assert_ne!(draw(b""), draw(b"\0"));
    }

    #[test]
    fn a_draw_has_the_length_asked_for() {
        for length in [0, 1, 31, 32, 33, 1024] {
            let long = Randomness::new(B256::ZERO).draw(b"", 1024);
            let draw = Randomness::new(B256::ZERO).draw(b"", length);
            assert_eq!(draw, long[..length]);
        }
    }
}
