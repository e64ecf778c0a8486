// SPDX-License-Identifier: Apache-2.0
//! One node with everything around it.

use std::{sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolValue;
use subrosa_evidence::DEVELOPMENT_ROOT_ID;
use subrosa_node::{
    Mailbox, Node, Ports, RpcError, RunError, Settings, config::OpenEpochs, start_with,
};
use subrosa_store::{Disk, Identity, Memory};
use subrosa_types::{
    ContractId,
    abi::{EnclaveConfig, EpochOpening},
    config::{CONFIG_VERSION, HeaderTrustKind, Recovery},
    frame::{Request as Frame, Response},
    result::Head,
    rpc::DeployRequest,
};
use subrosa_vm::Engines;

use crate::{Client, Code, Machine, Request, SimulatedChain, SimulatedClock};

/// A chain, a machine, a disk and a clock, which outlive the node that is run on them.
#[derive(Debug)]
pub struct World {
    /// The chain, with the contracts that the configuration names.
    pub chain: SimulatedChain,
    /// The machine that the enclave runs on.
    pub machine: Machine,
    /// What the node stores on.
    pub disk: Disk,
    /// What passes through the chain of the nodes that start from now on.
    pub mailbox: Mailbox,
    clock: SimulatedClock,
    config: EnclaveConfig,
    seed: u64,
}

impl World {
    /// A world in which nothing has happened. The same `seed` is the same world.
    pub fn new(seed: u64, engines: fn() -> Engines) -> Self {
        let config = config();
        Self {
            chain: SimulatedChain::new(&config, EPOCH_TIME),
            machine: Machine::new(seed, engines),
            disk: Disk::new(),
            mailbox: Mailbox::at(Address::repeat_byte(0x0c)),
            clock: SimulatedClock::starting_at(EPOCH_TIME),
            config,
            seed,
        }
    }

    /// Starts a node here, which opens an epoch where it has no key of the current one. The enclave's
    /// signer is admitted first, as a verifier would.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the node does not start.
    pub async fn start(&self) -> Result<Node, RunError> {
        self.admit();
        let storage = Arc::new(self.storage());
        let ports = Ports {
            enclaves: Box::new(self.machine.clone()),
            chain: Arc::new(self.chain.clone()),
            clock: Arc::new(self.clock),
            storage,
            verifier: None,
        };
        let mut settings = Settings::new(self.config.clone());
        settings.open_epochs = OpenEpochs::WhenMissing;
        settings.mailbox = Some(self.mailbox);
        start_with(ports, settings).await
    }

    /// What is on the disk. A node that runs has it taken away.
    pub fn storage(&self) -> Memory {
        Memory::open(&self.disk, self.identity())
    }

    fn identity(&self) -> Identity {
        Identity {
            chain_id: self.config.chain_id(),
            oracle: self.config.oracle,
            registry: self.config.registry,
            config_hash: self.config.hash(),
        }
    }

    /// Admits the signer of the enclave that runs, booting one if none does.
    pub fn admit(&self) {
        let start = Frame::Start {
            config: self.config.abi_encode().into(),
            checkpoint: Bytes::new(),
        };
        if let Ok(Response::Started(started)) = self.machine.ask(start) {
            self.chain.admit(started.signer, EPOCH_TIME + LEASE);
        }
    }

    /// A client that encrypts to the node's current epoch; `None` before there is one.
    pub fn client(&self) -> Option<Client> {
        let hello = self.machine.ask(subrosa_node::hello());
        let Ok(Response::Hello(hello)) = hello else {
            return None;
        };
        let epoch = hello.epochs.last()?.clone();
        let chain_id = self.config.chain_id();
        Some(Client::new(chain_id, self.config.oracle, epoch, self.seed))
    }

    /// The signer of the enclave that runs; `None` before it was started.
    pub fn signer(&self) -> Option<Address> {
        match self.machine.ask(subrosa_node::hello()) {
            Ok(Response::Hello(hello)) => hello.started.map(|started| started.signer),
            _ => None,
        }
    }

    /// Where the oracle is.
    pub fn oracle(&self) -> Address {
        self.config.oracle
    }

    /// Somebody else opens the key group's next epoch, with a secret that this machine does not have.
    pub fn open_foreign_epoch(&self) {
        let epoch = self.chain.contracts().current_epoch(self.config.keyGroup) + 1;
        let opening = EpochOpening {
            keyGroup: self.config.keyGroup,
            keyEpoch: epoch,
            publicKeyHash: keccak256(b"keys of another machine"),
            configHash: self.config.hash(),
            setHash: keccak256(b"its members"),
            recovery: self.config.recovery,
        };
        // It is the next one.
        let _ = self.chain.open_epoch(&opening);
    }

    /// Upgrades a contract and hands the new code in. Returns the entry's seq.
    pub async fn upgrade(
        &self,
        node: &Node,
        client: &mut Client,
        contract: ContractId,
        code: &Code,
    ) -> u64 {
        let commitment = Client::commitment(code);
        let seq = self.chain.upgrade(contract, OWNER, commitment);
        let seq = seq.unwrap_or_default();
        let code_envelope = client.seal_code(contract, OWNER, code, self.chain.timestamp());
        let request = DeployRequest {
            contract,
            code_envelope,
            seq: Some(seq),
            code_commitment: Some(commitment),
        };
        // A node reads the entry first. What becomes of the code shows on the chain.
        while let Err(RpcError::UnknownEntry { .. }) = node.api().deploy(request.clone()).await {
            tokio::time::sleep(LOOK).await;
        }
        seq
    }

    /// Registers a contract and hands its code in.
    pub async fn deploy(&self, node: &Node, client: &mut Client, code: &Code) -> ContractId {
        let contract = self.chain.register(OWNER, Client::commitment(code));
        let envelope = client.seal_code(contract, OWNER, code, self.chain.timestamp());
        let request = DeployRequest {
            contract,
            code_envelope: envelope,
            seq: None,
            code_commitment: None,
        };
        // What becomes of it shows on the chain.
        let _ = node.api().deploy(request).await;
        contract
    }

    /// Seals a call and asks for it. Returns the entry's seq.
    pub fn call(&self, client: &mut Client, contract: ContractId, input: &[u8]) -> u64 {
        let request = Request {
            sealed: true,
            ..Request::default()
        };
        let input = client.seal_call(contract, request, input, self.chain.timestamp());
        self.chain
            .request(contract, request, input)
            .unwrap_or_default()
    }

    /// Waits until `seen` says so of the chain, in simulated time. `false` if that takes more than
    /// an hour.
    pub async fn until(&self, mut seen: impl FnMut(&SimulatedChain) -> bool) -> bool {
        let waiting = async {
            while !seen(&self.chain) {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.is_ok()
    }

    /// Waits until a contract's head is after `executed` entries; as [`Self::until`].
    pub async fn settled(&self, contract: ContractId, executed: u64) -> bool {
        let head = |chain: &SimulatedChain| -> Head { chain.contracts().head(contract) };
        self.until(|chain| head(chain).seq >= executed).await
    }
}

fn config() -> EnclaveConfig {
    let contract = |byte: u8| {
        let address = Address::repeat_byte(byte);
        (address, keccak256([address.as_slice(), b"code"].concat()))
    };
    let ((oracle, oracle_code), (registry, registry_code)) = (contract(0x0a), contract(0x0b));
    EnclaveConfig {
        version: CONFIG_VERSION,
        chainId: U256::from(31_337),
        registry,
        registryCodeHash: registry_code,
        oracle,
        oracleCodeHash: oracle_code,
        headerTrust: HeaderTrustKind::HostAsserted as u8,
        headerTrustParameters: Bytes::new(),
        evidenceRoots: vec![DEVELOPMENT_ROOT_ID],
        policyHash: B256::repeat_byte(0x99),
        keyGroup: 1,
        recovery: Recovery::SealedDevelopment.pack(),
    }
}

/// Who registers contracts.
/// Whose contracts are deployed.
pub const OWNER: Address = Address::repeat_byte(0x77);
/// When a world begins, Unix seconds.
const EPOCH_TIME: u64 = 1_800_000_000;
/// How long signers are admitted, seconds.
const LEASE: u64 = 30 * 24 * 60 * 60;
/// Between two looks at the chain.
const LOOK: Duration = Duration::from_millis(10);
/// How long something may take.
const PATIENCE: Duration = Duration::from_secs(3_600);
