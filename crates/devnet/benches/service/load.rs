// SPDX-License-Identifier: Apache-2.0
//! Contracts, and sealed requests to them, signed before they are sent.

use std::{collections::BTreeMap, time::Duration};

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::Encodable2718,
    network::TxSignerSync,
    providers::{DynProvider, Provider},
    rpc::types::Filter,
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use alloy_sol_types::{SolCall, SolEvent, sol};
use serde_json::{Value, json};
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_client::{
    Account, AttestOptions, Attested, Bytecode, CallTarget, Connection, ContractPolicy, ENGINE_EVM,
};
use subrosa_devnet::Devnet;
use subrosa_types::{
    ContractId,
    entry::FLAG_INPUT_SEALED,
    result::{HeadWord, LoggedResult, Status},
    slot,
    terms::Terms,
};

sol! {
    function add(uint256 amount) external returns (uint256);
}

/// Counters, and who asks them.
pub(crate) struct Load {
    attested: Attested,
    chain_id: u64,
    oracle: Address,
    provider: DynProvider,
    http: reqwest::Client,
    url: String,
    /// With their next nonces.
    accounts: Vec<(Account, u64)>,
    /// With the number of their entries.
    contracts: Vec<(ContractId, u64)>,
}

impl Load {
    /// Attests, and deploys the counters.
    pub(crate) async fn deploy(network: &Devnet, contracts: usize) -> Self {
        let options = AttestOptions {
            development: true,
            ..AttestOptions::default()
        };
        let connection = Connection::open(network.deployment().clone()).await;
        let attested = connection.unwrap().attest(&options).await.unwrap();
        let bytecode = Bytecode {
            engine: ENGINE_EVM,
            code: hex::decode(VAULT.trim()).unwrap().into(),
            init: B256::ZERO.to_vec().into(),
        };
        let mut deployed = Vec::new();
        for _ in 0..contracts {
            let owner = network.accounts()[0].signer();
            let policy = ContractPolicy::default();
            let contract = attested
                .deploy(&bytecode, &policy, owner, Default::default())
                .await;
            deployed.push((contract.unwrap().contract, 1));
        }
        let provider = network.provider().clone();
        let mut accounts = Vec::new();
        for account in network.accounts() {
            let nonce = provider.get_transaction_count(account.address()).await;
            accounts.push((account.signer().clone(), nonce.unwrap()));
        }
        let measured = &network.deployment().measured;
        Self {
            attested,
            chain_id: measured.chain_id,
            oracle: measured.oracle,
            provider,
            http: reqwest::Client::new(),
            url: network.chain_http(),
            accounts,
            contracts: deployed,
        }
    }

    /// Seals and signs requests, from the `first` account and contract on in turn.
    pub(crate) fn sign(&mut self, first: usize, count: usize) -> Vec<Bytes> {
        let indices = first..first + count;
        indices.map(|index| self.sign_one(index)).collect()
    }

    fn sign_one(&mut self, index: usize) -> Bytes {
        let accounts = self.accounts.len();
        let contracts = self.contracts.len();
        let (account, nonce) = &mut self.accounts[index % accounts];
        // So that every account asks every contract.
        let (contract, entries) = &mut self.contracts[(index + index / accounts) % contracts];
        let target = CallTarget {
            contract: *contract,
            requester: account.address(),
            context: B256::ZERO,
        };
        let input = addCall {
            amount: U256::from(1),
        };
        let input = input.abi_encode();
        let sealed = self
            .attested
            .seal_call(&target, &input, None, Default::default());
        let terms = Terms {
            execution_flags: FLAG_INPUT_SEALED as u8,
            settlement_flags: 0,
            fuel_limit: 1_000_000,
            callback_gas_limit: 0,
            deadline: FAR_AWAY,
            output_limit: 32,
            key_epoch: self.attested.epoch_id().epoch,
            code_version: None,
            maximum_charge_gwei: 0,
        };
        let call = SubrosaOracle::requestCall {
            contractId: *contract,
            context: B256::ZERO,
            terms: terms.pack(),
            refundTo: Address::ZERO,
            input: sealed.unwrap().envelope,
        };
        let mut transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce: *nonce,
            gas_limit: 300_000,
            max_fee_per_gas: 100_000_000_000,
            max_priority_fee_per_gas: 1,
            to: TxKind::Call(self.oracle),
            // A hundredth of an ether: more than it costs.
            value: U256::from(10_000_000_000_000_000_u64),
            access_list: Default::default(),
            input: call.abi_encode().into(),
        };
        let signature = account.sign_transaction_sync(&mut transaction).unwrap();
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        *nonce += 1;
        *entries += 1;
        envelope.encoded_2718().into()
    }

    /// Sends signed requests.
    pub(crate) async fn send(&self, signed: &[Bytes]) {
        for batch in signed.chunks(PER_CALL) {
            let calls = batch
                .iter()
                .map(|raw| ("eth_sendRawTransaction", json!([raw])));
            for answer in self.ask(calls).await {
                assert!(answer.get("result").is_some(), "{answer}");
            }
        }
    }

    /// Waits until every entry is executed on chain.
    pub(crate) async fn settled(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let heads = self.heads().await;
            let entries = self.contracts.iter().map(|(_, entries)| *entries);
            if heads.iter().copied().eq(entries) {
                return;
            }
            let in_time = tokio::time::Instant::now() < deadline;
            assert!(in_time, "heads are {heads:?} of {:?}", self.contracts);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Executed entries, by contract.
    async fn heads(&self) -> Vec<u64> {
        let calls = self.contracts.iter().map(|(contract, _)| {
            let place = json!([self.oracle, slot::head(*contract), "latest"]);
            ("eth_getStorageAt", place)
        });
        let answers = self.ask(calls).await;
        let words = answers.iter().map(|answer| {
            let word: B256 = serde_json::from_value(answer["result"].clone()).unwrap();
            HeadWord::unpack(word.into()).head.seq
        });
        words.collect()
    }

    /// Asserts that every request succeeded, once, in the order of the log.
    pub(crate) async fn assert_exactly_once(&self) {
        let filter = Filter::new()
            .address(self.oracle)
            .event_signature(SubrosaOracle::EntryFulfilled::SIGNATURE_HASH)
            .from_block(0);
        let mut fulfilled: BTreeMap<ContractId, Vec<u64>> = BTreeMap::new();
        for log in self.provider.get_logs(&filter).await.unwrap() {
            let event = SubrosaOracle::EntryFulfilled::decode_log(&log.inner).unwrap();
            let outcome = LoggedResult::unpack(event.outcome);
            let (status, seq) = (outcome.result.status, outcome.seq);
            assert_eq!(status, Status::Succeeded as u8, "entry {seq}");
            fulfilled.entry(event.contractId).or_default().push(seq);
        }
        for (contract, entries) in &self.contracts {
            let expected: Vec<u64> = (0..*entries).collect();
            assert_eq!(fulfilled.get(contract), Some(&expected));
        }
    }

    /// Several calls of the chain in one request.
    async fn ask(&self, calls: impl Iterator<Item = (&'static str, Value)>) -> Vec<Value> {
        let calls: Vec<Value> = calls
            .enumerate()
            .map(|(id, (method, params))| {
                json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
            })
            .collect();
        let answer = self.http.post(&self.url).json(&calls).send().await.unwrap();
        let mut answers: Vec<Value> = answer.json().await.unwrap();
        answers.sort_by_key(|answer| answer["id"].as_u64());
        answers
    }
}

/// `crates/enclave/tests/guests/Vault.sol`, compiled.
const VAULT: &str = include_str!("../../../enclave/tests/guests/Vault.hex");
/// Year 2100: nothing is refunded.
const FAR_AWAY: u64 = 4_102_444_800;
/// Transactions sent in one request.
const PER_CALL: usize = 250;
/// Between two looks at the heads.
const LOOK: Duration = Duration::from_millis(20);
/// How long a load may take; only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(600);
