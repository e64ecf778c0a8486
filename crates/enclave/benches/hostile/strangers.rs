// SPDX-License-Identifier: Apache-2.0
//! Envelopes of strangers against one contract, of which one stranger sends more than anybody may have
//! remembered, and two users who notice nothing: one with a consumer of its own, and one behind the same
//! consumer as the strangers.

use std::time::Instant;

use alloy_primitives::{Address, Bytes};
use serde::Serialize;
use subrosa_crypto::{
    EpochId, Suite,
    envelope::{EnvelopeId, Purpose, Session, SessionCall},
    plaintext,
};
use subrosa_enclave_core::MAX_HOLDER_ENVELOPES;
use subrosa_types::{
    ContractId,
    abi::CallPlaintext,
    frame::{Ended, ExecutedEntry, LoggedEntry, Request},
    result::Status,
};

use crate::{
    chain::{Ask, Chain, EPOCH, GROUP},
    guest,
    harness::{Host, binding, context_of},
    load::executed,
    process::Process,
};

/// What became of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Strangers {
    envelopes: usize,
    /// Of one stranger alone.
    of_one: usize,
    /// Of that one's, beyond what anybody may have remembered.
    rejected: usize,
    /// Others, with one envelope each, behind the same consumer.
    others: usize,
    /// That opened a session.
    sessions: usize,
    seconds: f64,
}

/// The consumer that the strangers use.
const CONSUMER: Address = Address::repeat_byte(0xc5);
const GREEDY: Address = Address::repeat_byte(0x9e);
/// Entries of a frame.
const FRAME: usize = 64;

struct Scene {
    chain: Chain,
    host: Host<Process>,
    contract: ContractId,
}

/// Somebody whose calls have to work as if nobody else were there.
struct User {
    ask: Ask,
    session: Session,
    /// A call of theirs, executed before.
    replayed: Bytes,
}

pub(crate) fn run(count: usize) -> Strangers {
    eprintln!("strangers");
    let mut chain = Chain::new();
    let mut host = Host::on(Process::start(), &mut chain);
    let (contract, _) = host.deploy(&mut chain, 0);
    let mut scene = Scene {
        chain,
        host,
        contract,
    };
    let mut users = [
        scene.user(Address::repeat_byte(0x0d), Address::repeat_byte(0x1e)),
        scene.user(CONSUMER, Address::repeat_byte(0x1f)),
    ];
    let of_one = (MAX_HOLDER_ENVELOPES + 464).min(count * 2 / 3);
    let begun = Instant::now();
    let (mut rejected, mut sessions) = (0, 0);
    let mut sent = 0;
    while sent < count {
        let frame = FRAME.min(count - sent);
        let asks: Vec<Ask> = (sent..sent + frame)
            .map(|index| {
                let account = if index < of_one {
                    GREEDY
                } else {
                    Address::left_padding_from(&(index as u64).to_be_bytes())
                };
                let opens_session = index >= of_one;
                sealed(CONSUMER, account, opens_session)
            })
            .collect();
        for (result, ask) in scene.calls(&asks).into_iter().zip(&asks) {
            match result.status {
                Status::Succeeded => sessions += usize::from(ask.opens_session),
                Status::Rejected if !ask.opens_session => rejected += 1,
                other => panic!("a stranger's call ended as {other:?}"),
            }
        }
        sent += frame;
    }
    let seconds = begun.elapsed().as_secs_f64();
    for (number, user) in users.iter_mut().enumerate() {
        scene.assert_untouched(user, number as u8);
    }
    let most = MAX_HOLDER_ENVELOPES.min(of_one);
    assert_eq!(
        rejected,
        of_one - most,
        "what one stranger may have remembered"
    );
    Strangers {
        envelopes: count,
        of_one,
        rejected,
        others: count - of_one,
        sessions,
        seconds: seconds.round(),
    }
}

fn sealed(requester: Address, account: Address, opens_session: bool) -> Ask {
    Ask {
        requester,
        context: context_of(account, 1),
        sealed: true,
        opens_session,
        ..Ask::default()
    }
}

impl Scene {
    /// Executes entries in one frame, or as many as it takes.
    fn execute(&mut self, mut entries: Vec<LoggedEntry>) -> Vec<ExecutedEntry> {
        let proof = self.chain.prove_alone(&entries[entries.len() - 1].entry);
        let mut results = Vec::new();
        while !entries.is_empty() {
            let answer = self.host.enclave.link().ask(&Request::Execute {
                contract: self.contract,
                entries: entries.clone(),
                code_envelope: None,
                reassignment: None,
                proof: proof.clone(),
            });
            let executed = executed(answer);
            assert!(!matches!(executed.ended, Ended::Refused(_)), "{executed:?}");
            entries.drain(..executed.results.len());
            results.extend(executed.results);
        }
        results
    }

    fn seal(&mut self, ask: Ask) -> (Bytes, subrosa_crypto::envelope::SessionSecret) {
        let call = plaintext::encode(CallPlaintext {
            input: guest::add(1).into(),
            replyKey: Bytes::new(),
            padding: Bytes::new(),
        });
        self.host
            .seal_opening_session(&self.chain, self.contract, ask, Purpose::Call, &call)
    }

    /// Logs a call. No time passes: nothing expires before the end.
    fn log(&mut self, ask: Ask, input: Bytes) -> LoggedEntry {
        let now = self.chain.timestamp;
        let entry = self.chain.request(self.contract, ask, input);
        self.chain.timestamp = now;
        entry
    }

    fn calls(&mut self, asks: &[Ask]) -> Vec<ExecutedEntry> {
        let entries = asks.iter().map(|ask| {
            let (envelope, _) = self.seal(*ask);
            self.log(*ask, envelope)
        });
        let entries = entries.collect();
        self.execute(entries)
    }

    fn one(&mut self, ask: Ask, input: Bytes) -> Status {
        let entry = self.log(ask, input);
        self.execute(vec![entry])[0].status
    }

    fn user(&mut self, requester: Address, account: Address) -> User {
        let opening = sealed(requester, account, true);
        let (envelope, secret) = self.seal(opening);
        let entry = self.log(opening, envelope);
        let result = self.execute(vec![entry]).remove(0);
        assert_eq!(result.status, Status::Succeeded);
        let ask = sealed(requester, account, false);
        let (replayed, _) = self.seal(ask);
        assert_eq!(self.one(ask, replayed.clone()), Status::Succeeded);
        User {
            ask,
            session: Session::new(result.seq, Suite::XWing, &secret),
            replayed,
        }
    }

    /// Their session goes on, new envelopes are taken, and old ones are not taken again.
    fn assert_untouched(&mut self, user: &mut User, id: u8) {
        let draft = SessionCall {
            epoch: EpochId {
                group: GROUP,
                epoch: EPOCH,
            },
            id: EnvelopeId::from_bytes([id; 16]),
            expiry: self.chain.timestamp + 3_600,
            binding: &binding(&self.chain, self.contract, user.ask),
        };
        let in_session = user.session.seal(&draft, &guest::add(1)).unwrap();
        assert_eq!(self.one(user.ask, in_session.into()), Status::Succeeded);
        let (fresh, _) = self.seal(user.ask);
        assert_eq!(self.one(user.ask, fresh), Status::Succeeded);
        let replayed = user.replayed.clone();
        assert_eq!(self.one(user.ask, replayed), Status::Rejected);
    }
}
