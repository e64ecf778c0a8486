// SPDX-License-Identifier: Apache-2.0
//! Whatever order the stages of requests run in, the answers are those of a serial run.
//!
//! A seeded scheduler plays the threads: it decides which stage runs next, and when the host asks for
//! more. The enclave has memory for two of three contracts, so states are dropped all the time, and the
//! host brings them back.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy_primitives::B256;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use subrosa_enclave_core::{Enclave, Job, Stage, Tag};
use subrosa_types::{
    ContractId,
    frame::{
        Ended, ErrorCode, ExecutedEntry, LoggedEntry, Request, Response, ResultRef, StateBlob,
    },
};
use subrosa_vm::{Call, Engines, Execution, Runtimes, State, Vm};
use subrosa_vm_evm::{ENGINE_EVM, EvmEngine};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{FIRST, Host, engines, revive},
};

const CONTRACTS: usize = 3;
const FRAMES: usize = 3;
const SCHEDULES: u64 = 1_000;

/// What is asked of the enclave, and what it must answer.
struct Script {
    chain: Chain,
    host: Host,
    contracts: Vec<Plan>,
}

/// What is asked of one contract.
struct Plan {
    contract: ContractId,
    deployed: StateBlob,
    frames: Vec<Vec<LoggedEntry>>,
}

/// Everything a run came to.
#[derive(Default, PartialEq, Eq)]
struct Outcome {
    results: BTreeMap<(ContractId, u64), Vec<u8>>,
    snapshots: BTreeMap<ContractId, Vec<u8>>,
    signatures: BTreeMap<ContractId, Vec<u8>>,
}

fn script() -> Script {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let sealed = Ask {
        sealed: true,
        ..Ask::default()
    };
    let contracts = (0..CONTRACTS).map(|index| {
        let (contract, deployed) = host.deploy(&mut chain, index as u64);
        let frames = (0..FRAMES).map(|frame| {
            let amount = (10 * index + frame) as u64;
            let envelope = host.seal_call(&chain, contract, sealed, guest::add(amount), None);
            let first = chain.request(contract, sealed, envelope);
            let second = chain.request(contract, Ask::default(), guest::add(1).into());
            vec![first, second]
        });
        Plan {
            contract,
            deployed: deployed.blob,
            frames: frames.collect(),
        }
    });
    let contracts = contracts.collect();
    Script {
        chain,
        host,
        contracts,
    }
}

/// How the host stands with one contract.
struct Progress {
    frames: [Frame; FRAMES],
    loaded: bool,
    loading: bool,
    snapshot: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
    /// Requests other than frames that are under way.
    other: usize,
    queries: usize,
}

/// How far a frame is.
#[derive(Default)]
enum Frame {
    #[default]
    Open,
    Asked,
    Done(Vec<ExecutedEntry>),
}

impl Progress {
    fn new() -> Self {
        Self {
            frames: Default::default(),
            loaded: false,
            loading: false,
            snapshot: None,
            signature: None,
            other: 0,
            queries: 0,
        }
    }

    /// Results so far, which are what it would load from.
    fn results(&self) -> impl Iterator<Item = &ExecutedEntry> {
        self.frames.iter().flat_map(|frame| match frame {
            Frame::Done(results) => results.as_slice(),
            Frame::Open | Frame::Asked => &[],
        })
    }

    fn is_executed(&self) -> bool {
        let done = |frame: &Frame| matches!(frame, Frame::Done(_));
        self.frames.iter().all(done)
    }

    fn is_complete(&self) -> bool {
        self.is_executed() && self.snapshot.is_some() && self.signature.is_some()
    }
}

/// A request that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Load(usize),
    Frame(usize, usize),
    Snapshot(usize),
    Sign(usize),
    Statement(usize),
}

/// A host that asks whatever can be asked, in an order that others decide.
struct Player<'a> {
    script: &'a Script,
    progress: Vec<Progress>,
    under_way: BTreeMap<u64, Asked>,
    next: u64,
}

impl<'a> Player<'a> {
    fn new(script: &'a Script) -> Self {
        Self {
            script,
            progress: (0..CONTRACTS).map(|_| Progress::new()).collect(),
            under_way: BTreeMap::new(),
            next: 0,
        }
    }

    fn is_complete(&self) -> bool {
        self.progress.iter().all(Progress::is_complete) && self.under_way.is_empty()
    }

    /// Everything that could be asked now.
    fn choices(&self) -> Vec<Asked> {
        let mut choices = Vec::new();
        for (index, progress) in self.progress.iter().enumerate() {
            if !progress.loaded {
                let asked = |frame: &Frame| matches!(frame, Frame::Asked);
                let idle = !progress.loading && !progress.frames.iter().any(asked);
                if idle && !progress.is_complete() {
                    choices.push(Asked::Load(index));
                }
                continue;
            }
            let open = |frame: &Frame| matches!(frame, Frame::Open);
            if let Some(frame) = progress.frames.iter().position(open) {
                choices.push(Asked::Frame(index, frame));
            }
            if progress.queries < 2 {
                choices.push(Asked::Statement(index));
            }
            if progress.is_executed() && progress.other == 0 {
                if progress.snapshot.is_none() {
                    choices.push(Asked::Snapshot(index));
                }
                if progress.signature.is_none() {
                    choices.push(Asked::Sign(index));
                }
            }
        }
        choices
    }

    fn ask(&mut self, enclave: &Enclave, asked: Asked) -> Job {
        let request = match asked {
            Asked::Load(index) => {
                let progress = &mut self.progress[index];
                progress.loading = true;
                let plan = &self.script.contracts[index];
                let deltas = progress.results().map(|result| result.blob.clone());
                let deltas: Vec<_> = deltas.collect();
                Request::Load {
                    contract: plan.contract,
                    blobs: [plan.deployed.clone()].into_iter().chain(deltas).collect(),
                }
            }
            Asked::Frame(index, frame) => {
                self.progress[index].frames[frame] = Frame::Asked;
                let plan = &self.script.contracts[index];
                let entries = plan.frames[frame].clone();
                let seq = entries.last().unwrap().entry.seq();
                let proof = self.script.chain.prove_entry(plan.contract, seq);
                Request::Execute {
                    contract: plan.contract,
                    entries,
                    code_envelope: None,
                    reassignment: None,
                    proof,
                }
            }
            Asked::Snapshot(index) => {
                self.progress[index].other += 1;
                Request::Snapshot {
                    contract: self.script.contracts[index].contract,
                    part: 0,
                }
            }
            Asked::Sign(index) => {
                let contract = self.script.contracts[index].contract;
                self.progress[index].other += 1;
                let seqs = 1..=2 * FRAMES as u64;
                Request::Sign {
                    results: seqs.map(|seq| ResultRef { contract, seq }).collect(),
                    role: FIRST,
                }
            }
            Asked::Statement(index) => {
                self.progress[index].queries += 1;
                Request::Statement {
                    contract: self.script.contracts[index].contract,
                    nonce: B256::ZERO,
                }
            }
        };
        self.next += 1;
        self.under_way.insert(self.next, asked);
        let tag = Tag {
            stream: 0,
            request: self.next,
        };
        enclave.accept(tag, request)
    }

    fn answered(&mut self, tag: Tag, response: Response) {
        let asked = self.under_way.remove(&tag.request).expect("it was asked");
        let (Asked::Load(index)
        | Asked::Frame(index, _)
        | Asked::Snapshot(index)
        | Asked::Sign(index)
        | Asked::Statement(index)) = asked;
        let progress = &mut self.progress[index];
        match asked {
            Asked::Load(_) => progress.loading = false,
            Asked::Snapshot(_) | Asked::Sign(_) => progress.other -= 1,
            Asked::Frame(..) | Asked::Statement(_) => {}
        }
        match (asked, response) {
            (Asked::Load(_), Response::Loaded(_)) => progress.loaded = true,
            (Asked::Frame(_, frame), Response::Executed(executed)) => {
                assert_eq!(executed.ended, Ended::Complete);
                progress.frames[frame] = Frame::Done(executed.results);
            }
            (Asked::Snapshot(_), Response::Snapshot(blob)) => {
                progress.snapshot = Some(format!("{blob:?}").into_bytes());
            }
            (Asked::Sign(_), Response::Signed(signed)) => {
                progress.signature = Some(format!("{signed:?}").into_bytes());
            }
            (Asked::Statement(_), Response::Statement(_)) => {}
            // The state was dropped: it is loaded again, and asked for again.
            (asked, Response::Error(error)) => {
                let dropped = [ErrorCode::UnknownContract, ErrorCode::Sequence];
                assert!(dropped.contains(&error.code), "{asked:?}: {error:?}");
                progress.loaded = false;
                if let Asked::Frame(_, frame) = asked {
                    progress.frames[frame] = Frame::Open;
                }
            }
            (asked, response) => panic!("{asked:?} answered by {response:?}"),
        }
    }

    fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        for (plan, progress) in self.script.contracts.iter().zip(&self.progress) {
            for result in progress.results() {
                let bytes = format!("{result:?}").into_bytes();
                outcome.results.insert((plan.contract, result.seq), bytes);
            }
            let contract = plan.contract;
            outcome
                .snapshots
                .insert(contract, progress.snapshot.clone().unwrap());
            outcome
                .signatures
                .insert(contract, progress.signature.clone().unwrap());
        }
        outcome
    }
}

/// An enclave with the script's epoch and room for two of the contracts.
fn enclave(script: &Script, engines: Engines) -> Enclave {
    let memory = {
        let mut probe = revive(&script.host, &script.chain, engines.clone(), usize::MAX);
        let contract = script.contracts[0].contract;
        let blobs = vec![script.contracts[0].deployed.clone()];
        let loaded = probe.handle(Request::Load { contract, blobs });
        assert!(matches!(loaded, Response::Loaded(_)), "{loaded:?}");
        ROOM_FOR_TWO
    };
    revive(&script.host, &script.chain, engines, memory)
}

/// Each test contract's state takes about this much, half of it its code.
const ROOM_FOR_TWO: usize = 7_000;

/// What the scheduler does, as far as one can follow another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Open,
    Execute,
    Seal,
    Load,
    Snapshot,
    Sign,
    Evict,
}

/// Runs one schedule; which kind followed which is added to `pairs`.
fn play(
    script: &Script,
    enclave: &Enclave,
    seed: u64,
    pairs: &mut BTreeSet<(Kind, Kind)>,
) -> Outcome {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut player = Player::new(script);
    let mut jobs: Vec<Job> = Vec::new();
    let mut last = None;
    let mut seen = |kind: Kind, last: &mut Option<Kind>| {
        if let Some(last) = *last {
            pairs.insert((last, kind));
        }
        *last = Some(kind);
    };
    let mut steps = 0;
    while !player.is_complete() {
        steps += 1;
        assert!(steps < 100_000, "schedule {seed} does not end");
        let choices = player.choices();
        let pick = |count: usize, rng: &mut ChaCha20Rng| rng.next_u64() as usize % count;
        let asks = !choices.is_empty() && (jobs.is_empty() || rng.next_u64() % 3 == 0);
        if asks {
            let choice = choices[pick(choices.len(), &mut rng)];
            jobs.push(player.ask(enclave, choice));
            continue;
        }
        assert!(!jobs.is_empty(), "schedule {seed} is stuck");
        let job = jobs.swap_remove(pick(jobs.len(), &mut rng));
        let asked = player.under_way[&job.tag().request];
        let kind = match (job.stage(), asked) {
            (Stage::Open, _) => Some(Kind::Open),
            (Stage::Execute, _) => Some(Kind::Execute),
            (Stage::Seal, _) => Some(Kind::Seal),
            (Stage::Answer, Asked::Load(_)) => Some(Kind::Load),
            (Stage::Answer, Asked::Snapshot(_)) => Some(Kind::Snapshot),
            (Stage::Answer, Asked::Sign(_)) => Some(Kind::Sign),
            (Stage::Answer, _) => None,
        };
        if let Some(kind) = kind {
            seen(kind, &mut last);
        }
        let before = loaded(enclave);
        let progress = enclave.run(job);
        if loaded(enclave).len() < before.len() || before.difference(&loaded(enclave)).count() > 0 {
            seen(Kind::Evict, &mut last);
        }
        jobs.extend(progress.jobs);
        if let Some((tag, response)) = progress.answer {
            player.answered(tag, response);
        }
    }
    player.outcome()
}

fn loaded(enclave: &Enclave) -> BTreeSet<ContractId> {
    let tag = Tag {
        stream: 1,
        request: 0,
    };
    let wire_version = subrosa_types::frame::WIRE_VERSION;
    let job = enclave.accept(tag, Request::Hello { wire_version });
    let Some((_, Response::Hello(hello))) = enclave.run(job).answer else {
        panic!("no greeting")
    };
    hello
        .contracts
        .iter()
        .map(|loaded| loaded.contract)
        .collect()
}

/// Everything one after the other, with memory for all.
fn serial(script: &Script, engines: Engines) -> Outcome {
    let enclave = revive(&script.host, &script.chain, engines, usize::MAX);
    let mut player = Player::new(script);
    while let Some(choice) = player.choices().into_iter().next() {
        let mut jobs = VecDeque::from([player.ask(&enclave, choice)]);
        while let Some(job) = jobs.pop_front() {
            let progress = enclave.run(job);
            jobs.extend(progress.jobs);
            if let Some((tag, response)) = progress.answer {
                player.answered(tag, response);
            }
        }
    }
    assert!(player.is_complete());
    player.outcome()
}

#[test]
fn every_schedule_gives_the_answers_of_the_serial_run() {
    let script = script();
    let expected = serial(&script, engines());
    let mut pairs = BTreeSet::new();
    for seed in 0..SCHEDULES {
        let enclave = enclave(&script, engines());
        let outcome = play(&script, &enclave, seed, &mut pairs);
        assert!(outcome == expected, "schedule {seed} differs");
    }
    let kinds = [
        Kind::Open,
        Kind::Execute,
        Kind::Seal,
        Kind::Load,
        Kind::Snapshot,
        Kind::Sign,
        Kind::Evict,
    ];
    let all = kinds
        .iter()
        .flat_map(|a| kinds.iter().map(move |b| (*a, *b)));
    // Nothing is dropped twice in a row: what drops a state is a stage of another kind.
    let all: BTreeSet<_> = all
        .filter(|pair| *pair != (Kind::Evict, Kind::Evict))
        .collect();
    let missing: Vec<_> = all.difference(&pairs).collect();
    println!(
        "{SCHEDULES} schedules, {} of {} ordered pairs of stages",
        pairs.len(),
        all.len()
    );
    // A signature or a snapshot drops nothing.
    let impossible = |(first, then): &(Kind, Kind)| {
        *then == Kind::Evict
            && matches!(first, Kind::Sign | Kind::Snapshot | Kind::Seal | Kind::Open)
    };
    let missing: Vec<_> = missing
        .into_iter()
        .filter(|pair| !impossible(pair))
        .collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
}

/// An engine with a fault that only order brings to light: it counts calls of all contracts together.
#[derive(Debug)]
struct Racy {
    evm: EvmEngine,
    calls: AtomicU64,
}

impl Vm for Racy {
    fn construct(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution {
        self.evm.construct(state, call, code, init)
    }

    fn upgrade(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution {
        self.evm.upgrade(state, call, code, init)
    }

    fn call(&self, state: &State, call: &Call<'_>) -> Execution {
        let mut execution = self.evm.call(state, call);
        execution.fuel_used += self.calls.fetch_add(1, Ordering::Relaxed) << 16;
        execution
    }
}

#[test]
fn a_planted_race_is_found() {
    let script = script();
    let racy = || {
        let engine: Arc<dyn Vm> = Arc::new(Racy {
            evm: EvmEngine::default(),
            calls: AtomicU64::new(0),
        });
        Engines::new(Runtimes::shipped(), [(ENGINE_EVM, engine)]).unwrap()
    };
    let expected = serial(&script, racy());
    let found = (0..20).any(|seed| {
        let enclave = revive(&script.host, &script.chain, racy(), usize::MAX);
        play(&script, &enclave, seed, &mut BTreeSet::new()) != expected
    });
    assert!(found);
}

/// The same on threads, whose order nobody decides.
#[test]
fn threads_give_the_answers_of_the_serial_run() {
    let script = script();
    let expected = serial(&script, engines());
    for seed in 0..20 {
        let enclave = enclave(&script, engines());
        let table = Mutex::new((
            Player::new(&script),
            Vec::new(),
            ChaCha20Rng::seed_from_u64(seed),
        ));
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| work(&enclave, &table, &changed));
            }
        });
        let outcome = table.into_inner().unwrap().0.outcome();
        assert!(outcome == expected, "round {seed} differs");
    }
}

type Table<'a> = Mutex<(Player<'a>, Vec<Job>, ChaCha20Rng)>;

fn work(enclave: &Enclave, table: &Table<'_>, changed: &Condvar) {
    let mut locked = table.lock().unwrap();
    loop {
        let (player, jobs, rng) = &mut *locked;
        if player.is_complete() {
            changed.notify_all();
            return;
        }
        let choices = player.choices();
        if !choices.is_empty() {
            let choice = choices[rng.next_u64() as usize % choices.len()];
            let job = player.ask(enclave, choice);
            jobs.push(job);
        }
        let Some(job) = (!jobs.is_empty()).then(|| jobs.remove(0)) else {
            locked = changed.wait(locked).unwrap();
            continue;
        };
        drop(locked);
        let progress = enclave.run(job);
        locked = table.lock().unwrap();
        let (player, jobs, _) = &mut *locked;
        jobs.extend(progress.jobs);
        if let Some((tag, response)) = progress.answer {
            player.answered(tag, response);
        }
        changed.notify_all();
    }
}
