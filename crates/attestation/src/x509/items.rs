// SPDX-License-Identifier: Apache-2.0
//! Certificates and revocation lists as evidence brings them.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_cert::der::{Reader, SliceReader};

use super::PathFault;
use super::fault::malformed;

/// Most certificates, and most revocation lists, of one piece of evidence.
pub(crate) const MAX_ITEMS: usize = 8;

/// Splits a part of certificates, PEM or DER one after the other, into DER.
///
/// # Errors
///
/// [`PathFault::TooMany`], [`PathFault::Malformed`] where the bytes are neither.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, PathFault> {
    items::<CertificateDer<'static>>(bytes, "certificates")
}

/// Splits a part of revocation lists, PEM or DER one after the other, into DER.
///
/// # Errors
///
/// As [`certificates`].
pub(crate) fn revocation_lists(bytes: &[u8]) -> Result<Vec<Vec<u8>>, PathFault> {
    items::<CertificateRevocationListDer<'static>>(bytes, "revocation lists")
}

fn items<T: PemObject + AsRef<[u8]>>(
    bytes: &[u8],
    what: &'static str,
) -> Result<Vec<Vec<u8>>, PathFault> {
    let mut found = Vec::new();
    if bytes.first() == Some(&DER_SEQUENCE) {
        let mut reader = SliceReader::new(bytes).map_err(malformed)?;
        while !reader.is_finished() {
            found.push(reader.tlv_bytes().map_err(malformed)?.to_vec());
            bounded(found.len(), what)?;
        }
    } else {
        for item in T::pem_slice_iter(bytes) {
            let item = item.map_err(|error| PathFault::Malformed(error.to_string()))?;
            found.push(item.as_ref().to_vec());
            bounded(found.len(), what)?;
        }
        if found.is_empty() && !bytes.is_empty() {
            return Err(PathFault::Malformed(format!("no {what}, PEM or DER")));
        }
    }
    Ok(found)
}

pub(super) fn bounded(count: usize, what: &'static str) -> Result<(), PathFault> {
    if count > MAX_ITEMS {
        return Err(PathFault::TooMany(what));
    }
    Ok(())
}

const DER_SEQUENCE: u8 = 0x30;
