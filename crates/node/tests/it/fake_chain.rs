// SPDX-License-Identifier: Apache-2.0
//! A fake chain for tests: an empty one, whose contracts are one byte of code.
//!
//! It answers what starting a node asks and nothing else; whatever runs on a chain is tested
//! against a real one elsewhere.

use std::net::SocketAddr;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use jsonrpsee::{
    RpcModule,
    server::{Server, ServerHandle},
};
use reqwest::Url;
use subrosa_types::{
    config::{HeaderTrustKind, Recovery},
    measured::Measured,
};
use tempfile::TempDir;

use crate::config::{self, Config, KeySource};

/// A JSON-RPC endpoint of a chain with one block, and a place for a node's data.
pub(crate) struct FakeChain {
    address: SocketAddr,
    directory: TempDir,
    _server: ServerHandle,
}

impl FakeChain {
    pub(crate) async fn start() -> Self {
        let server = Server::builder().build("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let mut module = RpcModule::new(());
        module
            .register_method("eth_chainId", |_, _, _| "0x7a69")
            .unwrap();
        module
            .register_method("eth_getTransactionCount", |_, _, _| "0x0")
            .unwrap();
        module
            .register_method("eth_getCode", |_, _, _| "0xfe")
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join("relay.key"),
            B256::repeat_byte(7).to_string(),
        )
        .unwrap();
        Self {
            address,
            directory,
            _server: server.start(module),
        }
    }

    /// A node's configuration: nothing listens on the enclave's socket or at the verifier.
    pub(crate) fn config(&self) -> Config {
        let url = |text: String| Url::parse(&text).unwrap().into();
        let directory = self.directory.path();
        Config {
            measured: Measured {
                chain_id: 31_337,
                registry: Address::repeat_byte(1),
                registry_code_hash: keccak256(CODE),
                oracle: Address::repeat_byte(2),
                oracle_code_hash: keccak256(CODE),
                header_trust: HeaderTrustKind::HostAsserted,
                header_trust_parameters: Bytes::new(),
                evidence_roots: vec![subrosa_evidence::DEVELOPMENT_ROOT_ID],
                policy_hash: B256::ZERO,
                key_group: 1,
                recovery: Recovery::SealedDevelopment,
            },
            chain: config::Chain {
                http: url(format!("http://{}", self.address)),
                ws: None,
                start_block: 0,
                poll_milliseconds: 50,
            },
            enclave: config::Enclave {
                socket: directory.join("enclave.sock"),
                binary: None,
                arguments: Vec::new(),
                admission: None,
                open_epochs: config::OpenEpochs::First,
                renew_before_seconds: 600,
                max_loads: 4,
            },
            verifier: Some(config::Verifier {
                url: url("http://127.0.0.1:9".to_owned()),
            }),
            mailbox: None,
            relay: config::Relay {
                key: KeySource::File {
                    file: directory.join("relay.key"),
                },
                max_items: 32,
                max_gas: 16_000_000,
                max_in_flight: 8,
                max_wait_milliseconds: 50,
                fee_floor_percent: 100,
                subsidy_gwei_per_day: 0,
                withdraw_below_gwei: 0,
            },
            rpc: config::Rpc {
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                max_request_bytes: 64 * 1024,
                max_connections: 16,
                max_batch: 4,
                max_waiting: 16,
                limits: config::Limits::default(),
                proxies: None,
            },
            admin: config::Admin {
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            },
            data: config::Data {
                directory: directory.join("data"),
            },
        }
    }
}

const CODE: &[u8] = &[0xfe];
