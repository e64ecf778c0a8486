// SPDX-License-Identifier: Apache-2.0
//! Fulfillments that come too late, submitted directly to the oracle.

use alloy::{
    network::EthereumWallet,
    providers::{Provider, ProviderBuilder},
    rpc::types::Filter,
};
use alloy_sol_types::{SolCall, SolEvent};
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_devnet::{Devnet, Options};

use crate::workload::Workload;

#[tokio::test(flavor = "multi_thread")]
async fn a_fulfillment_on_a_stale_head_changes_nothing_and_says_so() {
    let network = Devnet::start(&Options::default()).await.unwrap();
    let mut workload = Workload::deploy(&network).await;
    let storage = || async {
        let oracle = network.deployment().measured.oracle;
        network
            .provider()
            .get_proof(oracle, vec![])
            .await
            .unwrap()
            .storage_hash
    };
    let before = storage().await;
    workload.request(3).await;
    workload.settled().await;
    assert_ne!(before, storage().await, "a change of storage shows");

    // Replay every fulfillment the node has ever sent, from another account.
    let replayer = network.accounts()[1].signer();
    let oracle = network.deployment().measured.oracle;
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::from(replayer.clone()))
        .connect_provider(network.provider().clone());
    let filter = Filter::new()
        .address(oracle)
        .event_signature(SubrosaOracle::EntryFulfilled::SIGNATURE_HASH)
        .from_block(0);
    let mut transactions: Vec<_> = provider
        .get_logs(&filter)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|log| log.transaction_hash)
        .collect();
    transactions.dedup();
    assert!(!transactions.is_empty());
    let head = workload.head().await;
    for hash in transactions {
        let original = provider
            .get_transaction_by_hash(hash)
            .await
            .unwrap()
            .unwrap();
        let call = original.into_request();
        let input = call.input.input().unwrap().clone();
        assert_eq!(input[..4], SubrosaOracle::fulfillCall::SELECTOR);
        let balance = provider.get_balance(oracle).await.unwrap();
        let before = storage().await;
        let replay = alloy::rpc::types::TransactionRequest::default()
            .to(oracle)
            .input(input.into())
            .gas_limit(3_000_000);
        let receipt = provider
            .send_transaction(replay)
            .await
            .unwrap()
            .get_receipt()
            .await
            .unwrap();
        assert!(receipt.status(), "already fulfilled is a cheap success");
        let skipped = receipt
            .logs()
            .iter()
            .filter(|log| log.topic0() == Some(&SubrosaOracle::ItemsSkipped::SIGNATURE_HASH))
            .count();
        assert_eq!((skipped, receipt.logs().len()), (1, 1));
        assert_eq!(before, storage().await, "no slot of the oracle changed");
        assert_eq!(provider.get_balance(oracle).await.unwrap(), balance);
    }
    assert_eq!(workload.head().await, head);
    workload.assert_exactly_once().await;
}
