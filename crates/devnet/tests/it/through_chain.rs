// SPDX-License-Identifier: Apache-2.0
//! Clients that reach the chain and no node, by the command line; and an RPC that shows them other answers
//! than the enclave's.

use std::{
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use alloy::{primitives::B256, providers::Provider};
use alloy_primitives::{Address, U256, hex};
use alloy_sol_types::SolEvent;
use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use subrosa_chain::bindings::{SubrosaMailbox::ChallengeAnswered, SubrosaRegistry};
use subrosa_client::{
    Account, Act, Asking, ClientError, Connection, Deployment, Governed, MailboxError, Suspect,
    WaitOptions,
};
use subrosa_devnet::{Executable, Service};

use crate::scene::{Scene, vault};

/// The command line, with a deployment file whose node is a closed port.
struct Terminal {
    directory: tempfile::TempDir,
    key: String,
}

impl Terminal {
    fn new(scene: &Scene) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let deployment = closed(scene).to_toml().unwrap();
        std::fs::write(directory.path().join("deployment.toml"), deployment).unwrap();
        let code = vault(40);
        std::fs::write(directory.path().join("code"), hex::encode(&code.code)).unwrap();
        std::fs::write(directory.path().join("init"), hex::encode(&code.init)).unwrap();
        Self {
            directory,
            key: scene.network.accounts()[0].private_key().to_string(),
        }
    }

    async fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(Executable::Subrosa.locate(None).unwrap());
        command
            .current_dir(self.directory.path())
            .args(["--json"])
            .args(words)
            .args(["--deployment", "deployment.toml"])
            .env("SUBROSA_PRIVATE_KEY", &self.key);
        let ran = tokio::task::spawn_blocking(move || command.output());
        ran.await.unwrap().unwrap()
    }

    async fn succeed(&self, words: &[&str]) -> Value {
        let output = self.run(words).await;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {complaint}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn fail(&self, words: &[&str], code: i32) -> String {
        let output = self.run(words).await;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {complaint}");
        complaint
    }
}

/// The deployment as seen by whoever cannot reach its node: its port is closed.
fn closed(scene: &Scene) -> Deployment {
    Deployment {
        node_url: "http://127.0.0.1:9".to_owned(),
        ..scene.network.deployment().clone()
    }
}

async fn signer(scene: &Scene) -> Address {
    let contracts = scene.network.contracts();
    let registry = SubrosaRegistry::new(contracts.registry, scene.network.provider().clone());
    let admitted = registry.SignerAdmitted_filter().from_block(0);
    let admitted = admitted.query().await.unwrap();
    admitted.last().unwrap().0.signer
}

async fn asked(scene: &Scene, deployment: Deployment, timeout: u64) -> Result<usize, ClientError> {
    let asking = Asking {
        wait: WaitOptions {
            timeout: std::time::Duration::from_secs(timeout),
            ..WaitOptions::default()
        },
        ..Asking::default()
    };
    let account: &Account = scene.network.accounts()[1].signer();
    let connection = Connection::open(deployment).await.unwrap();
    let attested = connection
        .attest_through_chain(&Scene::consent(), &asking, account)
        .await?;
    Ok(attested.checks().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_node_to_reach_contracts_are_deployed_and_called() {
    let mut scene = Scene::start().await;
    let terminal = Terminal::new(&scene);
    let complaint = terminal.fail(&["attest", "--development"], 1).await;
    assert!(complaint.contains("no answer from node"), "{complaint}");
    let through = ["--development", "--through-chain"];

    let relay = scene.network.relay().address();
    let provider = scene.network.provider().clone();
    let attested = terminal
        .succeed(&[&["attest"], &through[..]].concat())
        .await;
    assert_eq!(attested["accepted"], true);
    let own = signer(&scene).await;
    assert_eq!(attested["signer"], json!(own));
    let checks = attested["checks"].as_array().unwrap();
    let names: Vec<_> = checks
        .iter()
        .map(|check| check["id"].as_str().unwrap())
        .collect();
    for name in [
        "answer.signature",
        "challenge",
        "measurement",
        "attestation.signature",
        "epoch.record",
        "signer.admitted",
    ] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }

    // Asked by name, and for a price that is told before.
    let quoted = terminal.succeed(&["mailbox", "quote"]).await;
    let wei: U256 = quoted["wei"].as_str().unwrap().parse().unwrap();
    let before = provider.get_balance(relay).await.unwrap();
    let (own, wei) = (own.to_string(), wei.to_string());
    let named = ["--signer", &own, "--escrow", &wei];
    terminal
        .succeed(&[&["attest"], &through[..], &named].concat())
        .await;
    let after = provider.get_balance(relay).await.unwrap();
    assert!(after > before, "answering costs more than it brings");

    let code = ["--code", "code", "--init-file", "init"];
    let deployed = terminal
        .succeed(&[&["deploy"], &through[..], &code].concat())
        .await;
    let contract = deployed["contract"].as_str().unwrap();
    let call = ["request", contract, "add(uint256)(uint256)", "2"];
    let called = terminal.succeed(&[&call, &through[..]].concat()).await;
    assert_eq!(called["values"], json!(["42"]), "{called}");

    // Signers that may not sign are refused, before anything is paid.
    let stranger = Address::repeat_byte(0x51).to_string();
    let named = ["--signer", &stranger];
    let complaint = terminal
        .fail(&[&["attest"], &through[..], &named].concat(), 2)
        .await;
    assert!(complaint.contains("signer.admitted"), "{complaint}");
    let verify = ["--verify", "result"];
    let complaint = terminal
        .fail(&[&["attest"], &through[..], &verify].concat(), 2)
        .await;
    assert!(complaint.contains("ear.present"), "{complaint}");

    // What nobody answers is taken back.
    scene.network.kill(Service::Node).unwrap();
    let patience = ["--timeout", "1"];
    let complaint = terminal
        .fail(&[&["attest"], &through[..], &patience].concat(), 1)
        .await;
    assert!(complaint.contains("mailbox reclaim"), "{complaint}");
    let listed = terminal.succeed(&["mailbox", "list"]).await;
    let challenges = listed["challenges"].as_array().unwrap();
    assert_eq!(challenges.len(), 1, "{listed}");
    let id = challenges[0]["id"].as_str().unwrap();
    let complaint = terminal.fail(&["mailbox", "reclaim", id], 1).await;
    assert!(complaint.contains("TooEarlyToReclaim"), "{complaint}");
    scene.warp(3_600).await;
    let back = terminal.succeed(&["mailbox", "reclaim", id]).await;
    assert_eq!(back["challenges"][0]["id"], id);
    let listed = terminal.succeed(&["mailbox", "list"]).await;
    assert_eq!(listed["challenges"], json!([]));
    scene.network.stop().unwrap();
}

/// A proxy before a chain that shows an answer given before instead of the one that is looked for.
struct Proxy {
    url: String,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Forgery {
    chain: String,
    /// What is done with the answer that is looked for, and the one given before.
    forge: fn(&mut Value, &Value),
    earlier: Arc<Mutex<Option<Value>>>,
}

impl Proxy {
    async fn before(chain: String, forge: fn(&mut Value, &Value)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let forgery = Forgery {
            chain,
            forge,
            earlier: Arc::default(),
        };
        let router = Router::new()
            .route("/", post(pass_on))
            .with_state(forgery.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { url, task }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(State(forgery): State<Forgery>, Json(call): Json<Value>) -> Json<Value> {
    let answer = reqwest::Client::new()
        .post(&forgery.chain)
        .json(&call)
        .send()
        .await;
    let mut answer: Value = answer.unwrap().json().await.unwrap();
    let topic = json!(ChallengeAnswered::SIGNATURE_HASH);
    let filter = &call["params"][0]["topics"];
    if call["method"] == "eth_getLogs"
        && (filter[0] == topic || filter[0][0] == topic)
        && !filter[1].is_null()
        && let Some(log) = answer["result"].get_mut(0)
    {
        let mut earlier = forgery.earlier.lock().unwrap();
        match &*earlier {
            None => *earlier = Some(log.clone()),
            Some(earlier) => (forgery.forge)(log, earlier),
        }
    }
    Json(answer)
}

/// The answer to another challenge, by the same enclave.
fn whole(log: &mut Value, earlier: &Value) {
    log["data"] = earlier["data"].clone();
}

/// The evidence for another challenge, beside what answers this one.
fn evidence(log: &mut Value, earlier: &Value) {
    let decode = |log: &Value| {
        let topics: Vec<B256> = serde_json::from_value(log["topics"].clone()).unwrap();
        let data = hex::decode(log["data"].as_str().unwrap()).unwrap();
        ChallengeAnswered::decode_raw_log(topics, &data).unwrap()
    };
    let mut answer = decode(log);
    answer.evidence = decode(earlier).evidence;
    log["data"] = json!(hex::encode_prefixed(answer.encode_data()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_evidence_is_for_another_challenge_is_refused() {
    let scene = Scene::start().await;
    for forge in [whole, evidence] {
        let proxy = Proxy::before(scene.network.chain_http(), forge).await;
        let deployment = Deployment {
            rpc_url: proxy.url.clone(),
            ..closed(&scene)
        };
        // The first one passes as it is.
        asked(&scene, deployment.clone(), 60).await.unwrap();
        let error = asked(&scene, deployment, 60).await.unwrap_err();
        let ClientError::Refused(refusal) = error else {
            panic!("not a refusal: {error}");
        };
        assert_eq!(refusal.check, "answer.signature");
    }
    // Without a mailbox there is nobody to ask.
    let elsewhere = Deployment {
        mailbox: None,
        ..closed(&scene)
    };
    let error = asked(&scene, elsewhere, 1).await.unwrap_err();
    assert!(matches!(error, ClientError::Mailbox(MailboxError::None)));
    // Signers that are suspended are neither chosen nor taken by name.
    let signer = signer(&scene).await;
    let suspect = Act::Suspend(Suspect::Signer(signer));
    let deployer = scene.network.deployer().signer().clone();
    let governed = scene.connection().await.govern(&suspect, &deployer).await;
    assert!(matches!(governed, Ok(Governed::Done { .. })));
    let error = asked(&scene, closed(&scene), 1).await.unwrap_err();
    let chosen = matches!(error, ClientError::Mailbox(MailboxError::NoSigner { .. }));
    assert!(chosen, "{error}");
    let asking = Asking {
        signer: Some(signer),
        ..Asking::default()
    };
    let connection = Connection::open(closed(&scene)).await.unwrap();
    let account = scene.network.accounts()[1].signer();
    let consent = Scene::consent();
    let named = connection.attest_through_chain(&consent, &asking, account);
    let error = named.await.unwrap_err();
    let ClientError::Refused(refusal) = error else {
        panic!("not a refusal: {error}");
    };
    assert_eq!(refusal.check, "signer.admitted");
    scene.network.stop().unwrap();
}
