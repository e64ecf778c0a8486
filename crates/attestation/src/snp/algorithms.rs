// SPDX-License-Identifier: Apache-2.0
//! What AMD signs certificates and revocation lists with: RSASSA-PSS with SHA-384, a salt of 48
//! bytes and keys of 4,096 bits (AMD 57230, chapter 3).

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA384, UnparsedPublicKey};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use subrosa_evidence::Product;
use webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA384_LEGACY_KEY;

/// RSASSA-PSS with SHA-384, in both encodings of its parameters that AMD uses: without the
/// trailer field, as DER has it, and with the default written out, as ASK and ARK have it.
pub(super) static AMD: &[&dyn SignatureVerificationAlgorithm] =
    &[RSA_PSS_2048_8192_SHA384_LEGACY_KEY, &ExplicitTrailer];

/// AMD's name for `product`, as it is in certificates.
pub(super) fn product_name(product: Product) -> &'static str {
    match product {
        Product::Milan => "Milan",
        Product::Genoa => "Genoa",
        Product::Turin => "Turin",
        other => other.as_str(),
    }
}

#[derive(Debug)]
struct ExplicitTrailer;

impl SignatureVerificationAlgorithm for ExplicitTrailer {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA384, public_key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        RSA_PSS_2048_8192_SHA384_LEGACY_KEY.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(&EXPLICIT_TRAILER)
    }
}

/// id-RSASSA-PSS, `[0]` SHA-384, `[1]` MGF1 with SHA-384, `[2]` 48, `[3]` 1 (RFC 4055 section
/// 3.1).
const EXPLICIT_TRAILER: [u8; 70] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39, 0xa0, 0x0f, 0x30,
    0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c,
    0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06,
    0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01,
    0x30, 0xa3, 0x03, 0x02, 0x01, 0x01,
];
