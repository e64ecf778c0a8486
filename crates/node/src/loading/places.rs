// SPDX-License-Identifier: Apache-2.0
//! A bounded number of places, and the line for them: first those who are in a hurry.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use subrosa_types::ContractId;
use tokio::sync::oneshot;

/// What a contract is loaded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Its log waits: to be executed, or for a signature.
    Entry,
    /// Anything else.
    Other,
}

/// Places for so many at a time. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Mutex<Line>>);

#[derive(Debug)]
struct Line {
    free: usize,
    /// Whose log waits.
    entries: VecDeque<Waiter>,
    others: VecDeque<Waiter>,
    /// How often somebody was passed over for a log, in a row.
    passed_over: usize,
}

#[derive(Debug)]
struct Waiter {
    contract: ContractId,
    given: oneshot::Sender<Place>,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(Line {
            free: count,
            entries: VecDeque::new(),
            others: VecDeque::new(),
            passed_over: 0,
        })))
    }

    /// Waits for a place. Cancel safe: who gives up stands in nobody's way.
    pub(super) async fn take(&self, contract: ContractId, need: Need) -> Place {
        let place = {
            let mut line = lock(&self.0);
            if line.free > 0 {
                line.free -= 1;
                return Place(Some(Arc::clone(&self.0)));
            }
            let (given, place) = oneshot::channel();
            let waiter = Waiter { contract, given };
            match need {
                Need::Entry => line.entries.push_back(waiter),
                Need::Other => line.others.push_back(waiter),
            }
            place
        };
        // The line is held here, and drops nobody who waits.
        place.await.unwrap_or_else(|_| Place(None))
    }

    /// Whoever waits for this contract is in a hurry now.
    pub(super) fn hurry(&self, contract: ContractId) {
        let mut line = lock(&self.0);
        let Line {
            entries, others, ..
        } = &mut *line;
        let (hurried, rest): (Vec<_>, Vec<_>) = std::mem::take(others)
            .into_iter()
            .partition(|waiter| waiter.contract == contract);
        entries.extend(hurried);
        others.extend(rest);
    }
}

impl Line {
    /// Whose turn it is. Logs first, but not for ever.
    fn next(&mut self) -> Option<Waiter> {
        let others_turn = self.entries.is_empty() || self.passed_over >= MOST_PASSED_OVER;
        if others_turn && let Some(waiter) = self.others.pop_front() {
            self.passed_over = 0;
            return Some(waiter);
        }
        if !self.others.is_empty() {
            self.passed_over += 1;
        }
        self.entries.pop_front()
    }
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Option<Arc<Mutex<Line>>>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some(mut place) = self.0.take() else {
            return;
        };
        loop {
            let waiter = {
                let mut line = lock(&place);
                match line.next() {
                    Some(waiter) => waiter,
                    None => {
                        line.free += 1;
                        return;
                    }
                }
            };
            match waiter.given.send(Self(Some(place))) {
                Ok(()) => return,
                // It has given up waiting.
                Err(mut refused) => match refused.0.take() {
                    Some(returned) => place = returned,
                    None => return,
                },
            }
        }
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many logs go before somebody else who waits.
const MOST_PASSED_OVER: usize = 4;

#[cfg(test)]
mod tests {
    use std::{future::Future, task::Poll};

    use futures::{FutureExt, future::BoxFuture, poll};

    use super::*;

    fn contract(byte: u8) -> ContractId {
        ContractId::repeat_byte(byte)
    }

    /// Somebody who has begun to wait.
    async fn waiting(places: &Places, byte: u8, need: Need) -> BoxFuture<'static, Place> {
        let places = places.clone();
        let mut place = async move { places.take(contract(byte), need).await }.boxed();
        assert!(poll!(&mut place).is_pending());
        place
    }

    async fn has_come(place: &mut (impl Future<Output = Place> + Unpin)) -> Option<Place> {
        match poll!(place) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn logs_go_first_but_not_for_ever() {
        let places = Places::new(1);
        let mut held = places.take(contract(0), Need::Other).await;
        let mut query = waiting(&places, 1, Need::Other).await;
        for log in 2..2 + MOST_PASSED_OVER as u8 {
            let mut log = waiting(&places, log, Need::Entry).await;
            drop(held);
            assert!(has_come(&mut query).await.is_none());
            held = has_come(&mut log).await.unwrap();
        }
        let mut log = waiting(&places, 9, Need::Entry).await;
        drop(held);
        let held = has_come(&mut query).await.unwrap();
        assert!(has_come(&mut log).await.is_none());
        drop(held);
        assert!(has_come(&mut log).await.is_some());
    }

    #[tokio::test]
    async fn who_gives_up_takes_no_place_with_him() {
        let places = Places::new(1);
        let held = places.take(contract(0), Need::Entry).await;
        let gone = waiting(&places, 1, Need::Entry).await;
        let given_and_gone = waiting(&places, 2, Need::Entry).await;
        let mut last = waiting(&places, 3, Need::Entry).await;
        drop(gone);
        drop(held);
        assert!(has_come(&mut last).await.is_none());
        drop(given_and_gone);
        drop(has_come(&mut last).await.unwrap());
        assert!(
            places
                .take(contract(4), Need::Other)
                .now_or_never()
                .is_some()
        );
    }

    #[tokio::test]
    async fn a_query_whose_log_has_entries_by_now_is_in_a_hurry() {
        let places = Places::new(1);
        let held = places.take(contract(0), Need::Entry).await;
        let mut first = waiting(&places, 1, Need::Other).await;
        let mut second = waiting(&places, 2, Need::Other).await;
        places.hurry(contract(2));
        drop(held);
        let held = has_come(&mut second).await.unwrap();
        assert!(has_come(&mut first).await.is_none());
        drop(held);
        assert!(has_come(&mut first).await.is_some());
    }
}
