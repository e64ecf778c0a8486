// SPDX-License-Identifier: Apache-2.0
//! The first words of what is authenticated beside ciphertexts: `keccak256("subrosa.v1.NAME")`.

use alloy_primitives::{B256, b256};

/// `envelope`.
pub(crate) const ENVELOPE: B256 =
    b256!("40dc06ddbe5641e9e4f0553695cb626b25e78ff1586d7992462b418089df91ed");
/// `reply`.
pub(crate) const REPLY: B256 =
    b256!("1dc75e0f0b63021c1ae8adba520d975baa77dca4855ea1acabaae2732a67b2a4");
/// `session-reply`.
pub(crate) const SESSION_REPLY: B256 =
    b256!("dab50a3cb7c2daff3b24858ab6a5b8d25fc74c8df9a3e7ab9e9fd1609af89866");
/// `state-blob`.
pub(crate) const STATE_BLOB: B256 =
    b256!("ea6da17e991c13092dfca14b5476becc2a279a2a6643999cf17b55b337779990");
/// `epoch-secret-blob`.
pub(crate) const EPOCH_SECRET_BLOB: B256 =
    b256!("1d8f3842431f84135e9fa906ddd9e019f0887c02df2893c2a966b818424e7278");
/// `key-transfer`.
pub(crate) const KEY_TRANSFER: B256 =
    b256!("3bf3a01ccfdf19db7b2a5aeb1089a3582a6eab3ddcf33a8a353abf1ac4d8c795");

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn each_is_the_hash_of_its_name() {
        for (name, domain) in [
            ("envelope", ENVELOPE),
            ("reply", REPLY),
            ("session-reply", SESSION_REPLY),
            ("state-blob", STATE_BLOB),
            ("epoch-secret-blob", EPOCH_SECRET_BLOB),
            ("key-transfer", KEY_TRANSFER),
        ] {
            assert_eq!(domain, keccak256(format!("subrosa.v1.{name}")), "{name}");
        }
    }
}
