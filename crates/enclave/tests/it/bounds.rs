// SPDX-License-Identifier: Apache-2.0
//! Nothing that a guest does makes a request, an answer or a blob too large: requests end early, states
//! are sealed in parts, and memory is bounded over all contracts.

use subrosa_enclave_core::{Enclave, FRAME_RESULT_BYTES};
use subrosa_types::{
    ContractId,
    frame::{
        BlobKind, Ended, ErrorCode, Executed, FrameError, LoggedEntry, Request, Response,
        ResultRef, StateBlob,
    },
    result::Status,
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{FIRST, Host, assert_refused, engines, revive},
};

const GREEDY: Ask = Ask {
    fuel_limit: 100_000_000,
    ..Ask::DEFAULT
};

fn scene() -> (Chain, Host) {
    let mut chain = Chain::new();
    let host = Host::new(&mut chain);
    (chain, host)
}

/// Executes entries, asking again for the rest as long as requests end early; how they ended.
fn execute_all(
    host: &mut Host,
    chain: &Chain,
    contract: ContractId,
    entries: &[LoggedEntry],
) -> (Vec<Executed>, Vec<StateBlob>) {
    let (mut answers, mut blobs) = (Vec::new(), Vec::new());
    let mut rest = entries;
    while !rest.is_empty() {
        let executed = host.execute(chain, contract, rest.to_vec()).unwrap();
        assert!(!executed.results.is_empty());
        rest = &rest[executed.results.len()..];
        blobs.extend(executed.results.iter().map(|result| result.blob.clone()));
        answers.push(executed);
    }
    (answers, blobs)
}

fn load(
    enclave: &mut Enclave,
    contract: ContractId,
    blobs: &[StateBlob],
) -> Result<Option<u64>, FrameError> {
    let blobs = blobs.to_vec();
    match enclave.handle(Request::Load { contract, blobs }) {
        Response::Loaded(loaded) => Ok(Some(loaded.head.seq)),
        Response::Loading(_) => Ok(None),
        Response::Error(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_ends_at_its_budget_and_says_so() {
    let (mut chain, mut host) = scene();
    let (contract, _) = host.deploy(&mut chain, 1);
    let spin = alloy_sol_types::SolCall::abi_encode(&guest::spinCall {});
    let entries: Vec<_> = (0..6)
        .map(|_| chain.request(contract, GREEDY, spin.clone().into()))
        .collect();
    let (answers, _) = execute_all(&mut host, &chain, contract, &entries);
    let (last, others) = answers.split_last().unwrap();
    assert_eq!(last.ended, Ended::Complete);
    assert!(!others.is_empty());
    assert!(others.iter().all(|answer| answer.ended == Ended::Budget));
    let results: Vec<_> = answers.iter().flat_map(|answer| &answer.results).collect();
    assert_eq!(results.len(), entries.len());
    assert!(results.iter().all(|result| result.status == Status::Failed));
}

#[test]
fn a_request_ends_before_its_answer_is_too_large() {
    let (mut chain, mut host) = scene();
    let contract = host.deploy_code(&mut chain, guest::talker());
    let entries: Vec<_> = (0..60)
        .map(|_| chain.request(contract, Ask::default(), Default::default()))
        .collect();
    let (answers, _) = execute_all(&mut host, &chain, contract, &entries);
    let [first, second] = answers.as_slice() else {
        panic!("{} answers", answers.len())
    };
    assert_eq!(
        (&first.ended, &second.ended),
        (&Ended::Full, &Ended::Complete)
    );
    let bytes: usize = first.results.iter().map(|result| result.output.len()).sum();
    assert!((FRAME_RESULT_BYTES / 2..2 * FRAME_RESULT_BYTES).contains(&bytes));
    let response = Response::Executed(Box::new(first.clone()));
    assert!(subrosa_types::frame::encode(1, &response).is_ok());
}

/// Past what fits one part, and what fitted one frame.
#[test]
fn a_large_state_is_sealed_in_parts_while_calls_go_on_and_is_loaded_again() {
    let (mut chain, mut host) = scene();
    let contract = host.deploy_code(&mut chain, guest::filler());
    let entries: Vec<_> = (0..48)
        .map(|_| chain.request(contract, GREEDY, guest::uint(4_200).into()))
        .collect();
    let (answers, _) = execute_all(&mut host, &chain, contract, &entries);
    let results: Vec<_> = answers.iter().flat_map(|answer| &answer.results).collect();
    assert!(
        results
            .iter()
            .all(|result| result.status == Status::Succeeded)
    );

    // A call in between changes nothing of the snapshot.
    let Response::Snapshot(first) = host.enclave.handle(Request::Snapshot { contract, part: 0 })
    else {
        panic!("no snapshot")
    };
    let (first, parts) = (*first.clone(), first.parts);
    assert!(parts >= 5, "{parts} parts");
    let after = chain.request(contract, GREEDY, guest::uint(10).into());
    let after = host.execute(&chain, contract, vec![after]).unwrap();
    let mut blobs = vec![first];
    for part in 1..parts {
        let request = Request::Snapshot { contract, part };
        let Response::Snapshot(blob) = host.enclave.handle(request.clone()) else {
            panic!("no part {part}")
        };
        assert_eq!(
            host.enclave.handle(request),
            Response::Snapshot(blob.clone())
        );
        blobs.push(*blob);
    }
    assert!(blobs.iter().all(|blob| blob.kind == BlobKind::Snapshot));

    let mut clone = host.restart(&chain, 3);
    let last = blobs.len() - 1;
    // Out of order, from somewhere else, or cut short: nothing is there.
    assert_eq!(load(&mut clone.enclave, contract, &blobs[..1]), Ok(None));
    assert_refused(
        load(&mut clone.enclave, contract, &blobs[2..3]),
        ErrorCode::Blob,
    );
    for part in &blobs[..last] {
        assert_eq!(
            load(&mut clone.enclave, contract, std::slice::from_ref(part)),
            Ok(None)
        );
    }
    let delta = after.results[0].blob.clone();
    let mut early = clone.restart(&chain, 4);
    assert_eq!(load(&mut early.enclave, contract, &blobs[..last]), Ok(None));
    assert_refused(
        load(&mut early.enclave, contract, std::slice::from_ref(&delta)),
        ErrorCode::Blob,
    );
    let Some(49) = load(&mut clone.enclave, contract, &blobs[last..]).unwrap() else {
        panic!("not loaded")
    };
    assert_eq!(load(&mut clone.enclave, contract, &[delta]), Ok(Some(50)));

    // Both go on alike, and sign what was executed before.
    let next = chain.request(contract, GREEDY, guest::uint(10).into());
    let goes_on = |host: &mut Host| host.execute(&chain, contract, vec![next.clone()]).unwrap();
    assert_eq!(goes_on(&mut host), goes_on(&mut clone));
    assert_eq!(host.snapshot(contract), clone.snapshot(contract));
    let all: Vec<_> = (0..=50).map(|seq| ResultRef { contract, seq }).collect();
    clone.sign(all).unwrap();
}

#[test]
fn contracts_beyond_memory_are_dropped_and_come_back_from_their_blobs() {
    let (mut chain, mut host) = scene();
    let contracts: Vec<_> = (0..4)
        .map(|_| host.deploy_code(&mut chain, guest::filler()))
        .collect();
    let mut blobs = host.blobs.clone();
    let mut small = revive(&host, &chain, engines(), 1);
    for round in 0..3 {
        for contract in &contracts {
            let entry = chain.request(*contract, GREEDY, guest::uint(20).into());
            let execute = |enclave: &mut Enclave| {
                let proof = chain.prove_entry(*contract, entry.entry.seq());
                enclave.handle(Request::Execute {
                    contract: *contract,
                    entries: vec![entry.clone()],
                    code_envelope: None,
                    reassignment: None,
                    proof,
                })
            };
            let expected = execute(&mut host.enclave);
            let Response::Error(error) = execute(&mut small) else {
                panic!("{contract} was in memory in round {round}")
            };
            assert_eq!(error.code, ErrorCode::UnknownContract);
            load(&mut small, *contract, &blobs[contract]).unwrap();
            let executed = execute(&mut small);
            assert_eq!(executed, expected);
            let Response::Executed(executed) = executed else {
                panic!("{executed:?}")
            };
            let blob = executed.results[0].blob.clone();
            blobs.get_mut(contract).unwrap().push(blob);
        }
    }
    // What was dropped can still be signed.
    let results = contracts.iter().map(|contract| ResultRef {
        contract: *contract,
        seq: 3,
    });
    let signed = small.handle(Request::Sign {
        results: results.collect(),
        role: FIRST,
    });
    assert!(matches!(signed, Response::Signed(_)), "{signed:?}");
}

/// What is taken in of a snapshot takes memory before it is anything.
#[test]
fn loadings_that_nobody_goes_on_with_make_room() {
    let (mut chain, mut host) = scene();
    let mut parts = Vec::new();
    for _ in 0..2 {
        let contract = host.deploy_code(&mut chain, guest::filler());
        let entries: Vec<_> = (0..12)
            .map(|_| chain.request(contract, GREEDY, guest::uint(4_200).into()))
            .collect();
        execute_all(&mut host, &chain, contract, &entries);
        let mut begun = host.snapshot(contract);
        let last = begun.split_off(begun.len() - 1);
        parts.push((contract, begun, last));
    }
    let [(one, one_begun, one_last), (two, two_begun, two_last)] = parts.as_slice() else {
        panic!("two contracts")
    };
    // Enough for one of them.
    let mut small = revive(&host, &chain, engines(), 15 << 20);
    assert_eq!(load(&mut small, *one, one_begun), Ok(None));
    assert_eq!(load(&mut small, *two, two_begun), Ok(None));
    assert_refused(load(&mut small, *one, one_last), ErrorCode::OutOfOrder);
    assert_eq!(load(&mut small, *two, two_last), Ok(Some(13)));
    // From its first part on, it is loaded, and the other makes room.
    assert_eq!(load(&mut small, *one, one_begun), Ok(None));
    assert_eq!(load(&mut small, *one, one_last), Ok(Some(13)));
    let nonce = Default::default();
    let statement = small.handle(Request::Statement {
        contract: *two,
        nonce,
    });
    let Response::Error(error) = statement else {
        panic!("{statement:?}")
    };
    assert_eq!(error.code, ErrorCode::UnknownContract);
}
