// SPDX-License-Identifier: Apache-2.0
//! A client against a scripted chain with a mailbox, and no node: what is answered there is refused by the
//! same names as what a node answers.

use std::sync::{Arc, Mutex};

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    rpc::types::Block,
};
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_sol_types::{SolCall, SolEvent, SolValue};
use serde_json::{Value, json};
use subrosa_chain::{
    bindings::{
        SubrosaMailbox::{
            ChallengeAnswered, ChallengeAsked, MailboxChallenge, challengeCall, oracleCall,
            registryCall,
        },
        SubrosaRegistry::maximumLeaseCall,
    },
    mailbox::answer_gas_of,
};
use subrosa_client::{
    Account, Appraisal, Asking, AttestOptions, Attested, ClientError, Deployment, MailboxError,
};
use subrosa_evidence::{EvidenceBundle, EvidencePart, challenge_hash};
use subrosa_types::{
    Challenge,
    abi::{AttestationAnswer, AttestationStatement, PresentedAttestation},
    eip712::{oracle_domain, signing_hash},
};

use crate::{
    server::FakeServer,
    world::{self, CHAIN_ID, EXECUTABLE, NOW, World, connection, deployment, measurement},
};

const MAILBOX: Address = Address::repeat_byte(0x6d);
const TRANSACTION: B256 = B256::repeat_byte(0x7a);
const BLOCK: u64 = 16;

/// What a mailbox says, and what becomes of a challenge there.
#[derive(Clone)]
struct Scripted {
    world: World,
    oracle: Address,
    /// Signs the answer.
    answered_by: Arc<subrosa_crypto::Signer>,
    /// Last change to the evidence, before the answer is signed.
    evidence: fn(Bytes) -> Bytes,
    put: Arc<Mutex<Option<MailboxChallenge>>>,
}

impl Scripted {
    fn honest() -> Self {
        Self {
            world: World::honest(),
            oracle: world::oracle(),
            answered_by: Arc::new(world::signer()),
            evidence: |evidence| evidence,
            put: Arc::default(),
        }
    }

    async fn serve(self) -> FakeServer {
        FakeServer::start(Arc::new(move |method, params| self.answer(method, params))).await
    }

    async fn attest(self, asking: &Asking) -> (Result<Attested, ClientError>, FakeServer) {
        let server = self.serve().await;
        let deployment = Deployment {
            mailbox: Some(MAILBOX),
            node_url: "http://127.0.0.1:9".to_owned(),
            ..deployment(&server)
        };
        let options = AttestOptions {
            development: true,
            ..AttestOptions::default()
        };
        let connection = connection(deployment).await;
        let account = Account::from_bytes(&B256::repeat_byte(7)).unwrap();
        let attested = connection.attest_through_chain(&options, asking, &account);
        (attested.await, server)
    }

    fn answer(&self, method: &str, params: &[Value]) -> Result<Value, Value> {
        Ok(match method {
            "eth_getTransactionCount" => json!("0x0"),
            "eth_estimateGas" => json!("0x186a0"),
            "eth_gasPrice" | "eth_maxPriorityFeePerGas" => json!("0x2"),
            "eth_feeHistory" => json!({
                "oldestBlock": "0xf",
                "baseFeePerGas": ["0x1", "0x1"],
                "gasUsedRatio": [0.5],
                "reward": [["0x1"]],
            }),
            "eth_blockNumber" => json!(format!("{BLOCK:#x}")),
            "eth_getBlockByNumber" => block(),
            "eth_sendRawTransaction" => {
                self.take(params[0].as_str().unwrap());
                json!(TRANSACTION)
            }
            "eth_getTransactionReceipt" => self.receipt(),
            "eth_getLogs" => self.logs(&params[0]["topics"]),
            "eth_call" => {
                let data = params[0].get("input").or(params[0].get("data")).unwrap();
                let data = hex::decode(data.as_str().unwrap()).unwrap();
                let returned = match data[..4].try_into().unwrap() {
                    oracleCall::SELECTOR => self.oracle.abi_encode(),
                    registryCall::SELECTOR if params[0]["to"] == json!(MAILBOX) => {
                        world::registry().abi_encode()
                    }
                    maximumLeaseCall::SELECTOR => U256::from(3_600).abi_encode(),
                    _ => return self.world.answer(method, params),
                };
                json!(hex::encode_prefixed(returned))
            }
            _ => return self.world.answer(method, params),
        })
    }

    /// The challenge in a transaction.
    fn take(&self, raw: &str) {
        let raw = hex::decode(raw).unwrap();
        let sent = TxEnvelope::decode_2718(&mut raw.as_slice()).unwrap();
        assert_eq!(sent.to(), Some(MAILBOX));
        let call = challengeCall::abi_decode(sent.input()).unwrap();
        // Worth answering.
        assert!(sent.value() >= U256::from(answer_gas_of(10_000)));
        let account = Account::from_bytes(&B256::repeat_byte(7)).unwrap();
        *self.put.lock().unwrap() = Some(MailboxChallenge {
            asker: account.address(),
            signer: call.signer,
            challenge: call.fresh,
        });
    }

    fn receipt(&self) -> Value {
        let put = self.put.lock().unwrap().clone();
        let Some(put) = put else {
            return Value::Null;
        };
        let event = ChallengeAsked {
            id: keccak256(put.abi_encode()),
            signer: put.signer,
            asker: put.asker,
            challenge: put.challenge,
            escrow: U256::from(1),
            deadline: U256::from(NOW + 3_600),
        };
        json!({
            "transactionHash": TRANSACTION, "transactionIndex": "0x0", "type": "0x2",
            "blockHash": B256::repeat_byte(1), "blockNumber": format!("{BLOCK:#x}"),
            "from": put.asker, "to": MAILBOX, "contractAddress": null, "status": "0x1",
            "cumulativeGasUsed": "0x1", "gasUsed": "0x1", "effectiveGasPrice": "0x1",
            "logsBloom": Bytes::from(vec![0; 256]),
            "logs": [log(MAILBOX, &event)],
        })
    }

    fn logs(&self, topics: &Value) -> Value {
        let first = &topics[0];
        let is = |hash: B256| *first == json!(hash) || first[0] == json!(hash);
        if is(ChallengeAnswered::SIGNATURE_HASH) && !topics[1].is_null() {
            return match self.put.lock().unwrap().as_ref() {
                Some(put) => json!([log(MAILBOX, &self.answered(put))]),
                None => json!([]),
            };
        }
        if is(subrosa_chain::bindings::SubrosaRegistry::SignerAdmitted::SIGNATURE_HASH) {
            return json!([self.admitted()]);
        }
        json!([])
    }

    fn admitted(&self) -> Value {
        let event = subrosa_chain::bindings::SubrosaRegistry::SignerAdmitted {
            signer: world::signer().address(),
            measurementId: measurement(EXECUTABLE),
            machineId: B256::ZERO,
            product: B256::ZERO,
            configHash: self.world.config_hash,
            startHash: self.world.start_hash,
            transferKeyHash: keccak256(world::transfer_key()),
            evidenceHash: B256::ZERO,
            policyHash: B256::ZERO,
            tcbStatus: 1,
            tcbEvaluation: 17,
            leaseUntil: Default::default(),
        };
        log(world::registry(), &event)
    }

    /// What the enclave answers.
    fn answered(&self, put: &MailboxChallenge) -> ChallengeAnswered {
        let attestation = self.world.attestation(put.challenge.as_slice());
        let presented = PresentedAttestation {
            statement: AttestationStatement::abi_decode(&attestation.statement).unwrap(),
            signature: attestation.signature,
            transferKeyHash: keccak256(&attestation.transfer_key),
            opening: attestation.epoch_opening.into(),
            xwingKey: attestation.epoch.xwing,
            x25519Key: attestation.epoch.x25519,
        };
        let (evidence, statement) = ((self.evidence)(attestation.bundle), presented.abi_encode());
        let answer = AttestationAnswer {
            challengeHash: challenge_hash(&Challenge::Client(put.challenge.to_vec())),
            evidenceHash: keccak256(&evidence),
            statementHash: keccak256(&statement),
            payee: Address::ZERO,
        };
        let hash = signing_hash(&answer, &oracle_domain(CHAIN_ID, world::oracle()));
        ChallengeAnswered {
            id: keccak256(put.abi_encode()),
            signer: put.signer,
            evidence,
            statement: statement.into(),
            payee: Address::ZERO,
            signature: self.answered_by.sign(hash).as_bytes().to_vec().into(),
        }
    }
}

fn block() -> Value {
    let mut block: Block = Block::default();
    block.header.inner.number = BLOCK;
    block.header.inner.timestamp = NOW - 7_200;
    block.header.inner.base_fee_per_gas = Some(1);
    let mut block = serde_json::to_value(block).unwrap();
    block["transactions"] = json!([TRANSACTION]);
    block
}

fn log(address: Address, event: &impl SolEvent) -> Value {
    let data = event.encode_log_data();
    json!({
        "address": address, "topics": data.topics(), "data": data.data,
        "blockHash": B256::repeat_byte(1), "blockNumber": format!("{BLOCK:#x}"),
        "transactionHash": TRANSACTION, "transactionIndex": "0x0", "logIndex": "0x0",
        "removed": false,
    })
}

fn without_collateral(bundle: Bytes) -> Bytes {
    let bundle = EvidenceBundle::decode(&bundle).unwrap();
    let quote = [(EvidencePart::Quote, bundle.quote().to_vec())];
    let bundle = EvidenceBundle::from_parts(bundle.kind(), quote).unwrap();
    bundle.encode().into()
}

async fn refusal(scripted: Scripted) -> String {
    let (attested, _server) = scripted.attest(&Asking::default()).await;
    match attested.unwrap_err() {
        ClientError::Refused(refusal) => refusal.check.into_owned(),
        other => panic!("not a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn an_honest_answer_is_accepted_and_no_node_is_asked() {
    let (attested, server) = Scripted::honest().attest(&Asking::default()).await;
    let attested = attested.unwrap();
    assert_eq!(attested.signer(), world::signer().address());
    assert_eq!(attested.epoch_id(), world::EPOCH);
    assert_eq!(attested.measurement_id(), measurement(EXECUTABLE));
    let names: Vec<_> = attested
        .checks()
        .iter()
        .map(|check| check.id.as_ref())
        .collect();
    for name in [
        "oracle-code",
        "answer.id",
        "answer.signer",
        "answer.signature",
        "config-hash",
        "start-hash",
        "dcap.signature",
        "challenge",
        "report-data",
        "attestation.signature",
        "attestation.keys",
        "epoch.record",
        "signer.admitted",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("ear.")));
    let asked = server.asked();
    assert!(!asked.iter().any(|method| method.starts_with("subrosa_")));
}

#[tokio::test]
async fn whatever_is_signed_as_an_answer_is_checked_as_what_a_node_presents() {
    type Spoil = fn(&mut Scripted);
    let spoilt: [(Spoil, &str); 7] = [
        // Evidence for another challenge, signed as the answer to this one.
        (|s| s.world.challenge = Some(vec![9; 32]), "challenge"),
        (
            |s| s.world.restate = |statement| statement.challengeHash = B256::ZERO,
            "attestation.challenge",
        ),
        (
            |s| s.world.statement_signer = Arc::new(world::stranger()),
            "attestation.signature",
        ),
        (
            |s| s.world.keys = Arc::new(world::proxy_keys()),
            "attestation.keys",
        ),
        (
            |s| s.answered_by = Arc::new(world::stranger()),
            "answer.signature",
        ),
        (|s| s.world.record = Some(B256::ZERO), "epoch.record"),
        (|s| s.world.executable = b"another".to_vec(), "measurement"),
    ];
    for (spoil, check) in spoilt {
        let mut scripted = Scripted::honest();
        spoil(&mut scripted);
        assert_eq!(refusal(scripted).await, check);
    }
}

#[tokio::test]
async fn nobody_is_paid_whose_answer_would_be_refused() {
    let revoked = Scripted::honest();
    let flag = &revoked.world.revoked;
    flag.store(true, std::sync::atomic::Ordering::Relaxed);
    let named = Asking {
        signer: Some(world::signer().address()),
        ..Asking::default()
    };
    let (attested, server) = revoked.clone().attest(&named).await;
    let Err(ClientError::Refused(refusal)) = attested else {
        panic!("{attested:?}");
    };
    assert_eq!(refusal.check, "signer.admitted");
    assert!(!server.was_sent_anything());

    let (attested, server) = revoked.attest(&Asking::default()).await;
    let error = attested.unwrap_err();
    let is_none = matches!(
        error,
        ClientError::Mailbox(MailboxError::NoSigner { looked_at: 1 })
    );
    assert!(is_none, "{error:?}");
    assert!(!server.was_sent_anything());

    let mut elsewhere = Scripted::honest();
    elsewhere.oracle = Address::repeat_byte(1);
    let (attested, server) = elsewhere.attest(&Asking::default()).await;
    let error = attested.unwrap_err();
    let is_elsewhere = matches!(error, ClientError::Mailbox(MailboxError::Elsewhere { .. }));
    assert!(is_elsewhere, "{error:?}");
    assert!(!server.was_sent_anything());

    let server = Scripted::honest().serve().await;
    let deployment = Deployment {
        mailbox: Some(MAILBOX),
        ..deployment(&server)
    };
    let options = AttestOptions {
        development: true,
        appraisal: Appraisal::Result,
        ..AttestOptions::default()
    };
    let account = Account::from_bytes(&B256::repeat_byte(7)).unwrap();
    let connection = connection(deployment).await;
    let asking = Asking::default();
    let attested = connection.attest_through_chain(&options, &asking, &account);
    let Err(ClientError::Refused(refusal)) = attested.await else {
        panic!("accepted without a result");
    };
    assert_eq!(refusal.check, "ear.present");
    assert!(!server.was_sent_anything());
}

#[tokio::test]
async fn collateral_that_evidence_does_not_bring_is_the_client_s_to_bring() {
    let mut scripted = Scripted::honest();
    scripted.evidence = without_collateral;
    refusal(scripted.clone()).await;
    let bundle = scripted.world.attestation(&[1; 32]).bundle;
    let bundle = EvidenceBundle::decode(&bundle).unwrap();
    let collateral = bundle.collateral().to_vec();
    let asking = Asking {
        collateral: vec![collateral],
        ..Asking::default()
    };
    let (attested, _server) = scripted.clone().attest(&asking).await;
    attested.unwrap();
    let asking = Asking {
        collateral: vec![b"no collateral".to_vec()],
        ..Asking::default()
    };
    let (attested, _server) = scripted.attest(&asking).await;
    assert!(matches!(attested, Err(ClientError::Refused(_))));
}
