// SPDX-License-Identifier: Apache-2.0
//! Genuine answers are taken, and nothing else.

use std::sync::Arc;

use serde_json::Value;
use subrosa_attestation::{Policy, Root};
use subrosa_evidence::{AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, INTEL_SGX_ROOT_ID};

use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::*;
use crate::amd::chip::{AmdKey, AmdProduct, Firmware, Vcek};
use crate::forged::{Authority, ISSUED};
use crate::intel::{IntelCa, IntelTee};
use crate::testing::vectors;

/// Inside the window of `tdx_v4_phala`.
const NOW: u64 = 1_750_500_000;
const TCB_INFO: Publication = Publication::TcbInfo {
    tee: IntelTee::Tdx,
    fmspc: [0xb0, 0xc0, 0x6f, 0, 0, 0],
};
const QE_IDENTITY: Publication = Publication::QeIdentity { tee: IntelTee::Tdx };
const PCK_LIST: Publication = Publication::PckCrl {
    ca: IntelCa::Platform,
};

struct Intel(Value);

impl Intel {
    fn load(vectors: &std::path::Path, name: &str) -> Self {
        let path = vectors.join(format!("{name}.collateral.json"));
        Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    fn text(&self, name: &str) -> String {
        self.0[name].as_str().unwrap().to_owned()
    }

    fn answer(&self, publication: &Publication) -> Answer {
        let (chain, body) = match publication {
            Publication::TcbInfo { .. } => (
                self.text("tcb_info_issuer_chain"),
                self.signed("tcbInfo", "tcb_info"),
            ),
            Publication::QeIdentity { .. } => (
                self.text("qe_identity_issuer_chain"),
                self.signed("enclaveIdentity", "qe_identity"),
            ),
            Publication::PckCrl { .. } => (
                self.text("pck_crl_issuer_chain"),
                hex::decode(self.text("pck_crl")).unwrap(),
            ),
            _ => (
                String::new(),
                hex::decode(self.text("root_ca_crl")).unwrap(),
            ),
        };
        Answer { body, chain }
    }

    fn signed(&self, name: &str, content: &str) -> Vec<u8> {
        let (text, signature) = (
            self.text(content),
            self.text(&format!("{content}_signature")),
        );
        format!("{{\"{name}\": {text} ,\"signature\":\"{signature}\"}}").into_bytes()
    }
}

fn anchors() -> Anchors {
    Anchors::of(&Policy::strict())
}

fn read_at(publication: &Publication, answer: Answer, now: u64) -> Result<Edition, Refusal> {
    read(publication, answer, None, &anchors(), now)
}

#[test]
fn genuine_answers_are_taken_with_the_exact_bytes_that_are_signed() {
    let Some(vectors) = vectors() else { return };
    let intel = Intel::load(&vectors, "tdx/tdx_v4_phala");
    for publication in [TCB_INFO, QE_IDENTITY, PCK_LIST, Publication::IntelRootCrl] {
        let edition = read_at(&publication, intel.answer(&publication), NOW).unwrap();
        assert!(
            edition.issued <= NOW && NOW < edition.expires,
            "{publication}"
        );
        if let (Content::Text { text, .. }, Publication::TcbInfo { .. }) =
            (&*edition.content, &publication)
        {
            assert_eq!(*text, intel.text("tcb_info"));
            // 2025-06-19T10:16:03Z and 2025-07-19T10:16:03Z.
            assert_eq!(
                (edition.issued, edition.expires),
                (1_750_328_163, 1_752_920_163)
            );
        }
        for now in [edition.issued - 61, edition.expires] {
            let refused = read_at(&publication, intel.answer(&publication), now);
            assert!(
                matches!(refused, Err(Refusal::NotInForce { .. })),
                "{publication}"
            );
        }
    }
    // A PCCS gives the root's list in hexadecimal.
    let answer = Answer {
        body: intel.text("root_ca_crl").into_bytes(),
        chain: String::new(),
    };
    let list = read_at(&Publication::IntelRootCrl, answer, NOW).unwrap();
    let der = intel.answer(&Publication::IntelRootCrl).body;
    assert!(matches!(&*list.content, Content::List { der: found, .. } if *found == der));
}

#[test]
fn no_changed_byte_is_taken_for_genuine() {
    let Some(vectors) = vectors() else { return };
    let intel = Intel::load(&vectors, "tdx/tdx_v4_phala");
    for publication in [TCB_INFO, QE_IDENTITY, PCK_LIST, Publication::IntelRootCrl] {
        let sound = intel.answer(&publication);
        let taken = read_at(&publication, sound.clone(), NOW).unwrap().content;
        let mut refused = 0;
        for index in (0..sound.body.len()).step_by(5) {
            let mut answer = sound.clone();
            answer.body[index] ^= 1 << (index % 7);
            match read_at(&publication, answer, NOW) {
                Err(_) => refused += 1,
                // White space between members and the case of digits change nothing.
                Ok(edition) => assert_eq!(edition.content, taken, "{publication}, byte {index}"),
            }
        }
        assert!(
            refused * 10 > sound.body.len() / 5 * 9,
            "{publication}: {refused}"
        );
    }
}

#[test]
fn what_is_about_something_else_is_refused() {
    let Some(vectors) = vectors() else { return };
    let intel = Intel::load(&vectors, "tdx/tdx_v4_phala");
    let sgx = Intel::load(&vectors, "sgx/sgx_v3_phala");
    let other = |publication: &Publication, answer| match read_at(publication, answer, NOW) {
        Err(Refusal::Other { what, .. }) => what,
        result => panic!("{publication}: {result:?}"),
    };
    let elsewhere = Publication::TcbInfo {
        tee: IntelTee::Tdx,
        fmspc: [1; 6],
    };
    assert_eq!(other(&elsewhere, intel.answer(&TCB_INFO)), "fmspc");
    assert_eq!(other(&TCB_INFO, sgx.answer(&TCB_INFO)), "tcbInfo.id");
    assert_eq!(
        other(&QE_IDENTITY, sgx.answer(&QE_IDENTITY)),
        "enclaveIdentity.id"
    );
    assert_eq!(
        other(&PCK_LIST, sgx.answer(&PCK_LIST)),
        "the list's authority"
    );
    // The list of one authority under the chain of the other.
    let mixed = Answer {
        chain: intel.text("pck_crl_issuer_chain"),
        ..sgx.answer(&PCK_LIST)
    };
    assert!(matches!(
        read_at(&PCK_LIST, mixed, NOW),
        Err(Refusal::Signature(_))
    ));
    // The list of an authority is not the root's.
    assert_eq!(
        read_at(&Publication::IntelRootCrl, intel.answer(&PCK_LIST), NOW).unwrap_err(),
        Refusal::Root
    );
}

#[test]
fn signers_must_hang_from_an_accepted_root() {
    let Some(vectors) = vectors() else { return };
    let intel = Intel::load(&vectors, "tdx/tdx_v4_phala");
    let mut policy = Policy::strict();
    policy.roots.remove(&INTEL_SGX_ROOT_ID);
    let none = Anchors::of(&policy);
    for publication in [TCB_INFO, QE_IDENTITY, PCK_LIST, Publication::IntelRootCrl] {
        let refused = read(&publication, intel.answer(&publication), None, &none, NOW);
        assert_eq!(refused.unwrap_err(), Refusal::Root, "{publication}");
    }
    // The chain of somebody else, of one certificate, of none.
    let chain = intel.text("tcb_info_issuer_chain");
    let end = "-----END CERTIFICATE-----\n";
    let (leaf, root) = chain.split_at(chain.find(end).unwrap() + end.len());
    for chain in [root, leaf, "", &intel.text("pck_crl_issuer_chain")] {
        let answer = Answer {
            chain: chain.to_owned(),
            ..intel.answer(&TCB_INFO)
        };
        assert!(read_at(&TCB_INFO, answer, NOW).is_err(), "{chain}");
    }
    // A root of one's own, if the policy has one: the authors of synthetic evidence.
    let own = Intel::load(&vectors, "sgx-synthetic/uptodate");
    let root = std::fs::read(vectors.join("sgx-synthetic/test_root_ca.der")).unwrap();
    let mut policy = Policy::strict();
    policy.pin(Root::from_certificate(&root).unwrap());
    let info: Value = serde_json::from_str(&own.text("tcb_info")).unwrap();
    let mut fmspc = [0; 6];
    hex::decode_to_slice(info["fmspc"].as_str().unwrap(), &mut fmspc).unwrap();
    let publication = Publication::TcbInfo {
        tee: IntelTee::Sgx,
        fmspc,
    };
    let (accepted, strict) = (Anchors::of(&policy), anchors());
    let in_force = {
        use std::str::FromStr as _;
        let issued = info["issueDate"].as_str().unwrap();
        let issued = x509_cert::der::DateTime::from_str(issued).unwrap();
        issued.unix_duration().as_secs() + 1
    };
    read(
        &publication,
        own.answer(&publication),
        None,
        &accepted,
        in_force,
    )
    .unwrap();
    let refused = read(
        &publication,
        own.answer(&publication),
        None,
        &strict,
        in_force,
    );
    assert_eq!(refused.unwrap_err(), Refusal::Root);
}

#[test]
fn amds_chains_are_taken_for_their_product_and_key_alone() {
    let Some(vectors) = vectors() else { return };
    let chain = |names: [&str; 2]| {
        use x509_cert::der::EncodePem as _;
        use x509_cert::der::pem::LineEnding;
        let pem = names.map(|name| {
            let der = std::fs::read(vectors.join("snp").join(name)).unwrap();
            let certificate = Certificate::from_der(&der).unwrap();
            certificate.to_pem(LineEnding::LF).unwrap()
        });
        Answer {
            body: pem.concat().into_bytes(),
            chain: String::new(),
        }
    };
    let genoa = chain(["genoa.ask.der", "genoa.ark.der"]);
    let vlek = chain(["milan_vlek.ask.der", "milan_vlek.ark.der"]);
    let publication = |product, key| Publication::AmdChain { product, key };
    let (milan, of_genoa) = (AmdProduct::Milan, AmdProduct::Genoa);
    let now = 1_757_179_301;
    read_at(&publication(of_genoa, AmdKey::Vcek), genoa.clone(), now).unwrap();
    read_at(&publication(milan, AmdKey::Vlek), vlek.clone(), now).unwrap();
    for (publication, answer) in [
        (publication(milan, AmdKey::Vcek), &genoa),
        (publication(of_genoa, AmdKey::Vlek), &genoa),
        (publication(milan, AmdKey::Vcek), &vlek),
    ] {
        assert!(matches!(
            read_at(&publication, answer.clone(), now),
            Err(Refusal::Other { .. })
        ));
    }
    let crossed = chain(["genoa.ask.der", "milan.ark.der"]);
    assert!(matches!(
        read_at(&publication(of_genoa, AmdKey::Vcek), crossed, now),
        Err(Refusal::Signature(_))
    ));
    let mut policy = Policy::strict();
    policy.roots.remove(&AMD_GENOA_ROOT_ID);
    assert!(policy.roots.contains(&AMD_MILAN_ROOT_ID));
    let anchors = Anchors::of(&policy);
    assert!(!anchors.may_cover(of_genoa) && anchors.may_cover(milan));
    assert_eq!(
        read(
            &publication(of_genoa, AmdKey::Vcek),
            genoa,
            None,
            &anchors,
            now
        )
        .unwrap_err(),
        Refusal::Root
    );
}

#[test]
fn no_changed_byte_of_a_chips_certificate_is_taken() {
    let Some(vectors) = vectors() else { return };
    let file = |name: &str| std::fs::read(vectors.join("snp").join(name)).unwrap();
    let report = file("snp_genoa_v5.report.bin");
    let product = AmdProduct::Genoa;
    let publication = Publication::Vcek(Vcek {
        product,
        chip: Arc::from(&report[0x1a0..0x1e0]),
        firmware: Firmware::read(product, report[0x180..0x188].try_into().unwrap()),
    });
    let issuer = Content::Certificates(vec![file("genoa.ask.der"), file("genoa.ark.der")]);
    let der = file("snp_genoa_v5.vek.der");
    let taken = |body: Vec<u8>, issuer: Option<&Content>| {
        let answer = Answer {
            body,
            chain: String::new(),
        };
        read(&publication, answer, issuer, &anchors(), 1_757_179_301)
    };
    taken(der.clone(), Some(&issuer)).unwrap();
    assert_eq!(taken(der.clone(), None).unwrap_err(), Refusal::Root);
    for index in (0..der.len()).step_by(3) {
        let mut changed = der.clone();
        changed[index] ^= 1 << (index % 8);
        assert!(taken(changed, Some(&issuer)).is_err(), "byte {index}");
    }
}

#[test]
fn a_list_is_taken_for_its_own_authority_alone() {
    let genoa = Authority::called("ARK-Genoa");
    let milan = Authority::called("ARK-Milan");
    let own = Authority::called("Own Root CA");
    let mut policy = Policy::strict();
    for authority in [&genoa, &milan, &own] {
        let root = subrosa_attestation::Root::from_certificate(&authority.certificate(&[]));
        policy.pin(root.unwrap());
    }
    let anchors = Anchors::of(&policy);
    let taken = |publication: &Publication, list: Vec<u8>| {
        let answer = Answer {
            body: list,
            chain: String::new(),
        };
        read(publication, answer, None, &anchors, ISSUED).map(drop)
    };
    let of = |product| Publication::AmdCrl {
        product,
        key: AmdKey::Vcek,
    };
    let publications = [
        (of(AmdProduct::Genoa), &genoa),
        (of(AmdProduct::Milan), &milan),
        (Publication::IntelRootCrl, &own),
    ];
    for (publication, authority) in &publications {
        assert_eq!(
            taken(publication, authority.list(7)),
            Ok(()),
            "{publication}"
        );
        let impostor = taken(publication, authority.impostor().list(7));
        assert_eq!(impostor, Err(Refusal::Root), "{publication}");
        for (other, _) in publications
            .iter()
            .filter(|(other, _)| other != publication)
        {
            let refused = taken(other, authority.list(7));
            assert!(
                matches!(&refused, Err(Refusal::Other { what, .. }) if *what == "the list's issuer"),
                "{publication} for {other}: {refused:?}"
            );
        }
    }
}
