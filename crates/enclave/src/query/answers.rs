// SPDX-License-Identifier: Apache-2.0
//! The newest answers, so that a query asked again is not executed again.

use alloc::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use alloy_primitives::{Address, B256, keccak256};
use subrosa_types::frame::{FrameError, Queried};

use crate::{
    contract::Contract,
    limits::{MAX_ANSWERS, MAX_ANSWERS_BYTES},
};

/// Answers that were given, the oldest first. What is kept is what the host was handed: sealed and
/// signed.
#[derive(Default)]
pub(crate) struct Answers {
    kept: VecDeque<(Key, Queried)>,
    bytes: usize,
}

/// What an answer is a function of.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    envelope: B256,
    contract: B256,
    seq: u64,
    commitment: B256,
    digest: B256,
    signer: Address,
}

impl Answers {
    /// The answer to `envelope` on the state of `contract`: the one that was given, or else what
    /// `query` gives, with nothing locked meanwhile. A refusal is not kept.
    pub(crate) fn answer(
        answers: &Mutex<Self>,
        signer: Address,
        contract: &Contract,
        envelope: &[u8],
        query: impl FnOnce() -> Result<Queried, FrameError>,
    ) -> Result<Queried, FrameError> {
        let position = contract.position();
        let key = Key {
            envelope: keccak256(envelope),
            contract: contract.id,
            seq: position.head.seq,
            commitment: position.head.commitment,
            digest: position.digest,
            signer,
        };
        Self::find_or(answers, key, query)
    }

    fn find_or(
        answers: &Mutex<Self>,
        key: Key,
        query: impl FnOnce() -> Result<Queried, FrameError>,
    ) -> Result<Queried, FrameError> {
        let lock = || answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queried) = lock().find(&key) {
            return Ok(queried);
        }
        let queried = query()?;
        lock().keep(key, queried.clone());
        Ok(queried)
    }

    fn find(&self, key: &Key) -> Option<Queried> {
        let found = self.kept.iter().find(|(kept, _)| kept == key);
        found.map(|(_, queried)| queried.clone())
    }

    fn keep(&mut self, key: Key, queried: Queried) {
        self.bytes += queried.sealed.len();
        self.kept.push_back((key, queried));
        while self.kept.len() > MAX_ANSWERS || self.bytes > MAX_ANSWERS_BYTES {
            let Some((_, oldest)) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.sealed.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::aliases::U48;
    use subrosa_types::{abi::QueryReply, frame::ErrorCode};

    use super::*;

    fn key(number: u64) -> Key {
        Key {
            envelope: B256::ZERO,
            contract: B256::ZERO,
            seq: number,
            commitment: B256::ZERO,
            digest: B256::ZERO,
            signer: Address::ZERO,
        }
    }

    fn queried(bytes: usize) -> Queried {
        Queried {
            reply: QueryReply {
                queryHash: B256::ZERO,
                contractId: B256::ZERO,
                seq: U48::ZERO,
                commitment: B256::ZERO,
                blockNumber: 0,
                nonce: B256::ZERO,
                replyHash: B256::ZERO,
                configHash: B256::ZERO,
            },
            sealed: vec![0; bytes].into(),
            signature: Vec::new().into(),
        }
    }

    /// Asks, and says whether that was executed.
    fn executes(answers: &Mutex<Answers>, key: Key, bytes: usize) -> bool {
        let mut executed = false;
        let answer = Answers::find_or(answers, key, || {
            executed = true;
            Ok(queried(bytes))
        });
        assert_eq!(answer, Ok(queried(bytes)));
        executed
    }

    #[test]
    fn an_answer_is_computed_once_and_each_part_of_its_key_counts() {
        let answers = Mutex::new(Answers::default());
        assert!(executes(&answers, key(1), 1));
        assert!(!executes(&answers, key(1), 1));
        let other = B256::repeat_byte(1);
        for different in [
            key(2),
            Key {
                envelope: other,
                ..key(1)
            },
            Key {
                contract: other,
                ..key(1)
            },
            Key {
                commitment: other,
                ..key(1)
            },
            Key {
                digest: other,
                ..key(1)
            },
            Key {
                signer: Address::repeat_byte(1),
                ..key(1)
            },
        ] {
            assert!(executes(&answers, different, 1));
        }
    }

    #[test]
    fn a_refusal_is_not_kept() {
        let answers = Mutex::new(Answers::default());
        let refusal = FrameError::new(ErrorCode::Query, "no");
        let refused = Answers::find_or(&answers, key(1), || Err(refusal.clone()));
        assert_eq!(refused, Err(refusal));
        assert!(executes(&answers, key(1), 1));
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_bytes() {
        let answers = Mutex::new(Answers::default());
        for number in 0..=MAX_ANSWERS as u64 {
            executes(&answers, key(number), 1);
        }
        assert_eq!(answers.lock().unwrap().kept.len(), MAX_ANSWERS);
        assert!(!executes(&answers, key(1), 1));
        assert!(executes(&answers, key(0), 1));

        let answers = Mutex::new(Answers::default());
        for number in 0..8 {
            executes(&answers, key(number), MAX_ANSWERS_BYTES / 4);
            assert!(answers.lock().unwrap().bytes <= MAX_ANSWERS_BYTES);
        }
        assert_eq!(answers.lock().unwrap().kept.len(), 4);
        executes(&answers, key(9), MAX_ANSWERS_BYTES + 1);
        let kept = answers.into_inner().unwrap();
        assert!(kept.kept.is_empty() && kept.bytes == 0);
    }
}
