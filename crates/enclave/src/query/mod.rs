// SPDX-License-Identifier: Apache-2.0
//! Queries: static calls by a signed caller, off chain.
//!
//! A query's envelope is bound to the contract, with requester and context zero. Who asked, how it
//! ended and what came out is sealed to the query's reply key, padded; the signed reply says on which
//! state it was computed, and the client judges its age. Revoking a reader is not retroactive.
//!
//! The same envelope on the same state has one answer ([`Answers`]): asking again costs no second
//! execution and tells nothing new.

mod answers;

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use alloy_primitives::{Address, B256, Signature, aliases::U48, keccak256};
use alloy_sol_types::SolValue;
use subrosa_crypto::{
    RecipientPublicKey, Signer, Subject,
    envelope::{self, Binding, Envelope, Expected, Purpose},
    plaintext, recover,
    reply::{self, ReplyBinding},
};
use subrosa_types::{
    abi::{Query, QueryOutput, QueryPlaintext, QueryReply},
    eip712,
    frame::{ErrorCode, FrameError, Queried},
    result::Status,
};
use subrosa_vm::{Call, Halt, Runtimes};
use zeroize::Zeroizing;

pub(crate) use answers::Answers;

use crate::{
    contract::Contract,
    epoch::Active,
    execute::guarded,
    fixed::{Fixed, Place},
    limits::QUERY_FUEL,
};

/// Answers a query on the loaded state.
pub(crate) fn query(
    fixed: &Fixed,
    runtimes: &Runtimes,
    epochs: &Active,
    signer: &Signer,
    contract: &Contract,
    envelope: &[u8],
) -> Result<Queried, FrameError> {
    let plaintext = open_query(fixed.place, epochs, contract, envelope)?;
    let now = contract.position().block_timestamp;
    if plaintext.expiry < now {
        let message = format!(
            "query expired at {}, the state is of {now}",
            plaintext.expiry
        );
        return Err(refuse(message));
    }
    let domain = eip712::oracle_domain(fixed.place.chain_id, fixed.place.oracle);
    let query = Query {
        contractId: contract.id,
        inputHash: keccak256(&plaintext.input),
        replyKeyHash: keccak256(&plaintext.replyKey),
        nonce: plaintext.nonce,
        expiry: plaintext.expiry,
    };
    let query_hash = eip712::signing_hash(&query, &domain);
    check_caller(&plaintext, query_hash)?;
    let reply_key = RecipientPublicKey::from_tagged(&plaintext.replyKey)
        .map_err(|error| refuse(format!("reply key: {error}")))?;

    let (status, output) = run(fixed, runtimes, contract, &plaintext, query_hash)?;
    let binding = ReplyBinding {
        chain_id: fixed.place.chain_id,
        oracle: fixed.place.oracle,
        contract_id: contract.id,
        subject: Subject::Query(query_hash),
    };
    let answer = Zeroizing::new(
        QueryOutput {
            caller: plaintext.caller,
            status: status as u8,
            output: output.into(),
        }
        .abi_encode(),
    );
    let sealed = reply::seal(&contract.root, &binding, &reply_key, &answer)
        .map_err(|error| refuse(error.to_string()))?;
    let position = contract.position();
    let reply = QueryReply {
        queryHash: query_hash,
        contractId: contract.id,
        seq: U48::saturating_from(position.head.seq),
        commitment: position.head.commitment,
        blockNumber: position.block_number,
        nonce: plaintext.nonce,
        replyHash: keccak256(&sealed),
        configHash: fixed.started.config_hash,
    };
    let signature = signer.sign(eip712::signing_hash(&reply, &domain));
    Ok(Queried {
        reply,
        sealed: sealed.into(),
        signature: signature.as_bytes().to_vec().into(),
    })
}

fn open_query(
    place: Place,
    epochs: &Active,
    contract: &Contract,
    sealed: &[u8],
) -> Result<QueryPlaintext, FrameError> {
    let named = Envelope::parse(sealed)
        .map_err(|error| refuse(error.to_string()))?
        .header
        .epoch;
    let epoch = epochs.active(named)?;
    let binding = Binding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: contract.id,
        requester: Address::ZERO,
        context: B256::ZERO,
    };
    let expected = Expected {
        purpose: Purpose::Query,
        epoch: named,
        timestamp: contract.position().block_timestamp,
        binding: &binding,
    };
    let opened = envelope::open(sealed, &epoch.keys, &expected)
        .map_err(|error| refuse(error.to_string()))?;
    plaintext::decode(&opened.plaintext).map_err(|error| refuse(error.to_string()))
}

/// The caller signed the query, or asks as nobody (address zero, no signature).
fn check_caller(plaintext: &QueryPlaintext, query_hash: B256) -> Result<(), FrameError> {
    if plaintext.caller.is_zero() && plaintext.signature.is_empty() {
        return Ok(());
    }
    let signer = Signature::from_raw(&plaintext.signature)
        .ok()
        .and_then(|signature| recover(query_hash, &signature));
    if signer != Some(plaintext.caller) {
        return Err(refuse("the query is not signed by its caller".into()));
    }
    Ok(())
}

fn run(
    fixed: &Fixed,
    runtimes: &Runtimes,
    contract: &Contract,
    plaintext: &QueryPlaintext,
    query_hash: B256,
) -> Result<(Status, Vec<u8>), FrameError> {
    let Some(runtime) = runtimes.newest() else {
        let message = "this build has no runtime generation";
        return Err(FrameError::new(ErrorCode::Generation, message));
    };
    let mut randomness = B256::ZERO;
    contract
        .root
        .randomness(Subject::Query(query_hash))
        .fill(randomness.as_mut_slice());
    let position = contract.position();
    let call = Call {
        chain_id: fixed.place.chain_id,
        contract: contract.address(),
        caller: plaintext.caller,
        context: B256::ZERO,
        contract_id: contract.id,
        seq: position.head.seq,
        envelope_id: None,
        block_number: position.block_number,
        block_timestamp: position.block_timestamp,
        runtime,
        fuel_limit: QUERY_FUEL,
        randomness,
        is_static: true,
        input: &plaintext.input,
    };
    let execution = guarded(
        || "a query".into(),
        || contract.vm.call(&contract.state, &call),
    )?;
    let status = match execution.halt {
        Halt::Succeeded => Status::Succeeded,
        _ => Status::Failed,
    };
    Ok((status, execution.output))
}

fn refuse(message: String) -> FrameError {
    FrameError::new(ErrorCode::Query, message)
}
