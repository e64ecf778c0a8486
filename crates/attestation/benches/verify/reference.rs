// SPDX-License-Identifier: Apache-2.0
//! The references: one verification of an ECDSA signature over 1 KiB by AWS-LC, on P-256 with
//! SHA-256 and on P-384 with SHA-384.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    EcdsaVerificationAlgorithm, KeyPair as _, UnparsedPublicKey,
};

use crate::clock::Probe;

pub(crate) const P256: &str = "reference_p256_verify";
pub(crate) const P384: &str = "reference_p384_verify";

pub(crate) fn probes() -> [Probe; 2] {
    [
        probe(
            P256,
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            &ECDSA_P256_SHA256_ASN1,
        ),
        probe(
            P384,
            &ECDSA_P384_SHA384_ASN1_SIGNING,
            &ECDSA_P384_SHA384_ASN1,
        ),
    ]
}

fn probe(
    name: &'static str,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
) -> Probe {
    let message = [0x5a; 1024];
    let key = EcdsaKeyPair::generate(signing).unwrap();
    let signature = key.sign(&SystemRandom::new(), &message).unwrap();
    let public = key.public_key().as_ref().to_vec();
    Probe::of(name, 1, move || {
        // From bytes, as a certificate brings it.
        UnparsedPublicKey::new(verification, &public)
            .verify(&message, signature.as_ref())
            .unwrap()
    })
}
