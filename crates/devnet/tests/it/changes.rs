// SPDX-License-Identifier: Apache-2.0
//! Entries that change a contract, through real processes: other code, another runtime.

use alloy_primitives::{B256, Bytes, U256, hex};
use subrosa_client::{
    Bytecode, CallRequest, ChainError, ClientError, ContractPolicy, ENGINE_EVM, NodeError, Sealing,
    Upgrade, code_salt,
};
use subrosa_types::{ContractId, result::Status, rpc::DeployRequest};

use crate::scene::{Scene, Terms, add, vault};

/// Seconds between announcing code and running it.
const DELAY: u32 = 30;

/// The successor, giving `bonus` when it takes over; its `add` counts tenfold.
fn successor(bonus: u64) -> Bytecode {
    Bytecode {
        engine: ENGINE_EVM,
        code: hex::decode(SUCCESSOR.trim()).unwrap().into(),
        init: B256::from(U256::from(bonus)).to_vec().into(),
    }
}

fn upgrade(contract: ContractId, bonus: u64) -> Upgrade {
    Upgrade {
        contract,
        bytecode: successor(bonus),
        salt: code_salt().unwrap(),
        fuel_limit: 5_000_000,
        appended: None,
    }
}

fn commitment(upgrade: &Upgrade) -> B256 {
    upgrade.bytecode.commitment(upgrade.salt)
}

async fn upgradable(scene: &Scene) -> ContractId {
    let policy = ContractPolicy {
        upgrade_delay: DELAY,
        ..ContractPolicy::default()
    };
    scene.deploy(&vault(100), &policy).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_held_to_what_its_sender_saw_and_a_restricted_contract_is_its_owners() {
    let scene = Scene::start().await;
    let policy = ContractPolicy {
        restricted: true,
        charge_gwei: 5,
        ..ContractPolicy::default()
    };
    let contract = scene.deploy(&vault(100), &policy).await;
    let connection = scene.connection().await;
    let input = add(1);
    let refused = |error: ClientError, name: &str| {
        let ClientError::Chain(ChainError::Refused { reason, .. }) = &error else {
            panic!("{name}: {error:?}");
        };
        assert!(reason.starts_with(name), "{error:?}");
    };

    let stranger = scene.network.accounts()[1].signer();
    let call = CallRequest::new(contract, &input);
    let error = connection.request_in_the_clear(&call, stranger).await;
    refused(error.unwrap_err(), "CallerNotAllowed");
    let below = CallRequest {
        maximum_charge_gwei: Some(4),
        ..call
    };
    let error = connection
        .request_in_the_clear(&below, scene.account())
        .await;
    refused(error.unwrap_err(), "ChargeTooHigh");
    let ticket = connection
        .request_in_the_clear(&call, scene.account())
        .await;
    assert_eq!(scene.output(&ticket.unwrap()).await, U256::from(101));

    let current = connection.current_epoch(contract).await.unwrap();
    let next = connection.advance_epoch(contract, current + 1, scene.account());
    refused(next.await.unwrap_err(), "EpochNotCurrent");
    let same = connection.advance_epoch(contract, current, scene.account());
    refused(same.await.unwrap_err(), "EpochNotNewer");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_is_replaced_after_its_delay_and_what_is_stored_stays() {
    let mut scene = Scene::start().await;
    let contract = upgradable(&scene).await;
    assert_eq!(scene.call(contract, 40).await, U256::from(140));

    let upgrade = upgrade(contract, 5);
    let owner = scene.account().clone();
    let announced = scene
        .connection()
        .await
        .announce_upgrade(contract, commitment(&upgrade), &owner)
        .await
        .unwrap();
    assert_eq!(announced.delay, DELAY);
    let announced = announced.announced.unwrap();
    assert_eq!(announced.code_commitment, commitment(&upgrade));
    let attested = scene.attest().await;
    let early = attested.upgrade(&upgrade, &owner, Default::default()).await;
    assert!(matches!(early, Err(ClientError::Chain(_))), "{early:?}");
    let other = Upgrade {
        salt: B256::ZERO,
        ..upgrade.clone()
    };
    let other = attested.upgrade(&other, &owner, Default::default()).await;
    assert!(
        matches!(other, Err(ClientError::NotAnnounced { .. })),
        "{other:?}"
    );

    // Node and enclave are started anew between announcing and upgrading, and after it.
    scene.restart().await;
    assert_eq!(scene.call(contract, 1).await, U256::from(141));
    scene.warp(60).await;
    let upgraded = scene
        .attest()
        .await
        .upgrade(&upgrade, &owner, Default::default())
        .await
        .unwrap();
    assert_eq!(upgraded.fulfilled.status, Status::Succeeded);
    assert_eq!(scene.call(contract, 2).await, U256::from(141 + 5 + 20));
    scene.restart().await;
    assert_eq!(scene.call(contract, 1).await, U256::from(176));

    let statement = scene
        .attest()
        .await
        .contract_statement(contract, Some(commitment(&upgrade)))
        .await
        .unwrap();
    assert_eq!(statement.seq, 6);
    let terms = scene
        .connection()
        .await
        .upgrade_terms(contract)
        .await
        .unwrap();
    assert_eq!((terms.delay, terms.announced), (DELAY, None));
    scene.network.ensure_running().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_constructor_that_reverts_leaves_the_old_code_and_the_log_goes_on() {
    let scene = Scene::start().await;
    let contract = upgradable(&scene).await;
    let owner = scene.account().clone();
    let before = scene.attest().await;
    let before = before.contract_statement(contract, None).await.unwrap();

    let unlucky = upgrade(contract, 13);
    let connection = scene.connection().await;
    connection
        .announce_upgrade(contract, commitment(&unlucky), &owner)
        .await
        .unwrap();
    scene.warp(60).await;
    let attested = scene.attest().await;
    let failed = attested
        .upgrade(&unlucky, &owner, Default::default())
        .await
        .unwrap_err();
    assert!(
        matches!(
            failed,
            ClientError::Unsuccessful {
                seq: 1,
                status: Status::Failed,
                ..
            }
        ),
        "{failed:?}"
    );
    assert_eq!(scene.call(contract, 2).await, U256::from(102));
    attested
        .contract_statement(contract, Some(before.code_commitment))
        .await
        .unwrap();

    // The next one, handed in ahead of the log, is run as soon as it is appended.
    let lucky = upgrade(contract, 5);
    let ahead = || attested.hand_in_upgrade(&lucky, None, &owner, LONG, Default::default());
    let unannounced = ahead().await.unwrap_err();
    assert_refused(&unannounced);
    connection
        .announce_upgrade(contract, commitment(&lucky), &owner)
        .await
        .unwrap();
    ahead().await.unwrap();
    scene.warp(60).await;
    let seq = scene.append_upgrade(contract).await;
    let ticket = connection.find(contract, seq).await.unwrap();
    let fulfilled = connection.wait(&ticket, Default::default()).await.unwrap();
    assert_eq!((fulfilled.seq, fulfilled.status), (3, Status::Succeeded));
    assert_eq!(scene.call(contract, 1).await, U256::from(102 + 5 + 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_waits_for_its_code_whatever_else_is_handed_in() {
    let mut scene = Scene::start().await;
    let contract = upgradable(&scene).await;
    let owner = scene.account().clone();
    let wanted = upgrade(contract, 5);
    scene
        .connection()
        .await
        .announce_upgrade(contract, commitment(&wanted), &owner)
        .await
        .unwrap();
    scene.warp(60).await;
    let seq = scene.append_upgrade(contract).await;
    let waiting = scene.request(contract, 2).await;

    let attested = scene.attest().await;
    for envelope in [Bytes::from_static(b"garbage"), Bytes::new()] {
        let request = DeployRequest {
            contract,
            code_envelope: envelope,
            seq: Some(seq),
            code_commitment: None,
        };
        let node = attested.connection().node();
        let refused = scene.hand_in(node, &request).await.unwrap_err();
        assert_refused(&refused.into());
    }
    let stranger = scene.network.accounts()[1].signer().clone();
    let foreign = attested
        .hand_in_upgrade(&wanted, Some(seq), &stranger, LONG, Default::default())
        .await
        .unwrap_err();
    assert_refused(&foreign);
    let other = upgrade(contract, 6);
    let other = attested
        .hand_in_upgrade(&other, Some(seq), &owner, LONG, Default::default())
        .await
        .unwrap_err();
    assert_refused(&other);

    // The call behind it still waits, also in a node that was started anew.
    scene.restart().await;
    assert_eq!(
        scene
            .connection()
            .await
            .find(contract, 2)
            .await
            .unwrap()
            .seq,
        2
    );
    let appended = Upgrade {
        appended: Some(seq),
        ..wanted
    };
    scene
        .attest()
        .await
        .upgrade(&appended, &owner, Default::default())
        .await
        .unwrap();
    assert_eq!(scene.output(&waiting).await, U256::from(100 + 5 + 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_calls_of_an_unknown_generation_run_in_order_once_the_log_is_moved() {
    let mut scene = Scene::start().await;
    scene.add_runtime(0).await;
    let policy = ContractPolicy {
        runtime_generation: 0,
        ..ContractPolicy::default()
    };
    let owner = scene.account().clone();
    let attested = scene.attest().await;
    let recorder = scene.deploy_recorder().await;
    let bytecode = vault(100);
    let deploying = attested.deploy(&bytecode, &policy, &owner, Default::default());
    let moving = async {
        let contract = scene.registered().await;
        for amount in [1, 2, 3] {
            recorder.ask(contract, add(amount), Terms::default()).await;
        }
        let connection = scene.connection().await;
        connection
            .change_runtime(contract, 1, &owner)
            .await
            .unwrap();
        recorder.ask(contract, add(4), Terms::default()).await;
        contract
    };
    let (deployed, contract) = tokio::join!(deploying, moving);
    assert_eq!(deployed.unwrap().contract, contract);
    recorder.answered(4).await;
    let answers = recorder.answers().await;
    let expected = [(1, 101), (2, 103), (3, 106), (5, 110)];
    for (answer, (seq, value)) in answers.iter().zip(expected) {
        assert_eq!((answer.seq, answer.status), (U256::from(seq), 1));
        assert_eq!(
            answer.output.as_ref(),
            B256::from(U256::from(value)).as_slice()
        );
    }
    assert_eq!(answers.len(), expected.len());
    scene.restart().await;
    assert_eq!(scene.call(contract, 5).await, U256::from(115));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_that_nobody_added_is_none_to_register_with_or_to_move_to() {
    let scene = Scene::start().await;
    let owner = scene.account().clone();
    let policy = ContractPolicy {
        runtime_generation: 65_535,
        ..ContractPolicy::default()
    };
    let attested = scene.attest().await;
    let deployed = attested
        .deploy(&vault(100), &policy, &owner, Default::default())
        .await;
    assert_unknown_runtime(&deployed.unwrap_err());

    let contract = scene.deploy(&vault(100), &ContractPolicy::default()).await;
    let connection = scene.connection().await;
    let moved = connection.change_runtime(contract, 65_535, &owner).await;
    assert_unknown_runtime(&moved.unwrap_err());
    assert_eq!(scene.call(contract, 5).await, U256::from(105));
}

#[track_caller]
fn assert_unknown_runtime(error: &ClientError) {
    let ClientError::Chain(ChainError::Refused { reason, .. }) = error else {
        panic!("{error:?}");
    };
    assert!(
        reason.contains("RuntimeUnknown { generation: 65535 }"),
        "{reason}"
    );
}

#[track_caller]
fn assert_refused(error: &ClientError) {
    let refused = matches!(
        error,
        ClientError::Node(NodeError::Refused { code: -32_045, .. })
    );
    assert!(refused, "{error:?}");
}

/// Long enough for what is handed in ahead.
const LONG: Sealing = Sealing {
    suite: subrosa_client::Suite::XWing,
    lifetime: 7_200,
};

/// `crates/enclave/tests/guests/Successor.sol`, compiled.
const SUCCESSOR: &str = include_str!("../../../enclave/tests/guests/Successor.hex");
