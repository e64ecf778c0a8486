// SPDX-License-Identifier: Apache-2.0
//! Static, off-chain calls.

use alloy_primitives::{Address, B256, Bytes, Signature, keccak256};
use alloy_sol_types::SolCall;
use subrosa_crypto::{RecipientKey, Signer, Subject, Suite, envelope::Purpose, plaintext, reply};
use subrosa_types::{
    ContractId,
    abi::{Query, QueryPlaintext},
    eip712,
    frame::{ErrorCode, FrameError, Queried, Request, Response},
    result::Status,
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused},
};

struct Reader {
    signer: Signer,
    reply: RecipientKey,
}

impl Reader {
    fn new() -> Self {
        Self {
            signer: Signer::from_seed(&[3; 32]).unwrap(),
            reply: RecipientKey::from_seed(Suite::XWing, &[8; 32]),
        }
    }

    fn query(&self, chain: &Chain, contract: ContractId, input: Vec<u8>) -> (QueryPlaintext, B256) {
        let reply_key = self.reply.public_key().to_tagged();
        let query = Query {
            contractId: contract,
            inputHash: keccak256(&input),
            replyKeyHash: keccak256(&reply_key),
            nonce: B256::repeat_byte(1),
            expiry: chain.timestamp + 60,
        };
        let domain = eip712::oracle_domain(chain.chain_id, chain.oracle);
        let hash = eip712::signing_hash(&query, &domain);
        let plaintext = QueryPlaintext {
            input: input.into(),
            replyKey: reply_key.into(),
            nonce: query.nonce,
            expiry: query.expiry,
            caller: self.signer.address(),
            signature: self.signer.sign(hash).as_bytes().to_vec().into(),
            padding: Bytes::new(),
        };
        (plaintext, hash)
    }
}

fn ask(
    host: &mut Host,
    chain: &Chain,
    contract: ContractId,
    query: QueryPlaintext,
) -> Result<Queried, FrameError> {
    let nobody = Ask {
        requester: Address::ZERO,
        ..Ask::default()
    };
    let envelope = host.seal(
        chain,
        contract,
        nobody,
        Purpose::Query,
        &plaintext::encode(query),
    );
    match host.enclave.handle(Request::Query { contract, envelope }) {
        Response::Queried(queried) => Ok(*queried),
        Response::Error(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_query_sees_the_state_and_its_signed_caller_and_changes_nothing() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 7);
    let reader = Reader::new();
    let (query, hash) = reader.query(&chain, contract, guest::whoCall {}.abi_encode());
    let queried = ask(&mut host, &chain, contract, query).unwrap();
    assert_eq!(queried.reply.status, Status::Succeeded as u8);
    assert_eq!(queried.reply.queryHash, hash);
    assert_eq!(queried.reply.replyHash, keccak256(&queried.sealed));
    let binding = reply::ReplyBinding {
        chain_id: chain.chain_id,
        oracle: chain.oracle,
        contract_id: contract,
        subject: Subject::Query(hash),
    };
    let output = reply::open(&reader.reply, &binding, &queried.sealed).unwrap();
    let seen = guest::whoCall::abi_decode_returns(&output).unwrap();
    assert_eq!(seen.sender, reader.signer.address());

    let domain = eip712::oracle_domain(chain.chain_id, chain.oracle);
    let signature = Signature::from_raw(&queried.signature).unwrap();
    let hello = host.enclave.handle(Request::Hello { wire_version: 1 });
    let Response::Hello(hello) = hello else {
        panic!()
    };
    assert_eq!(
        signature
            .recover_address_from_prehash(&eip712::signing_hash(&queried.reply, &domain))
            .unwrap(),
        hello.started.unwrap().signer
    );

    let (write, _) = reader.query(&chain, contract, guest::add(1));
    let queried = ask(&mut host, &chain, contract, write).unwrap();
    assert_eq!(queried.reply.status, Status::Failed as u8);
    let result = host.call(&mut chain, contract, Ask::default(), guest::add(0).into());
    assert_eq!(result.output.as_ref(), guest::uint(7));
}

#[test]
fn a_query_that_its_caller_did_not_sign_is_refused() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 7);
    let reader = Reader::new();
    let value = guest::valueCall {}.abi_encode();
    for field in 0..7 {
        let (mut query, _) = reader.query(&chain, contract, value.clone());
        match field {
            0 => query.caller = Address::repeat_byte(1),
            1 => query.input = guest::whoCall {}.abi_encode().into(),
            2 => query.nonce = B256::repeat_byte(2),
            3 => query.expiry += 1,
            4 => query.signature = vec![0; 65].into(),
            5 => query.signature = Bytes::new(),
            _ => {
                let other = RecipientKey::from_seed(Suite::XWing, &[9; 32]);
                query.replyKey = other.public_key().to_tagged().into();
            }
        }
        assert_refused(ask(&mut host, &chain, contract, query), ErrorCode::Query);
    }
    let (other_contract, _) = host.deploy(&mut chain, 8);
    let (query, _) = reader.query(&chain, contract, value);
    assert_refused(
        ask(&mut host, &chain, other_contract, query),
        ErrorCode::Query,
    );
}

#[test]
fn queries_without_a_reply_key_or_a_query_envelope_are_refused() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 7);
    let anonymous = QueryPlaintext {
        input: guest::valueCall {}.abi_encode().into(),
        replyKey: Bytes::new(),
        nonce: B256::ZERO,
        expiry: 0,
        caller: Address::ZERO,
        signature: Bytes::new(),
        padding: Bytes::new(),
    };
    assert_refused(
        ask(&mut host, &chain, contract, anonymous),
        ErrorCode::Query,
    );
    let call = host.seal_call(&chain, contract, Ask::default(), guest::add(1), None);
    for envelope in [Bytes::new(), vec![9; 300].into(), call] {
        let Response::Error(error) = host.enclave.handle(Request::Query { contract, envelope })
        else {
            panic!()
        };
        assert_eq!(error.code, ErrorCode::Query);
    }
}
