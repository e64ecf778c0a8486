// SPDX-License-Identifier: Apache-2.0
//! Whole private calls through [`Enclave::handle`]: execute, then sign.
//!
//! Requests are made before anything is measured. A sample is the time from the requests to the
//! last response; with frames, from the bytes of the requests to the bytes of the responses.

use std::collections::VecDeque;

use alloy_primitives::{B256, Bytes};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use subrosa_crypto::{
    EpochId, EpochPublicKey, RecipientKey, Suite, Zeroizing,
    envelope::{self, Draft, EnvelopeId, Purpose, Session, SessionCall},
    plaintext,
};
use subrosa_enclave_core::Enclave;
use subrosa_types::{
    ContractId,
    abi::CallPlaintext,
    frame::{Ended, PublishedEpoch, Request, Response, ResultRef, decode, encode},
    result::Status,
};

use crate::{
    chain::{Ask, Chain, EPOCH, GROUP},
    clock::{Probe, microseconds},
    guest,
    harness::{FIRST, Host, binding},
};

/// Entries that share a proof and a signature.
pub(crate) const BATCH: usize = 32;
/// The same in a session, where a call is shorter.
pub(crate) const SESSION_BATCH: usize = 64;
/// Bytes of calldata in a call's envelope. Padded, its plaintext is twice that.
const INPUT_LEN: usize = 1_024;

/// What is measured: the envelope's suite, the suite of the key the output is sealed to (none: the
/// output is public), entries per proof and signature, and whether frames are decoded and encoded.
struct Variant {
    name: &'static str,
    suite: Suite,
    reply: Option<Suite>,
    entries: usize,
    framed: bool,
    /// Whether the calls are made in a session that one before them opened.
    in_session: bool,
}

/// Probes with requests for so many samples: of single calls, and of batches.
pub(crate) fn probes(singles: usize, batches: usize) -> Vec<Probe> {
    use Suite::{X25519, XWing};
    let variant = |name, suite, reply, entries, framed| Variant {
        name,
        suite,
        reply,
        entries,
        framed,
        in_session: false,
    };
    let in_session = |name, reply, entries| Variant {
        in_session: true,
        ..variant(name, XWing, reply, entries, false)
    };
    [
        variant("call_xwing", XWing, None, 1, false),
        variant("call_xwing_reply_x25519", XWing, Some(X25519), 1, false),
        variant("call_xwing_reply_xwing", XWing, Some(XWing), 1, false),
        variant("call_x25519", X25519, None, 1, false),
        variant("call_x25519_reply_x25519", X25519, Some(X25519), 1, false),
        variant("call_xwing_framed", XWing, None, 1, true),
        variant("batch_xwing", XWing, None, BATCH, false),
        variant(
            "batch_xwing_reply_x25519",
            XWing,
            Some(X25519),
            BATCH,
            false,
        ),
        variant("batch_xwing_reply_xwing", XWing, Some(XWing), BATCH, false),
        variant("batch_x25519", X25519, None, BATCH, false),
        variant(
            "batch_x25519_reply_x25519",
            X25519,
            Some(X25519),
            BATCH,
            false,
        ),
        variant("batch_xwing_framed", XWing, None, BATCH, true),
        in_session("call_session", None, 1),
        in_session("call_session_reply", Some(XWing), 1),
        in_session("batch_session", None, SESSION_BATCH),
        in_session("batch_session_reply", Some(XWing), SESSION_BATCH),
    ]
    .into_iter()
    .map(|variant| {
        let samples = if variant.entries == 1 {
            singles
        } else {
            batches
        };
        variant.probe(samples)
    })
    .collect()
}

impl Variant {
    /// Samples are per call: a batch's time is divided by its entries.
    fn probe(self, samples: usize) -> Probe {
        let mut chain = Chain::new();
        let mut host = Host::new(&mut chain);
        let (contract, _) = host.deploy(&mut chain, 100);
        let session = self
            .in_session
            .then(|| self.open_session(&mut chain, &mut host, contract));
        let mut requests: VecDeque<[Request; 2]> = (0..samples)
            .map(|_| self.requests(&mut chain, &host.keys, contract, session.as_ref()))
            .collect();
        let mut enclave = host.enclave;
        Probe::new(self.name, self.entries > 1, move || {
            let requests = requests.pop_front().unwrap();
            let elapsed = if self.framed {
                framed(&mut enclave, &requests)
            } else {
                bare(&mut enclave, requests, self.reply.is_some())
            };
            elapsed / self.entries as f64
        })
    }

    /// Executes a call that opens a session.
    fn open_session(&self, chain: &mut Chain, host: &mut Host, contract: ContractId) -> Session {
        let ask = Ask {
            opens_session: true,
            ..sealed_ask()
        };
        let plaintext = call_plaintext(1, self.reply);
        let (envelope, secret) =
            host.seal_opening_session(chain, contract, ask, Purpose::Call, &plaintext);
        let opened = host.call(chain, contract, ask, envelope);
        assert_eq!(opened.status, Status::Succeeded);
        Session::new(opened.seq, self.suite, &secret)
    }

    fn requests(
        &self,
        chain: &mut Chain,
        keys: &PublishedEpoch,
        contract: ContractId,
        session: Option<&Session>,
    ) -> [Request; 2] {
        let entries: Vec<_> = (0..self.entries)
            .map(|_| {
                let input = match session {
                    Some(session) => seal_in(session, chain, contract),
                    None => self.seal(chain, keys, contract),
                };
                chain.request(contract, sealed_ask(), input)
            })
            .collect();
        let results = entries
            .iter()
            .map(|entry| ResultRef {
                contract,
                seq: entry.entry.seq(),
            })
            .collect();
        let last = entries.last().unwrap().entry.seq();
        let execute = Request::Execute {
            contract,
            entries,
            code_envelope: None,
            reassignment: None,
            proof: chain.prove_entry(contract, last),
        };
        [
            execute,
            Request::Sign {
                results,
                role: FIRST,
            },
        ]
    }

    fn seal(&self, chain: &Chain, keys: &PublishedEpoch, contract: ContractId) -> Bytes {
        // Another envelope id for each entry: the chain moves on by a block with each.
        let mut rng = ChaCha20Rng::seed_from_u64(chain.number);
        let binding = binding(chain, contract, sealed_ask());
        let draft = Draft {
            suite: self.suite,
            purpose: Purpose::Call,
            epoch: EpochId {
                group: GROUP,
                epoch: EPOCH,
            },
            id: EnvelopeId::random(&mut rng),
            expiry: chain.timestamp + 3_600,
            recipients: B256::ZERO,
            binding: &binding,
        };
        let recipient = EpochPublicKey::from_bytes(&keys.xwing, keys.x25519.as_slice()).unwrap();
        let plaintext = call_plaintext(chain.number, self.reply);
        envelope::seal(&draft, &recipient, &plaintext, &mut rng)
            .unwrap()
            .into()
    }
}

/// A call of 1 KiB less what the length takes, so that it is padded to that.
fn seal_in(session: &Session, chain: &Chain, contract: ContractId) -> Bytes {
    let mut rng = ChaCha20Rng::seed_from_u64(chain.number);
    let call = SessionCall {
        epoch: EpochId {
            group: GROUP,
            epoch: EPOCH,
        },
        id: EnvelopeId::random(&mut rng),
        expiry: chain.timestamp + 3_600,
        binding: &binding(chain, contract, sealed_ask()),
    };
    let mut input = calldata(chain.number);
    input.truncate(INPUT_LEN - 4);
    session.seal(&call, &input).unwrap().into()
}

fn bare(enclave: &mut Enclave, [execute, sign]: [Request; 2], sealed: bool) -> f64 {
    let mut responses = None;
    let elapsed = microseconds(|| {
        responses = Some((enclave.handle(execute), enclave.handle(sign)));
    });
    let (executed, signed) = responses.unwrap();
    check(&executed, &signed, sealed);
    elapsed
}

fn framed(enclave: &mut Enclave, requests: &[Request; 2]) -> f64 {
    let frames = requests
        .each_ref()
        .map(|request| encode(1, request).unwrap());
    let mut answers = Vec::with_capacity(frames.len());
    let elapsed = microseconds(|| {
        for frame in &frames {
            let (id, request) = decode::<Request>(&frame[4..]).unwrap();
            answers.push(encode(id, &enclave.handle(request)).unwrap());
        }
    });
    let [executed, signed] = [0, 1].map(|n: usize| decode::<Response>(&answers[n][4..]).unwrap().1);
    check(&executed, &signed, false);
    elapsed
}

/// A call that was refused or rejected would be fast.
fn check(executed: &Response, signed: &Response, sealed: bool) {
    let Response::Executed(executed) = executed else {
        panic!("not executed: {executed:?}")
    };
    assert_eq!(executed.ended, Ended::Complete);
    for result in &executed.results {
        assert_eq!(result.status, Status::Succeeded);
        assert_eq!(result.output.is_empty(), sealed);
        assert_eq!(result.sealed_output.is_empty(), !sealed);
    }
    assert!(matches!(signed, Response::Signed(_)), "{signed:?}");
}

/// Makes a contract's log as long as that of single calls is halfway through: the longer, the more
/// there is to hash of a proof.
pub(crate) fn grow_log(chain: &mut Chain, contract: ContractId) {
    for _ in 0..(crate::WARM_UP + crate::ROUNDS) / 2 {
        chain.request(contract, sealed_ask(), Bytes::new());
    }
}

pub(crate) fn sealed_ask() -> Ask {
    Ask {
        sealed: true,
        ..Ask::default()
    }
}

/// A call of `add(amount)`, with zeros after its argument up to [`INPUT_LEN`].
pub(crate) fn calldata(amount: u64) -> Vec<u8> {
    let mut data = guest::add(amount);
    data.resize(INPUT_LEN, 0);
    data
}

pub(crate) fn call_plaintext(amount: u64, reply: Option<Suite>) -> Zeroizing<Vec<u8>> {
    let reply_key = reply.map(|suite| RecipientKey::from_seed(suite, &[7; 32]).public_key());
    plaintext::encode(CallPlaintext {
        input: calldata(amount).into(),
        replyKey: reply_key
            .map(|key| key.to_tagged())
            .unwrap_or_default()
            .into(),
        padding: Bytes::new(),
    })
}
