// SPDX-License-Identifier: Apache-2.0
//! What must hold of every [`HeaderTrust`], as a suite that a kind's tests run.
#![allow(clippy::panic, reason = "cases fail by panicking")]

use alloc::{boxed::Box, vec::Vec};

use alloy_primitives::{B256, Bytes, keccak256};
use subrosa_types::{
    entry::FinalityClass,
    frame::{HeaderFrame, VouchedBlock},
    id,
};

use crate::{HeaderTrust, ProofError, TrustError, verify_header};

/// A kind of header trust, and what it takes and refuses.
#[derive(Debug)]
pub struct Subject {
    /// Starts it, always from the same checkpoint.
    pub start: fn() -> Box<dyn HeaderTrust>,
    /// That checkpoint.
    pub checkpoint: Vec<u8>,
    /// Updates that it takes in this order; none for a kind that has none.
    pub updates: Vec<Bytes>,
    /// Updates that it refuses before and after those.
    pub bad_updates: Vec<Bytes>,
    /// Headers that it vouches for once it has taken the updates, with ancestors, each with its
    /// class.
    pub vouched: Vec<(HeaderFrame, FinalityClass)>,
    /// Witnesses that vouch for none of those headers.
    pub bad_witnesses: Vec<Bytes>,
}

impl Subject {
    fn advanced(&self) -> Box<dyn HeaderTrust> {
        let mut trust = (self.start)();
        for update in &self.updates {
            assert_eq!(trust.advance(update), Ok(()));
        }
        trust
    }
}

/// Runs every case.
///
/// # Panics
///
/// If one does not hold.
pub fn run(subject: &Subject) {
    the_start_hash_is_that_of_the_checkpoint_and_stays(subject);
    a_bad_update_is_refused_and_changes_nothing(subject);
    the_newest_block_never_gets_older(subject);
    every_header_has_its_class_and_its_ancestors_inherit_it(subject);
    a_bad_witness_is_refused(subject);
    a_witness_vouches_for_one_header(subject);
}

/// Whoever starts from the same checkpoint says the same of it, before and after updates.
pub fn the_start_hash_is_that_of_the_checkpoint_and_stays(subject: &Subject) {
    let expected = id::start_hash(&subject.checkpoint);
    assert_eq!((subject.start)().start_hash(), expected);
    assert_eq!(subject.advanced().start_hash(), expected);
}

/// A refused update is a typed refusal, and what is vouched for stays what it was.
pub fn a_bad_update_is_refused_and_changes_nothing(subject: &Subject) {
    for mut trust in [(subject.start)(), subject.advanced()] {
        let before = says(trust.as_ref(), subject);
        for update in &subject.bad_updates {
            assert_eq!(
                trust.advance(update),
                Err(TrustError::Update(trust.kind())),
                "{update}"
            );
            assert_eq!(says(trust.as_ref(), subject), before, "{update}");
        }
    }
}

/// Updates move forward only.
pub fn the_newest_block_never_gets_older(subject: &Subject) {
    let mut trust = (subject.start)();
    let mut newest = trust.newest().map(|block| block.number);
    for update in &subject.updates {
        assert_eq!(trust.advance(update), Ok(()));
        let now = trust.newest().map(|block| block.number);
        assert!(now >= newest, "{newest:?} to {now:?}");
        newest = now;
    }
}

/// The class is a property of the header: asked again, it is the same.
pub fn every_header_has_its_class_and_its_ancestors_inherit_it(subject: &Subject) {
    let trust = subject.advanced();
    for (frame, class) in subject.vouched.iter().chain(&subject.vouched) {
        match verify_header(trust.as_ref(), frame) {
            Ok(proven) => {
                assert_eq!(proven.trusted().class(), *class);
                assert_eq!(proven.target().class(), *class);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// A witness that does not vouch is refused, whatever the header.
pub fn a_bad_witness_is_refused(subject: &Subject) {
    let trust = subject.advanced();
    for (frame, _) in &subject.vouched {
        for witness in &subject.bad_witnesses {
            let frame = HeaderFrame {
                witness: witness.clone(),
                ..frame.clone()
            };
            let hash = keccak256(&frame.trusted);
            assert_eq!(
                verify_header(trust.as_ref(), &frame),
                Err(ProofError::Untrusted { hash })
            );
        }
    }
}

/// What vouches for a header, unless it is nothing, vouches for no other.
pub fn a_witness_vouches_for_one_header(subject: &Subject) {
    let trust = subject.advanced();
    for (one, _) in &subject.vouched {
        for (other, _) in &subject.vouched {
            if one.trusted != other.trusted && one.witness != other.witness {
                let mixed = HeaderFrame {
                    witness: other.witness.clone(),
                    ..one.clone()
                };
                let hash = keccak256(&mixed.trusted);
                assert_eq!(
                    verify_header(trust.as_ref(), &mixed),
                    Err(ProofError::Untrusted { hash })
                );
            }
        }
    }
}

/// Everything that `trust` says, to be compared.
fn says(
    trust: &dyn HeaderTrust,
    subject: &Subject,
) -> (
    B256,
    Option<VouchedBlock>,
    Vec<Result<FinalityClass, ProofError>>,
) {
    let verdicts = subject
        .vouched
        .iter()
        .map(|(frame, _)| verify_header(trust, frame).map(|proven| proven.target().class()))
        .collect();
    (trust.start_hash(), trust.newest(), verdicts)
}
