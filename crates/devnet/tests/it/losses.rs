// SPDX-License-Identifier: Apache-2.0
//! A thousand requests of a consumer that does what it can, on a chain whose base fee rises and falls by an eighth a
//! block: what the relay's account loses, by its balance.

use std::time::Duration;

use alloy::{
    consensus::Transaction,
    network::TransactionBuilder,
    providers::{DynProvider, Provider, ext::AnvilApi},
    rpc::types::TransactionRequest,
    sol,
};
use alloy_primitives::{Address, U256, hex};
use alloy_sol_types::SolValue;
use subrosa_client::ContractPolicy;
use subrosa_devnet::{Devnet, Options};

use crate::{
    command_line::Purse,
    scene::{Scene, vault},
};

sol! {
    #[sol(rpc)]
    contract Hostile {
        function ask(bytes32 contractId, uint256 count, uint256 seed) external;
    }
}

const REQUESTS: u64 = 1_000;
/// In one transaction.
const AT_ONCE: u64 = 20;
/// Seconds.
const BLOCK: f64 = 0.25;
const GWEI: u128 = 1_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn over_a_thousand_hostile_requests_the_relay_loses_nothing_but_what_failed() {
    let options = Options {
        block_time: Some(BLOCK),
        ..Options::default()
    };
    let scene = Scene {
        network: Devnet::start(&options).await.unwrap(),
    };
    // Gas at the base fee, an eighth more: what covers in one block does not two blocks later.
    let policy = ContractPolicy {
        base_fee_sixteenths: 18,
        gas_price_floor: Some(1_000_000_000),
        ..ContractPolicy::default()
    };
    let contract = scene.deploy(&vault(0), &policy).await;
    let hostile = deploy(&scene).await;
    let (purse, relay) = (Purse(&scene), scene.network.relay().address());
    let provider = scene.network.provider().clone();
    let first = provider.get_block_number().await.unwrap();
    let before = (purse.balance(relay).await, purse.relay().await);

    let weather = tokio::spawn(rise_and_fall(provider.clone()));
    for seed in 0..REQUESTS / AT_ONCE {
        let call = hostile.ask(contract, U256::from(AT_ONCE), U256::from(seed));
        let call = call
            .max_fee_per_gas(500 * GWEI)
            .max_priority_fee_per_gas(GWEI)
            .gas(8_000_000);
        let sent = call.send().await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
        if seed == REQUESTS / AT_ONCE / 2 {
            // Some are late by now, whether or not they wait to be mined.
            scene.warp(90).await;
        }
    }
    let oracle = scene.oracle();
    let executed = async || {
        let head = oracle.head(contract).call().await.unwrap();
        head.as_limbs()[0] & 0xff_ffff_ffff
    };
    tokio::time::sleep(Duration::from_secs(20)).await;
    let while_it_moved = executed().await;
    weather.abort();
    // And what did not cover yet does now.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(240);
    while executed().await < 1 + REQUESTS {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{} executed",
            executed().await
        );
        provider
            .anvil_set_next_block_base_fee_per_gas(GWEI)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let spent = before.0 - purse.balance(relay).await;
    let earned = purse.relay().await - before.1;
    let books = Books::read(&scene, relay, first).await;
    println!(
        "{while_it_moved} of {REQUESTS} landed while the base fee moved; spent {spent}, earned {earned}, {books:?}"
    );
    assert!(while_it_moved > REQUESTS / 10, "{while_it_moved}");
    assert!(earned + books.vain >= spent, "{earned} {spent} {books:?}");
    // No block's transactions are made up for by another's.
    assert!(books.lost.is_zero(), "{books:?}");
    // One failed transaction for each hundred is what may be.
    let failures = U256::from(REQUESTS / 100) * U256::from(16_000_000 * 40 * GWEI);
    assert!(books.vain <= failures, "{books:?}");
    scene.network.stop().unwrap();
}

/// Ten gwei, up by an eighth for twelve blocks, down for as many.
async fn rise_and_fall(provider: DynProvider) {
    let mut base_fee = 10 * GWEI;
    for step in 0u64.. {
        base_fee = if step / 12 % 2 == 0 {
            base_fee * 9 / 8
        } else {
            base_fee * 8 / 9
        };
        let set = provider.anvil_set_next_block_base_fee_per_gas(base_fee);
        if set.await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs_f64(BLOCK)).await;
    }
}

/// What the relay's account paid, block by block.
#[derive(Debug, Default)]
struct Books {
    /// For transactions that reverted, or were given up.
    vain: U256,
    /// Beyond what was earned in the same block.
    lost: U256,
    losing_blocks: usize,
    blocks: usize,
}

impl Books {
    async fn read(scene: &Scene, relay: Address, first: u64) -> Self {
        let (provider, oracle) = (scene.network.provider(), scene.oracle());
        let newest = provider.get_block_number().await.unwrap();
        let earned = async |number: u64| {
            let waiting = oracle.balanceOf(relay).block(number.into());
            waiting.call().await.unwrap()
        };
        let mut books = Self::default();
        for number in first + 1..=newest {
            let block = provider.get_block_by_number(number.into()).full().await;
            let block = block.unwrap().unwrap();
            let (mut paid, mut landed) = (U256::ZERO, false);
            for transaction in block.transactions.into_transactions() {
                if transaction.inner.signer() != relay {
                    continue;
                }
                let hash = *transaction.inner.tx_hash();
                let receipt = provider.get_transaction_receipt(hash).await;
                let receipt = receipt.unwrap().unwrap();
                let cost = U256::from(receipt.gas_used) * U256::from(receipt.effective_gas_price);
                if receipt.status() && !transaction.input().is_empty() {
                    (paid, landed) = (paid + cost, true);
                } else {
                    books.vain += cost;
                }
            }
            if landed {
                books.blocks += 1;
                let lost = paid.saturating_sub(earned(number).await - earned(number - 1).await);
                books.lost += lost;
                books.losing_blocks += usize::from(!lost.is_zero());
            }
        }
        books
    }
}

async fn deploy(scene: &Scene) -> Hostile::HostileInstance<DynProvider> {
    let oracle = scene.network.deployment().measured.oracle;
    let code = [hex::decode(HOSTILE.trim()).unwrap(), oracle.abi_encode()].concat();
    let provider = scene.signing(scene.network.accounts()[2].signer());
    let hundred_ether = U256::from(100) * U256::from(10).pow(U256::from(18));
    let transaction = TransactionRequest::default()
        .with_deploy_code(code)
        .with_value(hundred_ether);
    let sent = provider.send_transaction(transaction).await.unwrap();
    let receipt = sent.get_receipt().await.unwrap();
    Hostile::new(receipt.contract_address.unwrap(), provider)
}

/// `tests/consumers/Hostile.sol`, compiled.
const HOSTILE: &str = include_str!("../consumers/Hostile.hex");
