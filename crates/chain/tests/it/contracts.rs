// SPDX-License-Identifier: Apache-2.0
//! What Rust computes is what the contracts compute.

use alloy::{
    primitives::{B256, U256},
    providers::Provider,
};
use subrosa_chain::Endpoints;
use subrosa_chain::{
    ChainError, Event, Follower, code_hash, fetch_header, fetch_proofs,
    follow::{Appended, FollowerConfig, OracleEvent},
};
use subrosa_types::{
    entry::{EntryKind, Execution, Payment, Settlement},
    id::contract_id,
    slot::{self, Place},
};

use crate::scene::{GROUP, Scene};

/// Everything appended so far.
async fn entries(scene: &Scene) -> Vec<(Appended, B256)> {
    let endpoints = Endpoints::parse(&scene.anvil.http()).unwrap();
    let config = FollowerConfig::new(endpoints, scene.deployment.oracle, scene.deployment.block);
    let mut follower = Follower::start(config).await.unwrap();
    let head = scene.provider.get_block_number().await.unwrap();
    let mut found = Vec::new();
    loop {
        let Event::Blocks { last, logs, .. } = follower.next().await.unwrap() else {
            panic!("no reorganisation here");
        };
        for log in logs {
            if let OracleEvent::EntryAppended(entry) = log.event {
                found.push((entry, log.block_hash));
            }
        }
        if last.number == head {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_slots_and_ids_agree_with_the_oracle() {
    let scene = Scene::new().await;
    scene.request(b"first").await;
    scene.request(b"second").await;
    let oracle = scene.deployment.oracle;
    let (chain_id, contract) = (scene.deployment.chain_id, scene.contract);
    assert_eq!(
        contract,
        contract_id(chain_id, oracle, scene.sender.address(), 0)
    );

    let mut previous = B256::ZERO;
    let entries = entries(&scene).await;
    assert_eq!(entries.len(), 3);
    for (seq, (appended, _)) in (0..).zip(entries) {
        assert_eq!((appended.previous_digest, appended.seq()), (previous, seq));
        let logged = appended.into_logged().unwrap();
        let execution = Execution::unpack(logged.entry.execution).unwrap();
        let kind = if seq == 0 {
            EntryKind::Deploy
        } else {
            EntryKind::Call
        };
        assert_eq!(execution.kind, kind);
        let settlement = Settlement::unpack(logged.entry.settlement);
        assert_eq!(settlement.requester, scene.sender.address());
        let payment = Payment::unpack(logged.entry.payment);
        assert_eq!((payment.key_group, payment.key_epoch), (GROUP, 1));

        let digest = logged.entry.digest(chain_id, oracle);
        let slot = slot::entry(contract, Place::Ring.position(seq));
        let stored = scene
            .provider
            .get_storage_at(oracle, slot.into())
            .await
            .unwrap();
        assert_eq!(B256::from(stored), digest, "entry {seq}");
        previous = digest;
    }

    let log = scene
        .provider
        .get_storage_at(oracle, slot::log(contract).into())
        .await
        .unwrap();
    assert_eq!(log & U256::from(u64::MAX >> 16), U256::from(3), "nextSeq");
    let epoch = slot::epoch(GROUP, 1);
    let registry = scene.deployment.registry;
    let record = scene
        .provider
        .get_storage_at(registry, epoch.into())
        .await
        .unwrap();
    assert_eq!(B256::from(record), scene.opening.record());
}

async fn latest(scene: &Scene) -> B256 {
    let number = scene.provider.get_block_number().await.unwrap();
    let block = scene.provider.get_block(number.into()).await.unwrap();
    block.unwrap().header.hash
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_and_headers_are_fetched_by_hash() {
    let scene = Scene::new().await;
    let oracle = scene.deployment.oracle;
    let slot = slot::entry(scene.contract, 0);
    let block = latest(&scene).await;
    scene.request(b"later").await;
    let empty = slot::entry(scene.contract, 1);
    let proofs = fetch_proofs(&scene.provider, oracle, &[empty, slot, empty], block)
        .await
        .unwrap();
    assert_eq!(proofs.len(), 3);
    assert_eq!(proofs[0], proofs[2]);
    assert_ne!(proofs[0].proof.slot_proof, proofs[1].proof.slot_proof);
    assert!(proofs[0].value.is_zero() && !proofs[1].value.is_zero());
    let proof = &proofs[1].proof;
    assert_eq!(
        proof.header,
        fetch_header(&scene.provider, block).await.unwrap()
    );
    assert_eq!(alloy::primitives::keccak256(&proof.header.trusted), block);
    let header = <alloy::consensus::Header as alloy::rlp::Decodable>::decode(
        &mut proof.header.trusted.as_ref(),
    )
    .unwrap();
    assert_eq!(
        alloy::primitives::keccak256(&proof.account_proof[0]),
        header.state_root
    );
    assert!(!proof.slot_proof.is_empty());
    let unknown = B256::repeat_byte(1);
    assert!(matches!(
        fetch_header(&scene.provider, unknown).await,
        Err(ChainError::UnknownBlock(_))
    ));
    assert!(
        fetch_proofs(&scene.provider, oracle, &[slot], unknown)
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_checked_against_the_chain() {
    let scene = Scene::new().await;
    let deployment = scene.deployment;
    deployment.check(&scene.provider).await.unwrap();
    assert_eq!(
        code_hash(&scene.provider, deployment.oracle).await.unwrap(),
        deployment.oracle_code_hash
    );
    let nobody = alloy::primitives::Address::repeat_byte(1);
    let refused = async |wrong: subrosa_chain::Deployment| {
        wrong.check(&scene.provider).await.unwrap_err().to_string()
    };
    let mut wrong = deployment;
    wrong.chain_id += 1;
    assert!(refused(wrong).await.contains("another chain"));
    let mut wrong = deployment;
    wrong.oracle = nobody;
    assert!(refused(wrong).await.contains("no contract"));
    let mut wrong = deployment;
    wrong.registry_code_hash.0[0] ^= 1;
    assert!(refused(wrong).await.contains("other code"));
    let mut wrong = deployment;
    wrong.oracle = deployment.registry;
    wrong.oracle_code_hash = deployment.registry_code_hash;
    assert!(wrong.check(&scene.provider).await.is_err());
}
