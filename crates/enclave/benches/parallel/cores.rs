// SPDX-License-Identifier: Apache-2.0
//! Two contracts on two cores.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Barrier,
    thread,
    time::Instant,
};

use serde::Serialize;
use subrosa_enclave_core::{Enclave, Job, Tag};
use subrosa_types::{
    ContractId,
    frame::{Ended, Request, Response},
};

use crate::{
    Spread,
    chain::{Ask, Chain},
    guest,
    harness::Host,
};

/// What a child process is started with.
pub(crate) const CHILD: &str = "--one-contract";

/// Interleaved rounds.
const ROUNDS: usize = 9;
/// Requests of one contract in a round, and entries of each.
const REQUESTS: usize = 12;
const ENTRIES: usize = 32;

/// Milliseconds for the calls of two contracts.
#[derive(Serialize)]
pub(crate) struct Cores {
    calls: usize,
    two_threads_ms: Spread,
    two_processes_ms: Spread,
    one_thread_ms: Spread,
}

/// Contracts of one enclave, and requests that execute their logs.
struct Scene {
    enclave: Enclave,
    requests: Vec<VecDeque<Request>>,
}

fn scene(contracts: usize) -> Scene {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let contracts: Vec<ContractId> = (0..contracts)
        .map(|_| host.deploy(&mut chain, 1).0)
        .collect();
    let sealed = Ask {
        sealed: true,
        ..Ask::default()
    };
    let rounds = 3 * (ROUNDS + 1);
    let requests = contracts.iter().map(|contract| {
        let requests = (0..rounds * REQUESTS).map(|_| {
            let entries: Vec<_> = (0..ENTRIES)
                .map(|_| {
                    let input = host.seal_call(&chain, *contract, sealed, guest::add(1), None);
                    chain.request(*contract, sealed, input)
                })
                .collect();
            let last = entries.last().unwrap().entry.seq();
            Request::Execute {
                contract: *contract,
                entries,
                code_envelope: None,
                reassignment: None,
                proof: chain.prove_entry(*contract, last),
            }
        });
        requests.collect()
    });
    let requests = requests.collect();
    Scene {
        enclave: host.enclave,
        requests,
    }
}

/// Runs requests to their ends, one after the other.
fn run(enclave: &Enclave, requests: Vec<Request>) {
    for (request, number) in requests.into_iter().zip(0..) {
        let tag = Tag {
            stream: 0,
            request: number,
        };
        let mut jobs: Vec<Job> = vec![enclave.accept(tag, request)];
        while let Some(job) = jobs.pop() {
            let progress = enclave.run(job);
            jobs.extend(progress.jobs);
            if let Some((_, response)) = progress.answer {
                let Response::Executed(executed) = response else {
                    panic!("not executed: {response:?}")
                };
                assert_eq!(executed.ended, Ended::Complete);
            }
        }
    }
}

fn round(requests: &mut VecDeque<Request>) -> Vec<Request> {
    requests.drain(..REQUESTS).collect()
}

/// Another process with a contract of its own, which runs a round for each line it reads.
struct Process {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(CHILD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, answers };
        process.wait();
        process
    }

    fn go(&mut self) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(b"go\n").unwrap();
        input.flush().unwrap();
    }

    fn wait(&mut self) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The other process's side.
pub(crate) fn child() {
    let mut scene = scene(1);
    println!("done");
    let mut input = std::io::stdin().lock();
    let mut line = [0; 3];
    while input.read_exact(&mut line).is_ok() {
        run(&scene.enclave, round(&mut scene.requests[0]));
        println!("done");
    }
}

pub(crate) fn measure() -> (Cores, Spread) {
    let mut processes = [Process::start(), Process::start()];
    let mut scene = scene(2);
    let (mut threads, mut apart, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..=ROUNDS {
        let mut rounds = || scene.requests.iter_mut().map(round).collect::<Vec<_>>();
        let together = {
            let rounds = rounds();
            let barrier = Barrier::new(rounds.len() + 1);
            let (barrier, enclave) = (&barrier, &scene.enclave);
            thread::scope(|scope| {
                for requests in rounds {
                    scope.spawn(move || {
                        barrier.wait();
                        run(enclave, requests);
                        barrier.wait();
                    });
                }
                barrier.wait();
                let begun = Instant::now();
                barrier.wait();
                begun.elapsed()
            })
        };
        let begun = Instant::now();
        processes.iter_mut().for_each(Process::go);
        processes.iter_mut().for_each(Process::wait);
        let separate = begun.elapsed();
        let rounds: Vec<Vec<Request>> = scene.requests.iter_mut().map(round).collect();
        let begun = Instant::now();
        for requests in rounds {
            run(&scene.enclave, requests);
        }
        let serial = begun.elapsed();
        // The first one warms up.
        if number > 0 {
            threads.push(together.as_secs_f64() * 1e3);
            apart.push(separate.as_secs_f64() * 1e3);
            alone.push(serial.as_secs_f64() * 1e3);
        }
    }
    let ratios = apart
        .iter()
        .zip(&threads)
        .map(|(apart, threads)| apart / threads);
    let ratio = Spread::of(ratios.collect());
    let cores = Cores {
        calls: 2 * REQUESTS * ENTRIES,
        two_threads_ms: Spread::of(threads),
        two_processes_ms: Spread::of(apart),
        one_thread_ms: Spread::of(alone),
    };
    (cores, ratio)
}
