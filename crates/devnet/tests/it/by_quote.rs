// SPDX-License-Identifier: Apache-2.0
//! A network without any verifier: the chain admits the node by its quote.

use alloy_primitives::Address;
use subrosa_chain::bindings::{SubrosaDcap, SubrosaRegistry};
use subrosa_devnet::{Devnet, Options, Service};

use crate::workload::Workload;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_verifier_the_chain_admits_the_node_and_requests_come_back() {
    let mut network = Devnet::start(&Options {
        without_verifier: true,
        ..Options::default()
    })
    .await
    .unwrap();
    assert!(network.verifier_url().is_none());
    assert!(network.process(Service::Verifier).is_none());
    assert!(network.deployment().verifier.is_none());

    let mut workload = Workload::deploy(&network).await;
    workload.request(3).await;
    workload.settled().await;
    workload.assert_exactly_once().await;

    let registry = SubrosaRegistry::new(network.contracts().registry, network.provider().clone());
    let admitted = registry.SignerAdmitted_filter().from_block(0);
    let admitted = admitted.query().await.unwrap();
    assert_eq!(admitted.len(), 1);
    // The chain's own verdict: no policy, status 1 (UpToDate), and the software TEE's TCB.
    assert!(admitted[0].0.policyHash.is_zero());
    assert_eq!(admitted[0].0.tcbStatus, 1);
    assert_eq!(admitted[0].0.tcbEvaluation, 17);
    let verifiers = registry.VerifierChanged_filter().from_block(0);
    assert!(
        verifiers.query().await.unwrap().is_empty(),
        "nobody vouches for signers"
    );

    // A second enclave finds everything it needs kept, and sends its quote alone.
    let dcap = SubrosaDcap::new(network.contracts().dcap, network.provider().clone());
    let stored = async || {
        let stored = dcap.CollateralStored_filter().from_block(0);
        stored.query().await.unwrap().len()
    };
    assert_eq!(stored().await, 4);
    let first = admitted[0].0.signer;
    network.restart(Service::Enclave).await.unwrap();
    network.ready(Service::Node).await.unwrap();
    workload.request(2).await;
    workload.settled().await;
    workload.assert_exactly_once().await;
    let admitted = registry.SignerAdmitted_filter().from_block(0);
    let signers: Vec<Address> = admitted
        .query()
        .await
        .unwrap()
        .iter()
        .map(|(event, _)| event.signer)
        .collect();
    assert_eq!(signers.len(), 2);
    assert!(signers.contains(&first));
    assert_eq!(stored().await, 4);
    network.stop().unwrap();
}
