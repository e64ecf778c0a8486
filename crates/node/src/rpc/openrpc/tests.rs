// SPDX-License-Identifier: Apache-2.0
//! The document against the code: methods, shapes and errors, both ways.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Serialize;
use subrosa_types::{result::Status, rpc::*};

use super::*;
use crate::{
    fake_chain::FakeChain,
    rpc::{error::one_of_each, server::module},
};

fn methods(document: &Value) -> &Vec<Value> {
    document["methods"].as_array().unwrap()
}

/// Follows a reference into the document.
fn resolve<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    match node["$ref"].as_str() {
        Some(path) => document.pointer(path.trim_start_matches('#')).expect(path),
        None => node,
    }
}

/// Fields that a caller may leave out.
const OPTIONAL: [(&str, &str); 2] = [
    ("DeployRequest", "codeCommitment"),
    ("DeployRequest", "seq"),
];

#[test]
fn what_may_be_left_out_is_left_out() {
    let text = r#"{"contract":"0x0101010101010101010101010101010101010101010101010101010101010101","codeEnvelope":"0x02"}"#;
    let request: DeployRequest = serde_json::from_str(text).unwrap();
    assert_eq!((request.seq, request.code_commitment), (None, None));
    assert_eq!(serde_json::to_string(&request).unwrap(), text);
}

#[tokio::test]
async fn every_registered_method_is_documented_and_no_other() {
    let document = document();
    let documented: BTreeSet<_> = methods(&document)
        .iter()
        .map(|method| method["name"].as_str().unwrap())
        .collect();
    let chain = FakeChain::start().await;
    let assembled = crate::run::assemble(&chain.config()).await.unwrap();
    let limits = crate::config::Limits::default();
    let module = module(assembled.parts.served(&limits)).unwrap();
    let registered: BTreeSet<_> = module.method_names().collect();
    assert_eq!(documented, registered);
}

#[test]
fn the_version_is_the_build_s() {
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    fn visit(document: &Value, node: &Value, used: &mut BTreeSet<String>) {
        match node {
            Value::Object(fields) => {
                if let Some(path) = node["$ref"].as_str() {
                    resolve(document, node);
                    used.insert(path.to_owned());
                }
                fields
                    .values()
                    .for_each(|value| visit(document, value, used));
            }
            Value::Array(items) => items.iter().for_each(|item| visit(document, item, used)),
            _ => {}
        }
    }
    let document = document();
    let mut used = BTreeSet::new();
    visit(&document, &document, &mut used);
    for kind in ["schemas", "errors"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(
                used.contains(&format!("#/components/{kind}/{name}")),
                "{name} is not used"
            );
        }
    }
}

#[test]
fn errors_have_the_codes_of_the_table() {
    let document = document();
    let documented: BTreeMap<i64, String> = document["components"]["errors"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, error)| (error["code"].as_i64().unwrap(), name.clone()))
        .collect();
    let codes: BTreeSet<i64> = one_of_each()
        .iter()
        .map(|error| error.code().into())
        .collect();
    assert_eq!(documented.keys().copied().collect::<BTreeSet<_>>(), codes);
    for (code, name) in &documented {
        let row = format!("| {code} | `{name}` |");
        assert!(
            include_str!("../../../../../docs/rpc-errors.md").contains(&row),
            "{row}"
        );
    }
}

/// Holds a value against the object schema `name`: the same fields, each of the right type.
fn check<T: Serialize>(name: &str, value: T) {
    let document = document();
    let schema = &document["components"]["schemas"][name];
    check_against(
        &document,
        schema,
        &serde_json::to_value(value).unwrap(),
        name,
    );
}

fn check_against(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolve(document, schema);
    if let Some(all) = schema["allOf"].as_array() {
        return all
            .iter()
            .for_each(|schema| check_against(document, schema, value, at));
    }
    if let Some(any) = schema["oneOf"].as_array() {
        let schema = any
            .iter()
            .map(|schema| resolve(document, schema))
            .find(|schema| (schema["type"] == "null") == value.is_null());
        return check_against(document, schema.expect(at), value, at);
    }
    match schema["type"].as_str().expect(at) {
        "null" => assert!(value.is_null(), "{at}"),
        "boolean" => assert!(value.is_boolean(), "{at}"),
        "integer" => assert!(value.is_u64(), "{at}: {value}"),
        "array" => {
            for item in value.as_array().expect(at) {
                check_against(document, &schema["items"], item, at);
            }
        }
        "string" => {
            let text = value.as_str().expect(at);
            if let Some(values) = schema["enum"].as_array() {
                assert!(values.contains(value), "{at}: {text}");
            }
            if let Some(pattern) = schema["pattern"].as_str() {
                let digits = text.strip_prefix("0x").expect(at);
                assert!(
                    digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
                    "{at}: {text}"
                );
                let expected = match pattern {
                    "^0x[0-9a-fA-F]{64}$" => digits.len() == 64,
                    "^0x[0-9a-fA-F]{40}$" => digits.len() == 40,
                    "^0x([0-9a-fA-F]{2})*$" => digits.len().is_multiple_of(2),
                    "^0x[0-9a-fA-F]{1,64}$" => (1..=64).contains(&digits.len()),
                    other => panic!("{at}: pattern {other}"),
                };
                assert!(expected, "{at}: {text}");
            }
        }
        "object" => {
            let fields = value.as_object().expect(at);
            let properties = schema["properties"].as_object().expect(at);
            let found: BTreeSet<_> = fields.keys().collect();
            assert_eq!(found, properties.keys().collect(), "{at}");
            let required: BTreeSet<_> = schema["required"]
                .as_array()
                .expect(at)
                .iter()
                .map(|f| f.as_str().unwrap())
                .collect();
            let expected = found.iter().map(|field| field.as_str());
            let expected = expected.filter(|field| !OPTIONAL.contains(&(at, field)));
            assert_eq!(required, expected.collect(), "{at}");
            for (field, value) in fields {
                check_against(
                    document,
                    &properties[field],
                    value,
                    &format!("{at}.{field}"),
                );
            }
        }
        other => panic!("{at}: type {other}"),
    }
}

#[test]
fn shapes_are_those_of_the_types() {
    let (hash, address) = (B256::repeat_byte(1), Address::repeat_byte(2));
    let bytes = Bytes::from_static(&[1, 2, 3]);
    check(
        "AttestationRequest",
        AttestationRequest {
            challenge: bytes.clone(),
        },
    );
    let epoch = EpochPublicKeys {
        group: 1,
        epoch: 2,
        xwing: bytes.clone(),
        x25519: hash,
    };
    let opening = EpochOpening {
        key_group: 1,
        key_epoch: 2,
        public_key_hash: hash,
        config_hash: hash,
        set_hash: hash,
        recovery: U256::from(4) << 248,
    };
    for ear in [Some("token".to_owned()), None] {
        check(
            "Attestation",
            Attestation {
                bundle: bytes.clone(),
                ear,
                config: bytes.clone(),
                signer: address,
                transfer_key: bytes.clone(),
                start_hash: hash,
                epoch: epoch.clone(),
                epoch_opening: opening.clone(),
                statement: bytes.clone(),
                signature: bytes.clone(),
            },
        );
    }
    check(
        "DeployRequest",
        DeployRequest {
            contract: hash,
            code_envelope: bytes.clone(),
            seq: Some(7),
            code_commitment: Some(hash),
        },
    );
    for state in [
        RequestState::Unknown,
        RequestState::Pending,
        RequestState::Executed,
        RequestState::Fulfilled,
    ] {
        check(
            "DeployAccepted",
            DeployAccepted {
                contract: hash,
                state,
            },
        );
    }
    check(
        "QueryRequest",
        QueryRequest {
            contract: hash,
            envelope: bytes.clone(),
        },
    );
    let (reply, sealed, signature) = (bytes.clone(), bytes.clone(), bytes.clone());
    check(
        "QueryResponse",
        QueryResponse {
            reply,
            sealed,
            signature,
        },
    );
    check(
        "ContractRequest",
        ContractRequest {
            contract: hash,
            nonce: hash,
        },
    );
    let (statement, signature) = (bytes.clone(), bytes.clone());
    check(
        "ContractResponse",
        ContractResponse {
            statement,
            signature,
            stop: Some(Stop {
                seq: 3,
                reason: StopReason::Broken,
                message: "the engine broke".into(),
            }),
        },
    );
    check(
        "EntryRequest",
        EntryRequest {
            contract: hash,
            seq: 3,
        },
    );
    for status in [
        None,
        Some(Status::Succeeded),
        Some(Status::Failed),
        Some(Status::Rejected),
    ] {
        check(
            "RequestStatus",
            RequestStatus {
                contract: hash,
                seq: 3,
                state: RequestState::Executed,
                status,
                output: status.map(|_| bytes.clone()),
                sealed_output: status.map(|_| bytes.clone()),
                transaction: status.map(|_| hash),
                stop: None,
            },
        );
    }
    check(
        "Receipt",
        Receipt {
            version: 2,
            chain_id: 1,
            oracle: address,
            registry: address,
            entry: bytes.clone(),
            input: bytes.clone(),
            outcome: bytes.clone(),
            output: bytes.clone(),
            sealed_output: bytes.clone(),
            previous_commitment: hash,
            commitment: hash,
            signed_results: bytes.clone(),
            signatures: vec![ReceiptSignature {
                r: hash,
                vs: hash,
                admission: bytes.clone(),
                admission_signature: bytes,
            }],
            transaction: None,
        },
    );
    check(
        "NodeStatus",
        NodeStatus {
            version: "1".into(),
            wire_version: 2,
            chain_id: 1,
            registry: address,
            oracle: address,
            development: true,
            config_hash: hash,
            signer: Some(address),
            block: 7,
            contracts: vec![hash],
        },
    );
}
