// SPDX-License-Identifier: Apache-2.0
//! What stands in passes the suites that what it stands for passes.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use async_trait::async_trait;
use subrosa_chain::{
    mailbox::{AskedChallenge, CodePart},
    send::Call,
};
use subrosa_node::{
    Chain, ChainView, Enclaves, Transaction,
    conformance::{self, ChainHarness, EnclaveHarness},
};
use subrosa_simulation::{Client, Machine, OWNER, SimulatedClock, World};
use subrosa_types::ContractId;

use crate::guest;

#[tokio::test(start_paused = true)]
async fn the_simulated_clock_is_a_clock() {
    conformance::clock(&SimulatedClock::starting_at(1_800_000_000)).await;
}

#[tokio::test]
async fn a_machine_has_an_enclave() {
    conformance::enclave(&mut Switch(Machine::new(7, guest::engines))).await;
}

#[tokio::test(start_paused = true)]
async fn the_simulated_chain_is_a_chain() {
    conformance::chain(&mut Moved::new().await).await;
}

/// A machine with a hand on its switch.
struct Switch(Machine);

#[async_trait]
impl EnclaveHarness for Switch {
    fn enclaves(&mut self) -> &mut dyn Enclaves {
        &mut self.0
    }

    async fn lose(&mut self) {
        self.0.power_off();
    }
}

/// A world whose node runs while there is something to fulfil, and else leaves the chain's account
/// to the suite.
struct Moved {
    world: World,
    client: Client,
    contract: ContractId,
    entries: u64,
}

impl Moved {
    async fn new() -> Self {
        let world = World::new(11, guest::engines);
        let node = world.start().await.unwrap();
        assert!(world.until(|_| world.client().is_some()).await);
        let mut client = world.client().unwrap();
        let contract = world.deploy(&node, &mut client, &guest::vault(40)).await;
        assert!(world.settled(contract, 1).await);
        node.stop().await;
        Self {
            world,
            client,
            contract,
            entries: 1,
        }
    }
}

#[async_trait(?Send)]
impl ChainHarness for Moved {
    fn chain(&self) -> Arc<dyn Chain> {
        Arc::new(self.world.chain.clone())
    }

    fn oracle(&self) -> Address {
        self.world.oracle()
    }

    fn first_block(&self) -> u64 {
        1
    }

    fn contract(&self) -> ContractId {
        self.contract
    }

    async fn append(&mut self) {
        let seq = self
            .world
            .call(&mut self.client, self.contract, &guest::add(1));
        self.entries = seq + 1;
    }

    async fn fulfill(&mut self) {
        let node = self.world.start().await.unwrap();
        let settled = self.world.settled(self.contract, self.entries).await;
        assert!(settled, "{:?}", node.unreadiness());
        node.stop().await;
    }

    async fn mine(&mut self) {
        self.world.chain.mine();
    }

    async fn reorganize(&mut self, from: u64) {
        let tip = self.world.chain.tip().await.unwrap().number;
        let depth = usize::try_from(tip + 1 - from).unwrap();
        self.world.chain.reorganize(depth);
    }

    async fn publish(&mut self, part: CodePart) {
        self.world.chain.publish(OWNER, part).unwrap();
    }

    async fn challenge(&mut self) -> AskedChallenge {
        self.world.admit();
        let asked = AskedChallenge {
            asker: Address::repeat_byte(0xa5),
            signer: self.world.signer().unwrap(),
            challenge: B256::repeat_byte(0xc4),
            escrow: U256::from(5),
            deadline: 0,
        };
        let AskedChallenge {
            asker,
            signer,
            challenge,
            escrow,
            ..
        } = asked;
        let id = self.world.chain.challenge(asker, signer, challenge, escrow);
        assert_eq!(id, Ok(asked.id()));
        asked
    }

    fn harmless(&self) -> Transaction {
        Transaction::Prepared(Call::new(Address::ZERO, Bytes::new()))
    }
}
