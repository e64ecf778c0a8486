// SPDX-License-Identifier: Apache-2.0
//! A network with an owner of contracts, and a consumer on chain that writes down its answers.

use std::time::Duration;

use alloy::{
    network::{EthereumWallet, TransactionBuilder},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::{Filter, Log, TransactionRequest},
    sol,
};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::{SolCall, SolEvent, SolValue};
use subrosa_chain::bindings::{SubrosaOracle, SubrosaRegistry};
use subrosa_client::{
    Account, AttestOptions, Attested, Bytecode, CallRequest, Connection, ContractPolicy,
    ENGINE_EVM, NodeClient, NodeError, Ticket,
};
use subrosa_devnet::{Devnet, Options, Service};
use subrosa_types::{
    ContractId,
    entry::Payment,
    rpc::{DeployAccepted, DeployRequest},
};

sol! {
    function add(uint256 amount) external returns (uint256);

    #[derive(Debug)]
    struct Answer {
        uint256 seq;
        uint8 status;
        bytes output;
    }

    #[sol(rpc)]
    contract RecorderContract {
        function ask(bytes32 contractId, uint256 terms, bytes calldata input) external payable;
        function answers() external view returns (Answer[] memory);
    }
}

/// A running network. Account 0 owns what is deployed.
pub(crate) struct Scene {
    pub(crate) network: Devnet,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        Self {
            network: Devnet::start(&Options::default()).await.unwrap(),
        }
    }

    /// Kills enclave and node, and starts both anew.
    pub(crate) async fn restart(&mut self) {
        self.network.kill(Service::Node).unwrap();
        self.network.restart(Service::Enclave).await.unwrap();
        self.network.restart(Service::Node).await.unwrap();
    }

    pub(crate) fn account(&self) -> &Account {
        self.network.accounts()[0].signer()
    }

    pub(crate) async fn connection(&self) -> Connection {
        let deployment = self.network.deployment().clone();
        Connection::open(deployment).await.unwrap()
    }

    /// Consents to development.
    pub(crate) fn consent() -> AttestOptions {
        AttestOptions {
            development: true,
            ..AttestOptions::default()
        }
    }

    pub(crate) async fn attest(&self) -> Attested {
        let connection = self.connection().await;
        connection.attest(&Self::consent()).await.unwrap()
    }

    pub(crate) async fn deploy(&self, code: &Bytecode, policy: &ContractPolicy) -> ContractId {
        let attested = self.attest().await;
        let deployed = attested
            .deploy(code, policy, self.account(), Default::default())
            .await;
        deployed.unwrap().contract
    }

    /// Appends a public call that adds `amount`.
    pub(crate) async fn request(&self, contract: ContractId, amount: u64) -> Ticket {
        let input = add(amount);
        let call = CallRequest::new(contract, &input);
        let connection = self.connection().await;
        let appended = connection.request_in_the_clear(&call, self.account()).await;
        appended.unwrap()
    }

    /// The number that a call returned.
    pub(crate) async fn output(&self, ticket: &Ticket) -> U256 {
        let connection = self.connection().await;
        let fulfilled = connection.wait(ticket, Default::default()).await.unwrap();
        U256::from_be_slice(&fulfilled.output)
    }

    pub(crate) async fn call(&self, contract: ContractId, amount: u64) -> U256 {
        let ticket = self.request(contract, amount).await;
        self.output(&ticket).await
    }

    /// Moves the chain's clock on by this many seconds, and mines a block.
    pub(crate) async fn warp(&self, seconds: u64) {
        let provider = self.network.provider();
        let _: serde_json::Value = provider
            .raw_request("evm_increaseTime".into(), [seconds])
            .await
            .unwrap();
        let _: serde_json::Value = provider.raw_request("evm_mine".into(), ()).await.unwrap();
    }

    /// The timestamp of the newest block.
    pub(crate) async fn now(&self) -> u64 {
        let block = self
            .network
            .provider()
            .get_block_by_number(Default::default());
        block.await.unwrap().unwrap().header.timestamp
    }

    pub(crate) fn oracle(&self) -> SubrosaOracle::SubrosaOracleInstance<DynProvider> {
        let address = self.network.deployment().measured.oracle;
        SubrosaOracle::new(address, self.signing(self.account()))
    }

    /// Appends the announced upgrade, and gives nobody its code.
    pub(crate) async fn append_upgrade(&self, contract: ContractId) -> u64 {
        let deadline = alloy_primitives::aliases::U48::from(self.now().await + 600);
        let oracle = self.oracle();
        let call = oracle.upgrade(contract, 5_000_000, deadline).value(AMPLE);
        let sent = call.send().await;
        let receipt = sent.unwrap().get_receipt().await.unwrap();
        assert!(receipt.status());
        let appended = receipt.logs().iter();
        let mut appended =
            appended.filter_map(|log| SubrosaOracle::EntryAppended::decode_log(&log.inner).ok());
        Payment::unpack(appended.next().unwrap().data.payment).seq
    }

    /// Hands in an envelope, again while the node has not seen its entry.
    pub(crate) async fn hand_in(
        &self,
        node: &NodeClient,
        request: &DeployRequest,
    ) -> Result<DeployAccepted, NodeError> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match node.deploy(request).await {
                Err(NodeError::Refused { code: -32_042, .. }) => {
                    assert!(
                        tokio::time::Instant::now() < deadline,
                        "entry is never seen"
                    );
                    tokio::time::sleep(INTERVAL).await;
                }
                answer => return answer,
            }
        }
    }

    /// Waits until a contract is registered.
    pub(crate) async fn registered(&self) -> ContractId {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let events = self.events::<SubrosaOracle::Registered>(None).await;
            if let Some((event, _)) = events.last() {
                return event.contractId;
            }
            assert!(tokio::time::Instant::now() < deadline, "never registered");
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// The oracle's events of one kind, of one contract or of all.
    pub(crate) async fn events<E: SolEvent>(&self, contract: Option<ContractId>) -> Vec<(E, Log)> {
        let mut filter = Filter::new()
            .address(self.network.deployment().measured.oracle)
            .event_signature(E::SIGNATURE_HASH)
            .from_block(0);
        if let Some(contract) = contract {
            filter = filter.topic1(contract);
        }
        let logs = self.network.provider().get_logs(&filter).await.unwrap();
        logs.into_iter()
            .map(|log| (E::decode_log(&log.inner).unwrap().data, log))
            .collect()
    }

    /// Deploys a consumer.
    pub(crate) async fn deploy_recorder(&self) -> Recorder {
        let oracle = self.network.deployment().measured.oracle;
        let code = [hex::decode(RECORDER.trim()).unwrap(), oracle.abi_encode()].concat();
        // An account of its own: a provider counts the nonces of what it sends.
        let provider = self.signing(self.network.accounts()[2].signer());
        let transaction = TransactionRequest::default().with_deploy_code(code);
        let sent = provider.send_transaction(transaction).await.unwrap();
        let receipt = sent.get_receipt().await.unwrap();
        let address = receipt.contract_address.unwrap();
        Recorder {
            address,
            contract: RecorderContract::new(address, provider),
        }
    }

    /// A provider that signs as the network's administrator.
    pub(crate) fn governing(&self) -> DynProvider {
        self.signing(self.network.deployer().signer())
    }

    /// Has governance add a runtime generation.
    pub(crate) async fn add_runtime(&self, generation: u16) {
        let registry = SubrosaRegistry::new(self.network.contracts().registry, self.governing());
        let sent = registry.addRuntime(generation).send().await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
    }

    pub(crate) fn signing(&self, account: &Account) -> DynProvider {
        ProviderBuilder::new()
            .wallet(EthereumWallet::from(account.clone()))
            .connect_provider(self.network.provider().clone())
            .erased()
    }
}

/// What a request of the consumer asks for beside its input.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Seconds from now, on the chain's clock.
    pub(crate) deadline: u64,
    /// Wei.
    pub(crate) fee: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            deadline: 3_600,
            fee: AMPLE.to(),
        }
    }
}

/// A consumer on chain.
pub(crate) struct Recorder {
    pub(crate) address: Address,
    contract: RecorderContract::RecorderContractInstance<DynProvider>,
}

impl Recorder {
    /// Has the consumer ask, with a callback.
    pub(crate) async fn ask(&self, contract: ContractId, input: Vec<u8>, terms: Terms) {
        let provider = self.contract.provider();
        let block = provider.get_block_by_number(Default::default());
        let now = block.await.unwrap().unwrap().header.timestamp;
        // executionFlags 8 | settlementFlags 8 | fuelLimit 64 | callbackGasLimit 32 | deadline 48 | outputLimit 24
        let word = (U256::from(1_000_000) << 176)
            | (U256::from(300_000) << 144)
            | (U256::from(now + terms.deadline) << 96)
            | (U256::from(1024) << 72);
        let ask = self.contract.ask(contract, word, Bytes::from(input));
        let sent = ask.value(U256::from(terms.fee)).send().await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
    }

    /// Every callback so far, in order.
    pub(crate) async fn answers(&self) -> Vec<Answer> {
        self.contract.answers().call().await.unwrap()
    }

    /// Waits for this many callbacks.
    pub(crate) async fn answered(&self, count: usize) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.answers().await.len() < count {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{} of {count} answers",
                self.answers().await.len()
            );
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// The test guest, starting at `initial`.
pub(crate) fn vault(initial: u64) -> Bytecode {
    Bytecode {
        engine: ENGINE_EVM,
        code: hex::decode(VAULT.trim()).unwrap().into(),
        init: B256::from(U256::from(initial)).to_vec().into(),
    }
}

/// A call that adds `amount` to the guest's number and returns it.
pub(crate) fn add(amount: u64) -> Vec<u8> {
    let amount = U256::from(amount);
    addCall { amount }.abi_encode()
}

const PATIENCE: Duration = Duration::from_secs(120);
const INTERVAL: Duration = Duration::from_millis(50);

/// `crates/enclave/tests/guests/Vault.sol`, compiled.
const VAULT: &str = include_str!("../../../enclave/tests/guests/Vault.hex");
/// `tests/consumers/Recorder.sol`, compiled.
const RECORDER: &str = include_str!("../consumers/Recorder.hex");

/// Wei that any request costs less than: a hundredth of an ether.
pub(crate) const AMPLE: U256 = U256::from_limbs([10_000_000_000_000_000, 0, 0, 0]);
