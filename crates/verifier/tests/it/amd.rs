// SPDX-License-Identifier: Apache-2.0
//! Genuine AMD evidence that lacks its certificates.

use std::path::Path;
use std::sync::atomic::Ordering;

use subrosa_collateral::testing::{Fault, Vendor, vectors};
use subrosa_evidence::{
    CheckId, EvidenceBundle, EvidencePart,
    api::{AppraiseRequest, AppraiseResponse, Base64, Problem, ProblemCode},
};
use subrosa_types::id::TeeKind;

use crate::fixture::{Running, binding, challenge, failed, start_as};

/// When the VCEK of `snp_genoa_v5` is in force.
const INSIDE: u64 = 1_757_179_301;
const VCEK: &str = "/vcek/v1/Genoa/d2421d976f95ce0ba849b7cc5c789122f1e59c77a037272c137ae4d188bb102\
                    adbc7c53d0302bff82a432c94a305dec7a7a270ceb19a10f04a83316c6486968d?blSPL=10&\
                    teeSPL=00&snpSPL=25&ucodeSPL=84";

async fn scene(vectors: &Path) -> (Vendor, Running) {
    let vendor = Vendor::start().await;
    let file = |name: &str| std::fs::read(vectors.join("snp").join(name)).unwrap();
    let chain = |names: [&str; 2]| names.map(|name| pem(&file(name))).concat().into_bytes();
    vendor.publish(VCEK, None, file("snp_genoa_v5.vek.der"));
    vendor.publish(
        "/vcek/v1/Genoa/cert_chain",
        None,
        chain(["genoa.ask.der", "genoa.ark.der"]),
    );
    vendor.publish(
        "/vlek/v1/Milan/cert_chain",
        None,
        chain(["milan_vlek.ask.der", "milan_vlek.ark.der"]),
    );
    let verifier = start_as("https://verifier.example", false, &vendor.config("")).await;
    verifier.now.store(INSIDE, Ordering::SeqCst);
    (vendor, verifier)
}

fn pem(der: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let Base64Text(encoded) = Base64Text::of(der);
    for line in encoded.as_bytes().chunks(64) {
        writeln!(text, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

struct Base64Text(String);

impl Base64Text {
    fn of(bytes: &[u8]) -> Self {
        let json = serde_json::to_string(&Base64(bytes.to_vec())).unwrap();
        Self(json.trim_matches('"').to_owned())
    }
}

async fn ask(verifier: &Running, parts: Vec<(EvidencePart, Vec<u8>)>) -> reqwest::Response {
    let bundle = EvidenceBundle::from_parts(TeeKind::Snp, parts).unwrap();
    let request = AppraiseRequest {
        bundle: Base64(bundle.encode()),
        challenge: Base64(challenge()),
        binding: binding(),
    };
    verifier.post("/v1/appraise", &request).await
}

async fn fetches(verifier: &Running, outcome: &str) -> f64 {
    let name = format!(
        "subrosa_verifier_collateral_fetches_total{{source=\"amd\",outcome=\"{outcome}\"}}"
    );
    verifier.metric(&name).await.unwrap_or(0.0)
}

#[tokio::test]
async fn a_report_without_certificates_is_completed_once_for_all() {
    let Some(vectors) = vectors() else { return };
    let (vendor, verifier) = scene(&vectors).await;
    let report = std::fs::read(vectors.join("snp/snp_genoa_v5.report.bin")).unwrap();
    let parts = || vec![(EvidencePart::Quote, report.clone())];
    let response = ask(&verifier, parts()).await;
    assert_eq!(response.status(), 200);
    let response: AppraiseResponse = response.json().await.unwrap();
    if response.verdict.subject.is_some() {
        // No list was published, which is all that is left to object to.
        let whose = [
            CheckId::Revocation,
            CheckId::Config,
            CheckId::ReportData,
            CheckId::Challenge,
        ];
        let failed = failed(&response.verdict);
        assert!(
            failed.iter().all(|check| whose.contains(check)),
            "{failed:?}"
        );
    } else {
        // A build that cannot verify reports says so, and nothing of their certificates.
        assert_eq!(failed(&response.verdict), [CheckId::EvidenceFormat]);
    }
    let mut asked = vendor.asked();
    asked.sort();
    assert_eq!(
        asked,
        ["/vcek/v1/Genoa/cert_chain", "/vcek/v1/Genoa/crl", VCEK]
    );
    assert_eq!(fetches(&verifier, "ok").await, 2.0);
    assert_eq!(fetches(&verifier, "not-found").await, 1.0);

    // Seven years are not refreshed daily, and a list that is not there is not asked for again
    // at once.
    verifier.now.store(INSIDE + 5, Ordering::SeqCst);
    assert_eq!(ask(&verifier, parts()).await.status(), 200);
    assert_eq!(vendor.asked().len(), 3);
    verifier.now.store(INSIDE + 30 * 86_400, Ordering::SeqCst);
    assert_eq!(ask(&verifier, parts()).await.status(), 200);
    let asked = vendor.asked();
    assert_eq!(asked[3..], ["/vcek/v1/Genoa/crl"]);
}

#[tokio::test]
async fn certificates_of_another_chip_or_firmware_are_refused() {
    let Some(vectors) = vectors() else { return };
    let report = std::fs::read(vectors.join("snp/snp_genoa_v5.report.bin")).unwrap();
    let vcek = std::fs::read(vectors.join("snp/snp_genoa_v5.vek.der")).unwrap();
    let milan = std::fs::read(vectors.join("snp/snp_milan_v3.vek.der")).unwrap();
    let mut other_chip = report.clone();
    other_chip[0x1a0] ^= 1;
    let mut other_firmware = report.clone();
    other_firmware[0x187] ^= 1;
    let mut tampered = vcek.clone();
    let middle = tampered.len() / 2;
    tampered[middle] ^= 1;
    for (report, answer) in [
        (&other_chip, &vcek),
        (&other_firmware, &vcek),
        (&report, &milan),
        (&report, &tampered),
    ] {
        let (vendor, verifier) = scene(&vectors).await;
        let path = {
            // Whatever is asked for gets this answer.
            let parts = vec![(EvidencePart::Quote, report.clone())];
            vendor.fail("?blSPL", Fault::NotFound);
            assert_eq!(ask(&verifier, parts).await.status(), 503);
            vendor.heal();
            let asked = vendor.asked();
            asked
                .into_iter()
                .find(|path| path.contains("?blSPL"))
                .unwrap()
        };
        vendor.publish(&path, None, answer.clone());
        verifier.now.store(INSIDE + 60, Ordering::SeqCst);
        let response = ask(&verifier, vec![(EvidencePart::Quote, report.clone())]).await;
        assert_eq!(response.status(), 503);
        let problem: Problem = response.json().await.unwrap();
        assert_eq!(problem.code, ProblemCode::CollateralUnavailable);
        assert_eq!(fetches(&verifier, "refused").await, 1.0);
    }
}

#[tokio::test]
async fn what_only_its_sender_has_must_come_with_the_evidence() {
    let Some(vectors) = vectors() else { return };
    let (vendor, verifier) = scene(&vectors).await;
    let report = |name: &str| std::fs::read(vectors.join("snp").join(name)).unwrap();
    let mut hidden = report("snp_genoa_v5.report.bin");
    hidden[0x1a0..0x1e0].fill(0);
    for (report, word) in [
        (report("snp_milan_v2.report.bin"), "version 2"),
        (report("snp_milan_v3_vlek.report.bin"), "VLEK"),
        (hidden, "chip id"),
    ] {
        let response = ask(&verifier, vec![(EvidencePart::Quote, report)]).await;
        assert_eq!(response.status(), 400);
        let problem: Problem = response.json().await.unwrap();
        assert_eq!(problem.code, ProblemCode::IncompleteEvidence);
        assert!(problem.message.contains(word), "{}", problem.message);
    }
    assert_eq!(vendor.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn evidence_with_everything_is_judged_and_its_list_is_asked_for() {
    let Some(vectors) = vectors() else { return };
    let (vendor, verifier) = scene(&vectors).await;
    let file = |name: &str| std::fs::read(vectors.join("snp").join(name)).unwrap();
    let certificates = [
        file("snp_genoa_v5.vek.der"),
        file("genoa.ask.der"),
        file("genoa.ark.der"),
    ];
    let mut unknown = file("snp_genoa_v5.report.bin");
    unknown[0x188] = 0x17;
    for (report, check) in [
        (file("snp_genoa_v5.report.bin"), None),
        // A processor nobody knows: its certificate says which product it would be of.
        (unknown, Some(CheckId::SnpSignature)),
    ] {
        let parts = vec![
            (EvidencePart::Quote, report),
            (EvidencePart::Certificates, certificates.concat()),
        ];
        let response = ask(&verifier, parts).await;
        assert_eq!(response.status(), 200);
        let response: AppraiseResponse = response.json().await.unwrap();
        assert_eq!(response.verdict.subject.is_some(), check.is_none());
        if let Some(check) = check {
            assert_eq!(failed(&response.verdict), [check]);
        }
    }
    assert_eq!(vendor.asked(), ["/vcek/v1/Genoa/crl"]);
}

#[tokio::test]
async fn a_vlek_gets_its_issuers_and_a_certificate_names_the_product() {
    let Some(vectors) = vectors() else { return };
    let (vendor, verifier) = scene(&vectors).await;
    let file = |name: &str| std::fs::read(vectors.join("snp").join(name)).unwrap();
    verifier.now.store(1_750_000_000, Ordering::SeqCst);
    let vlek = vec![
        (EvidencePart::Quote, file("snp_milan_v3_vlek.report.bin")),
        (
            EvidencePart::Certificates,
            file("snp_milan_v3_vlek.vek.der"),
        ),
    ];
    assert_eq!(ask(&verifier, vlek).await.status(), 200);
    let mut asked = vendor.asked();
    asked.sort();
    assert_eq!(asked, ["/vlek/v1/Milan/cert_chain", "/vlek/v1/Milan/crl"]);
    assert_eq!(fetches(&verifier, "ok").await, 1.0);

    let old = vec![
        (EvidencePart::Quote, file("snp_milan_v2.report.bin")),
        (
            EvidencePart::Certificates,
            pem(&file("snp_milan_v2.vek.der")).into_bytes(),
        ),
    ];
    assert_eq!(ask(&verifier, old).await.status(), 200);
    let mut asked = vendor.asked().split_off(2);
    asked.sort();
    assert_eq!(asked, ["/vcek/v1/Milan/cert_chain", "/vcek/v1/Milan/crl"]);
}
