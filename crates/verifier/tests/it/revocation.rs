// SPDX-License-Identifier: Apache-2.0
//! Evidence that attaches what was published before it was revoked.

use serde_json::Value;
use subrosa_attestation::api::{AppraiseRequest, AppraiseResponse, Base64};
use subrosa_attestation::{CheckId, EvidenceBundle, Verdict};
use subrosa_tee::forge::{Fault, Forge};
use subrosa_types::id::{EvidencePart, TeeKind};

use crate::fixture::{
    Running, appraise_request, challenge, encoded, failed, forge, pinned, start_as,
};
use crate::vendor::Vendor;

/// Evidence of a hierarchy that the verifier accepts as its own.
fn own_evidence() -> Forge {
    forge(&challenge()).fault(Fault::ForeignRoot)
}

/// A production verifier that accepts [`own_evidence`] and asks a vendor with the collateral of
/// `published`.
async fn own_scene(published: &Forge) -> (Vendor, Running) {
    let vendor = Vendor::start().await;
    let evidence = published.evidence();
    let collateral = evidence.part(EvidencePart::Collateral).unwrap();
    vendor.publish_intel("tdx", &serde_json::from_slice(collateral).unwrap());
    let config = pinned(published, &vendor.config(""));
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
async fn evidence_that_leaves_no_room_for_what_it_lacks_is_refused() {
    let sound = own_evidence();
    let (_, verifier) = own_scene(&own_evidence().fault(Fault::RevokedPck)).await;
    let evidence = sound.evidence();
    let collateral = evidence.part(EvidencePart::Collateral).unwrap();
    let mut collateral: Value = serde_json::from_slice(collateral).unwrap();
    // Dropped, as the quote has a chain of its own, or not: no way around the new list.
    for size in [100_000, 200_000] {
        collateral["pck_certificate_chain"] = "x".repeat(size).into();
        let parts = [
            (EvidencePart::Quote, evidence.quote().to_vec()),
            (
                EvidencePart::Collateral,
                serde_json::to_vec(&collateral).unwrap(),
            ),
        ];
        let bundle = EvidenceBundle::from_parts(TeeKind::Tdx, parts).unwrap();
        let (accepted, verdict) = signed(&verifier, Base64(bundle.encode())).await;
        assert!(!accepted);
        assert_eq!(failed(&verdict), [CheckId::DcapRevocation]);
    }
}

#[tokio::test]
async fn superfluous_certificates_are_what_the_appraisal_overlooks() {
    let sound = own_evidence();
    let config = pinned(&sound, "[collateral]\nfetch = false");
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
