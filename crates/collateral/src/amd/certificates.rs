// SPDX-License-Identifier: Apache-2.0
//! The certificates that evidence brings, and what AMD's certificates say.

use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Reader, SliceReader};

use super::chip::{AmdKey, AmdProduct};
use crate::signed::common_name;

/// Every certificate that the evidence brings.
pub(crate) fn brought(bundle: &EvidenceBundle) -> Vec<Certificate> {
    let mut all = several(bundle.part(EvidencePart::Certificates).unwrap_or_default());
    // Azure's guests get no table from their host; the appraisal overlooks one.
    if bundle.kind() != TeeKind::AzureSnp {
        let table = bundle.part(EvidencePart::CertificateTable);
        all.extend(tabled(table.unwrap_or_default()));
    }
    all.truncate(MOST_CERTIFICATES);
    all
}

/// PEM, or DER one after the other. What does not parse ends it.
pub(crate) fn several(bytes: &[u8]) -> Vec<Certificate> {
    if bytes.first() != Some(&SEQUENCE) {
        return Certificate::load_pem_chain(bytes).unwrap_or_default();
    }
    let mut found = Vec::new();
    let Ok(mut reader) = SliceReader::new(bytes) else {
        return found;
    };
    while !reader.is_finished() && found.len() < MOST_CERTIFICATES {
        match Certificate::decode(&mut reader) {
            Ok(certificate) => found.push(certificate),
            Err(_) => break,
        }
    }
    found
}

/// The certificates of a host's table (GHCB specification 2.03, 4.1.8.1): entries of GUID, offset
/// and length, the last one zero.
fn tabled(table: &[u8]) -> Vec<Certificate> {
    table
        .chunks_exact(TABLE_ENTRY_BYTES)
        .take_while(|entry| entry.iter().any(|byte| *byte != 0))
        .take(MOST_ENTRIES)
        .filter_map(|entry| {
            let guid = u128::from_be_bytes(field(entry, 0)?);
            let offset = usize::try_from(u32::from_le_bytes(field(entry, 16)?)).ok()?;
            let length = usize::try_from(u32::from_le_bytes(field(entry, 20)?)).ok()?;
            let bytes = table.get(offset..offset.checked_add(length)?)?;
            CERTIFICATE_GUIDS.contains(&guid).then(|| several(bytes))
        })
        .flatten()
        .collect()
}

/// Whether a certificate is an intermediate: ASK (`SEV-Genoa`) or ASVK (`SEV-VLEK-Genoa`).
pub(crate) fn issues(certificate: &Certificate, key: AmdKey) -> bool {
    [AmdProduct::Milan, AmdProduct::Genoa, AmdProduct::Turin]
        .into_iter()
        .any(|product| is_called(certificate, &issuer_name(product, key)))
}

pub(crate) fn issuer_name(product: AmdProduct, key: AmdKey) -> String {
    match key {
        AmdKey::Vcek => format!("SEV-{product}"),
        AmdKey::Vlek => format!("SEV-VLEK-{product}"),
    }
}

pub(crate) fn is_called(certificate: &Certificate, name: &str) -> bool {
    common_name(certificate.tbs_certificate().subject()).is_some_and(|found| found == name)
}

pub(crate) fn extension(certificate: &Certificate, id: ObjectIdentifier) -> Option<&[u8]> {
    certificate
        .tbs_certificate()
        .extensions()?
        .iter()
        .find(|extension| extension.extn_id == id)
        .map(|extension| extension.extn_value.as_bytes())
}

/// The product of an IA5String such as `Milan-B0`.
pub(crate) fn named_product(value: &[u8]) -> Option<AmdProduct> {
    AmdProduct::of_name(value.get(2..)?)
}

pub(crate) fn field<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk::<N>().copied()
}

pub(crate) const TABLE_ENTRY_BYTES: usize = 24;
const MOST_CERTIFICATES: usize = 8;
const MOST_ENTRIES: usize = 16;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Entries of a host's table: VCEK, VLEK, ASK (or ASVK), ARK.
pub(crate) const CERTIFICATE_GUIDS: [u128; 4] = [
    0x63da758d_e664_4564_adc5_f4b93be8accd,
    0xa8074bc2_a25a_483e_aae6_39c045a0b8a1,
    0x4ab7b379_bbac_4fe4_a02f_05aef327c782,
    0xc0b406a4_a803_4952_9743_3fb6014cd0ae,
];

/// Extension of VCEK and VLEK certificates (publication 57230, 3.1).
pub(crate) const PRODUCT_NAME: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.2");
