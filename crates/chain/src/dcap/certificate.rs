// SPDX-License-Identifier: Apache-2.0
//! Certificates of Intel's hierarchy: what identifies them on chain.

use alloy::{
    primitives::{B256, U256, keccak256},
    sol_types::SolValue,
};
use sha2::{Digest, Sha256};
use x509_cert::{
    Certificate,
    der::{
        Any, Decode, Encode,
        asn1::{ObjectIdentifier, OctetString},
    },
};

use super::DcapError;

/// The certificates of a PEM chain (RFC 7468), leaf first, at most [`LONGEST_CHAIN`].
pub(super) fn pem_chain(field: &'static str, pem: &str) -> Result<Vec<Certificate>, DcapError> {
    // Quotes end their chain with a zero byte.
    let pem = pem.trim_end_matches('\0');
    let chain = Certificate::load_pem_chain(pem.as_bytes()).unwrap_or_default();
    if (1..=LONGEST_CHAIN).contains(&chain.len()) {
        return Ok(chain);
    }
    Err(DcapError::Field {
        field,
        expected: "a chain of certificates in PEM",
    })
}

/// A certificate's DER.
pub(super) fn der(field: &'static str, certificate: &Certificate) -> Result<Vec<u8>, DcapError> {
    certificate.to_der().map_err(|_| malformed(field))
}

/// SHA-256 of a root's SubjectPublicKeyInfo, DER.
pub(super) fn root_id(field: &'static str, root: &Certificate) -> Result<B256, DcapError> {
    let key = root.tbs_certificate().subject_public_key_info().to_der();
    let digest = Sha256::digest(key.map_err(|_| malformed(field))?);
    Ok(B256::from_slice(digest.as_slice()))
}

/// `pckAuthorityId` of a PCK CA under a root: keccak256(abi.encode(keccak256("subrosa.v1.dcap-pck-authority"),
/// rootId, keccak256(name), x, y, serial)), the serial number by its low 64 bits.
pub(super) fn authority_id(
    field: &'static str,
    root_id: B256,
    authority: &Certificate,
) -> Result<B256, DcapError> {
    let tbs = authority.tbs_certificate();
    let name = tbs.subject().to_der().map_err(|_| malformed(field))?;
    let key = tbs.subject_public_key_info().subject_public_key.as_bytes();
    // An uncompressed point (SEC 1, 2.3.3): 4 ‖ x ‖ y.
    let Some((x, y)) = key
        .and_then(|key| key.strip_prefix(&[4]))
        .filter(|point| point.len() == 64)
        .and_then(|point| point.split_at_checked(32))
    else {
        return Err(malformed(field));
    };
    let words = (
        keccak256("subrosa.v1.dcap-pck-authority"),
        root_id,
        keccak256(name),
        U256::from_be_slice(x),
        U256::from_be_slice(y),
        U256::from(low64(tbs.serial_number().as_bytes())),
    );
    Ok(keccak256(words.abi_encode()))
}

/// SHA-256 of the part of a certificate that its issuer signed.
pub(super) fn signed_digest(
    field: &'static str,
    certificate: &Certificate,
) -> Result<B256, DcapError> {
    let tbs = certificate.tbs_certificate().to_der();
    let digest = Sha256::digest(tbs.map_err(|_| malformed(field))?);
    Ok(B256::from_slice(digest.as_slice()))
}

/// The last eight bytes, as a number.
fn low64(bytes: &[u8]) -> u64 {
    let from = bytes.len().saturating_sub(8);
    let last = bytes.iter().skip(from);
    last.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// FMSPC of a PCK certificate (Intel SGX PCK Certificate and CRL Profile Specification, 1.3.5).
pub(super) fn fmspc(field: &'static str, pck: &Certificate) -> Result<[u8; 6], DcapError> {
    let extensions = pck.tbs_certificate().extensions();
    // Pairs of an object identifier and a value.
    let fields = extensions
        .into_iter()
        .flatten()
        .find(|extension| extension.extn_id == SGX_EXTENSIONS)
        .and_then(|extension| Vec::<Vec<Any>>::from_der(extension.extn_value.as_bytes()).ok());
    let value = fields
        .iter()
        .flatten()
        .find_map(|pair| match pair.as_slice() {
            [id, value] if id.decode_as() == Ok(FMSPC) => Some(value),
            _ => None,
        });
    value
        .and_then(|value| value.decode_as::<OctetString>().ok())
        .and_then(|value| <[u8; 6]>::try_from(value.as_bytes()).ok())
        .ok_or(DcapError::Field {
            field,
            expected: "the PCK certificate of an Intel platform",
        })
}

fn malformed(field: &'static str) -> DcapError {
    DcapError::Field {
        field,
        expected: "a certificate of Intel's hierarchy",
    }
}

/// Genuine chains have two or three.
const LONGEST_CHAIN: usize = 8;
const SGX_EXTENSIONS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");
const FMSPC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1.4");
