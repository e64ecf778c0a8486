// SPDX-License-Identifier: Apache-2.0
//! While a guest runs, everything else goes on: signatures, evidence, statements, snapshots and other
//! contracts.

use std::sync::{Arc, Barrier};

use alloy_primitives::B256;
use subrosa_enclave_core::{Enclave, Stage, Tag};
use subrosa_types::frame::{EntryProof, ErrorCode, Request, Response, ResultRef};
use subrosa_vm::{Call, Engines, Execution, Runtimes, State, Vm};
use subrosa_vm_evm::{ENGINE_EVM, EvmEngine};

use crate::{
    chain::{Ask, Chain, EPOCH},
    guest,
    harness::{FIRST, Host, quote, revive},
};

/// The EVM, but it meets the test before and after calls that add 99.
#[derive(Debug)]
struct Meeting {
    evm: EvmEngine,
    barrier: Arc<Barrier>,
}

impl Vm for Meeting {
    fn construct(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution {
        self.evm.construct(state, call, code, init)
    }

    fn upgrade(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution {
        self.evm.upgrade(state, call, code, init)
    }

    fn call(&self, state: &State, call: &Call<'_>) -> Execution {
        let meets = call.input == guest::add(99);
        if meets {
            self.barrier.wait();
            self.barrier.wait();
        }
        self.evm.call(state, call)
    }
}

/// Runs a request to its end.
fn answer(enclave: &Enclave, request: Request) -> Response {
    let tag = Tag {
        stream: 7,
        request: 7,
    };
    let mut job = enclave.accept(tag, request);
    loop {
        let mut progress = enclave.run(job);
        if let Some((answered, response)) = progress.answer {
            assert_eq!(answered, tag);
            return response;
        }
        job = progress.jobs.remove(0);
    }
}

#[test]
fn nothing_but_its_own_log_waits_for_a_guest() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (busy, busy_blob) = host.deploy(&mut chain, 1);
    let (other, other_blob) = host.deploy(&mut chain, 2);
    let barrier = Arc::new(Barrier::new(2));
    let engine: Arc<dyn Vm> = Arc::new(Meeting {
        evm: EvmEngine::default(),
        barrier: Arc::clone(&barrier),
    });
    let engines = Engines::new(Runtimes::shipped(), [(ENGINE_EVM, engine)]).unwrap();
    let enclave = revive(&host, &chain, engines, usize::MAX);
    for (contract, blob) in [(busy, busy_blob.blob), (other, other_blob.blob)] {
        let blobs = vec![blob];
        answer(&enclave, Request::Load { contract, blobs });
    }
    let request = |chain: &mut Chain, contract, amount| {
        let entry = chain.request(contract, Ask::default(), guest::add(amount).into());
        let proof = chain.prove_entry(contract, entry.entry.seq());
        Request::Execute {
            contract,
            entries: vec![entry],
            code_envelope: None,
            reassignment: None,
            proof,
        }
    };
    let slow = request(&mut chain, busy, 99);
    let behind = request(&mut chain, busy, 1);
    let elsewhere = request(&mut chain, other, 1);

    let tag = |request| Tag { stream: 0, request };
    let first = enclave.accept(tag(1), slow);
    let second = enclave.accept(tag(2), behind);
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let opened = enclave.run(first).jobs.remove(0);
            enclave.run(opened)
        });
        barrier.wait();
        // The guest runs now.
        let executed = answer(&enclave, elsewhere);
        assert!(matches!(executed, Response::Executed(_)), "{executed:?}");
        for contract in [busy, other] {
            let results = vec![ResultRef { contract, seq: 0 }];
            let role = FIRST;
            let signed = answer(&enclave, Request::Sign { results, role });
            assert!(matches!(signed, Response::Signed(_)), "{signed:?}");
            let nonce = B256::ZERO;
            let stated = answer(&enclave, Request::Statement { contract, nonce });
            assert!(matches!(stated, Response::Statement(_)), "{stated:?}");
            let part = answer(&enclave, Request::Snapshot { contract, part: 0 });
            assert!(matches!(part, Response::Snapshot(_)), "{part:?}");
        }
        let quoted = answer(&enclave, quote());
        assert!(matches!(quoted, Response::Evidence(_)), "{quoted:?}");
        let attest = Request::Attest {
            challenge: vec![1; 32],
            epoch: EPOCH,
            header: chain.header(),
            payee: None,
        };
        let attested = answer(&enclave, attest);
        assert!(matches!(attested, Response::Attested(_)), "{attested:?}");
        // Its own log stands in line, opened, and takes no thread.
        let opened = enclave.run(second).jobs.remove(0);
        assert_eq!(opened.stage(), Stage::Execute);
        let parked = enclave.run(opened);
        assert!(parked.answer.is_none() && parked.jobs.is_empty());
        barrier.wait();
        let mut jobs = slow.join().unwrap().jobs;
        assert_eq!(jobs.len(), 2, "its results to seal, and who waited");
        let mut answers = Vec::new();
        while let Some(job) = jobs.pop() {
            let progress = enclave.run(job);
            jobs.extend(progress.jobs);
            answers.extend(progress.answer);
        }
        answers.sort_by_key(|(tag, _)| *tag);
        let outputs: Vec<_> = answers
            .into_iter()
            .map(|(_, answer)| match answer {
                Response::Executed(mut executed) => executed.results.remove(0).output,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(outputs, [guest::uint(100), guest::uint(101)]);
    });
}

/// A request that comes to nothing, or is never begun, holds up nobody behind it.
#[test]
fn a_turn_that_is_not_taken_passes() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, blob) = host.deploy(&mut chain, 1);
    let enclave = revive(&host, &chain, crate::harness::engines(), usize::MAX);
    let blobs = vec![blob.blob];
    answer(&enclave, Request::Load { contract, blobs });
    let entry = chain.request(contract, Ask::default(), guest::add(1).into());
    let execute = |proof| Request::Execute {
        contract,
        entries: vec![entry.clone()],
        code_envelope: None,
        reassignment: None,
        proof,
    };
    let tag = |request| Tag { stream: 0, request };
    let wrong = enclave.accept(tag(1), execute(EntryProof::Anchor));
    let refused = enclave.accept(tag(2), execute(EntryProof::Anchor));
    let right = enclave.accept(tag(3), execute(chain.prove_entry(contract, 1)));
    let opened = enclave.run(right).jobs.remove(0);
    assert!(enclave.run(opened).jobs.is_empty(), "two are before it");
    assert!(enclave.refuse(refused).is_none(), "one is before it");
    let mut progress = enclave.run(wrong);
    let Some((_, Response::Error(error))) = progress.answer else {
        panic!("proven by nothing")
    };
    assert_eq!(error.code, ErrorCode::Proof);
    let sealed = enclave.run(progress.jobs.remove(0)).jobs.remove(0);
    let (answered, response) = enclave.run(sealed).answer.unwrap();
    assert_eq!(answered, tag(3));
    assert!(matches!(response, Response::Executed(_)), "{response:?}");
}
