// SPDX-License-Identifier: Apache-2.0
//! Every expectation that is not met is a named check, and nothing is encrypted after it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolValue;
use subrosa_client::{
    Account, Appraisal, AttestOptions, Bytecode, ClientError, Clock, Connection, ContractPolicy,
    Deployment, ENGINE_EVM, QueryCall, WaitOptions,
};
use subrosa_evidence::DEVELOPMENT_ROOT_ID;
use subrosa_tee::forge::Fault;
use subrosa_types::{
    abi::EpochMember,
    entry::LARGEST_CALLBACK_GAS,
    id::{epoch_set_hash, start_hash},
};

use crate::{
    stated,
    world::{
        self, CONTRACT, EXECUTABLE, NOW, World, connection, deployment, measurement, members_hash,
    },
};

const DEVELOPMENT: AttestOptions = AttestOptions {
    development: true,
    appraisal: Appraisal::Both,
    max_age: 3600,
};

#[tokio::test]
async fn an_honest_node_is_accepted_and_every_check_is_named() {
    for appraisal in [Appraisal::Both, Appraisal::Result, Appraisal::Evidence] {
        let server = World::honest().serve().await;
        let options = AttestOptions {
            appraisal,
            ..DEVELOPMENT
        };
        let attested = connection(deployment(&server))
            .await
            .attest(&options)
            .await
            .unwrap();
        assert_eq!(attested.signer(), world::signer().address());
        assert_eq!(attested.epoch_id(), world::EPOCH);
        assert_eq!(attested.measurement_id(), measurement(EXECUTABLE));
        assert!(attested.is_development());
        assert!(attested.checks().iter().all(subrosa_client::Check::passed));
        let names: Vec<_> = attested
            .checks()
            .iter()
            .map(|check| check.id.as_ref())
            .collect();
        let mut expected = vec![
            "chain-id",
            "registry-code",
            "oracle-code",
            "config-hash",
            "start-hash",
            "root",
            "measurement",
            "config",
            "report-data",
            "challenge",
            "attestation.signature",
            "attestation.challenge",
            "attestation.epoch",
            "attestation.keys",
            "attestation.recovery",
            "attestation.config-hash",
            "attestation.start-hash",
            "epoch.record",
            "epoch.keys",
            "epoch.config",
            "epoch.measurements",
            "signer.admitted",
        ];
        if appraisal != Appraisal::Evidence {
            expected.extend(["ear.key", "ear.signature", "ear.issuer", "ear.fresh"]);
        }
        if appraisal != Appraisal::Result {
            expected.extend(["dcap.signature", "debug", "tcb.status"]);
        }
        for name in expected {
            assert!(
                names.contains(&name),
                "{appraisal:?}: {name} is not in {names:?}"
            );
        }
    }
}

#[tokio::test]
async fn without_a_verifier_the_evidence_alone_is_verified() {
    for ear in ["", "not a token"] {
        let mut world = World::honest();
        world.tamper = match ear {
            "" => |a| a.ear = None,
            _ => |a| a.ear = Some("not a token".to_owned()),
        };
        let server = world.serve().await;
        let mut deployment = deployment(&server);
        deployment.verifier = None;
        let attested = connection(deployment)
            .await
            .attest(&DEVELOPMENT)
            .await
            .unwrap();
        let mut names = attested.checks().iter().map(|check| check.id.as_ref());
        assert!(names.clone().any(|name| name == "dcap.signature"));
        assert!(!names.any(|name| name.starts_with("ear.")));
    }
}

#[tokio::test]
async fn an_envelope_arrives_once_the_node_is_attested() {
    // The counterpart of every test below: what they show not to arrive is seen to arrive here.
    let server = World::honest().serve().await;
    let attested = connection(deployment(&server))
        .await
        .attest(&DEVELOPMENT)
        .await
        .unwrap();
    assert!(!server.was_sent_anything());
    let error = attested
        .query(&QueryCall::new(CONTRACT, b"input"), None)
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Node(_)), "{error}");
    assert!(server.was_sent_anything());
}

pub(crate) struct Case {
    name: &'static str,
    check: &'static str,
    options: AttestOptions,
    spoil: fn(&mut World),
    trust: fn(&mut Deployment),
}

pub(crate) const fn case(name: &'static str, check: &'static str, spoil: fn(&mut World)) -> Case {
    Case {
        name,
        check,
        options: DEVELOPMENT,
        spoil,
        trust: |_| {},
    }
}

const fn evidence_case(name: &'static str, check: &'static str, spoil: fn(&mut World)) -> Case {
    let options = AttestOptions {
        appraisal: Appraisal::Evidence,
        ..DEVELOPMENT
    };
    Case {
        name,
        check,
        options,
        spoil,
        trust: |_| {},
    }
}

const fn trust_case(name: &'static str, check: &'static str, trust: fn(&mut Deployment)) -> Case {
    Case {
        name,
        check,
        options: DEVELOPMENT,
        spoil: |_| {},
        trust,
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("another chain", "chain-id", |w| w.chain_id = 1),
        case("another registry", "registry-code", |w| {
            w.registry_code = Bytes::from_static(b"x")
        }),
        case("another oracle", "oracle-code", |w| {
            w.oracle_code = Bytes::from_static(b"x")
        }),
        case("no oracle at all", "oracle-code", |w| {
            w.oracle_code = Bytes::new()
        }),
        case("another configuration presented", "config-hash", |w| {
            let mut config = world::measured().enclave_config().unwrap();
            config.policyHash = B256::repeat_byte(9);
            w.config = config.abi_encode().into();
        }),
        case("a configuration that does not decode", "config-hash", |w| {
            w.config = Bytes::from_static(b"nonsense");
        }),
        case("a configuration with trailing bytes", "config-hash", |w| {
            w.config = [w.config.as_ref(), &[0; 32]].concat().into();
        }),
        case("started from a checkpoint", "start-hash", |w| {
            w.start_hash = B256::repeat_byte(9);
        }),
        case(
            "started from a checkpoint, and denied",
            "report-data",
            |w| {
                w.start_hash = B256::repeat_byte(9);
                w.tamper = |a| a.start_hash = start_hash(&[]);
            },
        ),
        evidence_case("evidence of another start", "report-data", |w| {
            w.start_hash = B256::repeat_byte(9);
            w.tamper = |a| a.start_hash = start_hash(&[]);
        }),
        case("a result of an unknown key", "ear.key", |w| w.ear_key = 4),
        case("a result of another issuer", "ear.issuer", |w| {
            w.issuer = "elsewhere".to_owned()
        }),
        case("an expired result", "ear.fresh", |w| {
            w.ear_signed_at = NOW - 300
        }),
        case("a result from the future", "ear.fresh", |w| {
            w.ear_signed_at = NOW + 3600
        }),
        case("no result", "ear.present", |w| w.tamper = |a| a.ear = None),
        case("an empty result", "ear.format", |w| {
            w.tamper = |a| a.ear = Some(String::new())
        }),
        case("an altered result", "ear.signature", |w| {
            w.tamper = |a| {
                let ear = a.ear.as_mut().unwrap();
                let last = ear.pop();
                ear.push(if last == Some('A') { 'Q' } else { 'A' });
            };
        }),
        case("a replayed attestation", "challenge", |w| {
            w.challenge = Some(vec![7; 32])
        }),
        case("another executable", "measurement", |w| {
            w.executable = b"evil".to_vec()
        }),
        case("another signer", "report-data", |w| {
            w.tamper = |a| a.signer = Address::repeat_byte(1);
        }),
        case("another transfer key", "report-data", |w| {
            w.tamper = |a| a.transfer_key = vec![1; 1216].into();
        }),
        case("started with another configuration", "config", |w| {
            w.config_hash = B256::repeat_byte(9);
        }),
        case("result and evidence of two enclaves", "measurement", |w| {
            w.ear_of_other_machine = true;
        }),
        case("garbage for evidence", "evidence.format", |w| {
            w.tamper = |a| a.bundle = Bytes::from_static(b"garbage");
        }),
        evidence_case("evidence for another challenge", "challenge", |w| {
            w.challenge = Some(vec![7; 32]);
        }),
        evidence_case("evidence of another executable", "measurement", |w| {
            w.executable = b"evil".to_vec();
        }),
        evidence_case("evidence with another signer", "report-data", |w| {
            w.tamper = |a| a.signer = Address::repeat_byte(1);
        }),
        evidence_case("evidence of another configuration", "config", |w| {
            w.config_hash = B256::repeat_byte(9);
        }),
        evidence_case("a debugged enclave", "debug", |w| {
            w.fault = Some(Fault::DebugTd)
        }),
        evidence_case("an outdated platform", "tcb.status", |w| {
            w.fault = Some(Fault::OutOfDate);
        }),
        evidence_case("an unknown root", "root", |w| {
            w.fault = Some(Fault::ForeignRoot)
        }),
        evidence_case("a forged development root", "root", |w| {
            w.fault = Some(Fault::ImpostorRoot);
        }),
        case("another epoch's opening", "epoch.opening", |w| {
            w.opening.keyEpoch = 2
        }),
        case("a past epoch", "epoch.current", |w| w.current_epoch += 1),
        case("another key group", "attestation.epoch", |w| {
            w.tamper = |a| a.epoch.group = 2
        }),
        case("an opening that was not recorded", "epoch.record", |w| {
            w.record = Some(B256::repeat_byte(3));
        }),
        case("an epoch that was never opened", "epoch.record", |w| {
            w.record = Some(B256::ZERO)
        }),
        case("an epoch of another configuration", "epoch.config", |w| {
            w.opening.configHash = B256::repeat_byte(9);
        }),
        case(
            "an epoch of another recovery policy",
            "epoch.recovery",
            |w| {
                w.opening.recovery = U256::from(1);
            },
        ),
        case(
            "an epoch that an unlisted measurement may hold",
            "epoch.measurements",
            |w| {
                w.opening.setHash = members_hash(&[measurement(EXECUTABLE), measurement(b"evil")]);
            },
        ),
        case(
            "an epoch that no measurement may hold",
            "epoch.measurements",
            |w| {
                w.opening.setHash = members_hash(&[]);
            },
        ),
        case(
            "an epoch that another configuration may hold",
            "epoch.measurements",
            |w| {
                w.opening.setHash = epoch_set_hash(&[EpochMember {
                    measurementId: measurement(EXECUTABLE),
                    configHash: B256::repeat_byte(9),
                }]);
            },
        ),
        case(
            "a signer admitted with another measurement",
            "signer.admitted",
            |w| w.admitted.0 = B256::repeat_byte(9),
        ),
        case("another X25519 key", "attestation.keys", |w| {
            w.tamper = |a| a.epoch.x25519 = B256::repeat_byte(9);
        }),
        case("a short X-Wing key", "attestation.keys", |w| {
            w.tamper = |a| a.epoch.xwing = vec![1; 1215].into();
        }),
        case("an opening for another key", "epoch.keys", |w| {
            w.opening.publicKeyHash = B256::repeat_byte(9);
        }),
        case("a revoked signer", "signer.admitted", |w| {
            w.revoked.store(true, Ordering::Relaxed);
        }),
        trust_case("a root that is not pinned", "root", |d| {
            d.roots.retain(|root| *root != DEVELOPMENT_ROOT_ID);
        }),
        trust_case("a measurement that is not listed", "measurement", |d| {
            d.measurements = vec![B256::repeat_byte(1)];
        }),
        trust_case("another configuration expected", "config-hash", |d| {
            d.measured.policy_hash = B256::repeat_byte(1);
        }),
        trust_case("a newer TCB expected", "tcb.evaluation", |d| {
            d.minimum_tcb_evaluation = u32::MAX;
        }),
        trust_case("another verifier expected", "ear.issuer", |d| {
            d.verifier.as_mut().unwrap().issuer = "https://other.example".to_owned();
        }),
        trust_case(
            "a production deployment of development parts",
            "development",
            |d| {
                d.development = false;
            },
        ),
    ];
    cases.extend(stated::cases());
    cases.push(Case {
        name: "a result asked for where the deployment names no verifier",
        check: "ear.present",
        options: AttestOptions {
            appraisal: Appraisal::Result,
            ..DEVELOPMENT
        },
        spoil: |_| {},
        trust: |d| d.verifier = None,
    });
    cases.push(Case {
        name: "a development deployment without consent",
        check: "development",
        options: AttestOptions::default(),
        spoil: |_| {},
        trust: |_| {},
    });
    cases
}

#[tokio::test]
async fn every_mismatch_is_refused_by_name_before_anything_is_encrypted() {
    for Case {
        name,
        check,
        options,
        spoil,
        trust,
    } in cases()
    {
        let mut world = World::honest();
        spoil(&mut world);
        let server = world.serve().await;
        let mut deployment = deployment(&server);
        trust(&mut deployment);
        let error = connection(deployment).await.attest(&options).await.err();
        let Some(ClientError::Refused(refusal)) = error else {
            panic!("{name}: {error:?}");
        };
        assert_eq!(refusal.check, check, "{name}: {refusal}");
        assert!(
            !refusal.expected.is_empty() && !refusal.found.is_empty(),
            "{name}: {refusal}"
        );
        assert_ne!(refusal.expected, refusal.found, "{name}");
        let (failed, passed) = refusal.checks.split_last().unwrap();
        assert!(!failed.passed() && failed.id == refusal.check, "{name}");
        assert!(passed.iter().all(subrosa_client::Check::passed), "{name}");
        assert!(!server.was_sent_anything(), "{name}: {:?}", server.asked());
    }
}

#[tokio::test]
async fn consent_is_asked_for_before_the_node_is_contacted() {
    let server = World::honest().serve().await;
    let options = AttestOptions::default();
    assert!(
        connection(deployment(&server))
            .await
            .attest(&options)
            .await
            .is_err()
    );
    assert!(
        !server
            .asked()
            .iter()
            .any(|method| method.starts_with("subrosa_"))
    );
}

#[tokio::test]
async fn an_old_attestation_does_not_encrypt() {
    let server = World::honest().serve().await;
    let now = Arc::new(AtomicU64::new(NOW));
    let clock = {
        let now = now.clone();
        Clock::new(move || now.load(Ordering::Relaxed))
    };
    let connection = Connection::with_clock(deployment(&server), clock)
        .await
        .unwrap();
    let attested = connection.attest(&DEVELOPMENT).await.unwrap();
    let target = subrosa_client::CallTarget {
        contract: CONTRACT,
        requester: Address::ZERO,
        context: B256::ZERO,
    };
    let seal = || attested.seal_call(&target, b"input", None, Default::default());
    now.store(NOW + 3600, Ordering::Relaxed);
    assert!(seal().is_ok());
    now.store(NOW + 3601, Ordering::Relaxed);
    assert!(matches!(
        seal(),
        Err(ClientError::AttestationExpired {
            age: 3601,
            limit: 3600
        })
    ));
}

#[tokio::test]
async fn a_policy_that_promises_more_callback_gas_than_a_transaction_has_is_not_sent() {
    let server = World::honest().serve().await;
    let attested = connection(deployment(&server))
        .await
        .attest(&DEVELOPMENT)
        .await
        .unwrap();
    let code = Bytecode {
        engine: ENGINE_EVM,
        code: vec![0].into(),
        init: Default::default(),
    };
    let policy = ContractPolicy {
        maximum_callback_gas: LARGEST_CALLBACK_GAS + 1,
        ..ContractPolicy::default()
    };
    let account = Account::random();
    let refused = attested
        .deploy(&code, &policy, &account, WaitOptions::default())
        .await;
    assert!(matches!(
        refused,
        Err(ClientError::CallbackGasTooHigh {
            found: 10_000_001,
            most: 10_000_000
        })
    ));
}

#[tokio::test]
async fn a_signer_revoked_after_attestation_gets_no_query() {
    let world = World::honest();
    let revoked = Arc::clone(&world.revoked);
    let server = world.serve().await;
    let attested = connection(deployment(&server))
        .await
        .attest(&DEVELOPMENT)
        .await
        .unwrap();
    revoked.store(true, Ordering::Relaxed);
    let account = Account::random();
    match attested
        .query(&QueryCall::new(CONTRACT, b"input"), Some(&account))
        .await
    {
        Err(ClientError::Refused(refusal)) => {
            assert_eq!(refusal.check, "signer.admitted");
            assert!(refusal.found.contains("SignerIsRevoked"), "{refusal}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!server.was_sent_anything());
}

#[tokio::test]
async fn a_sealed_call_opens_for_its_target_only() {
    use subrosa_crypto::envelope::{self, Binding, Expected, Purpose};
    let server = World::honest().serve().await;
    let attested = connection(deployment(&server))
        .await
        .attest(&DEVELOPMENT)
        .await
        .unwrap();
    let target = subrosa_client::CallTarget {
        contract: CONTRACT,
        requester: Address::repeat_byte(1),
        context: B256::repeat_byte(2),
    };
    let sealed = attested
        .seal_call(&target, b"bid", None, Default::default())
        .unwrap();
    let binding = Binding {
        chain_id: world::CHAIN_ID,
        oracle: world::oracle(),
        contract_id: target.contract,
        requester: target.requester,
        context: target.context,
    };
    let open = |binding: &Binding| {
        let expected = Expected {
            purpose: Purpose::Call,
            epoch: world::EPOCH,
            timestamp: NOW,
            binding,
        };
        envelope::open(&sealed.envelope, &world::epoch_keys(), &expected).map(|o| o.header.id)
    };
    assert_eq!(open(&binding).unwrap().as_bytes(), &sealed.id);
    assert!(
        open(&Binding {
            requester: Address::repeat_byte(9),
            ..binding
        })
        .is_err()
    );
    assert!(
        open(&Binding {
            context: B256::ZERO,
            ..binding
        })
        .is_err()
    );
    let again = attested
        .seal_call(&target, b"bid", None, Default::default())
        .unwrap();
    assert_ne!(again, sealed);
}
