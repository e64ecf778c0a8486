// SPDX-License-Identifier: Apache-2.0
//! A local server that plays Intel's provisioning certification service, a PCCS and AMD's key
//! distribution service with the answers it is given, and with faults.
#![allow(clippy::unwrap_used, reason = "for tests: a panic is the report")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The directory of genuine evidence, if there is one.
pub fn vectors() -> Option<PathBuf> {
    match std::env::var_os("SUBROSA_VECTORS") {
        Some(directory) => Some(directory.into()),
        None => {
            let required = std::env::var_os("SUBROSA_REQUIRE_VECTORS").is_some_and(|v| v == "1");
            assert!(!required, "SUBROSA_VECTORS is not set");
            eprintln!("vectors: NOT RUN");
            None
        }
    }
}

/// What goes wrong with answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 404.
    NotFound,
    /// Status 429, and how many seconds to wait if it says so.
    Busy(Option<u32>),
    /// Some other status.
    Status(u16),
    /// Says nothing until the other side hangs up.
    Silent,
    /// Ends in the middle of what was announced.
    Truncated,
    /// Larger than anything genuine.
    Oversized {
        /// Whether the length is in the header.
        announced: bool,
    },
    /// One digit of the content is another.
    Tampered,
    /// Sends to another address.
    Redirect,
    /// Without the header that holds the issuers' certificates.
    NoChain,
    /// Something else altogether.
    Nonsense,
}

/// Answers by path, with query.
#[derive(Clone, Debug, Default)]
struct Answer {
    header: Option<(&'static str, String)>,
    body: Vec<u8>,
}

#[derive(Debug, Default)]
struct Script {
    answers: BTreeMap<String, Answer>,
    /// For paths that contain the key.
    faults: BTreeMap<String, Fault>,
    asked: Vec<String>,
}

/// The server. It ends with the runtime.
#[derive(Clone, Debug)]
pub struct Vendor {
    /// Its address.
    pub url: String,
    script: Arc<Mutex<Script>>,
    asked: watch::Receiver<usize>,
}

impl Vendor {
    /// A server that has nothing yet.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let (count, asked) = watch::channel(0);
        let served = Arc::clone(&script);
        tokio::spawn(async move {
            let count = Arc::new(count);
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&served), Arc::clone(&count)));
            }
        });
        Self { url, script, asked }
    }

    /// Publishes Intel's collateral from the JSON that goes with evidence, as the services do.
    pub fn publish_intel(&self, tee: &str, collateral: &Value) {
        let text = |name: &str| collateral[name].as_str().unwrap().to_owned();
        let info: Value = serde_json::from_str(&text("tcb_info")).unwrap();
        let fmspc = info["fmspc"].as_str().unwrap().to_ascii_uppercase();
        let signed = |name: &str, content: &str, signature: &str| {
            let (content, signature) = (text(content), text(signature));
            format!("{{\"{name}\":{content},\"signature\":\"{signature}\"}}").into_bytes()
        };
        let base = format!("/{tee}/certification/v4");
        self.publish(
            &format!("{base}/tcb?fmspc={fmspc}"),
            Some((
                "TCB-Info-Issuer-Chain",
                encode(&text("tcb_info_issuer_chain")),
            )),
            signed("tcbInfo", "tcb_info", "tcb_info_signature"),
        );
        self.publish(
            &format!("{base}/qe/identity"),
            Some((
                "SGX-Enclave-Identity-Issuer-Chain",
                encode(&text("qe_identity_issuer_chain")),
            )),
            signed("enclaveIdentity", "qe_identity", "qe_identity_signature"),
        );
        for ca in ["processor", "platform"] {
            // The list itself says which of the two issued it.
            self.publish(
                &format!("/sgx/certification/v4/pckcrl?ca={ca}&encoding=der"),
                Some((
                    "SGX-PCK-CRL-Issuer-Chain",
                    encode(&text("pck_crl_issuer_chain")),
                )),
                hex_bytes(&text("pck_crl")),
            );
        }
        // A PCCS gives this out in hexadecimal.
        let path = "/sgx/certification/v4/rootcacrl";
        self.publish(path, None, text("root_ca_crl").into_bytes());
    }

    /// Publishes `body` at `path`, which includes the query, with at most one header.
    pub fn publish(&self, path: &str, header: Option<(&'static str, String)>, body: Vec<u8>) {
        let mut script = self.script.lock().unwrap();
        script
            .answers
            .insert(path.to_owned(), Answer { header, body });
    }

    /// From now on, `fault` for every path that contains `part`; the first that fits counts.
    pub fn fail(&self, part: &str, fault: Fault) {
        let mut script = self.script.lock().unwrap();
        script.faults.insert(part.to_owned(), fault);
    }

    /// No fault from now on.
    pub fn heal(&self) {
        self.script.lock().unwrap().faults.clear();
    }

    /// The paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.script.lock().unwrap().asked.clone()
    }

    /// Waits until at least `count` questions were asked.
    pub async fn asked_at_least(&self, count: usize) {
        let mut asked = self.asked.clone();
        let enough = asked.wait_for(|asked| *asked >= count);
        let limit = std::time::Duration::from_secs(20);
        tokio::time::timeout(limit, enough).await.unwrap().unwrap();
    }

    /// The table that makes a verifier ask this server, and goes on with `more`.
    pub fn config(&self, more: &str) -> String {
        let url = &self.url;
        format!(
            "[collateral]\nintel_url = \"{url}\"\namd_url = \"{url}\"\ntimeout_seconds = 1\n{more}\n"
        )
    }
}

async fn answer(
    mut stream: TcpStream,
    script: Arc<Mutex<Script>>,
    count: Arc<watch::Sender<usize>>,
) {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
    let line = String::from_utf8_lossy(&request);
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let (found, fault) = {
        let mut script = script.lock().unwrap();
        script.asked.push(path.clone());
        let fault = script.faults.iter().find(|(part, _)| path.contains(*part));
        (script.answers.get(&path).cloned(), fault.map(|(_, f)| *f))
    };
    count.send_modify(|count| *count += 1);
    let bytes = match fault {
        Some(Fault::Silent) => {
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            return;
        }
        fault => response(found, fault),
    };
    // The other side may have seen enough.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

fn response(found: Option<Answer>, fault: Option<Fault>) -> Vec<u8> {
    let status = |line: &str, headers: &str| {
        format!("HTTP/1.1 {line}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
            .into_bytes()
    };
    let Some(mut found) = found else {
        return status("404 Not Found", "");
    };
    let mut announced = None;
    match fault {
        None | Some(Fault::Silent) => {}
        Some(Fault::NotFound) => return status("404 Not Found", ""),
        Some(Fault::Busy(None)) => return status("429 Too Many Requests", ""),
        Some(Fault::Busy(Some(seconds))) => {
            let header = format!("retry-after: {seconds}\r\n");
            return status("429 Too Many Requests", &header);
        }
        Some(Fault::Status(number)) => return status(&format!("{number} No"), ""),
        Some(Fault::Redirect) => return status("302 Found", "location: http://127.0.0.1:1/\r\n"),
        Some(Fault::Truncated) => {
            announced = Some(found.body.len());
            found.body.truncate(found.body.len() / 2);
        }
        Some(Fault::Oversized { announced: known }) => {
            found.body = vec![b' '; 1 << 20];
            if !known {
                announced = Some(0);
            }
        }
        Some(Fault::Tampered) => {
            let digit = found.body.iter().rposition(u8::is_ascii_digit).unwrap();
            // Past the signature in JSON, into what is signed.
            let digit = found.body[..digit.saturating_sub(400)]
                .iter()
                .rposition(u8::is_ascii_digit)
                .unwrap_or(digit);
            found.body[digit] = if found.body[digit] == b'1' {
                b'2'
            } else {
                b'1'
            };
        }
        Some(Fault::NoChain) => found.header = None,
        Some(Fault::Nonsense) => found.body = b"<html>hello</html>".to_vec(),
    }
    let mut head = "HTTP/1.1 200 OK\r\nconnection: close\r\n".to_owned();
    if let Some((name, value)) = &found.header {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match announced {
        // Ends with the connection.
        Some(0) => {}
        length => {
            let length = length.unwrap_or(found.body.len());
            head.push_str(&format!("content-length: {length}\r\n"));
        }
    }
    [head.as_bytes(), b"\r\n", &found.body].concat()
}

/// Percent-encoding as Intel's services do.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn hex_bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}
