// SPDX-License-Identifier: Apache-2.0
//! Evidence that attaches what was published before it was revoked.

use serde_json::Value;
use subrosa_collateral::testing::{Fault as VendorFault, Vendor};
use subrosa_evidence::{
    CheckId, EvidenceBundle, EvidencePart, Verdict,
    api::{AppraiseRequest, AppraiseResponse, Base64, Problem, ProblemCode},
};
use subrosa_tee::forge::{Fault, Forge};
use subrosa_types::id::TeeKind;

use crate::fixture::{Running, appraise_request, asked, encoded, failed, forge, pinned, start_as};

/// Evidence of a hierarchy that the verifier accepts as its own.
fn own_evidence() -> Forge {
    forge(&asked()).fault(Fault::ForeignRoot)
}

/// A production verifier that accepts [`own_evidence`] and asks a vendor with the collateral of
/// `published`.
async fn own_scene(published: &Forge) -> (Vendor, Running) {
    let vendor = Vendor::start().await;
    let evidence = published.evidence();
    let collateral = evidence.part(EvidencePart::Collateral).unwrap();
    vendor.publish_intel("tdx", &serde_json::from_slice(collateral).unwrap());
    let config = pinned(&[published], &vendor.config(""));
    let verifier = start_as("https://verifier.example", false, &config).await;
    (vendor, verifier)
}

async fn signed(verifier: &Running, bundle: Base64) -> (bool, Verdict) {
    let request = AppraiseRequest {
        bundle,
        ..appraise_request()
    };
    let response = verifier.post("/v1/appraise", &request).await;
    assert_eq!(response.status(), 200);
    let response: AppraiseResponse = response.json().await.unwrap();
    (response.ear.is_some(), response.verdict)
}

#[tokio::test]
async fn a_revocation_beats_the_list_from_before_it_that_the_evidence_brings() {
    let sound = own_evidence();
    let (vendor, verifier) = own_scene(&sound).await;
    let (accepted, verdict) = signed(&verifier, encoded(&sound)).await;
    assert!(accepted, "{:?}", failed(&verdict));
    assert_eq!(vendor.asked().len(), 4);

    for (fault, check) in [
        (Fault::RevokedPck, CheckId::DcapRevocation),
        (Fault::RevokedPckCa, CheckId::DcapRevocation),
        (Fault::OutOfDate, CheckId::TcbStatus),
        (Fault::RevokedTcbLevel, CheckId::TcbLevel),
    ] {
        let (_, verifier) = own_scene(&own_evidence().fault(fault)).await;
        for bundle in [encoded(&sound), superfluous_certificates(&sound)] {
            let (accepted, verdict) = signed(&verifier, bundle).await;
            assert!(!accepted, "{fault:?}");
            assert_eq!(failed(&verdict), [check], "{fault:?}");
        }
    }
}

#[tokio::test]
async fn evidence_that_leaves_no_room_is_no_way_around_what_was_published() {
    let sound = own_evidence();
    let published = own_evidence().fault(Fault::RevokedPck);
    // The quote has a chain of its own, so that this one is dropped.
    let (_, verifier) = own_scene(&published).await;
    let (accepted, verdict) = signed(&verifier, padded(&sound, "pck_certificate_chain")).await;
    assert!(!accepted);
    assert_eq!(failed(&verdict), [CheckId::DcapRevocation]);

    // This one is used as long as there is no other.
    let bundle = padded(&sound, "qe_identity_issuer_chain");
    let (vendor, verifier) = own_scene(&published).await;
    vendor.fail("/qe/identity", VendorFault::NotFound);
    let request = AppraiseRequest {
        bundle: bundle.clone(),
        ..appraise_request()
    };
    let response = verifier.post("/v1/appraise", &request).await;
    assert_eq!(response.status(), 400);
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.code, ProblemCode::IncompleteEvidence);
    let config = pinned(&[&sound], "[collateral]\nfetch = false");
    let verifier = start_as("https://verifier.example", false, &config).await;
    let (accepted, verdict) = signed(&verifier, bundle).await;
    assert!(accepted, "nothing else is wrong with it: {verdict:?}");
}

#[tokio::test]
async fn what_another_root_published_about_the_same_platform_replaces_nothing() {
    let sound = own_evidence();
    let others = forge(&asked()).fault(Fault::ImpostorRoot);
    let vendor = Vendor::start().await;
    let evidence = others.evidence();
    let collateral = evidence.part(EvidencePart::Collateral).unwrap();
    vendor.publish_intel("tdx", &serde_json::from_slice(collateral).unwrap());
    let config = pinned(&[&sound, &others], &vendor.config(""));
    let verifier = start_as("https://verifier.example", false, &config).await;
    for evidence in [&sound, &others] {
        let (accepted, verdict) = signed(&verifier, encoded(evidence)).await;
        assert!(accepted, "{:?}", failed(&verdict));
    }
    assert_eq!(vendor.asked().len(), 4);
}

/// The same evidence with as much in one field of its collateral as there is room for.
fn padded(forge: &Forge, field: &str) -> Base64 {
    const MOST: usize = 256 * 1024;
    let evidence = forge.evidence();
    let collateral = evidence.part(EvidencePart::Collateral).unwrap();
    let mut collateral: Value = serde_json::from_slice(collateral).unwrap();
    let text = collateral[field].as_str().unwrap_or_default().to_owned();
    collateral[field] = text.clone().into();
    let room = MOST - serde_json::to_vec(&collateral).unwrap().len();
    // What stands before the first certificate is overlooked.
    collateral[field] = format!("{}\n{text}", "x".repeat(room - 2)).into();
    let collateral = serde_json::to_vec(&collateral).unwrap();
    assert_eq!(collateral.len(), MOST);
    let bundle = EvidenceBundle::new(TeeKind::Tdx, evidence.quote().to_vec(), collateral);
    Base64(bundle.unwrap().encode())
}

#[tokio::test]
async fn superfluous_certificates_are_what_the_appraisal_overlooks() {
    let sound = own_evidence();
    let config = pinned(&[&sound], "[collateral]\nfetch = false");
    let verifier = start_as("https://verifier.example", false, &config).await;
    let (accepted, verdict) = signed(&verifier, superfluous_certificates(&sound)).await;
    assert!(accepted, "{:?}", failed(&verdict));
}

/// The same evidence with its PCK authority's certificate three times, in a part of the quote that
/// nothing signs.
fn superfluous_certificates(forge: &Forge) -> Base64 {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let evidence = forge.evidence();
    let quote = evidence.quote();
    let begins: Vec<usize> = (0..quote.len())
        .filter(|at| quote[*at..].starts_with(BEGIN))
        .collect();
    let [leaf, authority, root] = begins[..] else {
        panic!("three certificates: {begins:?}");
    };
    let extra = quote[authority..root].repeat(2);
    let mut longer = [&quote[..root], &extra, &quote[root..]].concat();
    // Intel TDX DCAP Quoting Library API, appendix A.3: the sizes of signature data, QE report
    // certification data and PCK certificate chain.
    for at in [48 + 584, 48 + 584 + 4 + 64 + 64 + 2, leaf - 4] {
        let size: [u8; 4] = longer[at..at + 4].try_into().unwrap();
        let size = u32::from_le_bytes(size) + u32::try_from(extra.len()).unwrap();
        longer[at..at + 4].copy_from_slice(&size.to_le_bytes());
    }
    let collateral = evidence.part(EvidencePart::Collateral).unwrap().to_vec();
    let bundle = EvidenceBundle::new(TeeKind::Tdx, longer, collateral).unwrap();
    Base64(bundle.encode())
}
