// SPDX-License-Identifier: Apache-2.0
//! Jobs that wait for a thread, by lane.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use subrosa_enclave_core::Job;
use subrosa_types::frame::Lane;

/// The queues of all lanes. Each is bounded, so that a flood in one takes neither memory nor the place
/// of anything in another.
#[derive(Default)]
pub(crate) struct Lanes {
    inner: Mutex<Inner>,
    more: [Condvar; LANES],
}

#[derive(Default)]
struct Inner {
    queues: [VecDeque<Job>; LANES],
    /// Requests that were admitted and not answered.
    under_way: [usize; LANES],
    closed: bool,
}

impl Lanes {
    /// Takes a request in if its lane has room for one more; otherwise gives it back.
    pub(crate) fn admit(&self, job: Job) -> Result<(), Job> {
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
    pub(crate) fn resume(&self, job: Job) {
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
    pub(crate) fn next(&self, lane: Lane) -> Option<Job> {
        let lane = index(lane);
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            if let Some(job) = inner.queues[lane].pop_front() {
                return Some(job);
            }
            inner = self.more[lane]
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets everybody who waits go.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.more.iter().for_each(Condvar::notify_all);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Requests of a lane that may be under way: control, execution, queries.
const MOST: [usize; LANES] = [64, 256, 64];
