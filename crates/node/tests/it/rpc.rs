// SPDX-License-Identifier: Apache-2.0
//! A whole node over real HTTP, on a fake chain and without an enclave: what is answered then.

use serde_json::{Value, json};
use subrosa_node::{
    ChainAccessError, Config, RunError, Running,
    config::{ForwardingHeader, Proxies},
    start,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::fake_chain::FakeChain;

async fn post(node: &Running, body: String) -> (u16, Value) {
    post_for(node, body, None).await
}

/// As a proxy does for somebody else.
async fn post_for(node: &Running, body: String, client: Option<&str>) -> (u16, Value) {
    let mut request = reqwest::Client::new()
        .post(format!("http://{}", node.rpc()))
        .header("content-type", "application/json");
    if let Some(client) = client {
        request = request.header("x-forwarded-for", client);
    }
    let response = request.body(body).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

async fn call(node: &Running, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    post(node, body.to_string()).await.1
}

async fn code(node: &Running, method: &str, params: Value) -> i64 {
    let answer = call(node, method, params).await;
    answer["error"]["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("{answer}"))
}

async fn admin(node: &Running, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{}{path}", node.admin()))
        .await
        .unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn elsewhere(error: RunError) -> &'static str {
    match error {
        RunError::Chain(error) => match *error {
            ChainAccessError::Elsewhere { what, .. } => what,
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

const HASH: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

#[tokio::test(flavor = "multi_thread")]
async fn without_an_enclave_a_node_says_so_and_answers_what_it_can() {
    let chain = FakeChain::start().await;
    let node = start(chain.config()).await.unwrap();

    let status = call(&node, "subrosa_status", json!([])).await["result"].clone();
    assert_eq!(status["chainId"], 31_337);
    assert_eq!(status["development"], true);
    assert_eq!(status["signer"], Value::Null);
    assert_eq!(
        call(&node, "rpc.discover", json!([])).await["result"]["openrpc"],
        "1.3.2"
    );

    let entry = json!([{ "contract": HASH, "seq": 3 }]);
    let request = call(&node, "subrosa_request", entry.clone()).await["result"].clone();
    assert_eq!(request["state"], "unknown");
    assert_eq!(code(&node, "subrosa_receipt", entry).await, -32042);

    let challenge = |bytes: usize| json!([{ "challenge": format!("0x{}", "ab".repeat(bytes)) }]);
    assert_eq!(
        code(&node, "subrosa_attestation", challenge(32)).await,
        -32040
    );
    for bytes in [0, 15, 65] {
        assert_eq!(
            code(&node, "subrosa_attestation", challenge(bytes)).await,
            -32050
        );
    }
    let envelope = json!([{ "contract": HASH, "envelope": "0x01" }]);
    assert_eq!(code(&node, "subrosa_query", envelope).await, -32040);
    let nonce = json!([{ "contract": HASH, "nonce": HASH }]);
    assert_eq!(code(&node, "subrosa_contract", nonce).await, -32040);

    let (status, body) = admin(&node, "/ready").await;
    assert_eq!(status, 503, "{body}");
    assert!(body.starts_with("enclave: "), "{body}");
    assert_eq!(admin(&node, "/health").await.0, 200);
    let metrics = admin(&node, "/metrics").await.1;
    assert!(metrics.contains("subrosa_enclave_serving 0"), "{metrics}");
    assert!(
        metrics.contains("# HELP subrosa_rpc_calls_total Calls answered."),
        "{metrics}"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_and_oversized_calls_get_the_documented_codes() {
    let chain = FakeChain::start().await;
    let node = start(chain.config()).await.unwrap();
    assert_eq!(code(&node, "subrosa_nothing", json!([])).await, -32601);
    for params in [
        json!([]),
        json!([{}]),
        json!([{ "contract": HASH }]),
        json!([{ "contract": "0x01", "seq": 1 }]),
        json!([{ "contract": HASH, "seq": -1 }]),
        json!([{ "contract": HASH, "seq": 1, "surprise": true }]),
        json!([{ "contract": HASH, "seq": 1 }, 2]),
    ] {
        assert_eq!(
            code(&node, "subrosa_request", params.clone()).await,
            -32602,
            "{params}"
        );
    }
    assert_eq!(post(&node, "{".into()).await.1["error"]["code"], -32700);
    let calls: Vec<_> = (0..5)
        .map(|id| json!({ "jsonrpc": "2.0", "id": id, "method": "subrosa_status", "params": [] }))
        .collect();
    assert_eq!(
        post(&node, json!(calls).to_string()).await.1["error"]["code"],
        -32010
    );
    assert_eq!(
        post(&node, json!(calls[..4]).to_string())
            .await
            .1
            .as_array()
            .unwrap()
            .len(),
        4
    );
    let large = format!("0x{}", "00".repeat(64 * 1024));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "subrosa_query",
        "params": [{ "contract": HASH, "envelope": large }] });
    let (status, answer) = post(&node, body.to_string()).await;
    assert!(
        status == 413 || answer["error"]["code"] == -32007,
        "{status} {answer}"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envelopes_beyond_any_use_are_refused_before_anything_is_done_with_them() {
    let chain = FakeChain::start().await;
    let mut config = chain.config();
    config.rpc.max_request_bytes = 8 << 20;
    let node = start(config).await.unwrap();
    let large = format!("0x{}", "00".repeat((1 << 20) + 1));
    for (method, field) in [
        ("subrosa_query", "envelope"),
        ("subrosa_deploy", "codeEnvelope"),
    ] {
        let params = json!([{ "contract": HASH, field: large }]);
        assert_eq!(code(&node, method, params).await, -32051, "{method}");
    }
    node.stop().await;
}

fn attestation(id: u32) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "subrosa_attestation",
        "params": [{ "challenge": format!("0x{}", "ab".repeat(32)) }] })
}

/// Two attestations at once, and then one a minute.
fn two_attestations(config: &mut Config) {
    config.rpc.limits.attestations_per_minute = 1;
    config.rpc.limits.attestation_burst = 2;
}

/// Asks three times where two are allowed, saying that somebody else asks each time; the code of the
/// last answer.
async fn third_of_three(node: &Running) -> i64 {
    let mut code = 0;
    for client in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        let (_, answer) = post_for(node, attestation(1).to_string(), Some(client)).await;
        code = answer["error"]["code"].as_i64().unwrap();
    }
    code
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_so_in_every_form_of_asking() {
    let chain = FakeChain::start().await;
    let mut config = chain.config();
    two_attestations(&mut config);
    let node = start(config).await.unwrap();
    let batch: Vec<_> = (0..3).map(attestation).collect();
    let answers = post(&node, json!(batch).to_string()).await.1;
    let codes: Vec<_> = (0..3).map(|at| &answers[at]["error"]["code"]).collect();
    assert_eq!(codes, [-32040, -32040, -32052], "{answers}");
    let wait = answers[2]["error"]["data"]["retryAfterMilliseconds"].as_u64();
    assert!(wait.is_some_and(|wait| (1..=60_000).contains(&wait)));
    // Another connection is the same address, and other methods have quotas of their own.
    let alone = post(&node, attestation(3).to_string()).await.1;
    assert_eq!(alone["error"]["code"], -32052, "{alone}");
    let query = json!([{ "contract": HASH, "envelope": "0x01" }]);
    assert_eq!(code(&node, "subrosa_query", query).await, -32040);
    let metrics = admin(&node, "/metrics").await.1;
    assert!(metrics.contains("subrosa_rpc_limited_total 2"), "{metrics}");
    node.stop().await;
}

/// One call over a websocket that is opened for it, and its answer.
async fn over_websocket(node: &Running, call: &Value) -> Value {
    let mut stream = TcpStream::connect(node.rpc()).await.unwrap();
    let opening = "GET / HTTP/1.1\r\nhost: node\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(opening.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{head:?}");
    // One frame of text each way; ours is masked, with zeros.
    let text = call.to_string();
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    let frame = [&[0x81, 0x80 | 126][..], &length, &[0; 4], text.as_bytes()].concat();
    stream.write_all(&frame).await.unwrap();
    loop {
        let kind = stream.read_u8().await.unwrap();
        let length = match stream.read_u8().await.unwrap() {
            126 => usize::from(stream.read_u16().await.unwrap()),
            short => usize::from(short),
        };
        let mut content = vec![0; length];
        stream.read_exact(&mut content).await.unwrap();
        // A ping, of which the first may come before any answer.
        if kind == 0x89 {
            continue;
        }
        assert_eq!(kind, 0x81);
        return serde_json::from_slice(&content).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_counts_like_any_connection() {
    let chain = FakeChain::start().await;
    let mut config = chain.config();
    two_attestations(&mut config);
    let node = start(config).await.unwrap();
    for code in [-32040, -32040, -32052] {
        let answer = over_websocket(&node, &attestation(1)).await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_header_says_counts_from_a_trusted_proxy_alone() {
    let chain = FakeChain::start().await;
    let mut config = chain.config();
    two_attestations(&mut config);
    let node = start(config).await.unwrap();
    assert_eq!(third_of_three(&node).await, -32052);
    node.stop().await;

    let chain = FakeChain::start().await;
    let mut config = chain.config();
    two_attestations(&mut config);
    let mut proxies = Proxies {
        addresses: vec!["127.0.0.1".parse().unwrap()],
        header: ForwardingHeader::XForwardedFor,
    };
    config.rpc.proxies = Some(proxies.clone());
    let node = start(config.clone()).await.unwrap();
    assert_eq!(third_of_three(&node).await, -32040);
    node.stop().await;

    proxies.addresses = vec!["10.0.0.0/8".parse().unwrap()];
    config.rpc.proxies = Some(proxies);
    let node = start(config).await.unwrap();
    assert_eq!(third_of_three(&node).await, -32052);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_serves_one_node_and_one_deployment() {
    let chain = FakeChain::start().await;
    let node = start(chain.config()).await.unwrap();
    let second = start(chain.config()).await.unwrap_err();
    let RunError::Store(error) = second else {
        panic!("{second}")
    };
    assert!(
        matches!(error, subrosa_store::StoreError::Locked(_)),
        "{error}"
    );
    node.stop().await;

    let mut other = chain.config();
    other.measured.oracle = alloy_primitives::Address::repeat_byte(9);
    let error = start(other).await.unwrap_err();
    let RunError::Store(error) = error else {
        panic!("{error}")
    };
    assert!(
        matches!(&error, subrosa_store::StoreError::Identity { field, .. } if *field == "oracle")
    );

    start(chain.config()).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_or_other_code_is_refused_at_the_start() {
    let chain = FakeChain::start().await;
    let mut config = chain.config();
    config.measured.oracle_code_hash = alloy_primitives::B256::ZERO;
    let error = start(config).await.unwrap_err();
    let what = elsewhere(error);
    assert_eq!(what, "oracle code hash");

    let chain = FakeChain::start().await;
    let mut config = chain.config();
    config.measured.chain_id = 1;
    let error = start(config).await.unwrap_err();
    let what = elsewhere(error);
    assert_eq!(what, "chain id");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_connections_and_no_more() {
    let chain = FakeChain::start().await;
    let mut config = chain.config();
    config.rpc.limits.max_connections = 2;
    let node = start(config).await.unwrap();
    let open = || async { TcpStream::connect(node.rpc()).await.unwrap() };
    let held = [open().await, open().await];
    let closed = open().await.read_u8().await;
    assert!(closed.is_err(), "{closed:?}");
    drop(held);
    let answered = async {
        loop {
            let mut stream = open().await;
            let asked = stream
                .write_all(b"GET / HTTP/1.1\r\nhost: node\r\n\r\n")
                .await;
            if asked.is_ok() && stream.read_u8().await.is_ok() {
                return;
            }
        }
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, answered).await.unwrap();
    node.stop().await;
}
