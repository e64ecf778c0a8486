// SPDX-License-Identifier: Apache-2.0
//! One enclave, as it is and as a client expects it.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use subrosa_attestation::ear::{EarKey, TrustedVerifier};
use subrosa_attestation::measurement::measurement_of_executable;
use subrosa_attestation::{Expectations, Measurements, Policy};
use subrosa_evidence::{Binding, EvidenceBundle, api::Jwks, report_data};
use subrosa_tee::forge::Forge;
use subrosa_types::Challenge;

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_780_272_000;

pub(crate) const EXECUTABLE: &[u8] = b"an enclave";

pub(crate) const ISSUER: &str = "https://verifier.example";

pub(crate) fn challenge() -> Challenge {
    Challenge::Client(vec![0xc4; 32])
}

pub(crate) fn binding() -> Binding {
    Binding {
        signer: Address::repeat_byte(0x51),
        transfer_key_hash: B256::repeat_byte(0x7f),
        config_hash: B256::repeat_byte(0xcf),
        start_hash: B256::repeat_byte(0x57),
    }
}

/// Sound evidence that meets [`expectations`], to be spoiled.
pub(crate) fn forge() -> Forge {
    let binding = binding();
    Forge::new()
        .mrtd(measurement_of_executable(EXECUTABLE).mrtd)
        .config(binding.config_hash.0)
        .ppid([0x99; 16])
        .report_data(report_data(&binding, &challenge()))
}

pub(crate) fn sound() -> EvidenceBundle {
    forge().evidence()
}

/// What a developer's client expects.
pub(crate) fn expectations() -> Expectations {
    let id = measurement_of_executable(EXECUTABLE).id;
    Expectations {
        policy: Policy::development(),
        measurements: Measurements::AnyOf(BTreeSet::from([id])),
        binding: binding(),
        challenge: challenge(),
    }
}

pub(crate) fn ear_key() -> EarKey {
    EarKey::from_bytes(&[3; 32]).unwrap()
}

pub(crate) fn trusted() -> Vec<TrustedVerifier> {
    vec![TrustedVerifier {
        issuer: ISSUER.to_owned(),
        keys: Jwks {
            keys: vec![ear_key().jwk()],
        },
    }]
}
