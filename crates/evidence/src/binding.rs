// SPDX-License-Identifier: Apache-2.0
//! What an enclave binds into its evidence.

use core::ops::RangeInclusive;

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolValue;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha384};
use subrosa_types::abi::ReportBinding;
use subrosa_types::config::CONFIG_VERSION;
use subrosa_types::{Challenge, Domain};

/// Sizes of a client's challenge, bytes. Fewer would be guessable; more does not fit the nonce of an
/// attestation result (RFC 9711, 4.1).
pub const CHALLENGE_BYTES: RangeInclusive<usize> = 16..=64;

/// The keys of an enclave, its configuration and what it started from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Binding {
    /// Address of the enclave's signer.
    pub signer: Address,
    /// keccak256 of the node transfer key.
    pub transfer_key_hash: B256,
    /// Hash of the enclave's configuration.
    pub config_hash: B256,
    /// [`start_hash`](subrosa_types::id::start_hash) of the checkpoint its header trust started from.
    pub start_hash: B256,
}

impl Binding {
    /// sha256(abi.encode(`ReportBinding`)): the first half of the report data.
    pub fn digest(&self) -> [u8; 32] {
        let binding = ReportBinding {
            domain: Domain::ReportData.tag(),
            version: CONFIG_VERSION,
            signer: self.signer,
            transferKeyHash: self.transfer_key_hash,
            configHash: self.config_hash,
            startHash: self.start_hash,
        };
        Sha256::digest(binding.abi_encode()).into()
    }
}

/// What an enclave asks its platform to quote: sha256(abi.encode(`ReportBinding`)) ‖ sha256(domain of
/// the challenge ‖ challenge). Evidence for a client and evidence for a registration so never pass for
/// one another, whatever bytes a client sends.
pub fn report_data(binding: &Binding, challenge: &Challenge) -> [u8; 64] {
    let mut data = [0; 64];
    let (bound, fresh) = data.split_at_mut(32);
    bound.copy_from_slice(&binding.digest());
    fresh.copy_from_slice(challenge_hash(challenge).as_slice());
    data
}

/// sha256(domain ‖ challenge): the second half of the report data.
pub fn challenge_hash(challenge: &Challenge) -> B256 {
    let answered = Sha256::new()
        .chain_update(challenge.domain().tag())
        .chain_update(challenge.bytes());
    B256::new(answered.finalize().into())
}

/// The value of the configuration register (TDX: RTMR3) of an enclave that was started with
/// `config_hash`: SHA-384(48 zero bytes ‖ SHA-384(`config_hash`)).
///
/// This is what TDG.MR.RTMR.EXTEND computes from a zero register when it is given
/// SHA-384(`config_hash`), exactly once.
pub fn config_register(config_hash: B256) -> [u8; 48] {
    Sha384::new()
        .chain_update([0; 48])
        .chain_update(Sha384::digest(config_hash))
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_data_is_that_of_the_abi_encoding() {
        let binding = Binding {
            signer: Address::repeat_byte(0x11),
            transfer_key_hash: B256::repeat_byte(0x22),
            config_hash: B256::repeat_byte(0x33),
            start_hash: B256::repeat_byte(0x44),
        };
        // abi.encode of a static struct: one word per field, written out by hand.
        let mut words = Vec::new();
        words.extend(alloy_primitives::keccak256("subrosa.v1.report-data"));
        words.extend([0; 31]);
        words.push(1);
        words.extend([0; 12]);
        words.extend([0x11; 20]);
        words.extend([0x22; 32]);
        words.extend([0x33; 32]);
        words.extend([0x44; 32]);
        let data = report_data(&binding, &Challenge::Client(b"challenge".to_vec()));
        assert_eq!(data[..32], Sha256::digest(words)[..]);
        let mut answered = alloy_primitives::keccak256("subrosa.v1.client-challenge").to_vec();
        answered.extend(b"challenge");
        assert_eq!(data[32..], Sha256::digest(answered)[..]);
    }

    #[test]
    fn a_client_cannot_have_a_registration_answered() {
        let registration = Challenge::Registration {
            block_hash: B256::repeat_byte(0x55),
            registrant: Address::repeat_byte(0x66),
        };
        let binding = Binding {
            signer: Address::ZERO,
            transfer_key_hash: B256::ZERO,
            config_hash: B256::ZERO,
            start_hash: B256::ZERO,
        };
        let bytes = [vec![0x55; 32], vec![0x66; 20]].concat();
        assert_eq!(registration.bytes(), bytes);
        let mut answered =
            alloy_primitives::keccak256("subrosa.v1.registration-challenge").to_vec();
        answered.extend(&bytes);
        let registered = report_data(&binding, &registration);
        assert_eq!(registered[32..], Sha256::digest(&answered)[..]);
        // Neither with the same bytes nor with the domain before them.
        for guess in [bytes, answered] {
            assert_ne!(registered, report_data(&binding, &Challenge::Client(guess)));
        }
    }
}
