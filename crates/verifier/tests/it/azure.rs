// SPDX-License-Identifier: Apache-2.0
//! Genuine Azure evidence that lacks what stands below its virtual TPM.

use std::sync::atomic::Ordering;

use serde_json::Value;
use subrosa_collateral::testing::{Vendor, vectors};
use subrosa_evidence::{
    EvidenceBundle, EvidencePart,
    api::{AppraiseRequest, Base64},
};
use subrosa_types::id::TeeKind;

use crate::fixture::{Running, binding, challenge, start_as};

async fn ask(verifier: &Running, kind: TeeKind, parts: Vec<(EvidencePart, Vec<u8>)>) -> u16 {
    let bundle = EvidenceBundle::from_parts(kind, parts).unwrap();
    let request = AppraiseRequest {
        bundle: Base64(bundle.encode()),
        challenge: Base64(challenge()),
        binding: binding(),
    };
    verifier
        .post("/v1/appraise", &request)
        .await
        .status()
        .into()
}

async fn scene(now: u64) -> (Vendor, Running) {
    let vendor = Vendor::start().await;
    let verifier = start_as("https://verifier.example", false, &vendor.config("")).await;
    verifier.now.store(now, Ordering::SeqCst);
    (vendor, verifier)
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::from_value(value.clone()).unwrap()
}

#[tokio::test]
async fn a_report_inside_an_hcl_report_asks_for_its_chip() {
    let Some(vectors) = vectors() else { return };
    let file = std::fs::read(vectors.join("azure-vtpm/az_snp_genoa.json")).unwrap();
    let evidence: Value = serde_json::from_slice(&file).unwrap();
    let (vendor, verifier) = scene(1_750_000_000).await;
    let parts = vec![
        (EvidencePart::Quote, bytes(&evidence["quote"]["message"])),
        (EvidencePart::HclReport, bytes(&evidence["report"])),
    ];
    let issuers = ["snp/genoa.ask.der", "snp/genoa.ark.der"];
    let issuers = issuers.map(|name| std::fs::read(vectors.join(name)).unwrap());
    assert_eq!(ask(&verifier, TeeKind::AzureSnp, parts.clone()).await, 503);
    assert!(
        vendor
            .asked()
            .contains(&"/vcek/v1/Genoa/cert_chain".to_owned()),
        "{:?}",
        vendor.asked()
    );

    // With the chip's certificate, which Azure gives to its guests, only its surroundings are
    // asked for.
    let (vendor, verifier) = scene(1_750_000_000).await;
    let vcek = evidence["vcek"].as_str().unwrap().as_bytes().to_vec();
    let mut with_vcek = parts.clone();
    with_vcek.push((EvidencePart::Certificates, vcek));
    assert_eq!(ask(&verifier, TeeKind::AzureSnp, with_vcek).await, 200);
    let mut asked = vendor.asked();
    asked.sort();
    assert_eq!(asked, ["/vcek/v1/Genoa/cert_chain", "/vcek/v1/Genoa/crl"]);

    // With its issuers alone, DER one after the other, the chip's is asked for.
    let (vendor, verifier) = scene(1_750_000_000).await;
    let mut with_issuers = parts;
    with_issuers.push((EvidencePart::Certificates, issuers.concat()));
    assert_eq!(ask(&verifier, TeeKind::AzureSnp, with_issuers).await, 503);
    assert!(
        vendor
            .asked()
            .contains(&"/vcek/v1/Genoa/cert_chain".to_owned())
    );
}

#[tokio::test]
async fn the_quote_below_a_virtual_tpm_asks_for_intels_collateral() {
    let Some(vectors) = vectors() else { return };
    let read = |name: &str| -> Value {
        let file = std::fs::read(vectors.join("azure-vtpm").join(name)).unwrap();
        serde_json::from_slice(&file).unwrap()
    };
    let evidence = read("az_tdx.json");
    let (vendor, verifier) = scene(1_750_974_626).await;
    vendor.publish_intel("tdx", &read("az_tdx.collateral.json"));
    let quote = evidence["td_quote"].as_str().unwrap();
    let mut standard = quote.replace('-', "+").replace('_', "/");
    while standard.len() % 4 != 0 {
        standard.push('=');
    }
    let quote: Base64 = serde_json::from_value(standard.into()).unwrap();
    let parts = vec![
        (EvidencePart::Quote, vec![0; 64]),
        (EvidencePart::TdQuote, quote.0),
    ];
    assert_eq!(ask(&verifier, TeeKind::AzureTdx, parts).await, 200);
    assert_eq!(vendor.asked().len(), 4);
    let ok = "subrosa_verifier_collateral_fetches_total{source=\"intel\",outcome=\"ok\"}";
    assert_eq!(verifier.metric(ok).await, Some(3.0));
}
