// SPDX-License-Identifier: Apache-2.0
//! What becomes of fees, to the wei, where nothing but the command line asks for it.

use std::time::{Duration, Instant};

use alloy::{
    contract::{CallBuilder, CallDecoder},
    network::TransactionBuilder,
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    sol,
};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::SolValue;
use serde_json::Value;
use subrosa_devnet::Service;

use crate::{
    command_line::{Cli, Purse, nobody, number, wei},
    memory::metric,
    scene::{Scene, add},
};

sol! {
    #[sol(rpc)]
    contract Prepayer {
        function drawOn(address account) external;
        function setDeaf(bool deaf) external;
        function ask(bytes32 contractId, bytes calldata input) external;
        function answers() external view returns (uint256);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_go_where_the_command_line_sends_them() {
    let mut scene = Scene::start().await;
    let (id, contract) = deploy(&scene);
    let id = id.as_str();
    let owner = scene.network.accounts()[0].address();
    let prepayer = deploy_prepayer(&scene).await;

    // An account is deployed, funded, drawn on, and what is left of it taken back.
    let keeper = Cli::of(&scene, 1);
    let purse = Purse(&scene);
    let limits = [
        "--per-request",
        "9000000000000000",
        "--per-day",
        "10000000000000000",
    ];
    let consumer = prepayer.address().to_string();
    let made = keeper.run(&[&["prepaid", "deploy", &consumer][..], &limits].concat());
    let account: Address = made["account"].as_str().unwrap().parse().unwrap();
    let prepaid = account.to_string();
    let prepaid = prepaid.as_str();
    assert_eq!(number(&made["balance"]), U256::ZERO);
    let deposit = U256::from(9_000_000_000_000_000_u64);
    let stranger = Cli::of(&scene, 4);
    stranger.run(&["prepaid", "deposit", prepaid, &deposit.to_string()]);
    assert_eq!(purse.balance(account).await, deposit);
    called(prepayer.drawOn(account)).await;
    called(prepayer.ask(contract, Bytes::from(add(1)))).await;
    assert_eq!(answer(&stranger, id, 1), U256::from(101));
    let parts = purse.parts(contract, 1).await;
    assert_eq!(prepayer.answers().call().await.unwrap(), U256::from(1));
    let shown = stranger.run(&["prepaid", "show", prepaid]);
    assert_eq!(number(&shown["balance"]), deposit - parts.whole());
    let per_day = U256::from(10_000_000_000_000_000_u64);
    assert_eq!(number(&shown["leftToday"]), per_day - parts.whole());
    let deployed = purse.parts(contract, 0).await;
    assert_eq!(deployed.charge, U256::ZERO, "the owner owes itself nothing");
    let mut earned = deployed.landing + parts.landing + parts.callback;
    let mut charged = parts.charge;
    assert_eq!(parts.charge, wei(1_000));
    assert_eq!(purse.relay().await, earned);
    assert_eq!(purse.waiting(owner).await, charged);

    let refused = stranger.refused(&["prepaid", "withdraw", prepaid]);
    assert!(refused.contains("NotOwner"), "{refused}");
    assert!(
        refused.contains("the account that `owner` names"),
        "{refused}"
    );
    let refused = stranger.refused(&["prepaid", "collect", prepaid]);
    assert!(refused.contains("NothingToWithdraw"), "{refused}");
    let refused = stranger.refused(&["prepaid", "show", &owner.to_string()]);
    assert!(refused.contains("is no prepaid account"), "{refused}");
    let taken = [
        prepaid,
        "--amount",
        "1000",
        "--recipient",
        &nobody(1).to_string(),
    ];
    keeper.run(&[&["prepaid", "withdraw"][..], &taken].concat());
    assert_eq!(purse.balance(nobody(1)).await, U256::from(1_000));
    let low = ["--per-request", "1", "--per-day", "1"];
    keeper.run(&[&["prepaid", "set-limits", prepaid][..], &low].concat());
    let asked = prepayer.ask(contract, Bytes::from(add(1))).call().await;
    assert!(asked.is_err(), "more than one may draw");
    keeper.run(&[&["prepaid", "set-limits", prepaid][..], &limits].concat());
    let stranger_address = scene.network.accounts()[4].address().to_string();
    keeper.run(&["prepaid", "transfer-ownership", prepaid, &stranger_address]);
    let kept = stranger.run(&["prepaid", "accept-ownership", prepaid]);
    assert_eq!(
        kept["owner"].as_str().unwrap().to_lowercase(),
        stranger_address.to_lowercase()
    );

    // With nobody to answer: one is topped up, one cancelled, one refunded, and all are executed late or not.
    scene.network.kill(Service::Node).unwrap();
    let (asker, stranger, purse) = (Cli::of(&scene, 3), Cli::of(&scene, 4), Purse(&scene));
    let ask = |more: &[&str]| {
        let fixed = ["request", id, "add(uint256)", "1", "--clear", "--no-wait"];
        let asked = asker.run(&[&fixed[..], more].concat());
        asked["request"]["seq"].as_u64().unwrap()
    };
    let (day, gas) = (["--deadline", "86400"], ["--callback-gas", "100000"]);
    let back = |number| nobody(number).to_string();
    let topped_up = ask(&day);
    let cancelled = ask(&[&day[..], &gas, &["--refund-to", &back(2)]].concat());
    let overdue = ask(&[&gas[..], &["--deadline", "60", "--refund-to", &back(3)]].concat());
    let escrowed = purse.balance(oracle(&scene)).await;
    let (entry, added) = (topped_up.to_string(), wei(777));
    stranger.run(&["fee", "add", id, &entry, "777"]);
    assert_eq!(purse.balance(oracle(&scene)).await, escrowed + added);

    let entry = cancelled.to_string();
    let refused = stranger.refused(&["fee", "cancel", id, &entry]);
    assert!(refused.contains("NotRequester"), "{refused}");
    asker.run(&["fee", "cancel", id, &entry]);
    let parts_of_cancelled = purse.parts(contract, cancelled).await;
    assert_eq!(purse.balance(nobody(2)).await, parts_of_cancelled.callback);
    assert!(!parts_of_cancelled.callback.is_zero());
    let refused = asker.refused(&["fee", "cancel", id, &entry]);
    assert!(refused.contains("NothingToCancel"), "{refused}");

    let entry = overdue.to_string();
    let refused = stranger.refused(&["fee", "refund", id, &entry]);
    assert!(refused.contains("DeadlineNotPassed"), "{refused}");
    scene.warp(400).await;
    stranger.run(&["fee", "refund", id, &entry]);
    let parts_of_overdue = purse.parts(contract, overdue).await;
    let returned = parts_of_overdue.callback + parts_of_overdue.charge;
    assert_eq!(purse.balance(nobody(3)).await, returned);
    let refused = stranger.refused(&["fee", "refund", id, &entry]);
    assert!(refused.contains("AlreadyRefunded"), "{refused}");
    let refused = stranger.refused(&["fee", "reclaim", id, &entry]);
    assert!(refused.contains("DeadlineNotPassed"), "{refused}");

    scene.network.restart(Service::Node).await.unwrap();
    let (stranger, purse) = (Cli::of(&scene, 4), Purse(&scene));
    for (seq, value) in [(topped_up, 102), (cancelled, 103), (overdue, 104)] {
        assert_eq!(answer(&stranger, id, seq), U256::from(value));
    }
    let topped = purse.parts(contract, topped_up).await;
    earned += topped.landing + added + parts_of_cancelled.landing + parts_of_overdue.landing;
    charged += topped.charge + parts_of_cancelled.charge;
    assert_eq!(purse.relay().await, earned);
    assert_eq!(purse.waiting(owner).await, charged);
    assert_eq!(purse.balance(oracle(&scene)).await, earned + charged);

    // A callback fails, and is made again by somebody who is paid for that.
    called(prepayer.setDeaf(true)).await;
    called(prepayer.ask(contract, Bytes::from(add(1)))).await;
    let failed = overdue + 1;
    assert_eq!(answer(&stranger, id, failed), U256::from(105));
    assert_eq!(prepayer.answers().call().await.unwrap(), U256::from(1));
    let parts = purse.parts(contract, failed).await;
    let burned = purse.relay().await - earned - parts.landing;
    assert!(
        !burned.is_zero() && burned < parts.callback,
        "{burned} of {parts:?}"
    );
    let entry = failed.to_string();
    let refused = stranger.refused(&["fee", "refund", id, &entry]);
    assert!(refused.contains("HeldForCallback"), "{refused}");
    let maker = scene.network.accounts()[4].address();
    let before = purse.balance(maker).await;
    let refused = stranger.refused(&["fee", "retry-callback", id, &entry]);
    assert!(refused.contains("CallbackReverted"), "{refused}");
    assert_eq!(purse.balance(maker).await, before, "nothing was sent");
    called(prepayer.setDeaf(false)).await;
    stranger.run(&["fee", "retry-callback", id, &entry]);
    assert_eq!(prepayer.answers().call().await.unwrap(), U256::from(2));
    // Its gas at the base fee, out of what was held; the rest is the requester's.
    let held = parts.callback - burned;
    let reward = purse.waiting(maker).await;
    assert!(!reward.is_zero() && reward < held, "{reward} of {held}");
    let withdrawn = stranger.run(&["fee", "withdraw", "--recipient", &back(4)]);
    assert_eq!(number(&withdrawn["wei"]), reward);
    assert_eq!(purse.balance(nobody(4)).await, reward);
    stranger.run(&["fee", "refund", id, &entry]);
    charged += parts.charge;
    Cli::of(&scene, 0).run(&["fee", "withdraw", "--recipient", &back(5)]);
    assert_eq!(purse.balance(nobody(5)).await, charged);
    earned += parts.landing + burned;
    assert_eq!(purse.balance(oracle(&scene)).await, earned);
    scene.network.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_say_who_may_ask_at_what_price_and_who_owns_it_next() {
    let scene = Scene::start().await;
    let (id, _) = deploy(&scene);
    let id = id.as_str();
    let (owner, asker, next) = (Cli::of(&scene, 0), Cli::of(&scene, 3), Cli::of(&scene, 5));
    let address = |account: usize| scene.network.accounts()[account].address();

    // A price that does not follow the base fee, so that quotes are exact.
    let fixed = [
        "--base-fee-sixteenths",
        "0",
        "--gas-price-floor",
        "3000000000",
    ];
    let terms = owner.run(&[&["contract", "set-policy", id][..], &fixed].concat());
    assert_eq!(number(&terms["policy"]["chargeGwei"]), U256::from(1_000));
    let quote = || number(&asker.run(&["fee", "quote", id, "--output", "100"])["wei"]);
    // Landing, record, output.
    let gas = U256::from(68_000 + 38_000 + 40 * 100);
    assert_eq!(quote(), gas * wei(3) + wei(1_000));
    owner.run(&["contract", "set-policy", id, "--charge", "5000"]);
    assert_eq!(quote(), gas * wei(3) + wei(5_000));
    let refused = asker.refused(&["contract", "set-policy", id, "--charge", "1"]);
    assert!(refused.contains("NotOwner"), "{refused}");
    assert!(
        refused.contains("the account that `ownerOf` names"),
        "{refused}"
    );

    let ask = ["request", id, "add(uint256)", "1", "--clear", "--no-wait"];
    owner.run(&["contract", "pause", id]);
    let refused = asker.refused(&ask);
    assert!(refused.contains("ContractPaused"), "{refused}");
    owner.run(&["contract", "unpause", id]);
    owner.run(&["contract", "set-policy", id, "--restricted", "true"]);
    let refused = asker.refused(&ask);
    assert!(refused.contains("CallerNotAllowed"), "{refused}");
    assert!(refused.contains("  next: "), "{refused}");
    let caller = address(3).to_string();
    let named = owner.run(&["contract", "set-caller", id, &caller]);
    assert_eq!(named["caller"]["allowed"], true);
    let seq = asker.run(&ask)["request"]["seq"].as_u64().unwrap();
    assert_eq!(answer(&asker, id, seq), U256::from(101));
    let purse = Purse(&scene);
    assert_eq!(purse.waiting(address(0)).await, wei(5_000));
    let named = owner.run(&["contract", "set-caller", id, &caller, "--undo"]);
    assert_eq!(named["caller"]["allowed"], false);
    assert!(asker.refused(&ask).contains("CallerNotAllowed"));

    // The next owner is paid from when it accepts.
    let refused = next.refused(&["contract", "accept-ownership", id]);
    assert!(refused.contains("NotCandidate"), "{refused}");
    owner.run(&[
        "contract",
        "transfer-ownership",
        id,
        &address(5).to_string(),
    ]);
    owner.run(&["contract", "transfer-ownership", id, "--undo"]);
    let refused = next.refused(&["contract", "accept-ownership", id]);
    assert!(refused.contains("NotCandidate"), "{refused}");
    let offered = owner.run(&[
        "contract",
        "transfer-ownership",
        id,
        &address(5).to_string(),
    ]);
    assert!(!offered["candidate"].is_null());
    next.run(&["contract", "accept-ownership", id]);
    assert!(
        owner
            .refused(&["contract", "pause", id])
            .contains("NotOwner")
    );
    next.run(&["contract", "set-policy", id, "--restricted", "false"]);
    let seq = asker.run(&ask)["request"]["seq"].as_u64().unwrap();
    assert_eq!(answer(&asker, id, seq), U256::from(102));
    assert_eq!(purse.waiting(address(0)).await, wei(5_000));
    assert_eq!(purse.waiting(address(5)).await, wei(5_000));

    // More signers at once, fewer after a while.
    let more = next.run(&["contract", "set-threshold", id, "2", "--kinds", "1"]);
    assert_eq!(number(&more["threshold"]["signers"]), U256::from(2));
    let seq = asker.run(&ask)["request"]["seq"]
        .as_u64()
        .unwrap()
        .to_string();
    let waited = asker.refused(&["result", id, &seq, "--timeout", "2"]);
    assert!(waited.contains("not fulfilled"), "{waited}");
    let fewer = next.run(&["contract", "set-threshold", id, "1"]);
    assert_eq!(number(&fewer["threshold"]["signers"]), U256::from(2));
    let from = number(&fewer["threshold"]["next"]["from"]);
    assert!(from > U256::from(scene.now().await));
    scene.warp(60).await;
    let shown = asker.run(&["contract", "policy", id]);
    assert_eq!(number(&shown["threshold"]["signers"]), U256::from(1));
    assert!(shown["threshold"]["next"].is_null());
    assert_eq!(answer(&asker, id, seq.parse().unwrap()), U256::from(103));
    let refused = owner.refused(&["contract", "abandon", id]);
    assert!(refused.contains("NotAbandonable"), "{refused}");

    // A deployment of another chain: nothing is signed.
    let layout = scene.network.layout();
    let text = std::fs::read_to_string(layout.deployment_file()).unwrap();
    let elsewhere = layout.root().join("elsewhere.toml");
    let text = text.replace("chain_id = 31337", "chain_id = 1");
    std::fs::write(&elsewhere, text).unwrap();
    let elsewhere = elsewhere.to_str().unwrap();
    for arguments in [
        &["contract", "pause", id][..],
        &["fee", "withdraw"],
        &[
            "prepaid",
            "deploy",
            &caller,
            "--per-request",
            "1",
            "--per-day",
            "1",
        ],
        &["governance", "add-runtime", "9"],
    ] {
        let arguments = [arguments, &["--deployment", elsewhere]].concat();
        let refused = next.refused(&arguments);
        assert!(
            refused.contains("of chain 31337, the deployment of chain 1"),
            "{refused}"
        );
    }
    scene.network.stop().unwrap();
}

/// A contract that charges a thousand gwei and whose owner can go back on things after a minute.
fn deploy(scene: &Scene) -> (String, B256) {
    let code = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../enclave/tests/guests/Vault.hex"
    );
    let terms = ["--charge", "1000", "--upgrade-delay", "60", "--development"];
    let code = [
        "deploy",
        "--code",
        code,
        "--constructor",
        "(uint256)",
        "100",
    ];
    let deployed = Cli::of(scene, 0).run(&[&code[..], &terms].concat());
    let id = deployed["contract"].as_str().unwrap().to_owned();
    let contract = id.parse().unwrap();
    (id, contract)
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_several_must_sign_are_left_aside() {
    let scene = Scene::start().await;
    let (id, contract) = deploy(&scene);
    let owner = Cli::of(&scene, 0);
    owner.run(&["contract", "set-threshold", &id, "2"]);
    let relay = scene.network.relay().address();
    let provider = scene.network.provider();
    let asked = scene.request(contract, 1).await;
    // At most one transaction was wasted, by which the relay learns what the owner asks for since.
    left_aside(&scene).await;
    let nonce = provider.get_transaction_count(relay).await.unwrap();
    for _ in 0..20 {
        scene.warp(1).await;
    }
    let (other, _) = deploy(&scene);
    assert_ne!(other, id);
    let sent = provider.get_transaction_count(relay).await.unwrap() - nonce;
    assert_eq!(sent, 1, "the other contract's constructor alone");
    // A lower threshold counts once its delay is over.
    owner.run(&["contract", "set-threshold", &id, "1"]);
    scene.warp(120).await;
    assert_eq!(scene.output(&asked).await, U256::from(101));
    scene.network.stop().unwrap();
}

/// Waits until a result is left aside.
async fn left_aside(scene: &Scene) {
    let until = Instant::now() + Duration::from_secs(60);
    while metric(scene, "subrosa_relay_cosigned").await != 1.0 {
        assert!(Instant::now() < until, "no result is left aside");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The number that an entry's call returned.
#[track_caller]
fn answer(cli: &Cli<'_>, contract: &str, seq: u64) -> U256 {
    let result: Value = cli.run(&["result", contract, &seq.to_string()]);
    U256::from_be_slice(&hex::decode(result["fulfilled"]["output"].as_str().unwrap()).unwrap())
}

fn oracle(scene: &Scene) -> Address {
    scene.network.deployment().measured.oracle
}

async fn deploy_prepayer(scene: &Scene) -> Prepayer::PrepayerInstance<DynProvider> {
    let code = [
        hex::decode(PREPAYER.trim()).unwrap(),
        oracle(scene).abi_encode(),
    ]
    .concat();
    let provider = scene.signing(scene.network.accounts()[2].signer());
    let transaction = TransactionRequest::default().with_deploy_code(code);
    let sent = provider.send_transaction(transaction).await.unwrap();
    let receipt = sent.get_receipt().await.unwrap();
    Prepayer::new(receipt.contract_address.unwrap(), provider)
}

async fn called<P: Provider, D: CallDecoder>(call: CallBuilder<P, D>) {
    let sent = call.send().await.unwrap();
    assert!(sent.get_receipt().await.unwrap().status());
}

/// `tests/consumers/Prepayer.sol`, compiled.
const PREPAYER: &str = include_str!("../consumers/Prepayer.hex");
