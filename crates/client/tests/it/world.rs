// SPDX-License-Identifier: Apache-2.0
//! An honest deployment, every part of which a test may spoil.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_sol_types::{SolCall, SolValue, sol};
use serde_json::{Value, json};
use subrosa_attestation::{
    Expectations, Measurements, Policy, appraise,
    ear::{self, EarKey},
    measurement::measurement_of_executable,
};
use subrosa_client::{Clock, Connection, Deployment, Measured, VerifierTrust};
use subrosa_crypto::{EpochId, EpochKeyPairs, EpochSecret, Signer, Suite};
use subrosa_evidence::{
    Binding, DEVELOPMENT_ROOT_ID, EvidenceBundle, INTEL_SGX_ROOT_ID, challenge_hash, report_data,
};
use subrosa_tee::forge::{Fault, Forge};
use subrosa_types::{
    Challenge,
    abi::{AttestationStatement, EpochMember, EpochOpening},
    config::{HeaderTrustKind, Recovery},
    eip712::{oracle_domain, signing_hash},
    id::{epoch_set_hash, start_hash},
    result::{Head, HeadWord},
    rpc::{Attestation, AttestationRequest, EpochPublicKeys},
};

use crate::server::FakeServer;

sol! {
    function currentEpoch(uint32 keyGroup) returns (uint32);
    function epochRecord(uint32 keyGroup, uint32 keyEpoch) returns (bytes32);
    function checkSigner(address signer, uint32 keyGroup, uint32 keyEpoch)
        returns (uint256 record);
    function foundationOf(address signer)
        returns (
            bytes32 measurementId,
            bytes32 configHash,
            uint16 vouchers,
            uint16 product,
            uint56 machine
        );
    function logOf(bytes32 contractId) returns (uint256 packed);
    function head(bytes32 contractId) returns (uint256 packed);
    error SignerIsRevoked(address signer);
}

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_780_272_000;
pub(crate) const CHAIN_ID: u64 = 31_337;
pub(crate) const ISSUER: &str = "https://verifier.example";
pub(crate) const EPOCH: EpochId = EpochId { group: 1, epoch: 3 };
pub(crate) const CONTRACT: B256 = B256::repeat_byte(0xc0);
pub(crate) const HEAD_SEQ: u64 = 5;

/// What the fakes say. Fields are what is *presented*; the deployment a client trusts is built
/// from [`World::honest`].
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) chain_id: u64,
    pub(crate) registry_code: Bytes,
    pub(crate) oracle_code: Bytes,
    pub(crate) current_epoch: u32,
    pub(crate) opening: EpochOpening,
    /// What the registry recorded; `None` records `opening`.
    pub(crate) record: Option<B256>,
    /// Measurement and configuration that the registry admitted the signer with.
    pub(crate) admitted: (B256, B256),
    /// May change while the world is served.
    pub(crate) revoked: Arc<AtomicBool>,
    pub(crate) head_commitment: B256,

    pub(crate) executable: Vec<u8>,
    /// Configuration hash extended into the evidence and bound by it.
    pub(crate) config_hash: B256,
    /// Checkpoint's hash that the evidence binds and the node presents.
    pub(crate) start_hash: B256,
    /// Encoded configuration presented.
    pub(crate) config: Bytes,
    pub(crate) fault: Option<Fault>,
    /// Answers this instead of the client's challenge.
    pub(crate) challenge: Option<Vec<u8>>,
    pub(crate) issuer: String,
    pub(crate) ear_key: u8,
    /// When the result was signed.
    pub(crate) ear_signed_at: u64,
    /// Takes the result from other evidence than is presented.
    pub(crate) ear_of_other_machine: bool,
    /// The keys that are presented.
    pub(crate) keys: Arc<EpochKeyPairs>,
    /// Last change to what is stated beside the evidence, before it is signed.
    pub(crate) restate: fn(&mut AttestationStatement),
    /// Who signs that.
    pub(crate) statement_signer: Arc<Signer>,
    /// Last change to what the node answers.
    pub(crate) tamper: fn(&mut Attestation),
    /// Last change to a query's answer.
    pub(crate) answer_query: Option<QueryHandler>,
}

pub(crate) type QueryHandler = Arc<dyn Fn(&World, &Value) -> Value + Send + Sync>;

/// The hash of a set of these measurements under the deployment's configuration.
pub(crate) fn members_hash(measurements: &[B256]) -> B256 {
    let config_hash = measured().enclave_config().unwrap().hash();
    let members: Vec<_> = measurements
        .iter()
        .map(|id| EpochMember {
            measurementId: *id,
            configHash: config_hash,
        })
        .collect();
    epoch_set_hash(&members)
}

impl World {
    pub(crate) fn honest() -> Self {
        let config = measured().enclave_config().unwrap();
        let id = measurement(EXECUTABLE);
        Self {
            chain_id: CHAIN_ID,
            registry_code: REGISTRY_CODE.into(),
            oracle_code: ORACLE_CODE.into(),
            current_epoch: EPOCH.epoch,
            opening: EpochOpening {
                keyGroup: EPOCH.group,
                keyEpoch: EPOCH.epoch,
                publicKeyHash: epoch_keys().public().hash(),
                configHash: config.hash(),
                setHash: members_hash(&[id]),
                recovery: config.recovery,
            },
            record: None,
            admitted: (id, config.hash()),
            revoked: Arc::default(),
            head_commitment: HEAD_COMMITMENT,
            executable: EXECUTABLE.to_vec(),
            config_hash: config.hash(),
            start_hash: start_hash(&[]),
            config: config.abi_encode().into(),
            fault: None,
            challenge: None,
            issuer: ISSUER.to_owned(),
            ear_key: 3,
            ear_signed_at: NOW,
            ear_of_other_machine: false,
            keys: Arc::new(epoch_keys()),
            restate: |_| {},
            statement_signer: Arc::new(signer()),
            tamper: |_| {},
            answer_query: None,
        }
    }

    /// Starts fakes that act as this world does.
    pub(crate) async fn serve(self) -> FakeServer {
        FakeServer::start(Arc::new(move |method, params| self.answer(method, params))).await
    }

    pub(crate) fn answer(&self, method: &str, params: &[Value]) -> Result<Value, Value> {
        match method {
            "eth_chainId" => Ok(json!(format!("{:#x}", self.chain_id))),
            "eth_getCode" => {
                let account: Address = params[0].as_str().unwrap().parse().unwrap();
                let code = if account == registry() {
                    &self.registry_code
                } else {
                    &self.oracle_code
                };
                Ok(json!(code))
            }
            "eth_call" => self.call(&params[0]),
            "subrosa_attestation" => {
                let request: AttestationRequest =
                    serde_json::from_value(params[0].clone()).unwrap();
                Ok(serde_json::to_value(self.attestation(&request.challenge)).unwrap())
            }
            "subrosa_query" => match &self.answer_query {
                Some(handler) => Ok(handler(self, &params[0])),
                None => Err(json!({"code": -32_000, "message": "fake"})),
            },
            other => Err(json!({"code": -32_601, "message": format!("no method {other}")})),
        }
    }

    fn call(&self, transaction: &Value) -> Result<Value, Value> {
        let data = transaction
            .get("input")
            .or(transaction.get("data"))
            .unwrap();
        let data = hex::decode(data.as_str().unwrap()).unwrap();
        let selector: [u8; 4] = data[..4].try_into().unwrap();
        let returned = match selector {
            currentEpochCall::SELECTOR => self.current_epoch.abi_encode(),
            epochRecordCall::SELECTOR => self
                .record
                .unwrap_or_else(|| self.opening.record())
                .abi_encode(),
            checkSignerCall::SELECTOR if self.revoked.load(Ordering::Relaxed) => {
                let error = SignerIsRevoked {
                    signer: signer().address(),
                };
                let data = hex::encode_prefixed(alloy_sol_types::SolError::abi_encode(&error));
                return Err(json!({"code": 3, "message": "execution reverted", "data": data}));
            }
            checkSignerCall::SELECTOR => EPOCH.group.abi_encode(),
            foundationOfCall::SELECTOR => {
                let (id, config) = self.admitted;
                (id, config, 1u16, 2u16, U256::from(3)).abi_encode()
            }
            logOfCall::SELECTOR => {
                let word: U256 = (U256::from(EPOCH.epoch) << 80)
                    | (U256::from(EPOCH.group) << 48)
                    | U256::from(HEAD_SEQ);
                word.abi_encode()
            }
            headCall::SELECTOR => {
                let head = Head {
                    seq: HEAD_SEQ,
                    commitment: self.head_commitment,
                };
                let word = HeadWord {
                    head,
                    ..HeadWord::default()
                };
                word.pack().abi_encode()
            }
            _ => return Err(json!({"code": 3, "message": "execution reverted"})),
        };
        Ok(json!(hex::encode_prefixed(returned)))
    }

    pub(crate) fn attestation(&self, challenge: &[u8]) -> Attestation {
        let challenge = self.challenge.as_deref().unwrap_or(challenge);
        let keys = &self.keys;
        let mut statement = AttestationStatement {
            challengeHash: challenge_hash(&Challenge::Client(challenge.to_vec())),
            keyGroup: EPOCH.group,
            keyEpoch: EPOCH.epoch,
            // The enclave's, whatever is presented.
            publicKeyHash: epoch_keys().public().hash(),
            recovery: measured().recovery.pack(),
            configHash: measured().enclave_config().unwrap().hash(),
            startHash: self.start_hash,
            headerNumber: 100,
            headerHash: B256::repeat_byte(0xb1),
            headerTime: NOW,
        };
        (self.restate)(&mut statement);
        let mut attestation = Attestation {
            bundle: self.bundle(challenge, [0x99; 16]).encode().into(),
            ear: Some(self.ear(challenge)),
            config: self.config.clone(),
            signer: signer().address(),
            transfer_key: transfer_key(),
            start_hash: self.start_hash,
            epoch: EpochPublicKeys {
                group: EPOCH.group,
                epoch: EPOCH.epoch,
                xwing: keys.public().recipient(Suite::XWing).to_bytes().into(),
                x25519: B256::from_slice(&keys.public().recipient(Suite::X25519).to_bytes()),
            },
            epoch_opening: self.opening.clone().into(),
            statement: statement.abi_encode().into(),
            signature: self.state(&statement),
        };
        (self.tamper)(&mut attestation);
        attestation
    }

    /// Signs a statement, as the enclave does unless a stranger is to.
    fn state(&self, statement: &AttestationStatement) -> Bytes {
        let domain = oracle_domain(CHAIN_ID, oracle());
        let hash = signing_hash(statement, &domain);
        let signature = self.statement_signer.sign(hash);
        signature.as_bytes().to_vec().into()
    }

    fn binding(&self) -> Binding {
        Binding {
            signer: signer().address(),
            transfer_key_hash: keccak256(transfer_key()),
            config_hash: self.config_hash,
            start_hash: self.start_hash,
        }
    }

    fn bundle(&self, challenge: &[u8], ppid: [u8; 16]) -> EvidenceBundle {
        let binding = self.binding();
        let mut forge = Forge::new()
            .mrtd(measurement_of_executable(self.executable.as_slice()).mrtd)
            .config(self.config_hash.0)
            .ppid(ppid)
            .report_data(report_data(
                &binding,
                &Challenge::Client(challenge.to_vec()),
            ));
        if let Some(fault) = self.fault {
            forge = forge.fault(fault);
        }
        forge.evidence()
    }

    /// A lax verifier's result: it believes whatever is sound.
    fn ear(&self, challenge: &[u8]) -> String {
        let other = World {
            executable: b"elsewhere".to_vec(),
            fault: None,
            ..self.clone()
        };
        let source = if self.ear_of_other_machine {
            &other
        } else {
            self
        };
        let sound = World {
            fault: None,
            ..source.clone()
        };
        let expectations = Expectations {
            policy: Policy::development(),
            measurements: Measurements::JudgedElsewhere,
            binding: sound.binding(),
            challenge: Challenge::Client(challenge.to_vec()),
        };
        let bundle = sound.bundle(challenge, [0x99; 16]);
        let bound = appraise(&bundle, &expectations, NOW).bound.unwrap();
        let key = EarKey::from_bytes(&[self.ear_key; 32]).unwrap();
        ear::sign(&bound, &self.issuer, &key, self.ear_signed_at, 300).unwrap()
    }
}

/// What a client trusts.
pub(crate) fn deployment(server: &FakeServer) -> Deployment {
    let text = Deployment {
        version: 1,
        development: true,
        rpc_url: server.url.clone(),
        node_url: server.url.clone(),
        mailbox: None,
        measurements: vec![measurement(EXECUTABLE), B256::repeat_byte(0xee)],
        roots: vec![INTEL_SGX_ROOT_ID, DEVELOPMENT_ROOT_ID],
        minimum_tcb_evaluation: 0,
        measured: measured(),
        verifier: Some(VerifierTrust {
            issuer: ISSUER.to_owned(),
            admission: vec![Address::repeat_byte(0xad)],
            keys: vec![EarKey::from_bytes(&[3; 32]).unwrap().jwk()],
        }),
    }
    .to_toml()
    .unwrap();
    // Through its file form, so that every test also reads one.
    Deployment::parse(&text).unwrap()
}

pub(crate) async fn connection(deployment: Deployment) -> Connection {
    Connection::with_clock(deployment, Clock::new(|| NOW))
        .await
        .unwrap()
}

pub(crate) fn measured() -> Measured {
    let mut roots = vec![INTEL_SGX_ROOT_ID, DEVELOPMENT_ROOT_ID];
    roots.sort_unstable();
    Measured {
        chain_id: CHAIN_ID,
        registry: registry(),
        registry_code_hash: keccak256(REGISTRY_CODE),
        oracle: oracle(),
        oracle_code_hash: keccak256(ORACLE_CODE),
        header_trust: HeaderTrustKind::HostAsserted,
        header_trust_parameters: Bytes::new(),
        evidence_roots: roots,
        policy_hash: Policy::development().hash(),
        key_group: EPOCH.group,
        recovery: Recovery::SealedDevelopment,
    }
}

pub(crate) fn measurement(executable: &[u8]) -> B256 {
    measurement_of_executable(executable).id
}

pub(crate) fn registry() -> Address {
    Address::repeat_byte(0x4e)
}

pub(crate) fn oracle() -> Address {
    Address::repeat_byte(0x04)
}

pub(crate) fn signer() -> Signer {
    Signer::from_seed(&[0x51; 32]).unwrap()
}

pub(crate) fn epoch_keys() -> EpochKeyPairs {
    EpochSecret::from_bytes(&[0xe9; 32]).keys(EPOCH)
}

/// Keys of whoever stands between client and node.
pub(crate) fn proxy_keys() -> EpochKeyPairs {
    EpochSecret::from_bytes(&[0xba; 32]).keys(EPOCH)
}

/// A signer that no evidence binds.
pub(crate) fn stranger() -> Signer {
    Signer::from_seed(&[0x52; 32]).unwrap()
}

pub(crate) fn transfer_key() -> Bytes {
    Bytes::from(vec![0x7f; 1216])
}

pub(crate) const EXECUTABLE: &[u8] = b"an enclave";
pub(crate) const HEAD_COMMITMENT: B256 = {
    let mut bytes = [0x5c; 32];
    let mut index = 26;
    while index < 32 {
        bytes[index] = 0;
        index += 1;
    }
    B256::new(bytes)
};
const REGISTRY_CODE: &[u8] = b"\x60\x01registry";
const ORACLE_CODE: &[u8] = b"\x60\x02oracle";
