// SPDX-License-Identifier: Apache-2.0
//! Leases that run out, and leases that lose what they rest on: the enclave and its signer stay.

use std::{fs, time::Duration};

use alloy::{
    network::EthereumWallet,
    providers::{DynProvider, Provider, ProviderBuilder},
    signers::local::PrivateKeySigner,
};
use alloy_primitives::{B256, hex};
use subrosa_chain::bindings::SubrosaRegistry;
use subrosa_devnet::{Devnet, Options, Service};

use crate::workload::Workload;

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_in_time_and_the_node_serves_on() {
    let network = Devnet::start(&Options {
        maximum_lease: Some(30),
        ..Options::default()
    })
    .await
    .unwrap();
    let mut workload = Workload::deploy(&network).await;
    workload.request(1).await;
    workload.settled().await;

    // Renewed twice, the lease runs on when the first would have ended.
    let admitted = admissions(&network, 3).await;
    let first = &admitted[0];
    for renewal in &admitted[1..] {
        assert_eq!(renewal.signer, first.signer);
    }
    until_after(&network, first.leaseUntil.to::<u64>()).await;
    workload.request(2).await;
    workload.settled().await;
    workload.assert_exactly_once().await;
    let signers = admissions(&network, 3).await;
    assert!(signers.iter().all(|one| one.signer == first.signer));
    network.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_whose_verifier_is_revoked_is_vouched_for_by_another() {
    let mut network = Devnet::start(&Options::default()).await.unwrap();
    let mut workload = Workload::deploy(&network).await;
    workload.request(1).await;
    workload.settled().await;
    let admitted = admissions(&network, 1).await;

    // The verifier gets another key, and governance hears that the old one is not safe.
    let scalar = B256::repeat_byte(7);
    let key_file = network.layout().keys().join("verifier-admission.json");
    let key = format!(
        r#"{{"version": 1, "use": "admission", "development": true, "scalar": "{}"}}"#,
        hex::encode(scalar)
    );
    fs::write(key_file, key).unwrap();
    network.restart(Service::Verifier).await.unwrap();
    let registry = registry(&network);
    let trusted = registry.VerifierChanged_filter().from_block(0);
    let old = trusted.query().await.unwrap()[0].0.verifier;
    let new = PrivateKeySigner::from_bytes(&scalar).unwrap().address();
    for governed in [
        registry.setVerifier(new, true).send().await,
        registry.revokeVerifier(old).send().await,
    ] {
        let receipt = governed.unwrap().get_receipt().await.unwrap();
        assert!(receipt.status());
    }

    workload.request(2).await;
    workload.settled().await;
    workload.assert_exactly_once().await;
    let renewed = admissions(&network, 2).await;
    assert_eq!(renewed.len(), 2);
    assert_eq!(renewed[1].signer, admitted[0].signer);
    network.stop().unwrap();
}

/// The registry, for its governance.
fn registry(network: &Devnet) -> SubrosaRegistry::SubrosaRegistryInstance<DynProvider> {
    let wallet = EthereumWallet::from(network.deployer().signer().clone());
    let provider = ProviderBuilder::new()
        .wallet(wallet)
        .connect_provider(network.provider().clone())
        .erased();
    SubrosaRegistry::new(network.contracts().registry, provider)
}

/// Every admission and renewal so far, once there are `count`.
async fn admissions(network: &Devnet, count: usize) -> Vec<SubrosaRegistry::SignerAdmitted> {
    let registry = registry(network);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let filter = registry.SignerAdmitted_filter().from_block(0);
        let events = filter.query().await.unwrap();
        if events.len() >= count {
            return events.into_iter().map(|(event, _)| event).collect();
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{} of {count} admissions",
            events.len()
        );
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Waits until the chain's clock is past `time`, Unix seconds.
async fn until_after(network: &Devnet, time: u64) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let provider = network.provider();
        let _: serde_json::Value = provider.raw_request("evm_mine".into(), ()).await.unwrap();
        let block = provider.get_block_by_number(Default::default());
        if block.await.unwrap().unwrap().header.timestamp > time {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{time} never comes");
        tokio::time::sleep(INTERVAL).await;
    }
}

const PATIENCE: Duration = Duration::from_secs(120);
const INTERVAL: Duration = Duration::from_millis(100);
