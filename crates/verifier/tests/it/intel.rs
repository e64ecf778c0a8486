// SPDX-License-Identifier: Apache-2.0
//! Genuine Intel evidence that lacks its collateral.

use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::Value;
use subrosa_attestation::{Policy, verify_genuine};
use subrosa_collateral::testing::{Fault, Vendor, vectors};
use subrosa_evidence::{
    CheckId, EvidenceBundle, EvidencePart, Verdict, VerdictStatus,
    api::{AppraiseRequest, AppraiseResponse, Base64, Problem, ProblemCode},
};
use subrosa_types::id::TeeKind;

use crate::fixture::{Running, binding, challenge, failed, start_as};

/// Inside the window in which the collateral of `tdx_v4_phala` is in force, which ends at [`END`].
const INSIDE: u64 = 1_750_500_000;
/// When its TCB info runs out: 2025-07-19T10:16:03Z.
const END: u64 = 1_752_920_163;
const DAY: u64 = 86_400;
const FETCHES: &str = "subrosa_verifier_collateral_fetches_total";

struct Scene {
    vendor: Vendor,
    verifier: Running,
    collateral: Value,
    quote: Vec<u8>,
}

/// A production verifier at [`INSIDE`] that asks a vendor with the collateral of `tdx_v4_phala`.
async fn scene(vectors: &Path, more: &str) -> Scene {
    let vendor = Vendor::start().await;
    let collateral = collateral(vectors, "tdx/tdx_v4_phala");
    vendor.publish_intel("tdx", &collateral);
    let verifier = start_as("https://verifier.example", false, &vendor.config(more)).await;
    verifier.now.store(INSIDE, Ordering::SeqCst);
    let quote = std::fs::read(vectors.join("tdx/tdx_v4_phala.quote.bin")).unwrap();
    Scene {
        vendor,
        verifier,
        collateral,
        quote,
    }
}

fn collateral(vectors: &Path, name: &str) -> Value {
    let path = vectors.join(format!("{name}.collateral.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

impl Scene {
    fn at(&self, now: u64) {
        self.verifier.now.store(now, Ordering::SeqCst);
    }

    async fn ask(&self) -> reqwest::Response {
        let parts = [(EvidencePart::Quote, self.quote.clone())];
        ask(&self.verifier, TeeKind::Tdx, parts).await
    }

    async fn verdict(&self) -> Verdict {
        verdict(self.ask().await).await
    }

    /// What was asked of the vendor, by what is asked for.
    fn asked(&self, part: &str) -> usize {
        let asked = self.vendor.asked();
        asked.iter().filter(|path| path.contains(part)).count()
    }

    async fn fetches(&self, outcome: &str) -> f64 {
        let name = format!("{FETCHES}{{source=\"intel\",outcome=\"{outcome}\"}}");
        self.verifier.metric(&name).await.unwrap_or(0.0)
    }

    async fn entries(&self, state: &str) -> f64 {
        let name = format!("subrosa_verifier_collateral_entries{{state=\"{state}\"}}");
        self.verifier.metric(&name).await.unwrap()
    }
}

async fn ask<const N: usize>(
    verifier: &Running,
    kind: TeeKind,
    parts: [(EvidencePart, Vec<u8>); N],
) -> reqwest::Response {
    let bundle = EvidenceBundle::from_parts(kind, parts).unwrap();
    let request = AppraiseRequest {
        bundle: Base64(bundle.encode()),
        challenge: Base64(challenge()),
        binding: binding(),
    };
    verifier.post("/v1/appraise", &request).await
}

async fn verdict(response: reqwest::Response) -> Verdict {
    assert_eq!(response.status(), 200);
    let response: AppraiseResponse = response.json().await.unwrap();
    // Genuine evidence of strangers binds neither our keys nor our challenge.
    assert_eq!(response.verdict.status, VerdictStatus::Rejected);
    assert!(response.ear.is_none());
    response.verdict
}

/// Everything that does not depend on whose evidence it is.
fn assert_genuine(verdict: &Verdict) {
    let whose = [CheckId::Config, CheckId::ReportData, CheckId::Challenge];
    assert_eq!(failed(verdict), whose, "{verdict:?}");
    assert!(verdict.subject.is_some());
}

#[tokio::test]
async fn a_quote_without_collateral_is_completed_once_for_all() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "").await;
    let first = scene.verdict().await;
    assert_genuine(&first);
    let subject = first.subject.unwrap();
    assert_eq!(subject.collateral.len(), 4);
    let mut asked = scene.vendor.asked();
    asked.sort();
    assert_eq!(
        asked,
        [
            "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
            "/sgx/certification/v4/rootcacrl",
            "/tdx/certification/v4/qe/identity",
            "/tdx/certification/v4/tcb?fmspc=B0C06F000000",
        ]
    );
    assert_genuine(&scene.verdict().await);
    assert_eq!(scene.vendor.asked().len(), 4, "the second asks nothing");
    assert_eq!(scene.fetches("ok").await, 3.0);
    assert_eq!(scene.entries("fresh").await, 4.0);
    let metrics = scene.verifier.get("/metrics").await.text().await.unwrap();
    for name in [
        "fetches_total",
        "fetch_seconds",
        "entries",
        "oldest_seconds",
        "source_paused",
    ] {
        let help = format!("# HELP subrosa_verifier_collateral_{name} ");
        assert!(metrics.contains(&help), "{help} not in\n{metrics}");
    }
    let buckets = "subrosa_verifier_collateral_fetch_seconds_bucket{source=\"intel\",le=\"+Inf\"}";
    assert_eq!(scene.verifier.metric(buckets).await, Some(3.0));
    scene.verifier.stop().await;
}

#[tokio::test]
async fn the_bundle_comes_back_complete_for_others_to_verify_offline() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "").await;
    let response: AppraiseResponse = scene.ask().await.json().await.unwrap();
    let completed = EvidenceBundle::decode(&response.bundle.0).unwrap();
    assert_eq!(completed.quote(), scene.quote);
    let brought = EvidenceBundle::new(TeeKind::Tdx, scene.quote.clone(), Vec::new()).unwrap();
    assert!(verify_genuine(&brought, &Policy::strict(), INSIDE).is_err());
    verify_genuine(&completed, &Policy::strict(), INSIDE).unwrap();
    scene.verifier.stop().await;
}

#[tokio::test]
async fn an_sgx_quote_asks_for_sgx() {
    let Some(vectors) = vectors() else { return };
    let mut scene = scene(&vectors, "").await;
    let own = collateral(&vectors, "sgx/sgx_v3_phala");
    scene.vendor.publish_intel("sgx", &own);
    scene.quote = std::fs::read(vectors.join("sgx/sgx_v3_phala.quote.bin")).unwrap();
    let parts = [(EvidencePart::Quote, scene.quote.clone())];
    let verdict = verdict(ask(&scene.verifier, TeeKind::Sgx, parts).await).await;
    assert!(verdict.subject.is_some(), "{verdict:?}");
    assert_eq!(
        scene.asked("/sgx/certification/v4/tcb?fmspc=00A067110000"),
        1
    );
    assert_eq!(scene.asked("ca=processor"), 1);
}

#[tokio::test]
async fn many_that_need_the_same_cause_one_fetch() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "").await;
    let (a, b, c, d, e, f) = tokio::join!(
        scene.verdict(),
        scene.verdict(),
        scene.verdict(),
        scene.verdict(),
        scene.verdict(),
        scene.verdict(),
    );
    for verdict in [a, b, c, d, e, f] {
        assert_genuine(&verdict);
    }
    assert_eq!(scene.vendor.asked().len(), 4);
}

#[tokio::test]
async fn what_is_in_use_is_fetched_anew_in_the_background_before_it_runs_out() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "check_seconds = 1\n").await;
    assert_genuine(&scene.verdict().await);
    scene.at(INSIDE + DAY);
    // Nobody asks the verifier.
    scene.vendor.asked_at_least(8).await;
    let asked = scene.vendor.asked();
    let (mut first, mut second) = (asked[..4].to_vec(), asked[4..8].to_vec());
    first.sort();
    second.sort();
    assert_eq!(first, second);
    assert_genuine(&scene.verdict().await);
}

#[tokio::test]
async fn while_the_vendor_is_down_what_is_in_force_is_used_and_what_ran_out_never() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "check_seconds = 3600").await;
    assert_genuine(&scene.verdict().await);
    scene.vendor.fail("/", Fault::Status(500));

    scene.at(INSIDE + 2 * DAY);
    assert_genuine(&scene.verdict().await);
    scene.vendor.asked_at_least(8).await;
    assert_eq!(scene.entries("grace").await, 4.0);
    let grace = scene
        .verifier
        .metric("subrosa_verifier_collateral_grace_total");
    assert_eq!(grace.await, Some(4.0));
    let oldest = scene
        .verifier
        .metric("subrosa_verifier_collateral_oldest_seconds");
    assert_eq!(oldest.await, Some(2.0 * 86_400.0));

    scene.at(END);
    let verdict = scene.verdict().await;
    assert!(verdict.subject.is_none());
    let [check] = failed(&verdict)[..] else {
        panic!("one failure: {verdict:?}");
    };
    assert!(
        matches!(check, CheckId::DcapCollateral | CheckId::DcapRevocation),
        "{check}"
    );
    let found = &verdict.check(check).unwrap().found;
    assert!(found.to_lowercase().contains("expired"), "{found}");

    // The vendor is back with the edition of another year.
    scene.vendor.heal();
    let newer = collateral(&vectors, "tdx/tdx_v5_td15ex");
    scene.vendor.publish_intel("tdx", &newer);
    scene.at(1_792_714_008);
    let verdict = scene.verdict().await;
    let subject = verdict
        .subject
        .unwrap_or_else(|| panic!("fresh collateral: {:?}", verdict.checks));
    assert!(subject.collateral_expires > 1_792_714_008);
}

#[tokio::test]
async fn when_nothing_can_be_had_there_is_no_verdict() {
    let Some(vectors) = vectors() else { return };
    for (fault, outcome) in [
        (Fault::NotFound, "not-found"),
        (Fault::Busy(None), "busy"),
        (Fault::Status(500), "status"),
        (Fault::Status(403), "status"),
        (Fault::Silent, "timeout"),
        (Fault::Truncated, "transport"),
        (Fault::Oversized { announced: true }, "too-large"),
        (Fault::Oversized { announced: false }, "too-large"),
        (Fault::Tampered, "refused"),
        (Fault::Nonsense, "refused"),
        (Fault::Redirect, "redirect"),
        (Fault::NoChain, "no-chain"),
    ] {
        let scene = scene(&vectors, "").await;
        scene.vendor.fail("/tcb", fault);
        let response = scene.ask().await;
        assert_eq!(response.status(), 503, "{fault:?}");
        assert!(response.headers().contains_key("retry-after"), "{fault:?}");
        let problem: Problem = response.json().await.unwrap();
        assert_eq!(problem.code, ProblemCode::CollateralUnavailable);
        assert_eq!(scene.fetches(outcome).await, 1.0, "{fault:?}");
        // It is left alone for a while.
        assert_eq!(scene.ask().await.status(), 503);
        assert_eq!(scene.asked("/tcb"), 1, "{fault:?}");
        scene.vendor.heal();
        scene.at(INSIDE + 60);
        assert_genuine(&scene.verdict().await);
        assert_eq!(scene.asked("/tcb"), 2, "{fault:?}");
        assert_eq!(scene.asked("/qe/identity"), 1, "what was had is kept");
    }
}

#[tokio::test]
async fn collateral_of_another_platform_is_refused() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "").await;
    scene.at(1_758_093_775);
    // Genuine, signed, in force, and about somebody else.
    let mut other = collateral(&vectors, "tdx/tdx_v4_near");
    let info = other["tcb_info"].as_str().unwrap().to_owned();
    scene.vendor.publish_intel("tdx", &other);
    let body = format!(
        "{{\"tcbInfo\":{info},\"signature\":{}}}",
        other["tcb_info_signature"].take()
    );
    let chain = other["tcb_info_issuer_chain"].as_str().unwrap();
    let chain = chain.replace(' ', "%20").replace('\n', "%0A");
    scene.vendor.publish(
        "/tdx/certification/v4/tcb?fmspc=B0C06F000000",
        Some(("TCB-Info-Issuer-Chain", chain)),
        body.into_bytes(),
    );
    assert_eq!(scene.ask().await.status(), 503);
    assert_eq!(scene.fetches("refused").await, 1.0);
    assert_eq!(scene.fetches("ok").await, 2.0);
}

#[tokio::test]
async fn a_vendor_that_asks_for_time_gets_it() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "").await;
    scene.vendor.fail("/", Fault::Busy(Some(600)));
    let response = scene.ask().await;
    assert_eq!(response.status(), 503);
    let before = scene.vendor.asked().len();
    scene.vendor.heal();
    scene.at(INSIDE + 599);
    let paused = "subrosa_verifier_collateral_source_paused{source=\"intel\"}";
    assert_eq!(scene.verifier.metric(paused).await, Some(1.0));
    let response = scene.ask().await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(scene.vendor.asked().len(), before, "nothing is asked");
    // One question probes; with its answer the way is open for the others.
    scene.at(INSIDE + 600);
    assert_genuine(&scene.verdict().await);
    assert_eq!(scene.verifier.metric(paused).await, Some(0.0));
}

#[tokio::test]
async fn a_vendor_that_is_still_down_is_probed_once() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "").await;
    scene.vendor.fail("/", Fault::Busy(Some(600)));
    assert_eq!(scene.ask().await.status(), 503);
    let before = scene.asked("/tdx/") + scene.asked("pckcrl");
    scene.at(INSIDE + 2000);
    assert_eq!(scene.ask().await.status(), 503);
    let after = scene.asked("/tdx/") + scene.asked("pckcrl");
    assert_eq!(after, before + 1);
}

#[tokio::test]
async fn collateral_that_is_brought_is_no_substitute_for_what_can_be_had() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "").await;
    let with = |quote: &str, collateral: &Value| {
        [
            (
                EvidencePart::Quote,
                std::fs::read(vectors.join(quote)).unwrap(),
            ),
            (
                EvidencePart::Collateral,
                serde_json::to_vec(collateral).unwrap(),
            ),
        ]
    };
    let own = || with("tdx/tdx_v4_phala.quote.bin", &scene.collateral);
    assert_genuine(&verdict(ask(&scene.verifier, TeeKind::Tdx, own()).await).await);
    assert_eq!(scene.vendor.asked().len(), 4);
    // What was changed on the way does not matter where it can be had.
    let mut tampered = scene.collateral.clone();
    let text = tampered["tcb_info"].as_str().unwrap();
    tampered["tcb_info"] = text.replace("OutOfDate", "UpToDate").into();
    let parts = with("tdx/tdx_v4_phala.quote.bin", &tampered);
    assert_genuine(&verdict(ask(&scene.verifier, TeeKind::Tdx, parts).await).await);
    assert_eq!(scene.vendor.asked().len(), 4);

    // The same platform, four months later.
    let newer = collateral(&vectors, "tdx/tdx_v4_outofdate");
    scene.vendor.publish_intel("tdx", &newer);
    scene.at(1_761_500_000);
    let stale = collateral(&vectors, "azure-vtpm/az_tdx");
    let bundle = with("tdx/tdx_v4_outofdate.quote.bin", &stale);
    let completed = verdict(ask(&scene.verifier, TeeKind::Tdx, bundle).await).await;
    let subject = completed.subject.unwrap();
    assert!(subject.collateral_expires > 1_761_500_000);
    assert_eq!(scene.asked("fmspc=00806F050000"), 1);

    // Without the vendor it stays what it is: stale.
    scene.vendor.fail("/", Fault::Status(500));
    scene.at(END);
    let own = with("tdx/tdx_v4_phala.quote.bin", &scene.collateral);
    let stale = verdict(ask(&scene.verifier, TeeKind::Tdx, own).await).await;
    assert!(stale.subject.is_none());
    assert_eq!(failed(&stale).len(), 1);
}

#[tokio::test]
async fn where_nothing_can_be_had_what_is_brought_is_used() {
    let Some(vectors) = vectors() else { return };
    for faults in [&["/"][..], &["/tcb", "/pckcrl"], &["/rootcacrl"]] {
        let scene = scene(&vectors, "").await;
        for part in faults {
            scene.vendor.fail(part, Fault::Status(404));
        }
        let parts = |collateral: &Value| {
            let collateral = serde_json::to_vec(collateral).unwrap();
            [
                (EvidencePart::Quote, scene.quote.clone()),
                (EvidencePart::Collateral, collateral),
            ]
        };
        let own = parts(&scene.collateral);
        assert_genuine(&verdict(ask(&scene.verifier, TeeKind::Tdx, own).await).await);
        assert!(scene.asked("/") >= 4, "{faults:?}");
        // Piece by piece: what is wrong with one that can be had is of no account.
        let mut without_identity = scene.collateral.clone();
        without_identity["qe_identity"] = "{}".into();
        let response = ask(&scene.verifier, TeeKind::Tdx, parts(&without_identity)).await;
        let found = verdict(response).await;
        if faults == ["/"] {
            assert!(found.subject.is_none());
        } else {
            assert_genuine(&found);
        }
    }
}

#[tokio::test]
async fn only_hardware_of_an_accepted_root_makes_the_service_ask() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "").await;
    // Another platform than Intel's word says: one byte of the PCK certificate in the quote.
    let mut forged = scene.quote.clone();
    let needle = b"-----BEGIN CERTIFICATE-----\n";
    let start = forged
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    for byte in &mut forged[start + 900..start + 904] {
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
    let parts = [(EvidencePart::Quote, forged)];
    verdict(ask(&scene.verifier, TeeKind::Tdx, parts).await).await;
    let foreign = std::fs::read(vectors.join("sgx-synthetic/uptodate.quote.bin")).unwrap();
    let parts = [(EvidencePart::Quote, foreign)];
    verdict(ask(&scene.verifier, TeeKind::Sgx, parts).await).await;
    let parts = [(EvidencePart::Quote, vec![0; 4096])];
    verdict(ask(&scene.verifier, TeeKind::Tdx, parts).await).await;
    assert_eq!(scene.vendor.asked(), Vec::<String>::new());

    let encrypted = std::fs::read(vectors.join("sgx/neg_sgx_v3_eppid.quote.bin")).unwrap();
    let parts = [(EvidencePart::Quote, encrypted)];
    let response = ask(&scene.verifier, TeeKind::Sgx, parts).await;
    assert_eq!(response.status(), 400);
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.code, ProblemCode::IncompleteEvidence);
}

#[tokio::test]
async fn requests_that_cause_fetches_are_rarer_than_others() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(
        &vectors,
        "[limits]\nfetches_per_minute = 1\nfetch_burst = 1",
    )
    .await;
    let near = std::fs::read(vectors.join("tdx/tdx_v4_near.quote.bin")).unwrap();
    let near = || [(EvidencePart::Quote, near.clone())];
    assert_genuine(&scene.verdict().await);
    let limited = ask(&scene.verifier, TeeKind::Tdx, near()).await;
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "60");
    assert_eq!(scene.vendor.asked().len(), 4);
    assert_genuine(&scene.verdict().await);
    scene.at(INSIDE + 60);
    let response = ask(&scene.verifier, TeeKind::Tdx, near()).await;
    assert_eq!(response.status(), 503, "asked, and there is no such thing");
    assert_eq!(scene.asked("20A06F000000"), 1);
}

#[tokio::test]
async fn a_verifier_that_fetches_nothing_judges_what_it_gets() {
    let Some(vectors) = vectors() else { return };
    let scene = scene(&vectors, "fetch = false").await;
    let verdict = scene.verdict().await;
    assert_eq!(failed(&verdict), [CheckId::EvidenceFormat]);
    assert_eq!(scene.vendor.asked().len(), 0);
}
