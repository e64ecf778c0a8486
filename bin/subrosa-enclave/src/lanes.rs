// SPDX-License-Identifier: Apache-2.0
//! Jobs that wait for a thread, by lane.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroUsize,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use subrosa_enclave_core::Job;
use subrosa_types::{ContractId, frame::Lane};

/// The queues of all lanes. Each is bounded, so that a flood in one takes neither memory nor the place
/// of anything in another.
///
/// A guest is not interrupted. So that as many slow ones as there are threads do not hold up everybody,
/// a contract whose guest took longer than [`SLOW`] is from then on executed on all threads but one,
/// until it was quick [`QUICK_AGAIN`] times in a row.
pub(crate) struct Lanes<J = Job> {
    inner: Mutex<Inner<J>>,
    more: [Condvar; LANES],
    /// Threads that slow contracts may have at a time.
    for_slow: usize,
}

/// What waits for a thread.
pub(crate) trait Waits {
    /// The lane that it waits in.
    fn lane(&self) -> Lane;

    /// The contract whose guest it runs next, if that is what it does.
    fn executes(&self) -> Option<ContractId>;
}

impl Waits for Job {
    fn lane(&self) -> Lane {
        self.lane()
    }

    fn executes(&self) -> Option<ContractId> {
        self.executes()
    }
}

/// A job, and what its thread gives back after it.
pub(crate) struct Taken<J = Job> {
    pub(crate) job: J,
    pub(crate) place: Place,
}

/// A thread's place at executing.
pub(crate) struct Place {
    executes: Option<ContractId>,
    is_slow: bool,
}

struct Inner<J> {
    queues: [VecDeque<J>; LANES],
    /// Requests that were admitted and not answered.
    under_way: [usize; LANES],
    /// Contracts whose guests took long, and how often they have to be quick to be forgotten.
    slow: BTreeMap<ContractId, u32>,
    /// Threads that execute one of those.
    slow_under_way: usize,
    closed: bool,
}

impl<J: Waits> Lanes<J> {
    /// For this many threads that execute.
    pub(crate) fn new(workers: NonZeroUsize) -> Self {
        Self {
            inner: Mutex::new(Inner::new()),
            more: Default::default(),
            for_slow: (workers.get() - 1).max(1),
        }
    }

    /// Takes a request in if its lane has room for one more; otherwise gives it back.
    pub(crate) fn admit(&self, job: J) -> Result<(), J> {
        let lane = index(job.lane());
        let mut inner = self.lock();
        if inner.under_way[lane] >= MOST[lane] {
            return Err(job);
        }
        inner.under_way[lane] += 1;
        inner.queues[lane].push_back(job);
        self.more[lane].notify_one();
        Ok(())
    }

    /// Lets a job that was begun go on before any that was not: what is nearly done is finished first.
    pub(crate) fn resume(&self, job: J) {
        let lane = index(job.lane());
        self.lock().queues[lane].push_front(job);
        self.more[lane].notify_one();
    }

    /// Makes room for another request.
    pub(crate) fn answered(&self, lane: Lane) {
        let mut inner = self.lock();
        let count = &mut inner.under_way[index(lane)];
        *count = count.saturating_sub(1);
    }

    /// Waits for a job; `None` once the lanes are closed.
    pub(crate) fn next(&self, lane: Lane) -> Option<Taken<J>> {
        let lane = index(lane);
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            if let Some(taken) = inner.take(lane, self.for_slow) {
                return Some(taken);
            }
            inner = self.more[lane]
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a thread's place back; `took` is how long a guest ran, if one did.
    pub(crate) fn finished(&self, place: &Place, took: Option<Duration>) {
        let Some(contract) = place.executes else {
            return;
        };
        let mut inner = self.lock();
        let mut is_quick_again = false;
        if took.is_some_and(|took| took >= SLOW) {
            inner.slow.insert(contract, QUICK_AGAIN);
            if inner.slow.len() > MOST_SLOW {
                inner.slow.pop_first();
            }
        } else if took.is_some()
            && let Some(left) = inner.slow.get_mut(&contract)
        {
            *left -= 1;
            is_quick_again = *left == 0;
            if is_quick_again {
                inner.slow.remove(&contract);
            }
        }
        inner.slow_under_way -= usize::from(place.is_slow);
        if place.is_slow || is_quick_again {
            // Somebody may have passed over a job that can run now.
            self.more[index(Lane::Execution)].notify_one();
        }
    }

    /// Lets everybody who waits go.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.more.iter().for_each(Condvar::notify_all);
    }

    fn lock(&self) -> MutexGuard<'_, Inner<J>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Waits> Inner<J> {
    fn new() -> Self {
        Self {
            queues: Default::default(),
            under_way: [0; LANES],
            slow: BTreeMap::new(),
            slow_under_way: 0,
            closed: false,
        }
    }

    /// The first job that may run now.
    fn take(&mut self, lane: usize, for_slow: usize) -> Option<Taken<J>> {
        let is_slow = |job: &J| {
            job.executes()
                .is_some_and(|contract| self.slow.contains_key(&contract))
        };
        let has_room = self.slow_under_way < for_slow;
        let at = self.queues[lane]
            .iter()
            .position(|job| has_room || !is_slow(job))?;
        let is_slow = is_slow(&self.queues[lane][at]);
        let job = self.queues[lane].remove(at)?;
        self.slow_under_way += usize::from(is_slow);
        let place = Place {
            executes: job.executes(),
            is_slow,
        };
        Some(Taken { job, place })
    }
}

fn index(lane: Lane) -> usize {
    match lane {
        Lane::Control => 0,
        Lane::Execution => 1,
        Lane::Query => 2,
    }
}

const LANES: usize = 3;

/// How long a guest may take without its contract being slow: twice what a request to execute takes that
/// ends at its budget of work.
const SLOW: Duration = Duration::from_millis(200);

/// How often in a row a slow contract's guest has to be quick until the contract is not slow any more.
const QUICK_AGAIN: u32 = 16;

/// Slow contracts that are remembered.
const MOST_SLOW: usize = 1_024;

/// Requests of a lane that may be under way: control, execution, queries.
const MOST: [usize; LANES] = [64, 256, 64];

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Guest(u8);

    impl Waits for Guest {
        fn lane(&self) -> Lane {
            Lane::Execution
        }

        fn executes(&self) -> Option<ContractId> {
            Some(ContractId::repeat_byte(self.0))
        }
    }

    fn lanes(workers: usize) -> Lanes<Guest> {
        Lanes::new(NonZeroUsize::new(workers).unwrap())
    }

    fn take(lanes: &Lanes<Guest>) -> (Guest, Place) {
        let taken = lanes.next(Lane::Execution).unwrap();
        (taken.job, taken.place)
    }

    /// Has these run once, for longer than is quick.
    fn slow_down(lanes: &Lanes<Guest>, guests: &[u8]) {
        for guest in guests {
            lanes.admit(Guest(*guest)).unwrap();
            let (_, place) = take(lanes);
            lanes.finished(&place, Some(SLOW));
        }
    }

    /// Has one run for so long.
    fn run(lanes: &Lanes<Guest>, guest: u8, took: Option<Duration>) {
        lanes.admit(Guest(guest)).unwrap();
        let (_, place) = take(lanes);
        lanes.finished(&place, took);
    }

    /// Whether the second contract waits, while the first, a slow one, executes.
    fn is_passed_over(lanes: &Lanes<Guest>) -> bool {
        for guest in [1, 2, 3] {
            lanes.admit(Guest(guest)).unwrap();
        }
        let (_, first) = take(lanes);
        let (second, place) = take(lanes);
        lanes.finished(&place, None);
        lanes.finished(&first, None);
        let (_, place) = take(lanes);
        lanes.finished(&place, None);
        second == Guest(3)
    }

    #[test]
    fn slow_contracts_leave_a_thread_to_the_others() {
        let lanes = lanes(2);
        slow_down(&lanes, &[1, 2]);
        for guest in [1, 2, 3] {
            lanes.admit(Guest(guest)).unwrap();
        }
        let (first, place) = take(&lanes);
        assert_eq!(first, Guest(1));
        // The other slow one is passed over, and takes the first one's place.
        assert_eq!(take(&lanes).0, Guest(3));
        lanes.finished(&place, Some(SLOW));
        assert_eq!(take(&lanes).0, Guest(2));
    }

    #[test]
    fn a_contract_that_is_quick_again_may_have_any_thread() {
        let lanes = lanes(2);
        slow_down(&lanes, &[1, 2]);
        for _ in 0..QUICK_AGAIN {
            assert!(is_passed_over(&lanes));
            run(&lanes, 2, Some(SLOW - Duration::from_millis(1)));
        }
        assert!(!is_passed_over(&lanes));
    }

    #[test]
    fn quick_calls_between_slow_ones_are_not_enough() {
        let lanes = lanes(2);
        slow_down(&lanes, &[1, 2]);
        for _ in 1..QUICK_AGAIN {
            run(&lanes, 2, Some(Duration::ZERO));
        }
        // Nothing ran of what was put aside.
        run(&lanes, 2, None);
        run(&lanes, 2, Some(SLOW));
        run(&lanes, 2, Some(Duration::ZERO));
        assert!(is_passed_over(&lanes));
    }

    #[test]
    fn a_single_thread_runs_them_in_order() {
        let lanes = lanes(1);
        slow_down(&lanes, &[1]);
        for guest in [1, 2] {
            lanes.admit(Guest(guest)).unwrap();
        }
        let (first, place) = take(&lanes);
        lanes.finished(&place, Some(SLOW));
        assert_eq!([first, take(&lanes).0], [Guest(1), Guest(2)]);
    }

    #[test]
    fn what_is_remembered_of_slow_contracts_is_bounded() {
        let lanes = lanes(2);
        for number in 0..=MOST_SLOW {
            let place = Place {
                executes: Some(ContractId::left_padding_from(&number.to_be_bytes())),
                is_slow: false,
            };
            lanes.finished(&place, Some(SLOW));
        }
        assert_eq!(lanes.lock().slow.len(), MOST_SLOW);
    }
}
