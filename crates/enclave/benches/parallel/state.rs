// SPDX-License-Identifier: Apache-2.0
//! A large state: loaded, and sealed as a whole while calls go on.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use serde::Serialize;
use subrosa_enclave_core::{Enclave, Tag};
use subrosa_types::{
    ContractId,
    frame::{Request, Response, StateBlob},
};

use crate::{
    Spread,
    chain::{Ask, Chain},
    guest,
    harness::{Host, engines, revive},
};

/// Encoded state of the contract that is measured, about.
pub(crate) const BYTES: usize = 256 << 20;

/// Slots that one call writes, and what a slot takes of the encoding.
const SLOTS: usize = 4_200;
const SLOT_BYTES: usize = 89;

const ROUNDS: usize = 5;
/// Calls of another contract, of which the p99 is taken.
const CALLS: usize = 400;

#[derive(Serialize)]
pub(crate) struct Large {
    state_mb: f64,
    parts: usize,
    snapshot_mb_per_s: Spread,
    /// p99 of another contract's calls, microseconds: with nothing beside them, and beside snapshots.
    calls_p99_us: Spread,
    calls_p99_us_beside_snapshots: Spread,
    p99_ratio: Spread,
}

fn answer(enclave: &Enclave, request: Request) -> Response {
    let tag = Tag {
        stream: 0,
        request: 0,
    };
    let mut job = enclave.accept(tag, request);
    loop {
        let mut progress = enclave.run(job);
        if let Some((_, response)) = progress.answer {
            return response;
        }
        job = progress.jobs.pop().unwrap();
    }
}

fn snapshot(enclave: &Enclave, contract: ContractId) -> Vec<StateBlob> {
    let mut parts: Vec<StateBlob> = Vec::new();
    loop {
        let part = u32::try_from(parts.len()).unwrap();
        let Response::Snapshot(blob) = answer(enclave, Request::Snapshot { contract, part }) else {
            panic!("no part {part}")
        };
        let is_last = blob.part + 1 == blob.parts;
        parts.push(*blob);
        if is_last {
            return parts;
        }
    }
}

fn load(enclave: &Enclave, contract: ContractId, parts: &[StateBlob]) {
    for page in parts.chunks(2) {
        let blobs = page.to_vec();
        let loaded = answer(enclave, Request::Load { contract, blobs });
        assert!(
            matches!(loaded, Response::Loaded(_) | Response::Loading(_)),
            "{loaded:?}"
        );
    }
}

/// The p99 of calls, microseconds.
fn p99(enclave: &Enclave, requests: Vec<Request>) -> f64 {
    let mut times: Vec<f64> = requests
        .into_iter()
        .map(|request| {
            let begun = Instant::now();
            let executed = answer(enclave, request);
            assert!(matches!(executed, Response::Executed(_)), "{executed:?}");
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

pub(crate) fn measure() -> (Large, Spread) {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let large = host.deploy_code(&mut chain, guest::filler());
    let ask = Ask {
        fuel_limit: 100_000_000,
        ..Ask::default()
    };
    let input = guest::uint(SLOTS as u64);
    for _ in 0..BYTES / (SLOTS * SLOT_BYTES) {
        host.call(&mut chain, large, ask, input.clone().into());
    }
    let (other, _) = host.deploy(&mut chain, 1);
    let mut calls = || -> Vec<Request> {
        let call = |_| {
            let entry = chain.request(other, Ask::default(), guest::add(1).into());
            let proof = chain.prove_entry(other, entry.entry.seq());
            Request::Execute {
                contract: other,
                entries: vec![entry],
                code_envelope: None,
                reassignment: None,
                proof,
            }
        };
        (0..CALLS).map(call).collect()
    };
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (calls(), calls())).collect();
    let enclave = &host.enclave;
    let parts = snapshot(enclave, large);
    let bytes: usize = parts.iter().map(|part| part.sealed.len()).sum();
    let megabytes = bytes as f64 / 1e6;

    let (mut sealing, mut alone, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for (first, second) in rounds {
        alone.push(p99(enclave, first));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let sealed = scope.spawn(|| {
                let mut rates = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    snapshot(enclave, large);
                    rates.push(megabytes / begun.elapsed().as_secs_f64());
                }
                rates
            });
            beside.push(p99(enclave, second));
            done.store(true, Ordering::Relaxed);
            sealing.extend(sealed.join().unwrap());
        });
    }
    let loading = (0..ROUNDS).map(|_| {
        let fresh = revive(&host, &chain, engines(), usize::MAX);
        let begun = Instant::now();
        load(&fresh, large, &parts);
        megabytes / begun.elapsed().as_secs_f64()
    });
    let loading = Spread::of(loading.collect());
    let ratios = beside
        .iter()
        .zip(&alone)
        .map(|(beside, alone)| beside / alone);
    let report = Large {
        state_mb: (megabytes * 10.0).round() / 10.0,
        parts: parts.len(),
        p99_ratio: Spread::of(ratios.collect()),
        snapshot_mb_per_s: Spread::of(sealing),
        calls_p99_us: Spread::of(alone),
        calls_p99_us_beside_snapshots: Spread::of(beside),
    };
    (report, loading)
}
