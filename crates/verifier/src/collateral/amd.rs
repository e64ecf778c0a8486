// SPDX-License-Identifier: Apache-2.0
//! AMD: what a report needs, and what the key distribution service answers.
//!
//! Source: SEV Secure Nested Paging Firmware ABI Specification 1.58, table 23 (ATTESTATION_REPORT)
//! and publication 57230 (KDS). What is read here has not been verified and only decides what is
//! asked for.

use std::sync::Arc;

use subrosa_attestation::EvidenceBundle;
use subrosa_types::id::{EvidencePart, TeeKind};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode, Reader, SliceReader};

use super::content::{Answer, Content, Dated, certificates, list_dates, revocation_list};
use super::piece::{AmdKey, AmdProduct, Firmware, Piece, Vcek};
use super::plan::Incomplete;
use super::signed::{self, Anchors, Refusal, certificate_by, other};

/// What a report needs to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// The chip's certificate, if the evidence has none in force.
    pub(super) vcek: Option<Piece>,
    /// Whether the evidence has one, which ran out.
    pub(super) stale: bool,
    /// Its issuers, if the evidence has none.
    pub(super) chain: Option<Piece>,
    /// The revocation list, if the evidence has none in force.
    pub(super) list: Option<Piece>,
}

/// What the report of `bundle` needs at `now`, if anything.
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
    let named = |name: &str| {
        brought.iter().find(|certificate| {
            let subject = certificate.tbs_certificate().subject().to_string();
            subject.contains(name)
        })
    };
    let key = report.key;
    let (leaf, issuer) = match key {
        AmdKey::Vcek => (
            named("CN=SEV-VCEK"),
            brought.iter().find(|c| issues(c, key)),
        ),
        AmdKey::Vlek => (
            named("CN=SEV-VLEK"),
            brought.iter().find(|c| issues(c, key)),
        ),
    };
    let leaf = leaf.filter(|leaf| !issues(leaf, key));
    let stale = leaf.is_some_and(|leaf| signed::validity(leaf).1 <= now);
    let product = match (report.product()?, leaf) {
        (Some(product), _) => product,
        (None, Some(leaf)) => match extension(leaf, PRODUCT_NAME).and_then(named_product) {
            Some(product) => product,
            None => return Ok(None),
        },
        (None, None) => return Err(Incomplete::Product(report.version)),
    };
    if !anchors.may_cover(product) {
        return Ok(None);
    }
    let vcek = match (leaf, key) {
        (Some(_), _) if !stale => None,
        // Nobody but its owner can get another.
        (Some(_), AmdKey::Vlek) => None,
        (None, AmdKey::Vlek) => return Err(Incomplete::Vlek),
        (_, AmdKey::Vcek) => Some(Piece::Vcek(report.vcek(product)?)),
    };
    let need = Need {
        chain: (vcek.is_some() || issuer.is_none()).then_some(Piece::AmdChain { product, key }),
        list: (!has_list(bundle, now)).then_some(Piece::AmdCrl { product, key }),
        stale,
        vcek,
    };
    let nothing = need.vcek.is_none() && need.chain.is_none() && need.list.is_none();
    Ok((!nothing).then_some(need))
}

impl Need {
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.chain.iter().chain(&self.vcek).chain(&self.list)
    }
}

/// `bundle` with what was found. A fetched certificate of a chip replaces those the evidence had,
/// the host's table included, so that the stale one is not looked at.
pub(super) fn completed(
    bundle: EvidenceBundle,
    vcek: Option<&Content>,
    chain: Option<&Content>,
    list: Option<&Content>,
) -> Option<EvidenceBundle> {
    let mut added = Vec::new();
    for content in [vcek, chain].into_iter().flatten() {
        let Content::Certificates(certificates) = content else {
            return None;
        };
        added.extend(certificates.iter().cloned());
    }
    let kind = bundle.kind();
    let mut parts: Vec<(EvidencePart, Vec<u8>)> = bundle
        .parts()
        .filter(|(part, _)| {
            vcek.is_none()
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
        if vcek.is_none() {
            let own = bundle.part(EvidencePart::Certificates).unwrap_or_default();
            all.extend(several(own).iter().filter_map(|one| one.to_der().ok()));
        }
        all.extend(added);
        parts.retain(|(part, _)| *part != EvidencePart::Certificates);
        parts.push((EvidencePart::Certificates, all.concat()));
    }
    if let Some(Content::List { der, .. }) = list {
        parts.retain(|(part, _)| *part != EvidencePart::RevocationLists);
        parts.push((EvidencePart::RevocationLists, der.clone()));
    }
    EvidenceBundle::from_parts(kind, parts).ok()
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
    let subject = issuer.tbs_certificate().subject().to_string();
    let expected = match key {
        AmdKey::Vcek => format!("CN=SEV-{product}"),
        AmdKey::Vlek => format!("CN=SEV-VLEK-{product}"),
    };
    if !subject.split(',').any(|part| part == expected) {
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
    let table = bundle
        .part(EvidencePart::CertificateTable)
        .unwrap_or_default();
    all.extend(tabled(table));
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
        .take(MOST_CERTIFICATES)
        .filter_map(|entry| {
            let offset = usize::try_from(u32::from_le_bytes(field(entry, 16)?)).ok()?;
            let length = usize::try_from(u32::from_le_bytes(field(entry, 20)?)).ok()?;
            let bytes = table.get(offset..offset.checked_add(length)?)?;
            Certificate::from_der(bytes).ok()
        })
        .collect()
}

fn has_list(bundle: &EvidenceBundle, now: u64) -> bool {
    let lists = bundle
        .part(EvidencePart::RevocationLists)
        .unwrap_or_default();
    if lists.is_empty() {
        return false;
    }
    // One list in DER is what is replaced when it is stale; anything else is used as it is.
    match revocation_list(lists.to_vec()).and_then(|(list, _)| list_dates(&list)) {
        Ok((_, expires)) => now < expires,
        Err(_) => true,
    }
}

/// Whether a certificate is an intermediate: ASK (`SEV-Genoa`) or ASVK (`SEV-VLEK-Genoa`).
fn issues(certificate: &Certificate, key: AmdKey) -> bool {
    let subject = certificate.tbs_certificate().subject().to_string();
    [AmdProduct::Milan, AmdProduct::Genoa, AmdProduct::Turin]
        .into_iter()
        .any(|product| {
            let name = match key {
                AmdKey::Vcek => format!("CN=SEV-{product}"),
                AmdKey::Vlek => format!("CN=SEV-VLEK-{product}"),
            };
            subject.split(',').any(|part| part == name)
        })
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
const SEQUENCE: u8 = 0x30;

/// Extensions of VCEK and VLEK certificates (publication 57230, 3.1).
const PRODUCT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.2");
const HARDWARE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4");
const BOOTLOADER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.1");
const TEE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.2");
const SNP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.3");
const MICROCODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.8");
const FMC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.9");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use subrosa_attestation::Policy;

    use super::*;

    fn anchors() -> Anchors {
        Anchors::of(&Policy::strict())
    }

    /// A report of version 3 from a Genoa.
    fn report() -> Vec<u8> {
        let mut report = vec![0; REPORT_BYTES];
        report[0] = 3;
        (report[0x188], report[0x189]) = (0x19, 0x11);
        report[0x1a0..0x1e0].fill(0xc4);
        report
    }

    fn bundle(report: Vec<u8>) -> EvidenceBundle {
        EvidenceBundle::from_parts(TeeKind::Snp, [(EvidencePart::Quote, report)]).unwrap()
    }

    #[test]
    fn a_bare_report_needs_everything() {
        let need = need(&bundle(report()), &anchors(), 0).unwrap().unwrap();
        let asked: Vec<String> = need.pieces().map(ToString::to_string).collect();
        assert_eq!(
            asked,
            ["vcek chain Genoa", "vcek Genoa c4c4c4c4…", "vcek crl Genoa"]
        );
    }

    #[test]
    fn a_turin_is_known_by_eight_bytes() {
        let mut report = report();
        (report[0x188], report[0x189]) = (0x1a, 0x02);
        report[0x180..0x188].copy_from_slice(&[1, 2, 3, 4, 0, 0, 0, 5]);
        let need = need(&bundle(report), &anchors(), 0).unwrap().unwrap();
        let Some(Piece::Vcek(vcek)) = need.vcek else {
            panic!("{need:?}");
        };
        assert_eq!(&*vcek.chip, [0xc4; 8]);
        assert_eq!(vcek.firmware.fmc, Some(1));
        assert_eq!(vcek.firmware.bootloader, 2);
    }

    #[test]
    fn reports_that_nobody_could_verify_ask_for_nothing() {
        let none = |report| assert_eq!(need(&bundle(report), &anchors(), 0), Ok(None));
        none(Vec::new());
        none(report()[..REPORT_BYTES - 1].to_vec());
        let mut unsigned = report();
        unsigned[0x48] = 7 << 2;
        none(unsigned);
        let mut policy = Policy::strict();
        policy.roots.clear();
        let accepts_nothing = Anchors::of(&policy);
        assert_eq!(need(&bundle(report()), &accepts_nothing, 0), Ok(None));
        let mut unknown = report();
        unknown[0x188] = 0x17;
        assert_eq!(
            need(&bundle(unknown), &anchors(), 0),
            Err(Incomplete::Processor(0x17, 0x11))
        );
    }

    #[test]
    fn what_is_fetched_takes_the_place_of_what_ran_out() {
        let old = bundle(report())
            .with_part(EvidencePart::Certificates, vec![1])
            .and_then(|bundle| bundle.with_part(EvidencePart::CertificateTable, vec![2]))
            .and_then(|bundle| bundle.with_part(EvidencePart::RevocationLists, vec![3]))
            .unwrap();
        let certificates = |bytes: &[u8]| Content::Certificates(vec![bytes.to_vec()]);
        let list = Content::List {
            chain: String::new(),
            der: vec![6],
        };
        let (vcek, chain) = (certificates(&[4]), certificates(&[5]));
        let all = completed(old.clone(), Some(&vcek), Some(&chain), Some(&list)).unwrap();
        assert_eq!(all.part(EvidencePart::Certificates), Some(&[4, 5][..]));
        assert_eq!(all.part(EvidencePart::CertificateTable), None);
        assert_eq!(all.part(EvidencePart::RevocationLists), Some(&[6][..]));
        assert_eq!(all.quote(), old.quote());
        assert_eq!(completed(old.clone(), None, None, None), Some(old.clone()));
        let only_list = completed(old.clone(), None, None, Some(&list)).unwrap();
        assert_eq!(only_list.part(EvidencePart::Certificates), Some(&[1][..]));
        assert_eq!(
            only_list.part(EvidencePart::CertificateTable),
            Some(&[2][..])
        );
    }

    proptest! {
        #[test]
        fn no_evidence_upsets_the_reading_of_it(
            changes in proptest::collection::vec((0..REPORT_BYTES, any::<u8>()), 0..16),
            certificates in proptest::collection::vec(any::<u8>(), 0..64),
            entry in any::<[u8; TABLE_ENTRY_BYTES]>(),
            table in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut report = report();
            for (index, byte) in changes {
                report[index] = byte;
            }
            let hcl = [&[0; HCL_HEADER_BYTES][..], &report].concat();
            for kind in [TeeKind::Snp, TeeKind::AzureSnp] {
                let bundle = EvidenceBundle::from_parts(kind, [
                    (EvidencePart::Quote, report.clone()),
                    (EvidencePart::HclReport, hcl.clone()),
                    (EvidencePart::Certificates, [&[SEQUENCE][..], &certificates].concat()),
                    (EvidencePart::CertificateTable, [&entry[..], &table].concat()),
                    (EvidencePart::RevocationLists, certificates.clone()),
                ]).unwrap();
                let _ = need(&bundle, &anchors(), 0);
            }
        }
    }
}
