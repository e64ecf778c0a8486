// SPDX-License-Identifier: Apache-2.0
//! What reports ask for.

use proptest::prelude::*;
use subrosa_attestation::{Policy, Root};

use subrosa_types::id::TeeKind;

use super::*;
use crate::amd::certificates::{CERTIFICATE_GUIDS, SEQUENCE, TABLE_ENTRY_BYTES};
use crate::amd::report::{HCL_HEADER_BYTES, REPORT_BYTES};
use crate::forged::{Authority, ISSUED};

/// When what is forged is in force.
const NOW: u64 = ISSUED + 1;

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

fn asked(need: &Need) -> Vec<String> {
    need.publications().map(ToString::to_string).collect()
}

/// A certificate that looks like a chip's, of a Genoa.
fn leaf() -> Vec<u8> {
    let product = [&[0x16, 5][..], b"Genoa"].concat();
    Authority::called("SEV-VCEK").certificate(&[(PRODUCT_NAME, &product)])
}

#[test]
fn a_bare_report_needs_everything() {
    let need = need(&bundle(report()), &anchors(), 0).unwrap().unwrap();
    assert_eq!(
        asked(&need),
        ["vcek chain Genoa", "vcek Genoa c4c4c4c4…", "vcek crl Genoa"]
    );
}

#[test]
fn a_list_in_force_is_no_reason_to_ask_for_none() {
    let ark = Authority::called("ARK-Genoa");
    let mut policy = Policy::strict();
    policy.pin(Root::from_certificate(&ark.certificate(&[])).unwrap());
    let anchors = Anchors::of(&policy);
    let with = |list: Vec<u8>| {
        let bundle = bundle(report()).with_part(EvidencePart::RevocationLists, list);
        need(&bundle.unwrap(), &anchors, NOW).unwrap().unwrap()
    };
    let sound = with(ark.list(0));
    assert!(asked(&sound).contains(&"vcek crl Genoa".to_owned()));
    let brought = sound.brought.unwrap();
    assert_eq!(brought.issued, ISSUED);
    let held = |issued| {
        let newer = Authority::called("ARK-Genoa").list(7);
        let content = Content::List {
            chain: String::new(),
            der: newer,
        };
        Edition {
            content: Arc::new(content),
            issued,
            expires: u64::MAX,
        }
    };
    for (issued, kept) in [(ISSUED - 1, true), (ISSUED, false), (ISSUED + 1, false)] {
        let later = Edition::later(Some(held(issued)), Some(brought.clone())).unwrap();
        assert_eq!(later.content == brought.content, kept, "{issued}");
    }
    // What could not have been fetched is nothing to prefer.
    for unfit in [
        Authority::called("ARK-Milan").list(0),
        [ark.list(0), ark.list(0)].concat(),
        Vec::new(),
    ] {
        assert_eq!(with(unfit).brought, None);
    }
}

#[test]
fn an_unknown_processor_is_an_error_only_if_no_certificate_names_the_product() {
    let mut unknown = report();
    unknown[0x188] = 0x17;
    let refused = Err(Incomplete::Processor(0x17, 0x11));
    assert_eq!(need(&bundle(unknown.clone()), &anchors(), 0), refused);
    let with = |part, content| {
        let bundle = bundle(unknown.clone()).with_part(part, content).unwrap();
        need(&bundle, &anchors(), NOW)
    };
    let complete = with(EvidencePart::Certificates, leaf()).unwrap().unwrap();
    assert_eq!(asked(&complete), ["vcek chain Genoa", "vcek crl Genoa"]);
    // A subject that merely contains the name is another's.
    let other = Authority::called("x,CN=SEV-VCEK").certificate(&[(PRODUCT_NAME, &[])]);
    assert_eq!(with(EvidencePart::Certificates, other), refused);
}

#[test]
fn a_table_is_read_as_the_appraisal_reads_it() {
    let table = |guid: u128| {
        let leaf = leaf();
        let length = u32::try_from(leaf.len()).unwrap();
        let entry = [guid.to_be_bytes().as_slice(), &48u32.to_le_bytes()].concat();
        [&entry, &length.to_le_bytes()[..], &[0; 24], &leaf].concat()
    };
    let of = |kind, guid| {
        let parts = [
            (EvidencePart::Quote, report()),
            (
                EvidencePart::HclReport,
                [&[0; HCL_HEADER_BYTES][..], &report()].concat(),
            ),
            (EvidencePart::CertificateTable, table(guid)),
        ];
        let bundle = EvidenceBundle::from_parts(kind, parts).unwrap();
        let need = need(&bundle, &anchors(), NOW).unwrap().unwrap();
        need.vcek.is_none()
    };
    let [vcek, ..] = CERTIFICATE_GUIDS;
    assert!(of(TeeKind::Snp, vcek), "its leaf is used");
    assert!(!of(TeeKind::Snp, 1), "an entry of the host's own");
    assert!(!of(TeeKind::AzureSnp, vcek), "on Azure there is no table");
}

#[test]
fn a_turin_is_known_by_eight_bytes() {
    let mut report = report();
    (report[0x188], report[0x189]) = (0x1a, 0x02);
    report[0x180..0x188].copy_from_slice(&[1, 2, 3, 4, 0, 0, 0, 5]);
    let need = need(&bundle(report), &anchors(), 0).unwrap().unwrap();
    let Some(Publication::Vcek(vcek)) = need.vcek else {
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
}

#[test]
fn what_is_fetched_takes_the_place_of_what_ran_out() {
    let old = bundle(report())
        .with_part(EvidencePart::Certificates, vec![1])
        .and_then(|bundle| bundle.with_part(EvidencePart::CertificateTable, vec![2]))
        .and_then(|bundle| bundle.with_part(EvidencePart::RevocationLists, vec![3]))
        .unwrap();
    let certificates = |bytes: &[u8]| Some(Arc::new(Content::Certificates(vec![bytes.to_vec()])));
    let list = |der| {
        let chain = String::new();
        Some(Arc::new(Content::List { chain, der }))
    };
    let found = Found {
        vcek: certificates(&[4]),
        chain: certificates(&[5]),
        list: list(vec![6]),
    };
    let all = completed(old.clone(), &found).unwrap();
    assert_eq!(all.part(EvidencePart::Certificates), Some(&[4, 5][..]));
    assert_eq!(all.part(EvidencePart::CertificateTable), None);
    assert_eq!(all.part(EvidencePart::RevocationLists), Some(&[6][..]));
    assert_eq!(all.quote(), old.quote());
    assert_eq!(
        completed(old.clone(), &Found::default()),
        Ok(old.clone()),
        "what it brought is all there is"
    );
    let only = |list| Found {
        list,
        ..Found::default()
    };
    let only_list = completed(old.clone(), &only(list(vec![6]))).unwrap();
    assert_eq!(only_list.part(EvidencePart::Certificates), Some(&[1][..]));
    assert_eq!(
        only_list.part(EvidencePart::CertificateTable),
        Some(&[2][..])
    );
    // Evidence that leaves no room for the list is no way around it.
    assert!(completed(old, &only(list(vec![0; 1 << 20]))).is_err());
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
