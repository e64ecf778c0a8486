// SPDX-License-Identifier: Apache-2.0
//! AMD: what a report needs, and what the key distribution service answers.
//!
//! Source: SEV Secure Nested Paging Firmware ABI Specification 1.58, table 23 (ATTESTATION_REPORT)
//! and publication 57230 (KDS). What is read here has not been verified and only decides what is
//! asked for.

use std::sync::Arc;

use subrosa_evidence::{BundleError, EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode, Reader, SliceReader};

use super::content::{self, Answer, Content, Dated, certificates};
use super::piece::{AmdKey, AmdProduct, Firmware, Piece, Vcek};
use super::plan::Incomplete;
use super::signed::{self, Anchors, Refusal, certificate_by, common_name, other};

/// What a report needs to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// The chip's certificate, if the evidence has none in force.
    pub(super) vcek: Option<Piece>,
    /// Whether the evidence has one, which ran out.
    pub(super) stale: bool,
    /// Its issuers, if the evidence has none.
    pub(super) chain: Option<Piece>,
    /// The revocation list, whether or not the evidence has one: that may be from before a
    /// revocation.
    pub(super) list: Piece,
    /// The one that the evidence has, if it could as well have been fetched.
    pub(super) brought: Option<Dated>,
}

/// What was found of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) vcek: Option<Arc<Content>>,
    pub(super) chain: Option<Arc<Content>>,
    pub(super) list: Option<Arc<Content>>,
}

/// What the report of `bundle` needs at `now`, if it is one.
///
/// Nothing is asked for products whose root is not accepted: the appraisal says so.
pub(super) fn need(
    bundle: &EvidenceBundle,
    anchors: &Anchors,
    now: u64,
) -> Result<Option<Need>, Incomplete> {
    let Some(report) = report(bundle) else {
        return Ok(None);
    };
    let brought = brought(bundle);
    let key = report.key;
    let name = match key {
        AmdKey::Vcek => "SEV-VCEK",
        AmdKey::Vlek => "SEV-VLEK",
    };
    let leaf = brought
        .iter()
        .find(|c| is_called(c, name) && extension(c, PRODUCT_NAME).is_some());
    let issuer = brought.iter().find(|c| issues(c, key));
    let stale = leaf.is_some_and(|leaf| signed::validity(leaf).1 <= now);
    let product = match (report.product(), leaf) {
        (Ok(Some(product)), _) => product,
        // Whether the report is of that product is for the appraisal to say.
        (_, Some(leaf)) => match extension(leaf, PRODUCT_NAME).and_then(named_product) {
            Some(product) => product,
            None => return Ok(None),
        },
        (Ok(None), None) => return Err(Incomplete::Product(report.version)),
        (Err(unknown), None) => return Err(unknown),
    };
    if !anchors.may_cover(product) {
        return Ok(None);
    }
    let vcek = match (leaf, key) {
        (Some(_), _) if !stale => None,
        // Nobody but its owner can get another.
        (Some(_), AmdKey::Vlek) => None,
        (Some(_), AmdKey::Vcek) => report.vcek(product).ok().map(Piece::Vcek),
        (None, AmdKey::Vlek) => return Err(Incomplete::Vlek),
        (None, AmdKey::Vcek) => Some(Piece::Vcek(report.vcek(product)?)),
    };
    let list = Piece::AmdCrl { product, key };
    let answer = Answer {
        body: bundle
            .part(EvidencePart::RevocationLists)
            .unwrap_or_default()
            .to_vec(),
        chain: String::new(),
    };
    Ok(Some(Need {
        chain: (vcek.is_some() || issuer.is_none()).then_some(Piece::AmdChain { product, key }),
        brought: content::read(&list, answer, None, anchors, now).ok(),
        list,
        stale,
        vcek,
    }))
}

impl Need {
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.chain.iter().chain(&self.vcek).chain([&self.list])
    }
}

/// `bundle` with what was found. A fetched certificate of a chip replaces those the evidence had,
/// the host's table included, so that the stale one is not looked at.
///
/// # Errors
///
/// [`BundleError::PartTooLarge`] if what the evidence had leaves no room for it.
pub(super) fn completed(
    bundle: EvidenceBundle,
    found: &Found,
) -> Result<EvidenceBundle, BundleError> {
    let mut added = Vec::new();
    for content in [&found.vcek, &found.chain].into_iter().flatten() {
        if let Content::Certificates(certificates) = &**content {
            added.extend(certificates.iter().cloned());
        }
    }
    let kind = bundle.kind();
    let replaced = found.vcek.is_some();
    let mut parts: Vec<(EvidencePart, Vec<u8>)> = bundle
        .parts()
        .filter(|(part, _)| {
            !replaced
                || !matches!(
                    part,
                    EvidencePart::Certificates | EvidencePart::CertificateTable
                )
        })
        .map(|(part, bytes)| (part, bytes.to_vec()))
        .collect();
    if !added.is_empty() {
        // DER one after the other: what the evidence had is written anew, it may be PEM.
        let mut all: Vec<Vec<u8>> = Vec::new();
        if !replaced {
            let own = bundle.part(EvidencePart::Certificates).unwrap_or_default();
            all.extend(several(own).iter().filter_map(|one| one.to_der().ok()));
        }
        all.extend(added);
        parts.retain(|(part, _)| *part != EvidencePart::Certificates);
        parts.push((EvidencePart::Certificates, all.concat()));
    }
    if let Some(Content::List { der, .. }) = found.list.as_deref() {
        parts.retain(|(part, _)| *part != EvidencePart::RevocationLists);
        parts.push((EvidencePart::RevocationLists, der.clone()));
    }
    EvidenceBundle::from_parts(kind, parts)
}

/// ASK or ASVK, then ARK, PEM.
pub(super) fn chain(
    product: AmdProduct,
    key: AmdKey,
    answer: &Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Dated, Refusal> {
    let chain = signed::pem_chain(&answer.body)?;
    anchors.chain(&chain)?;
    let issuer = chain.first().ok_or(Refusal::Root)?;
    let expected = issuer_name(product, key);
    if !is_called(issuer, &expected) {
        let subject = issuer.tbs_certificate().subject();
        return Err(other("the chain", subject, expected));
    }
    let der = chain
        .iter()
        .map(Encode::to_der)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Refusal::Malformed("a chain of certificates"))?;
    certificates(&chain, der, now)
}

/// The certificate of a chip, DER.
pub(super) fn vcek(
    expected: &Vcek,
    der: &[u8],
    chain: Option<&Content>,
    now: u64,
) -> Result<Dated, Refusal> {
    let vcek =
        Certificate::from_der(der).map_err(|_| Refusal::Malformed("a certificate in DER"))?;
    let issuer = match chain {
        Some(Content::Certificates(chain)) => chain.first(),
        _ => None,
    };
    let issuer = issuer
        .and_then(|issuer| Certificate::from_der(issuer).ok())
        .ok_or(Refusal::Root)?;
    certificate_by(&vcek, &issuer)?;
    let chip = extension(&vcek, HARDWARE_ID).unwrap_or_default();
    if chip != &*expected.chip && octets(chip) != Some(&*expected.chip) {
        return Err(other("the chip", "another", "the one asked for"));
    }
    let firmware = &expected.firmware;
    for (name, id, level) in [
        ("blSPL", BOOTLOADER, Some(firmware.bootloader)),
        ("teeSPL", TEE, Some(firmware.tee)),
        ("snpSPL", SNP, Some(firmware.snp)),
        ("ucodeSPL", MICROCODE, Some(firmware.microcode)),
        ("fmcSPL", FMC, firmware.fmc),
    ] {
        let Some(level) = level else { continue };
        match extension(&vcek, id).and_then(|bytes| u8::from_der(bytes).ok()) {
            Some(found) if found == level => {}
            Some(found) => return Err(other(name, found, level)),
            None => return Err(other(name, "absent", level)),
        }
    }
    certificates(std::slice::from_ref(&vcek), vec![der.to_vec()], now)
}

/// The fields of a report that say what to ask for.
struct Report {
    version: u32,
    key: AmdKey,
    cpuid: (u8, u8),
    tcb: [u8; 8],
    chip: [u8; 64],
}

fn report(bundle: &EvidenceBundle) -> Option<Report> {
    let bytes = match bundle.kind() {
        TeeKind::AzureSnp => bundle
            .part(EvidencePart::HclReport)?
            .get(HCL_HEADER_BYTES..)?,
        _ => bundle.quote(),
    };
    let bytes = bytes.get(..REPORT_BYTES)?;
    // Bits 4:2 of the flags at 48h: which key signed, 0 VCEK, 1 VLEK.
    let key = match (field::<1>(bytes, 0x48)?[0] >> 2) & 0b111 {
        0 => AmdKey::Vcek,
        1 => AmdKey::Vlek,
        _ => return None,
    };
    let [family, model] = field(bytes, 0x188)?;
    Some(Report {
        version: u32::from_le_bytes(field(bytes, 0)?),
        key,
        cpuid: (family, model),
        tcb: field(bytes, 0x180)?,
        chip: field(bytes, 0x1a0)?,
    })
}

impl Report {
    /// Reports say so from version 3 on.
    fn product(&self) -> Result<Option<AmdProduct>, Incomplete> {
        if self.version < 3 {
            return Ok(None);
        }
        let (family, model) = self.cpuid;
        AmdProduct::of_cpuid(family, model)
            .map(Some)
            .ok_or(Incomplete::Processor(family, model))
    }

    fn vcek(&self, product: AmdProduct) -> Result<Vcek, Incomplete> {
        if self.chip.iter().all(|byte| *byte == 0) {
            return Err(Incomplete::Chip);
        }
        let chip = match product {
            AmdProduct::Turin => self.chip.get(..8).unwrap_or_default(),
            AmdProduct::Milan | AmdProduct::Genoa => &self.chip,
        };
        Ok(Vcek {
            product,
            chip: Arc::from(chip),
            firmware: Firmware::read(product, self.tcb),
        })
    }
}

/// Every certificate that the evidence brings.
fn brought(bundle: &EvidenceBundle) -> Vec<Certificate> {
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
fn several(bytes: &[u8]) -> Vec<Certificate> {
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
fn issues(certificate: &Certificate, key: AmdKey) -> bool {
    [AmdProduct::Milan, AmdProduct::Genoa, AmdProduct::Turin]
        .into_iter()
        .any(|product| is_called(certificate, &issuer_name(product, key)))
}

fn issuer_name(product: AmdProduct, key: AmdKey) -> String {
    match key {
        AmdKey::Vcek => format!("SEV-{product}"),
        AmdKey::Vlek => format!("SEV-VLEK-{product}"),
    }
}

fn is_called(certificate: &Certificate, name: &str) -> bool {
    common_name(certificate.tbs_certificate().subject()).is_some_and(|found| found == name)
}

fn extension(certificate: &Certificate, id: ObjectIdentifier) -> Option<&[u8]> {
    certificate
        .tbs_certificate()
        .extensions()?
        .iter()
        .find(|extension| extension.extn_id == id)
        .map(|extension| extension.extn_value.as_bytes())
}

/// The product of an IA5String such as `Milan-B0`.
fn named_product(value: &[u8]) -> Option<AmdProduct> {
    AmdProduct::of_name(value.get(2..)?)
}

/// The content of a short OCTET STRING.
fn octets(value: &[u8]) -> Option<&[u8]> {
    match value {
        [0x04, length, content @ ..] if usize::from(*length) == content.len() => Some(content),
        _ => None,
    }
}

fn field<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk::<N>().copied()
}

const REPORT_BYTES: usize = 1184;
/// Before the report in an Azure HCL report: signature, version, sizes, request type, status.
const HCL_HEADER_BYTES: usize = 32;
const TABLE_ENTRY_BYTES: usize = 24;
const MOST_CERTIFICATES: usize = 8;
const MOST_ENTRIES: usize = 16;
const SEQUENCE: u8 = 0x30;

/// Entries of a host's table: VCEK, VLEK, ASK (or ASVK), ARK.
const CERTIFICATE_GUIDS: [u128; 4] = [
    0x63da758d_e664_4564_adc5_f4b93be8accd,
    0xa8074bc2_a25a_483e_aae6_39c045a0b8a1,
    0x4ab7b379_bbac_4fe4_a02f_05aef327c782,
    0xc0b406a4_a803_4952_9743_3fb6014cd0ae,
];

/// Extensions of VCEK and VLEK certificates (publication 57230, 3.1).
const PRODUCT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.2");
const HARDWARE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4");
const BOOTLOADER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.1");
const TEE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.2");
const SNP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.3");
const MICROCODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.8");
const FMC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.9");

#[cfg(test)]
mod tests;
