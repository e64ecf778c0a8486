// SPDX-License-Identifier: Apache-2.0
//! What governance does to a network that runs.

use alloy_primitives::{Address, B256, U256, aliases::U40};
use subrosa_chain::bindings::{AccessManager, SubrosaRegistry};
use subrosa_client::{Act, EpochPlan, Governed, Suspect};
use subrosa_types::{
    abi::EpochMember,
    config::Recovery,
    id::{TeeKind, measurement_id},
};

use crate::{
    command_line::Cli,
    scene::{Scene, vault},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_epoch_is_opened_by_who_holds_the_one_before() {
    let mut scene = Scene::start().await;
    let contract = scene.deploy(&vault(100), &Default::default()).await;
    assert_eq!(scene.call(contract, 1).await, U256::from(101));

    let deployment = scene.network.deployment().clone();
    let (group, config) = (
        deployment.measured.key_group,
        deployment.measured.enclave_config().unwrap(),
    );
    let connection = scene.connection().await;
    assert_eq!(connection.next_epoch(group).await.unwrap(), 2);
    let members = deployment.measurements.iter().map(|id| EpochMember {
        measurementId: *id,
        configHash: config.hash(),
    });
    let plan = EpochPlan {
        members: members.collect(),
        recovery: Recovery::SealedDevelopment,
        custodians: Vec::new(),
        continues: true,
        not_before: 0,
    };
    let schedule = Act::ScheduleEpoch {
        group,
        epoch: 2,
        plan,
    };
    govern(&scene, &schedule).await;
    assert_eq!(connection.current_epoch(contract).await.unwrap(), 1);

    // It holds the first epoch's secret, and says so: otherwise the second were not current.
    scene.restart().await;
    assert_eq!(connection.current_epoch(contract).await.unwrap(), 2);
    assert_eq!(scene.call(contract, 1).await, U256::from(102));
    let owner = scene.account().clone();
    let moved = connection.advance_epoch(contract, 2, &owner).await.unwrap();
    let fulfilled = connection.wait(&moved, Default::default()).await.unwrap();
    assert_eq!(fulfilled.seq, moved.seq);
    assert_eq!(scene.call(contract, 1).await, U256::from(103));
    scene.attest().await;
    scene.network.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_suspended_waits_and_what_is_lifted_goes_on() {
    let scene = Scene::start().await;
    let contract = scene.deploy(&vault(100), &Default::default()).await;
    for suspect in [
        Suspect::Measurement(scene.network.deployment().measurements[0]),
        Suspect::Family(TeeKind::Tdx),
    ] {
        govern(&scene, &Act::Suspend(suspect)).await;
        let attested = scene.connection().await.attest(&Scene::consent()).await;
        assert!(attested.is_err(), "clients refuse it meanwhile");
        let ticket = scene.request(contract, 1).await;
        govern(&scene, &Act::Lift(suspect)).await;
        assert!(scene.output(&ticket).await > U256::from(100));
    }
    let machine = B256::repeat_byte(7);
    for act in [
        Act::DenyMachine(machine, true),
        Act::AllowMachine(TeeKind::Tdx, machine, true),
        Act::RestrictMachines(TeeKind::Sgx, true),
    ] {
        govern(&scene, &act).await;
    }
    assert_eq!(scene.call(contract, 1).await, U256::from(103));
    scene.network.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_wait_schedules_first() {
    let scene = Scene::start().await;
    let suspect = Suspect::Signer(Address::repeat_byte(7));
    govern(&scene, &Act::Suspend(suspect)).await;
    let appointer = scene.network.accounts()[1].signer().clone();
    let manager = scene.network.contracts().access_manager;
    let manager = AccessManager::new(manager, scene.governing());
    let lift = Act::Lift(suspect);
    let selector = lift.calldata()[..4].try_into().unwrap();
    let registry = scene.network.contracts().registry;
    let governed = manager.setTargetFunctionRole(registry, vec![selector], 3);
    let sent = governed.send().await.unwrap();
    assert!(sent.get_receipt().await.unwrap().status());
    let granted = manager.grantRole(3, appointer.address(), 60);
    let sent = granted.send().await.unwrap();
    assert!(sent.get_receipt().await.unwrap().status());

    let connection = scene.connection().await;
    let scheduled = connection.govern(&lift, &appointer).await.unwrap();
    let Governed::Scheduled { ready_at, .. } = scheduled else {
        panic!("{scheduled:?}");
    };
    assert!(ready_at >= scene.now().await);
    let waiting = connection.govern(&lift, &appointer).await.unwrap();
    assert_eq!(waiting, Governed::Waiting { ready_at });
    scene.warp(60).await;
    let done = connection.govern(&lift, &appointer).await.unwrap();
    assert!(matches!(done, Governed::Done { .. }), "{done:?}");
    // And it may do nothing else.
    let suspend = Act::Suspend(suspect);
    assert!(connection.govern(&suspend, &appointer).await.is_err());
    scene.network.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn governance_says_on_the_command_line_what_is_trusted() {
    let scene = Scene::start().await;
    let (governing, stranger) = (Cli::governing(&scene), Cli::of(&scene, 3));
    let registry = scene.network.contracts().registry;
    let registry = SubrosaRegistry::new(registry, scene.network.provider().clone());
    let govern = |arguments: &[&str]| {
        let done = governing.run(&[&["governance"], arguments].concat());
        assert_eq!(done["outcome"], "done", "{arguments:?}: {done}");
    };
    let (id, other) = (B256::repeat_byte(7), B256::repeat_byte(8));
    let (word, successor) = (id.to_string(), other.to_string());
    let account = Address::repeat_byte(7);
    let name = account.to_string();

    govern(&["add-measurement", "snp", &word, "--root", &successor]);
    let added = measurement_id(other, TeeKind::Snp, id);
    let known = registry.measurementOf(added).call().await.unwrap();
    assert!(known.activeFrom != U40::ZERO && !known.revoked);
    govern(&["revoke-measurement", &added.to_string()]);
    assert!(registry.measurementOf(added).call().await.unwrap().revoked);

    govern(&["add-config", &word, "--group", "9"]);
    assert_eq!(registry.configOf(id).call().await.unwrap().keyGroup, 9);
    govern(&["remove-config", &word]);
    assert!(registry.configOf(id).call().await.unwrap().removed);

    govern(&["set-verifier", &name]);
    assert!(registry.isVerifier(account).call().await.unwrap());
    govern(&["set-verifier", &name, "--undo"]);
    assert!(!registry.isVerifier(account).call().await.unwrap());
    govern(&["revoke-verifier", &name]);
    assert!(registry.voucherOf(account).call().await.unwrap().revoked);
    govern(&["set-verifier-threshold", "2"]);
    assert_eq!(registry.verifierThreshold().call().await.unwrap(), 2);

    govern(&[
        "set-family",
        "snp",
        "--minimum-evaluation",
        "5",
        "--stopped",
    ]);
    let family = registry.familyOf(TeeKind::Snp as u8).call().await.unwrap();
    assert_eq!((family.minimumTcbEvaluation, family.stopped), (5, true));
    let dcap = Address::repeat_byte(9).to_string();
    govern(&["set-dcap", &dcap, "--accept", "1", "--accept", "3"]);
    let verification = registry.dcapVerification().call().await.unwrap();
    assert_eq!(verification.acceptedTcbStatuses, 0b1010);
    govern(&["revoke-dcap", &dcap]);
    let verification = registry.dcapVerification().call().await.unwrap();
    assert!(verification.dcap.is_zero());

    govern(&["deny-product", "snp", &word]);
    let denied = registry.isDenied(TeeKind::Snp as u8, id).call().await;
    assert!(denied.unwrap());
    govern(&["allow-product", "snp", &word]);
    let denied = registry.isDenied(TeeKind::Snp as u8, id).call().await;
    assert!(!denied.unwrap());
    govern(&["revoke-signer", &name]);
    assert!(registry.signerOf(account).call().await.unwrap().revoked);
    govern(&["add-runtime", "7"]);
    govern(&["withdraw-runtime", "1", "--successor", "7"]);
    let runtime = registry.runtimeOf(1).call().await.unwrap();
    assert_eq!((runtime.withdrawn, runtime.successor), (true, 7));

    let refused = stranger.refused(&["governance", "add-runtime", "8"]);
    assert!(refused.contains("AccessManagedUnauthorized"), "{refused}");
    assert!(refused.contains("has the role for this"), "{refused}");
    let refused = governing.refused(&["governance", "add-runtime", "7"]);
    assert!(refused.contains("RuntimeExists"), "{refused}");
    assert!(refused.contains("  next: Nothing needs doing"), "{refused}");
    scene.network.stop().unwrap();
}

/// As the administrator of a development network, who need not wait.
async fn govern(scene: &Scene, act: &Act) {
    let deployer = scene.network.deployer().signer().clone();
    let governed = scene.connection().await.govern(act, &deployer).await;
    assert!(
        matches!(governed, Ok(Governed::Done { .. })),
        "{governed:?}"
    );
}
