// SPDX-License-Identifier: Apache-2.0
//! An engine that breaks costs the call it was executing, and nothing else.

use std::sync::Arc;

use subrosa_types::{
    frame::{Ended, ErrorCode, Request, Response, ResultRef},
    result::Status,
};
use subrosa_vm::{Engines, Runtimes, Vm, conformance::Faulty};
use subrosa_vm_evm::{ENGINE_EVM, EvmEngine};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused, engines, revive},
};

/// The EVM, but it breaks at calls that add 666.
fn fragile() -> Engines {
    let engine: Arc<dyn Vm> =
        Arc::new(Faulty::new(Arc::new(EvmEngine::default()), guest::add(666)));
    Engines::new(Runtimes::shipped(), [(ENGINE_EVM, engine)]).unwrap()
}

#[test]
fn a_broken_engine_costs_one_call() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (hurt, hurt_blob) = host.deploy(&mut chain, 1);
    let (other, other_blob) = host.deploy(&mut chain, 2);
    host.enclave = revive(&host, &chain, fragile(), usize::MAX);
    host.load(hurt, vec![hurt_blob.blob.clone()]).unwrap();
    host.load(other, vec![other_blob.blob]).unwrap();

    let amounts = [5, 666, 7];
    let entries: Vec<_> = amounts
        .iter()
        .map(|amount| chain.request(hurt, Ask::default(), guest::add(*amount).into()))
        .collect();
    let executed = host.execute(&chain, hurt, entries.clone()).unwrap();
    assert_eq!(executed.results.len(), 1);
    let Ended::Refused(refusal) = &executed.ended else {
        panic!("{:?}", executed.ended)
    };
    assert_eq!(refusal.code, ErrorCode::Broken);
    assert!(refusal.message.contains("seq 2"), "{refusal}");
    assert!(!refusal.message.contains("fault"), "{refusal}");
    // However often.
    for _ in 0..3 {
        let again = host.execute(&chain, hurt, entries[1..].to_vec());
        assert_refused(again, ErrorCode::Broken);
    }

    // What was executed before is signed, keys live on, and so do other contracts.
    let results = vec![ResultRef {
        contract: hurt,
        seq: 1,
    }];
    host.sign(results).unwrap();
    let sealed = Ask {
        sealed: true,
        ..Ask::default()
    };
    let envelope = host.seal_call(&chain, other, sealed, guest::add(3), None);
    let result = host.call(&mut chain, other, sealed, envelope);
    assert_eq!(
        (result.status, result.output.as_ref()),
        (Status::Succeeded, guest::uint(5).as_slice())
    );

    // A build without the fault goes on where this one could not.
    let mut sound = revive(&host, &chain, engines(), usize::MAX);
    let blobs = vec![hurt_blob.blob, executed.results[0].blob.clone()];
    let loaded = sound.handle(Request::Load {
        contract: hurt,
        blobs,
    });
    assert!(matches!(loaded, Response::Loaded(_)), "{loaded:?}");
    host.enclave = sound;
    let rest = host.execute(&chain, hurt, entries[1..].to_vec()).unwrap();
    assert_eq!(rest.ended, Ended::Complete);
    assert_eq!(rest.results[1].output.as_ref(), guest::uint(679));
}
