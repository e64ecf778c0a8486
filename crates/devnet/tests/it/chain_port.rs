// SPDX-License-Identifier: Apache-2.0
//! The node's access to a chain, held to what every chain must do, on a real one.

use std::{sync::Arc, time::Duration};

use alloy::providers::Provider;
use alloy_primitives::{Address, Bytes};
use async_trait::async_trait;
use subrosa_chain::{Endpoints, send::Call};
use subrosa_client::{ContractPolicy, Ticket};
use subrosa_devnet::Service;
use subrosa_node::{
    AlloyChain, AlloyOptions, Chain, Transaction,
    conformance::{self, ChainHarness},
};
use subrosa_types::ContractId;

use crate::scene::{Scene, vault};

/// A network whose node runs only while something is to be fulfilled.
struct Anvil {
    scene: Scene,
    chain: Arc<dyn Chain>,
    contract: ContractId,
    /// Of the entry that was appended last.
    ticket: Option<Ticket>,
}

impl Anvil {
    async fn start() -> Self {
        let mut scene = Scene::start().await;
        let contract = scene.deploy(&vault(0), &ContractPolicy::default()).await;
        scene.call(contract, 1).await;
        scene.network.kill(Service::Node).unwrap();
        let options = AlloyOptions {
            endpoints: Endpoints {
                ws: Some(scene.network.chain_ws()),
                http: Some(scene.network.chain_http()),
            },
            poll_interval: Duration::from_millis(50),
            key: scene.network.accounts()[3].signer().clone(),
        };
        let measured = scene.network.deployment().measured.enclave_config();
        let chain = AlloyChain::connect(options, &measured.unwrap()).await;
        Self {
            chain: Arc::new(chain.unwrap()),
            scene,
            contract,
            ticket: None,
        }
    }

    async fn mine_one(&self) {
        let provider = self.scene.network.provider();
        let _: serde_json::Value = provider.raw_request("evm_mine".into(), ()).await.unwrap();
    }
}

#[async_trait(?Send)]
impl ChainHarness for Anvil {
    fn chain(&self) -> Arc<dyn Chain> {
        Arc::clone(&self.chain)
    }

    fn oracle(&self) -> Address {
        self.scene.network.contracts().oracle
    }

    fn first_block(&self) -> u64 {
        0
    }

    fn contract(&self) -> ContractId {
        self.contract
    }

    async fn append(&mut self) {
        self.ticket = Some(self.scene.request(self.contract, 1).await);
    }

    async fn fulfill(&mut self) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        self.scene.network.restart(Service::Node).await.unwrap();
        self.scene.output(&ticket).await;
        self.scene.network.kill(Service::Node).unwrap();
    }

    async fn mine(&mut self) {
        self.mine_one().await;
    }

    async fn reorganize(&mut self, from: u64) {
        let provider = self.scene.network.provider();
        let tip = provider.get_block_number().await.unwrap();
        let depth = tip + 1 - from;
        let rolled = provider.raw_request::<_, serde_json::Value>("anvil_rollback".into(), [depth]);
        rolled.await.unwrap();
        for _ in 0..=depth {
            self.mine_one().await;
        }
    }

    fn harmless(&self) -> Transaction {
        Transaction::Prepared(Call::new(self.chain.address(), Bytes::new()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_behind_json_rpc_conforms() {
    conformance::chain(&mut Anvil::start().await).await;
}
