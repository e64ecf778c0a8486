// SPDX-License-Identifier: Apache-2.0
//! What is hostile: each goes on as long as it is let, and asks as a node would.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use alloy_primitives::{Address, B256, Bytes};
use subrosa_crypto::{RecipientKey, Suite, envelope::Purpose, plaintext};
use subrosa_types::{
    ContractId,
    abi::QueryPlaintext,
    frame::{Ended, EntryProof, Executed, LoggedEntry, Request, Response, StateBlob},
    result::Status,
};

use crate::{
    chain::{Ask, Chain},
    guest, guests,
    harness::Host,
    process::{Answer, Link, Process},
};

/// Tells a load to go on, and the one who waits for it that it is under way.
#[derive(Default)]
pub(crate) struct Signal {
    pub(crate) stop: AtomicBool,
    pub(crate) done: AtomicUsize,
}

impl Signal {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn count(&self, some: usize) {
        self.done.fetch_add(some, Ordering::Relaxed);
    }

    /// Waits until the load has done something, or what it does takes longer than one would wait.
    pub(crate) fn until_under_way(&self) {
        for _ in 0..200 {
            if self.done.load(Ordering::Relaxed) > 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Something hostile, ready to run.
pub(crate) trait Load: Send {
    /// Runs until it is told to stop, and until what it has asked by then is answered.
    fn run(&mut self, link: &Link, signal: &Signal);
}

/// Calls that wait in one contract's log, executed in frames of at most 64.
pub(crate) struct Log {
    contract: ContractId,
    frames: VecDeque<(VecDeque<LoggedEntry>, EntryProof)>,
    expected: Status,
}

/// Entries in a frame of a node.
const FRAME: usize = 64;

impl Log {
    /// `count` calls, each ending as `expected`.
    pub(crate) fn new(
        chain: &mut Chain,
        contract: ContractId,
        count: usize,
        input: &[u8],
        expected: Status,
    ) -> Self {
        let entries: Vec<_> = (0..count)
            .map(|_| chain.request(contract, greedy(), Bytes::copy_from_slice(input)))
            .collect();
        let frames = entries.chunks(FRAME).map(|frame| {
            let proof = chain.prove_alone(&frame[frame.len() - 1].entry);
            (frame.to_vec().into(), proof)
        });
        Self {
            contract,
            frames: frames.collect(),
            expected,
        }
    }

    /// Executes one frame's worth; `false` if nothing waits any more.
    fn step(&mut self, link: &Link, signal: &Signal) -> bool {
        let Some((entries, proof)) = self.frames.front_mut() else {
            return false;
        };
        let request = Request::Execute {
            contract: self.contract,
            entries: entries.iter().cloned().collect(),
            code_envelope: None,
            reassignment: None,
            proof: proof.clone(),
        };
        let executed = executed(link.ask(&request));
        assert!(!matches!(executed.ended, Ended::Refused(_)), "{executed:?}");
        assert!(
            executed
                .results
                .iter()
                .all(|result| result.status == self.expected)
        );
        signal.count(executed.results.len());
        entries.drain(..executed.results.len());
        if entries.is_empty() {
            self.frames.pop_front();
        }
        true
    }
}

impl Load for Log {
    fn run(&mut self, link: &Link, signal: &Signal) {
        while signal.goes_on() {
            assert!(self.step(link, signal), "enough calls");
        }
    }
}

/// Several logs at a time.
pub(crate) struct Logs(pub(crate) Vec<Log>);

impl Load for Logs {
    fn run(&mut self, link: &Link, signal: &Signal) {
        std::thread::scope(|scope| {
            for log in &mut self.0 {
                scope.spawn(|| log.run(link, signal));
            }
        });
    }
}

/// Threads that keep processors busy, and ask for nothing.
pub(crate) struct Idle(pub(crate) usize);

impl Load for Idle {
    fn run(&mut self, _: &Link, signal: &Signal) {
        signal.count(1);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    while signal.goes_on() {
                        std::hint::spin_loop();
                    }
                });
            }
        });
    }
}

/// Queries that use up all fuel there is for one, many under way at a time.
pub(crate) struct Queries {
    contract: ContractId,
    envelopes: VecDeque<Bytes>,
}

/// Queries under way.
const UNDER_WAY: usize = 16;

impl Queries {
    pub(crate) fn new(
        chain: &Chain,
        host: &mut Host<Process>,
        contract: ContractId,
        count: usize,
    ) -> Self {
        let reply = RecipientKey::from_seed(Suite::X25519, &[8; 32]);
        let nobody = Ask {
            requester: Address::ZERO,
            ..Ask::default()
        };
        let envelopes = (0..count as u64).map(|nonce| {
            let query = plaintext::encode(QueryPlaintext {
                input: guests::signature().into(),
                replyKey: reply.public_key().to_tagged().into(),
                nonce: B256::left_padding_from(&nonce.to_be_bytes()),
                expiry: u64::MAX,
                caller: Address::ZERO,
                signature: Bytes::new(),
                padding: Bytes::new(),
            });
            host.seal(chain, contract, nobody, Purpose::Query, &query)
        });
        Self {
            contract,
            envelopes: envelopes.collect(),
        }
    }
}

impl Load for Queries {
    fn run(&mut self, link: &Link, signal: &Signal) {
        let mut under_way: VecDeque<Answer> = VecDeque::new();
        loop {
            while signal.goes_on() && under_way.len() < UNDER_WAY {
                let envelope = self.envelopes.pop_front().expect("enough queries");
                let contract = self.contract;
                under_way.push_back(link.send(&Request::Query { contract, envelope }));
            }
            let Some(next) = under_way.pop_front() else {
                return;
            };
            let answer = next.wait();
            assert!(matches!(answer, Response::Queried(_)), "{answer:?}");
            signal.count(1);
        }
    }
}

/// A large state, sealed as a whole and loaded again, over and over.
pub(crate) struct Large {
    contract: ContractId,
    /// Encoded bytes of the state when it was sealed last.
    pub(crate) bytes: usize,
}

impl Large {
    /// Grows a contract until its state is larger than `bytes`.
    pub(crate) fn grow(chain: &mut Chain, host: &mut Host<Process>, bytes: usize) -> Self {
        let contract = host.deploy_code(chain, guest::filler());
        let calls = bytes / (SLOTS * SLOT_BYTES) + 1;
        let input = guest::uint(SLOTS as u64);
        let mut log = Log::new(chain, contract, calls, &input, Status::Succeeded);
        let link = host.enclave.link();
        while log.step(&link, &Signal::default()) {}
        let mut large = Self { contract, bytes: 0 };
        large.snapshot(&link);
        assert!(large.bytes > bytes, "{} bytes", large.bytes);
        large
    }

    fn snapshot(&mut self, link: &Link) -> Vec<StateBlob> {
        let mut parts: Vec<StateBlob> = Vec::new();
        loop {
            let part = u32::try_from(parts.len()).unwrap();
            let contract = self.contract;
            let Response::Snapshot(blob) = link.ask(&Request::Snapshot { contract, part }) else {
                panic!("no part {part}")
            };
            let is_last = blob.part + 1 == blob.parts;
            parts.push(*blob);
            if is_last {
                self.bytes = parts.iter().map(|part| part.sealed.len()).sum();
                return parts;
            }
        }
    }
}

impl Load for Large {
    fn run(&mut self, link: &Link, signal: &Signal) {
        while signal.goes_on() {
            let parts = self.snapshot(link);
            signal.count(1);
            for page in parts.chunks(1) {
                let (contract, blobs) = (self.contract, page.to_vec());
                let loaded = link.ask(&Request::Load { contract, blobs });
                assert!(
                    matches!(loaded, Response::Loaded(_) | Response::Loading(_)),
                    "{loaded:?}"
                );
            }
        }
    }
}

pub(crate) fn executed(response: Response) -> Executed {
    match response {
        Response::Executed(executed) => *executed,
        other => panic!("not executed: {other:?}"),
    }
}

/// All the fuel there is.
fn greedy() -> Ask {
    Ask {
        fuel_limit: 100_000_000,
        ..Ask::default()
    }
}

/// Slots that a call of the filler writes, and what one takes of the encoding.
const SLOTS: usize = 4_200;
const SLOT_BYTES: usize = 89;
