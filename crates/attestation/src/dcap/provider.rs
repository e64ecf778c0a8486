// SPDX-License-Identifier: Apache-2.0
//! The cryptography under `dcap-qvl`: AWS-LC verifies P-256, as it verifies everything else here.
//!
//! A quote takes a dozen signatures, which the library's own choice, RustCrypto, needs twice as
//! long for as a peer should wait. Parsing certificates and encoding signatures stays the
//! library's.

use aws_lc_rs::digest;
use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::signature::DerSigEncoder;
use dcap_qvl::x509::X509CertBackend;
use rustls_pki_types::SignatureVerificationAlgorithm;

/// What `dcap-qvl` verifies with.
pub(super) struct AwsLc;

impl Config for AwsLc {
    type X509 = X509CertBackend;
    type SigEncoder = DerSigEncoder;
    type Crypto = Self;
}

impl CryptoProvider for AwsLc {
    fn sig_algo() -> &'static dyn SignatureVerificationAlgorithm {
        webpki::aws_lc_rs::ECDSA_P256_SHA256
    }

    fn sha256(data: &[u8]) -> [u8; 32] {
        digest_of(&digest::SHA256, data)
    }

    fn sha384(data: &[u8]) -> [u8; 48] {
        digest_of(&digest::SHA384, data)
    }
}

fn digest_of<const N: usize>(algorithm: &'static digest::Algorithm, data: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let digest = digest::digest(algorithm, data);
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use dcap_qvl::configs::RustCryptoConfig;

    use super::*;

    /// The library's conformance rule: byte for byte what its own configuration computes.
    #[test]
    fn hashes_are_those_of_the_library() {
        type Theirs = <RustCryptoConfig as Config>::Crypto;
        for length in [0, 1, 55, 56, 64, 111, 112, 128, 4096] {
            let data: Vec<u8> = (0..length).map(|index| index as u8).collect();
            assert_eq!(AwsLc::sha256(&data), Theirs::sha256(&data));
            assert_eq!(AwsLc::sha384(&data), Theirs::sha384(&data));
        }
    }

    #[test]
    fn the_algorithm_is_the_one_of_the_library() {
        let (ours, theirs) = (
            AwsLc::sig_algo(),
            <RustCryptoConfig as Config>::Crypto::sig_algo(),
        );
        assert_eq!(ours.public_key_alg_id(), theirs.public_key_alg_id());
        assert_eq!(ours.signature_alg_id(), theirs.signature_alg_id());
    }
}
