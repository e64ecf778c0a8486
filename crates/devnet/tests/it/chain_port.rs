// SPDX-License-Identifier: Apache-2.0
//! The node's access to a chain, held to what every chain must do, on a real one.

use std::{sync::Arc, time::Duration};

use alloy::providers::Provider;
use alloy_primitives::{Address, B256, Bytes, U256};
use async_trait::async_trait;
use subrosa_chain::{
    Endpoints,
    bindings::{SubrosaMailbox, SubrosaRegistry},
    mailbox::{AskedChallenge, CodePart},
    send::Call,
};
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
            mailbox: Some(scene.network.contracts().mailbox),
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

    fn mailbox(&self) -> Address {
        self.scene.network.contracts().mailbox
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

    async fn publish(&mut self, part: CodePart) {
        let owner = self.scene.account();
        let mailbox = SubrosaMailbox::new(self.mailbox(), self.scene.signing(owner));
        let call = mailbox.publishCode(
            part.contract,
            part.envelope,
            part.index,
            part.count,
            part.chunk,
        );
        let sent = call.send().await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
    }

    async fn challenge(&mut self) -> AskedChallenge {
        let network = &self.scene.network;
        let registry = network.contracts().registry;
        let registry = SubrosaRegistry::new(registry, network.provider().clone());
        let admitted = registry.SignerAdmitted_filter().from_block(0);
        let admitted = admitted.query().await.unwrap();
        let asker = network.accounts()[4].signer();
        let asked = AskedChallenge {
            asker: asker.address(),
            signer: admitted.last().unwrap().0.signer,
            challenge: B256::repeat_byte(0xc4),
            escrow: U256::from(5),
            deadline: 0,
        };
        let mailbox = SubrosaMailbox::new(self.mailbox(), self.scene.signing(asker));
        let call = mailbox.challenge(asked.signer, asked.challenge);
        let sent = call.value(asked.escrow).send().await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
        asked
    }

    fn harmless(&self) -> Transaction {
        Transaction::Prepared(Call::new(self.chain.address(), Bytes::new()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_behind_json_rpc_conforms() {
    conformance::chain(&mut Anvil::start().await).await;
}
