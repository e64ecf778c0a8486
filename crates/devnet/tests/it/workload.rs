// SPDX-License-Identifier: Apache-2.0
//! A contract that counts, many requests to it, and what the chain says became of them.

use std::{collections::BTreeMap, time::Duration};

use alloy::{
    network::EthereumWallet,
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::Filter,
};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::{SolCall, SolEvent, sol};
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_client::{AttestOptions, Bytecode, Connection, ContractPolicy, ENGINE_EVM};
use subrosa_devnet::Devnet;
use subrosa_types::{
    ContractId,
    result::{Head, HeadWord, LoggedResult, Status},
    slot,
    terms::Terms,
};

sol! {
    function add(uint256 amount) external returns (uint256);
}

/// A deployed counter and the account that asks it.
pub(crate) struct Workload {
    pub(crate) contract: ContractId,
    oracle: SubrosaOracle::SubrosaOracleInstance<DynProvider>,
    provider: DynProvider,
    sent: u64,
}

impl Workload {
    /// Attests, and deploys the counter starting at zero.
    pub(crate) async fn deploy(network: &Devnet) -> Self {
        let options = AttestOptions {
            development: true,
            ..AttestOptions::default()
        };
        let connection = Connection::open(network.deployment().clone())
            .await
            .unwrap();
        let attested = connection.attest(&options).await.unwrap();
        let account = network.accounts()[0].signer();
        let bytecode = Bytecode {
            engine: ENGINE_EVM,
            code: hex::decode(VAULT.trim()).unwrap().into(),
            init: B256::ZERO.to_vec().into(),
        };
        let deployed = attested
            .deploy(
                &bytecode,
                &ContractPolicy::default(),
                account,
                Default::default(),
            )
            .await
            .unwrap();
        let provider = ProviderBuilder::new()
            .wallet(EthereumWallet::from(account.clone()))
            .connect_provider(network.provider().clone())
            .erased();
        let oracle = SubrosaOracle::new(network.deployment().measured.oracle, provider.clone());
        Self {
            contract: deployed.contract,
            oracle,
            provider,
            sent: 0,
        }
    }

    /// Sends `count` requests to add one, and waits until the last of them is mined.
    pub(crate) async fn request(&mut self, count: u64) {
        let block = self
            .provider
            .get_block_by_number(Default::default())
            .await
            .unwrap()
            .unwrap();
        let terms = Terms {
            execution_flags: 0,
            settlement_flags: 0,
            fuel_limit: 1_000_000,
            callback_gas_limit: 0,
            deadline: block.header.timestamp + 3_600,
            output_limit: 32,
            key_epoch: 0,
            code_version: None,
            maximum_charge_gwei: 0,
        };
        let input = Bytes::from(
            addCall {
                amount: U256::from(1),
            }
            .abi_encode(),
        );
        let mut last = None;
        for _ in 0..count {
            let call = self
                .oracle
                .request(
                    self.contract,
                    B256::ZERO,
                    terms.pack(),
                    Address::ZERO,
                    input.clone(),
                )
                .value(U256::from(AMPLE_WEI));
            last = Some(call.gas(200_000).send().await.unwrap());
        }
        if let Some(last) = last {
            assert!(last.get_receipt().await.unwrap().status());
        }
        self.sent += count;
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Requests that the chain has logged and not seen executed.
    pub(crate) async fn outstanding(&self) -> u64 {
        1 + self.sent - self.head().await.seq
    }

    pub(crate) async fn head(&self) -> Head {
        let word = self
            .provider
            .get_storage_at(*self.oracle.address(), slot::head(self.contract).into())
            .await
            .unwrap();
        HeadWord::unpack(word).head
    }

    /// Waits until every request sent so far is executed on chain.
    pub(crate) async fn settled(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        while self.outstanding().await > 0 {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{} of {} requests are still outstanding",
                self.outstanding().await,
                self.sent
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asserts that every request was fulfilled exactly once, each on the state of the one before.
    pub(crate) async fn assert_exactly_once(&self) {
        let filter = Filter::new()
            .address(*self.oracle.address())
            .event_signature(SubrosaOracle::EntryFulfilled::SIGNATURE_HASH)
            .topic1(self.contract)
            .from_block(0);
        let mut outputs: BTreeMap<u64, Vec<Bytes>> = BTreeMap::new();
        for log in self.provider.get_logs(&filter).await.unwrap() {
            let event = SubrosaOracle::EntryFulfilled::decode_log(&log.inner)
                .unwrap()
                .data;
            let outcome = LoggedResult::unpack(event.outcome);
            let (status, seq) = (outcome.result.status, outcome.seq);
            assert_eq!(status, Status::Succeeded as u8, "request {seq}");
            outputs.entry(seq).or_default().push(event.data);
        }
        assert_eq!(
            outputs.len() as u64,
            1 + self.sent,
            "every entry is fulfilled"
        );
        for (seq, outputs) in outputs {
            assert_eq!(outputs.len(), 1, "entry {seq} is fulfilled once");
            if seq > 0 {
                assert_eq!(outputs[0].as_ref(), B256::from(U256::from(seq)).as_slice());
            }
        }
    }
}

/// `crates/enclave/tests/guests/Vault.sol`, compiled.
pub(crate) const VAULT: &str = include_str!("../../../enclave/tests/guests/Vault.hex");

/// More than any of these requests costs: a hundredth of an ether.
const AMPLE_WEI: u64 = 10_000_000_000_000_000;
