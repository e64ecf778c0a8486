// SPDX-License-Identifier: Apache-2.0
//! The threads that run an enclave's jobs, and where their answers go.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    num::NonZeroUsize,
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

use subrosa_enclave_core::{Accepted, Enclave, HostStream, Tag};
use subrosa_types::frame::{Lane, Response};

use crate::{
    lanes::{Lanes, Taken},
    stream::{Frame, read, skip},
};

/// An enclave at work. Dropped, it ends its threads.
pub(crate) struct Server {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    enclave: Enclave,
    lanes: Lanes,
    hosts: Mutex<Hosts>,
    /// A host's last answer was written, or it is gone.
    settled: Condvar,
}

#[derive(Default)]
struct Hosts {
    next: u64,
    by_id: BTreeMap<u64, Host>,
}

/// One host's end of a stream.
struct Host {
    /// Locked while a frame is written.
    stream: Arc<Mutex<UnixStream>>,
    /// Requests whose answers are still to be written.
    owed: usize,
}

impl Server {
    /// Starts `workers` threads for execution, one for control and one for queries: however many of
    /// those there are, they have one thread's share.
    pub(crate) fn start(enclave: Enclave, workers: NonZeroUsize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            enclave,
            lanes: Lanes::new(workers),
            hosts: Mutex::default(),
            settled: Condvar::new(),
        });
        let execution = (0..workers.get()).map(|_| Lane::Execution);
        let threads = execution.chain([Lane::Control, Lane::Query]).map(|lane| {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("{lane:?}").to_lowercase())
                .stack_size(STACK_BYTES)
                .spawn(move || shared.work(lane))
        });
        let threads = threads.collect::<io::Result<_>>()?;
        Ok(Self { shared, threads })
    }

    /// Serves one stream until it ends, answering each frame with exactly one frame.
    ///
    /// # Errors
    ///
    /// What the stream fails with, an end inside a frame included.
    pub(crate) fn serve(&self, stream: UnixStream) -> io::Result<()> {
        let id = self.shared.enlist(stream.try_clone()?);
        let outcome = self.shared.take_in(id, stream);
        self.shared.release(id);
        outcome
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.lanes.close();
        for thread in self.threads.drain(..) {
            // What it panicked with was said by then.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Runs a lane's jobs.
    fn work(&self, lane: Lane) {
        while let Some(Taken { job, place }) = self.lanes.next(lane) {
            let begun = Instant::now();
            let progress = self.enclave.run(job);
            // One that came before its turn was put aside, and nothing of it ran.
            let ran = progress.answer.is_some() || !progress.jobs.is_empty();
            self.lanes.finished(&place, ran.then(|| begun.elapsed()));
            for job in progress.jobs {
                self.lanes.resume(job);
            }
            if let Some((tag, response)) = progress.answer {
                self.lanes.answered(lane);
                self.answer(tag, &response);
            }
        }
    }

    /// Takes in a host's frames.
    fn take_in(&self, id: u64, mut stream: UnixStream) -> io::Result<()> {
        let mut host = HostStream::new(id);
        loop {
            let accepted = match read(&mut stream)? {
                None => return Ok(()),
                Some(Frame::Body(body)) => host.accept(&self.enclave, &body),
                Some(Frame::Oversized(length)) => {
                    let header = skip(&mut stream, length)?;
                    Accepted::Answer(host.refuse_oversized(&header, length))
                }
            };
            self.owe(id);
            match accepted {
                Accepted::Answer(frame) => self.write(id, &frame),
                Accepted::Job(job) => {
                    if let Err(job) = self.lanes.admit(job) {
                        self.refuse(job);
                    }
                }
            }
        }
    }

    /// Refuses a job for lack of room. It may have a place in line, which it gives up by being run to
    /// its end with nothing to do.
    fn refuse(&self, job: subrosa_enclave_core::Job) {
        let tag = job.tag();
        if let Some(waited) = self.enclave.refuse(job) {
            self.lanes.resume(waited);
        }
        self.write(tag.stream, &HostStream::refuse_busy(tag));
    }

    fn answer(&self, tag: Tag, response: &Response) {
        self.write(tag.stream, &HostStream::encode(tag, response));
    }

    /// Writes an answer. A host that is gone misses nothing.
    fn write(&self, id: u64, frame: &[u8]) {
        let stream = self
            .hosts()
            .by_id
            .get(&id)
            .map(|host| Arc::clone(&host.stream));
        let Some(stream) = stream else { return };
        let written = {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            stream.write_all(frame).and_then(|()| stream.flush())
        };
        let mut hosts = self.hosts();
        let Some(host) = hosts.by_id.get_mut(&id) else {
            return;
        };
        host.owed = match written {
            Ok(()) => host.owed.saturating_sub(1),
            Err(_) => 0,
        };
        if host.owed == 0 {
            self.settled.notify_all();
        }
    }

    fn enlist(&self, stream: UnixStream) -> u64 {
        let mut hosts = self.hosts();
        let id = hosts.next;
        hosts.next += 1;
        let host = Host {
            stream: Arc::new(Mutex::new(stream)),
            owed: 0,
        };
        hosts.by_id.insert(id, host);
        id
    }

    fn owe(&self, id: u64) {
        if let Some(host) = self.hosts().by_id.get_mut(&id) {
            host.owed += 1;
        }
    }

    /// Waits until a host that says nothing more has all its answers, or does not take them.
    fn release(&self, id: u64) {
        let mut hosts = self.hosts();
        while hosts.by_id.get(&id).is_some_and(|host| host.owed > 0) {
            hosts = self
                .settled
                .wait(hosts)
                .unwrap_or_else(PoisonError::into_inner);
        }
        hosts.by_id.remove(&id);
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guest's calls nest as deep as its runtime allows, and each takes a part of the stack.
const STACK_BYTES: usize = 16 << 20;
