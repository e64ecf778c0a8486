// SPDX-License-Identifier: Apache-2.0
//! Static, off-chain calls.

use alloy_primitives::{Address, B256, Bytes, Signature, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use subrosa_crypto::{RecipientKey, Signer, Subject, Suite, envelope::Purpose, plaintext, reply};
use subrosa_types::{
    ContractId,
    abi::{Query, QueryOutput, QueryPlaintext, QueryReply},
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

impl Reader {
    /// What an answer holds for this reader alone.
    fn open(&self, chain: &Chain, contract: ContractId, queried: &Queried) -> QueryOutput {
        assert_eq!(queried.reply.replyHash, keccak256(&queried.sealed));
        let binding = reply::ReplyBinding {
            chain_id: chain.chain_id,
            oracle: chain.oracle,
            contract_id: contract,
            subject: Subject::Query(queried.reply.queryHash),
        };
        let opened = reply::open(&self.reply, &binding, &queried.sealed).unwrap();
        QueryOutput::abi_decode_validate(&opened).unwrap()
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
    send(host, contract, envelope)
}

fn send(host: &mut Host, contract: ContractId, envelope: Bytes) -> Result<Queried, FrameError> {
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
    assert_eq!(queried.reply.queryHash, hash);
    let answer = reader.open(&chain, contract, &queried);
    assert_eq!(answer.status, Status::Succeeded as u8);
    assert_eq!(answer.caller, reader.signer.address());
    let seen = guest::whoCall::abi_decode_returns(&answer.output).unwrap();
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
    let answer = reader.open(&chain, contract, &queried);
    assert_eq!(answer.status, Status::Failed as u8);
    let result = host.call(&mut chain, contract, Ask::default(), guest::add(0).into());
    assert_eq!(result.output.as_ref(), guest::uint(7));
}

/// What the host is handed of an answer says nothing of its caller or ending, and is as long
/// whichever they are.
#[test]
fn an_answer_tells_the_host_neither_who_asked_nor_how_it_ended() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 7);
    let reader = Reader::new();
    let inputs = [
        guest::valueCall {}.abi_encode(),
        // Writes, which a static call may not, and a function that does not exist.
        guest::add(1),
        vec![1, 2, 3, 4],
    ];
    let mut lengths = Vec::new();
    for input in inputs {
        let (signed, _) = reader.query(&chain, contract, input);
        let mut anonymous = signed.clone();
        anonymous.caller = Address::ZERO;
        anonymous.signature = Bytes::new();
        for (query, caller) in [
            (signed, reader.signer.address()),
            (anonymous, Address::ZERO),
        ] {
            let queried = ask(&mut host, &chain, contract, query).unwrap();
            assert_eq!(reader.open(&chain, contract, &queried).caller, caller);
            lengths.push(queried.sealed.len());
            let public = [queried.reply.abi_encode(), queried.sealed.to_vec()].concat();
            let address = reader.signer.address();
            assert!(!public.windows(20).any(|part| part == address.as_slice()));
        }
    }
    lengths.dedup();
    assert_eq!(lengths.len(), 1, "{lengths:?}");
    // Nothing but these fields, none of which depends on caller or ending.
    let QueryReply {
        queryHash: _,
        contractId: _,
        seq: _,
        commitment: _,
        blockNumber: _,
        nonce: _,
        replyHash: _,
        configHash: _,
    } = ask(
        &mut host,
        &chain,
        contract,
        reader.query(&chain, contract, guest::add(1)).0,
    )
    .unwrap()
    .reply;
}

#[test]
fn a_query_that_expired_before_the_states_last_entry_is_refused() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 7);
    let reader = Reader::new();
    let call = |host: &mut Host, chain: &mut Chain| {
        host.call(chain, contract, Ask::default(), guest::add(1).into())
    };
    // The envelope itself is valid for an hour, the query for a minute.
    let value = guest::valueCall {}.abi_encode();
    let (query, _) = reader.query(&chain, contract, value);
    let expiry = query.expiry;
    while chain.timestamp + 12 <= expiry {
        call(&mut host, &mut chain);
    }
    assert!(ask(&mut host, &chain, contract, query.clone()).is_ok());
    call(&mut host, &mut chain);
    assert!(chain.timestamp > expiry);
    assert_refused(ask(&mut host, &chain, contract, query), ErrorCode::Query);
}

#[test]
fn the_same_envelope_on_the_same_state_has_one_answer() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 7);
    let reader = Reader::new();
    let (query, _) = reader.query(&chain, contract, guest::valueCall {}.abi_encode());
    let nobody = Ask {
        requester: Address::ZERO,
        ..Ask::default()
    };
    let plaintext = plaintext::encode(query);
    let envelope = host.seal(&chain, contract, nobody, Purpose::Query, &plaintext);
    let first = send(&mut host, contract, envelope.clone()).unwrap();
    assert_eq!(send(&mut host, contract, envelope.clone()).unwrap(), first);

    host.call(&mut chain, contract, Ask::default(), guest::add(1).into());
    let second = send(&mut host, contract, envelope).unwrap();
    assert_ne!(second.reply.commitment, first.reply.commitment);
    let value = |queried| reader.open(&chain, contract, queried).output;
    assert_eq!(value(&first).as_ref(), guest::uint(7));
    assert_eq!(value(&second).as_ref(), guest::uint(8));
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
