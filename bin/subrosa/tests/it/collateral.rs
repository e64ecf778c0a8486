// SPDX-License-Identifier: Apache-2.0
//! `subrosa collateral push` against a chain, with the collateral of software evidence.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
};

use alloy::{
    network::EthereumWallet, providers::ProviderBuilder, signers::local::PrivateKeySigner,
};
use alloy_primitives::{Address, B256};
use serde_json::Value;
use subrosa_attestation::root_certificate;
use subrosa_chain::bindings::SubrosaDcap;
use subrosa_evidence::{DEVELOPMENT_ROOT_ID, EvidenceBundle, INTEL_SGX_ROOT_ID};
use subrosa_tee::Tee;
use tempfile::TempDir;

use crate::{
    anvil::Anvil,
    run::{Run, subrosa_with},
};

/// The first of anvil's well-known development keys.
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// A chain with a contract that pins one root, and evidence in files.
struct Scene {
    anvil: Anvil,
    dcap: Address,
    directory: TempDir,
    bundle: EvidenceBundle,
}

impl Scene {
    fn new(root: B256) -> Self {
        let anvil = Anvil::start(&[]);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let signer: PrivateKeySigner = KEY.parse().unwrap();
        let dcap = runtime.block_on(async {
            let provider = ProviderBuilder::new()
                .wallet(EthereumWallet::from(signer))
                .connect(&anvil.http())
                .await
                .unwrap();
            *SubrosaDcap::deploy(provider, vec![root])
                .await
                .unwrap()
                .address()
        });
        let bundle = Tee::software(None).unwrap().quote(&[0x5b; 64]).unwrap();
        let scene = Self {
            anvil,
            dcap,
            directory: TempDir::new().unwrap(),
            bundle,
        };
        scene.write("bundle", &scene.bundle.encode());
        scene.write("quote.bin", scene.bundle.quote());
        scene.write("collateral.json", scene.bundle.collateral());
        scene
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn collateral(&self) -> Value {
        serde_json::from_slice(self.bundle.collateral()).unwrap()
    }

    fn push(&self, options: &[&str]) -> Run {
        let (rpc, dcap) = (self.anvil.http(), self.dcap.to_string());
        let arguments = [
            &[
                "collateral",
                "push",
                "--rpc",
                &rpc,
                "--dcap",
                &dcap,
                "--quiet",
            ],
            options,
        ]
        .concat();
        subrosa_with(&arguments, &[("SUBROSA_PRIVATE_KEY", KEY)])
    }

    fn pushed(&self, options: &[&str]) -> (i32, Vec<Value>) {
        let run = self.push(&[options, &["--json"]].concat());
        let printed: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
        assert_eq!(printed["dcap"], self.dcap.to_string().to_lowercase());
        (run.code, printed["documents"].as_array().unwrap().clone())
    }
}

fn outcomes(documents: &[Value]) -> Vec<&str> {
    let outcomes = documents
        .iter()
        .map(|document| document["outcome"].as_str().unwrap());
    outcomes.collect()
}

#[test]
fn what_is_missing_is_stored_once_and_nothing_is_sent_by_a_dry_run() {
    let scene = Scene::new(DEVELOPMENT_ROOT_ID);
    let bundle = scene.path("bundle");
    for _ in 0..2 {
        let (code, documents) = scene.pushed(&["--evidence", &bundle, "--dry-run"]);
        assert_eq!((code, outcomes(&documents)), (0, vec!["wanted"; 4]));
        assert!(documents.iter().all(|document| document["kept"].is_null()));
    }
    let (code, documents) = scene.pushed(&["--evidence", &bundle]);
    assert_eq!((code, outcomes(&documents)), (0, vec!["stored"; 4]));
    let kinds: Vec<_> = documents
        .iter()
        .map(|document| document["document"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "root-crl",
            "pck-authority",
            "tcb-info tdx 005bd5000000",
            "qe-identity tdx"
        ]
    );
    for document in &documents {
        assert_eq!(document["transaction"], documents[0]["transaction"]);
        assert!(document["gas"].as_u64().unwrap() > 500_000, "{document}");
        assert_eq!(document["inForce"], true);
        assert_eq!(document["kept"]["issued"], document["issued"]);
    }

    // The collateral alone does as well, and a person can read the answer.
    let again = scene.push(&["--evidence", &scene.path("collateral.json")]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let lines: Vec<_> = again.stdout.lines().collect();
    assert!(
        lines[..4].iter().all(|line| line.contains("there already")),
        "{}",
        again.stdout
    );
    assert!(
        lines[0].contains("2026-01-01T00:00:00Z to 2056-01-01T00:00:00Z"),
        "{}",
        lines[0]
    );
    assert!(!again.stdout.contains("transaction"), "{}", again.stdout);
}

#[test]
fn a_contract_under_another_root_refuses_everything_by_name() {
    let scene = Scene::new(INTEL_SGX_ROOT_ID);
    let run = scene.push(&["--evidence", &scene.path("bundle")]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(run.stdout.matches("REFUSED").count(), 4, "{}", run.stdout);
    assert!(run.stderr.contains("RootUnknown"), "{}", run.stderr);
    assert!(
        run.stderr.contains("does not pin the root"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_was_changed_is_refused_and_holds_up_nothing_else() {
    let scene = Scene::new(DEVELOPMENT_ROOT_ID);
    let mut collateral = scene.collateral();
    let text = collateral["tcb_info"].as_str().unwrap();
    collateral["tcb_info"] = text.replacen("OutOfDate", "UpToDate", 1).into();
    scene.write("changed.json", collateral.to_string().as_bytes());
    let (code, documents) = scene.pushed(&["--evidence", &scene.path("changed.json")]);
    assert_eq!(code, 2);
    assert_eq!(
        outcomes(&documents),
        ["stored", "stored", "refused", "stored"]
    );
    assert!(
        documents[2]["reason"]
            .as_str()
            .unwrap()
            .starts_with("SignatureInvalid")
    );
    assert_eq!(documents[2]["inForce"], false);

    let (code, documents) = scene.pushed(&["--evidence", &scene.path("bundle")]);
    assert_eq!(code, 0);
    assert_eq!(outcomes(&documents), ["kept", "kept", "stored", "kept"]);
}

#[test]
fn collateral_is_fetched_for_the_platform_of_a_quote_or_for_a_family() {
    let scene = Scene::new(DEVELOPMENT_ROOT_ID);
    let service = Service::start(&scene.collateral());
    let root = root_certificate(DEVELOPMENT_ROOT_ID).unwrap();
    scene.write("root.der", root);
    let (quote, root) = (scene.path("quote.bin"), scene.path("root.der"));
    let from = ["--from", &service.url, "--root", &root];

    let (code, documents) = scene.pushed(&[&from[..], &["--evidence", &quote]].concat());
    assert_eq!((code, outcomes(&documents)), (0, vec!["stored"; 4]));
    let family = [
        "--fmspc",
        "005bd5000000",
        "--tee",
        "tdx",
        "--ca",
        "platform",
    ];
    let (code, documents) = scene.pushed(&[&from[..], &family].concat());
    assert_eq!((code, outcomes(&documents)), (0, vec!["kept"; 4]));

    // Without the root pinned, nothing that was fetched is believed.
    let run = scene.push(&["--from", &service.url, "--evidence", &quote]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("cannot fetch"), "{}", run.stderr);
    let unknown = ["--fmspc", "00906ed50000"];
    let run = scene.push(&[&from[..], &unknown].concat());
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("tdx tcb-info 00906ed50000"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("status 404"), "{}", run.stderr);
}

#[test]
fn what_is_needed_is_asked_for_before_anything_is_sent() {
    let scene = Scene::new(DEVELOPMENT_ROOT_ID);
    let bundle = scene.path("bundle");
    for (options, message) in [
        (&["--evidence", &bundle][..], "no chain: pass --rpc URL"),
        (
            &["--evidence", &bundle, "--rpc", "http://127.0.0.1:1"],
            "no contract: pass --dcap",
        ),
        (
            &[
                "--evidence",
                &bundle,
                "--rpc",
                "http://127.0.0.1:1",
                "--dcap",
                &scene.dcap.to_string(),
            ],
            "no key to sign with",
        ),
        (&[], "--evidence"),
        (&["--from", "http://127.0.0.1:1"], "--fmspc"),
    ] {
        let run = subrosa_with(&[&["collateral", "push"], options].concat(), &[]);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (1, ""),
            "{options:?}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(message), "{options:?}: {}", run.stderr);
    }
    let nobody = Address::repeat_byte(7).to_string();
    let rpc = scene.anvil.http();
    let options = [
        "collateral",
        "push",
        "--dry-run",
        "--evidence",
        &bundle,
        "--rpc",
        &rpc,
        "--dcap",
        &nobody,
    ];
    let run = subrosa_with(&options, &[]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(
        run.stderr
            .to_lowercase()
            .contains(&format!("no contract at {nobody}").to_lowercase()),
        "{}",
        run.stderr
    );
    assert!(Path::new(&bundle).exists());
}

/// Intel's provisioning certification service, as far as one platform goes.
struct Service {
    url: String,
}

impl Service {
    fn start(collateral: &Value) -> Self {
        let text = |name: &str| collateral[name].as_str().unwrap().to_owned();
        let signed = |name: &str, content: &str, signature: &str| {
            let (content, signature) = (text(content), text(signature));
            format!("{{\"{name}\":{content},\"signature\":\"{signature}\"}}")
        };
        let chain = |name: &str| text(name).replace('\n', "%0A").replace(' ', "%20");
        let answers = BTreeMap::from([
            (
                "/tdx/certification/v4/tcb?fmspc=005BD5000000".to_owned(),
                (
                    format!(
                        "TCB-Info-Issuer-Chain: {}\r\n",
                        chain("tcb_info_issuer_chain")
                    ),
                    signed("tcbInfo", "tcb_info", "tcb_info_signature"),
                ),
            ),
            (
                "/tdx/certification/v4/qe/identity".to_owned(),
                (
                    format!(
                        "SGX-Enclave-Identity-Issuer-Chain: {}\r\n",
                        chain("qe_identity_issuer_chain")
                    ),
                    signed("enclaveIdentity", "qe_identity", "qe_identity_signature"),
                ),
            ),
            (
                "/sgx/certification/v4/pckcrl?ca=platform&encoding=der".to_owned(),
                (
                    format!(
                        "SGX-PCK-CRL-Issuer-Chain: {}\r\n",
                        chain("pck_crl_issuer_chain")
                    ),
                    text("pck_crl"),
                ),
            ),
            (
                "/sgx/certification/v4/rootcacrl".to_owned(),
                (String::new(), text("root_ca_crl")),
            ),
        ]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(first)) = lines.next() else {
                    continue;
                };
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
                {}
                let path = first.split(' ').nth(1).unwrap_or_default();
                let (status, (header, body)) = match answers.get(path) {
                    Some(answer) => ("200 OK", answer.clone()),
                    None => ("404 Not Found", Default::default()),
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                // The other side may have gone.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { url }
    }
}
