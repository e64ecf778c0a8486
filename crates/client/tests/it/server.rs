// SPDX-License-Identifier: Apache-2.0
//! A fake that answers as chain and as node over HTTP, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};

/// What answers a method with its parameters: a result, or a JSON-RPC error message.
pub(crate) type Answer = Arc<dyn Fn(&str, &[Value]) -> Result<Value, Value> + Send + Sync>;

/// A fake JSON-RPC server. Stops when dropped.
pub(crate) struct FakeServer {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl FakeServer {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let state = (answer, asked.clone());
        let router = Router::new().route("/", post(handle)).with_state(state);
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { url, asked, task }
    }

    /// Every method that was called, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Whether anything arrived that could carry something encrypted, or a transaction.
    pub(crate) fn was_sent_anything(&self) -> bool {
        let carriers = ["subrosa_deploy", "subrosa_query", "eth_sendRawTransaction"];
        self.asked()
            .iter()
            .any(|method| carriers.contains(&method.as_str()))
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = (Answer, Arc<Mutex<Vec<String>>>);

async fn handle(State((answer, asked)): State<Shared>, Json(call): Json<Value>) -> Json<Value> {
    let method = call["method"].as_str().unwrap();
    asked.lock().unwrap().push(method.to_owned());
    let params = call["params"].as_array().cloned().unwrap_or_default();
    let id = &call["id"];
    Json(match answer(method, &params) {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
    })
}
