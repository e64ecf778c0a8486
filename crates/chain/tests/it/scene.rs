// SPDX-License-Identifier: Apache-2.0
//! The contracts on a live anvil, with an admitted signer, an open epoch and a registered contract.

use std::time::Duration;

use alloy::{
    network::TransactionBuilder,
    primitives::{
        Address, B256, Bytes, U256,
        aliases::{U24, U40, U48},
        keccak256,
    },
    providers::{DynProvider, Provider, ext::AnvilApi},
    rpc::types::{BlockId, TransactionReceipt, TransactionRequest},
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::{SolCall, SolStruct},
};
use subrosa_chain::{
    Deployment, DeploymentParameters, Endpoints, Sender,
    bindings::{SubrosaOracle, SubrosaRegistry},
    connect, deploy,
    send::{Call, SenderConfig, unrecorded},
};
use subrosa_types::{
    ContractId,
    abi::{EpochMember, EpochOpening, SignerAdmission},
    eip712::{registry_domain, signing_hash},
    id::{TeeKind, contract_id, epoch_set_hash, measurement_id},
    price::Prices,
    slot,
};

use crate::anvil::Anvil;

/// Longest wait for something that happens at once.
pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) const GROUP: u32 = 7;

/// The generation of every contract.
const RUNTIME: u16 = 1;

/// A chain with the contracts.
pub(crate) struct Scene {
    pub(crate) anvil: Anvil,
    pub(crate) provider: DynProvider,
    pub(crate) sender: Sender,
    pub(crate) deployment: Deployment,
    pub(crate) contract: ContractId,
    pub(crate) opening: EpochOpening,
}

/// The first of anvil's well-known development keys.
pub(crate) fn key() -> PrivateKeySigner {
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
        .parse()
        .unwrap()
}

pub(crate) fn quick() -> SenderConfig {
    SenderConfig {
        poll_interval: Duration::from_millis(20),
        ..SenderConfig::default()
    }
}

/// Sends a call and waits for its success.
pub(crate) async fn transact(
    sender: &Sender,
    to: Address,
    call: impl SolCall,
) -> TransactionReceipt {
    let call = Call::new(to, call.abi_encode().into());
    let mut pending = sender.send(call, unrecorded()).await.unwrap();
    let receipt = pending.receipt(SOON).await.unwrap();
    assert!(receipt.status());
    receipt
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::on(Anvil::start(&[])).await
    }

    pub(crate) async fn on(anvil: Anvil) -> Self {
        let endpoints = Endpoints::parse(&anvil.http()).unwrap();
        let provider = connect(&endpoints).await.unwrap();
        let sender = Sender::new(provider.clone(), key(), quick()).await.unwrap();
        let parameters = DeploymentParameters {
            admin: sender.address(),
            activation_delay: 0,
            maximum_lease: 86_400,
            opening_timeout: 600,
            suspension_cooldown: 0,
            prices: Prices::SHIPPED,
        };
        let deployment = deploy(&sender, parameters).await.unwrap();
        let opening = admit_and_open(&provider, &sender, &deployment).await;
        let contract = register(&provider, &sender, &deployment).await;
        Self {
            anvil,
            provider,
            sender,
            deployment,
            contract,
            opening,
        }
    }

    /// Appends a call with this input.
    pub(crate) async fn request(&self, input: &'static [u8]) -> TransactionReceipt {
        let call = self.request_call(input).await;
        transact(&self.sender, self.deployment.oracle, call).await
    }

    pub(crate) async fn request_call(&self, input: &'static [u8]) -> SubrosaOracle::requestCall {
        let deadline = self.now().await + 10_000;
        SubrosaOracle::requestCall {
            contractId: self.contract,
            context: B256::repeat_byte(0xcc),
            terms: (U256::from(1_000_000u64) << 176) | (U256::from(deadline) << 96),
            refundTo: Address::ZERO,
            input: Bytes::from_static(input),
        }
    }

    async fn now(&self) -> u64 {
        let block = self.provider.get_block(BlockId::latest()).await.unwrap();
        block.unwrap().header.timestamp
    }

    /// A request from another account, which the sender does not know of.
    pub(crate) async fn foreign_request(&self, input: &'static [u8]) {
        let from = self.provider.get_accounts().await.unwrap()[1];
        let call = self.request_call(input).await;
        let request = TransactionRequest::default()
            .with_from(from)
            .with_to(self.deployment.oracle)
            .with_input(call.abi_encode());
        let pending = self.provider.send_transaction(request).await.unwrap();
        pending.get_receipt().await.unwrap();
    }

    pub(crate) async fn mine(&self, blocks: u64) {
        self.provider.anvil_mine(Some(blocks), None).await.unwrap();
    }
}

/// Makes one verifier, one measurement, one configuration and one runtime generation known, admits a
/// signer with them, and opens the group's first epoch.
async fn admit_and_open(
    provider: &DynProvider,
    sender: &Sender,
    deployment: &Deployment,
) -> EpochOpening {
    let registry = deployment.registry;
    let (verifier, signer) = (PrivateKeySigner::random(), PrivateKeySigner::random());
    let (root, measurement) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let config = B256::repeat_byte(3);
    let id = measurement_id(root, TeeKind::Tdx, measurement);
    transact(
        sender,
        registry,
        SubrosaRegistry::setVerifierCall {
            verifier: verifier.address(),
            trusted: true,
        },
    )
    .await;
    transact(
        sender,
        registry,
        SubrosaRegistry::addMeasurementCall {
            rootId: root,
            teeKind: TeeKind::Tdx as u8,
            measurementHash: measurement,
        },
    )
    .await;
    transact(
        sender,
        registry,
        SubrosaRegistry::addConfigCall {
            configHash: config,
            keyGroup: GROUP,
        },
    )
    .await;
    transact(
        sender,
        registry,
        SubrosaRegistry::addRuntimeCall {
            generation: RUNTIME,
        },
    )
    .await;
    let challenge = provider
        .get_block(BlockId::latest())
        .await
        .unwrap()
        .unwrap();
    let admission = SignerAdmission {
        signer: signer.address(),
        transferKeyHash: B256::repeat_byte(4),
        measurementId: id,
        configHash: config,
        startHash: B256::repeat_byte(9),
        rootId: root,
        teeKind: TeeKind::Tdx as u8,
        product: B256::repeat_byte(8),
        machineId: B256::repeat_byte(5),
        tcbStatus: 0,
        tcbEvaluation: 17,
        policyHash: B256::repeat_byte(6),
        evidenceHash: B256::repeat_byte(7),
        challengeBlock: challenge.header.number,
        challengeBlockHash: challenge.header.hash,
        registrant: sender.address(),
        notAfter: challenge.header.timestamp + 3600,
    };
    let sign = |key: &PrivateKeySigner, hash| -> Bytes {
        key.sign_hash_sync(&hash).unwrap().as_bytes().into()
    };
    let domain = registry_domain(deployment.chain_id, registry);
    fn hash<T: SolStruct>(message: &T, domain: &alloy::sol_types::Eip712Domain) -> B256 {
        signing_hash(message, domain)
    }
    transact(
        sender,
        registry,
        SubrosaRegistry::admitCall {
            signatures: vec![sign(&verifier, hash(&admission, &domain))],
            admission: admission.into(),
        },
    )
    .await;
    let member = EpochMember {
        measurementId: id,
        configHash: config,
    };
    let schedule = SubrosaRegistry::EpochSchedule {
        keyGroup: GROUP,
        keyEpoch: 1,
        members: vec![member.clone().into()],
        recovery: U256::from(4) << 248,
        custodians: vec![],
        continues: false,
        notBefore: U40::ZERO,
    };
    transact(
        sender,
        registry,
        SubrosaRegistry::scheduleEpochCall { schedule },
    )
    .await;
    let opening = EpochOpening {
        keyGroup: GROUP,
        keyEpoch: 1,
        publicKeyHash: B256::repeat_byte(8),
        configHash: config,
        setHash: epoch_set_hash(std::slice::from_ref(&member)),
        recovery: U256::from(4) << 248,
    };
    transact(
        sender,
        registry,
        SubrosaRegistry::openEpochCall {
            signature: sign(&signer, hash(&opening, &domain)),
            opening: opening.clone().into(),
            signer: signer.address(),
        },
    )
    .await;
    opening
}

async fn register(provider: &DynProvider, sender: &Sender, deployment: &Deployment) -> ContractId {
    let oracle = SubrosaOracle::new(deployment.oracle, provider);
    let slot = slot::nonce(sender.address());
    let nonce = oracle.extsload(slot).call().await.unwrap();
    let nonce = U256::from_be_bytes(nonce.0).to::<u64>();
    let contract = contract_id(
        deployment.chain_id,
        deployment.oracle,
        sender.address(),
        nonce,
    );
    let block = provider
        .get_block(BlockId::latest())
        .await
        .unwrap()
        .unwrap();
    let registration = SubrosaOracle::Registration {
        codeCommitment: keccak256("code"),
        context: B256::ZERO,
        keyGroup: GROUP,
        keyEpoch: 1,
        finalityClass: 1,
        runtimeGeneration: RUNTIME,
        stateless: false,
        world: false,
        profile: 0,
        abandonedOnRetirement: false,
        fuelLimit: 10_000_000,
        upgradeDelay: 0,
        signers: 0,
        kinds: 0,
        policy: SubrosaOracle::Policy {
            chargeGwei: 0,
            baseFeeSixteenths: 0,
            gasPriceFloor: 0,
            minimumDeadline: U24::ZERO,
            maximumCallbackGas: U24::from(500_000),
            restricted: false,
            paused: false,
        },
        deadline: U48::saturating_from(block.header.timestamp + 10_000),
    };
    transact(
        sender,
        deployment.oracle,
        SubrosaOracle::registerCall { registration },
    )
    .await;
    contract
}
