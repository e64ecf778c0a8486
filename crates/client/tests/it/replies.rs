// SPDX-License-Identifier: Apache-2.0
//! Answers to queries: only the one that was asked for, signed by the attested signer, is believed.

use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, B256, U256, aliases::U48, keccak256};
use alloy_sol_types::SolValue;
use serde_json::{Value, json};
use subrosa_client::{Account, AttestOptions, Attested, ClientError, QueryAnswer, QueryCall};
use subrosa_crypto::{
    ContractRoot, RecipientPublicKey, Signer, Subject,
    envelope::{self, Binding, Expected, Purpose},
    plaintext, reply,
};
use subrosa_types::{
    abi::{Query, QueryOutput, QueryPlaintext, QueryReply},
    eip712,
    result::Status,
    rpc::{QueryRequest, QueryResponse},
};

use crate::world::{self, CONTRACT, HEAD_SEQ, NOW, World, connection, deployment};

/// Changes to an answer before it is signed, and after.
#[derive(Clone, Copy)]
struct Spoil {
    sealed: fn(&mut QueryOutput),
    before: fn(&mut QueryReply),
    after: fn(&mut QueryResponse),
    signer: [u8; 32],
}

const HONEST: Spoil = Spoil {
    sealed: |_| {},
    before: |_| {},
    after: |_| {},
    signer: [0x51; 32],
};

async fn ask(spoil: Spoil, caller: Option<&Account>) -> Result<QueryAnswer, ClientError> {
    ask_noting(spoil, caller, Arc::default()).await
}

async fn ask_noting(
    spoil: Spoil,
    caller: Option<&Account>,
    seen: Arc<Mutex<Option<QueryPlaintext>>>,
) -> Result<QueryAnswer, ClientError> {
    let mut world = World::honest();
    world.answer_query = Some(Arc::new(move |world, params| {
        let (plaintext, answer) = answer(world, params, spoil);
        *seen.lock().unwrap() = Some(plaintext);
        answer
    }));
    let server = world.serve().await;
    let options = AttestOptions {
        development: true,
        ..AttestOptions::default()
    };
    let attested: Attested = connection(deployment(&server))
        .await
        .attest(&options)
        .await
        .unwrap();
    attested
        .query(&QueryCall::new(CONTRACT, b"who bids?"), caller)
        .await
}

/// What an enclave would answer.
fn answer(world: &World, params: &Value, spoil: Spoil) -> (QueryPlaintext, Value) {
    let request: QueryRequest = serde_json::from_value(params.clone()).unwrap();
    let binding = Binding {
        chain_id: world::CHAIN_ID,
        oracle: world::oracle(),
        contract_id: request.contract,
        requester: Address::ZERO,
        context: B256::ZERO,
    };
    let expected = Expected {
        purpose: Purpose::Query,
        epoch: world::EPOCH,
        timestamp: NOW,
        binding: &binding,
    };
    let opened = envelope::open(&request.envelope, &world::epoch_keys(), &expected).unwrap();
    let plaintext: QueryPlaintext = plaintext::decode(&opened.plaintext).unwrap();
    let domain = eip712::oracle_domain(world::CHAIN_ID, world::oracle());
    let query = Query {
        contractId: request.contract,
        inputHash: keccak256(&plaintext.input),
        replyKeyHash: keccak256(&plaintext.replyKey),
        nonce: plaintext.nonce,
        expiry: plaintext.expiry,
    };
    let query_hash = eip712::signing_hash(&query, &domain);
    let mut output = QueryOutput {
        caller: plaintext.caller,
        status: Status::Succeeded as u8,
        output: b"nobody".to_vec().into(),
    };
    (spoil.sealed)(&mut output);
    // A status that nobody knows stands for a plaintext that is no output at all.
    let output = match output.status {
        0xff => b"nobody".to_vec(),
        _ => output.abi_encode(),
    };
    let sealed = reply::seal(
        &ContractRoot::from_bytes(&[8; 32]),
        &reply::ReplyBinding {
            chain_id: world::CHAIN_ID,
            oracle: world::oracle(),
            contract_id: request.contract,
            subject: Subject::Query(query_hash),
        },
        &RecipientPublicKey::from_tagged(&plaintext.replyKey).unwrap(),
        &output,
    )
    .unwrap();
    let mut reply = QueryReply {
        queryHash: query_hash,
        contractId: request.contract,
        seq: U48::from(HEAD_SEQ),
        commitment: world.head_commitment,
        blockNumber: 77,
        nonce: plaintext.nonce,
        replyHash: keccak256(&sealed),
        configHash: world.config_hash,
    };
    (spoil.before)(&mut reply);
    let signer = Signer::from_seed(&spoil.signer).unwrap();
    let signature = signer.sign(eip712::signing_hash(&reply, &domain));
    let mut response = QueryResponse {
        reply: reply.abi_encode().into(),
        sealed: sealed.into(),
        signature: signature.as_bytes().to_vec().into(),
    };
    (spoil.after)(&mut response);
    (plaintext, json!(response))
}

#[tokio::test]
async fn a_sound_answer_is_opened() {
    let account = Account::random();
    let seen = Arc::default();
    let answer = ask_noting(HONEST, Some(&account), Arc::clone(&seen))
        .await
        .unwrap();
    assert_eq!(answer.output.as_ref(), b"nobody");
    assert_eq!((answer.seq, answer.block), (HEAD_SEQ, 77));
    assert_eq!(answer.status, Status::Succeeded);

    let plaintext = seen.lock().unwrap().take().unwrap();
    assert_eq!(plaintext.caller, account.address());
    assert_eq!(plaintext.expiry, NOW + 3600);
    let query = Query {
        contractId: CONTRACT,
        inputHash: keccak256(b"who bids?"),
        replyKeyHash: keccak256(&plaintext.replyKey),
        nonce: plaintext.nonce,
        expiry: plaintext.expiry,
    };
    let domain = eip712::oracle_domain(world::CHAIN_ID, world::oracle());
    let signature = alloy_primitives::Signature::from_raw(&plaintext.signature).unwrap();
    let hash = eip712::signing_hash(&query, &domain);
    assert_eq!(
        signature.recover_address_from_prehash(&hash).unwrap(),
        account.address()
    );
}

#[tokio::test]
async fn without_a_caller_the_query_is_unsigned() {
    let seen = Arc::default();
    ask_noting(HONEST, None, Arc::clone(&seen)).await.unwrap();
    let plaintext = seen.lock().unwrap().take().unwrap();
    assert!(plaintext.caller.is_zero() && plaintext.signature.is_empty());
}

#[tokio::test]
async fn every_field_of_an_answer_is_held_against_the_question() {
    let inside = |spoil| Spoil {
        sealed: spoil,
        ..HONEST
    };
    let before = |spoil| Spoil {
        before: spoil,
        ..HONEST
    };
    let after = |spoil| Spoil {
        after: spoil,
        ..HONEST
    };
    let cases: Vec<(&str, Spoil)> = vec![
        (
            "signature",
            Spoil {
                signer: [0x52; 32],
                ..HONEST
            },
        ),
        ("signature", after(|r| r.signature = Default::default())),
        (
            "signature",
            after(|r| {
                // The same signature with high s.
                let signature = alloy_primitives::Signature::from_raw(&r.signature).unwrap();
                let order = U256::from_str_radix(
                    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
                    16,
                )
                .unwrap();
                let high = alloy_primitives::Signature::new(
                    signature.r(),
                    order - signature.s(),
                    !signature.v(),
                );
                r.signature = high.as_bytes().to_vec().into();
            }),
        ),
        ("reply.format", after(|r| r.reply = vec![0; 10].into())),
        (
            "reply.query",
            before(|r| r.queryHash = B256::repeat_byte(1)),
        ),
        (
            "reply.contract",
            before(|r| r.contractId = B256::repeat_byte(1)),
        ),
        (
            "reply.caller",
            inside(|r| r.caller = Address::repeat_byte(1)),
        ),
        ("reply.nonce", before(|r| r.nonce = B256::repeat_byte(1))),
        (
            "reply.config-hash",
            before(|r| r.configHash = B256::repeat_byte(1)),
        ),
        ("reply.age", before(|r| r.seq = U48::from(HEAD_SEQ - 1))),
        (
            "reply.commitment",
            before(|r| r.commitment = B256::repeat_byte(1)),
        ),
        ("reply.status", inside(|r| r.status = 9)),
        ("reply.sealed", inside(|r| r.status = 0xff)),
        (
            "reply.output",
            before(|r| r.replyHash = B256::repeat_byte(1)),
        ),
        (
            "reply.output",
            after(|r| {
                let mut sealed = r.sealed.to_vec();
                sealed[40] ^= 1;
                r.sealed = sealed.into();
            }),
        ),
    ];
    let account = Account::random();
    for (check, spoil) in cases {
        match ask(spoil, Some(&account)).await {
            Err(ClientError::Refused(refusal)) => assert_eq!(refusal.check, check, "{refusal}"),
            other => panic!("{check}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_state_ahead_of_the_chain_is_accepted() {
    let ahead = Spoil {
        before: |r| r.seq = U48::from(HEAD_SEQ + 2),
        ..HONEST
    };
    assert_eq!(ask(ahead, None).await.unwrap().seq, HEAD_SEQ + 2);
}
