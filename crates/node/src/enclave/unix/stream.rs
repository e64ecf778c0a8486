// SPDX-License-Identifier: Apache-2.0
//! One connection over a Unix socket: one task writes requests to it and hands out the answers, which
//! come in any order.

use std::{
    collections::HashMap,
    path::Path,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use metrics::Histogram;
use subrosa_types::frame::{self, HelloReply, Lane, Request, Response};
use tokio::{
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
};
use tracing::{debug, warn};

use super::wire;
use crate::{
    clock::{Clock, elapsed, within},
    enclave::{
        error::{ConnectError, EnclaveError, StreamError},
        port::{EnclaveLink, greeted, hello},
    },
};

/// A greeted connection over a Unix socket.
#[derive(Debug)]
pub(super) struct UnixLink {
    jobs: mpsc::Sender<Job>,
    /// Places for requests of each lane: fewer than the enclave has, so that it never refuses one.
    places: [Arc<Semaphore>; 3],
    /// Process id of whoever listens at the other end.
    pub(super) peer: Option<i32>,
}

/// One request and where its answer goes.
#[derive(Debug)]
struct Job {
    request: Request,
    answer: oneshot::Sender<Result<Response, EnclaveError>>,
    place: OwnedSemaphorePermit,
}

/// Requests that were sent and are not answered, by id.
type Pending = Mutex<HashMap<u64, Asked>>;

/// A request that was sent.
#[derive(Debug)]
struct Asked {
    at: Duration,
    answer: oneshot::Sender<Result<Response, EnclaveError>>,
    /// Free again once it is answered, whoever still waits.
    _place: OwnedSemaphorePermit,
}

/// How long to wait for an enclave before its stream counts as broken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For connecting and greeting. A fresh enclave answers at once; one that serves another
    /// host does not answer at all.
    pub(super) handshake: Duration,
    /// For any answer while one is awaited, at least. An enclave bounds the work of one request; on a
    /// machine that is slow at it, [`PATIENCE_FACTOR`] times the longest wait so far.
    pub(super) answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            answer: Duration::from_secs(60),
        }
    }
}

/// What a connection goes by and reports to.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) patience: Patience,
    pub(super) clock: Arc<dyn Clock>,
    /// Takes the time from sending a frame to having its answer.
    pub(super) request_seconds: Histogram,
}

/// Connects to a listening enclave and greets it.
///
/// # Errors
///
/// [`ConnectError`].
pub(super) async fn connect(
    socket: &Path,
    terms: Terms,
) -> Result<(Arc<UnixLink>, HelloReply), ConnectError> {
    let handshake = async {
        let stream = UnixStream::connect(socket).await;
        let mut stream = stream.map_err(|source| ConnectError::Connect {
            socket: socket.to_owned(),
            source,
        })?;
        let reply = wire::exchange(&mut stream, &hello()).await;
        let hello = greeted(reply.map_err(ConnectError::Handshake)?)?;
        Ok((stream, hello))
    };
    let patience = terms.patience.handshake;
    let (stream, hello) = within(terms.clock.as_ref(), patience, handshake)
        .await
        .ok_or_else(|| ConnectError::Silent(socket.to_owned()))??;
    let peer = stream.peer_cred().ok().and_then(|peer| peer.pid());
    let (jobs, queue) = mpsc::channel(QUEUE);
    let (reader, writer) = stream.into_split();
    tokio::spawn(serve(reader, writer, queue, terms));
    let link = UnixLink {
        jobs,
        places: PLACES.map(|places| Arc::new(Semaphore::new(places))),
        peer,
    };
    Ok((Arc::new(link), hello))
}

#[async_trait]
impl EnclaveLink for UnixLink {
    async fn ask(&self, request: Request) -> Result<Response, EnclaveError> {
        let lane = match request.lane() {
            Lane::Control => 0,
            Lane::Execution => 1,
            Lane::Query => 2,
        };
        let disconnected = |_| EnclaveError::Disconnected;
        let place = Arc::clone(&self.places[lane]).acquire_owned().await;
        let place = place.map_err(|_| EnclaveError::Disconnected)?;
        let (answer, response) = oneshot::channel();
        let job = Job {
            request,
            answer,
            place,
        };
        self.jobs
            .send(job)
            .await
            .map_err(|_| EnclaveError::Disconnected)?;
        response.await.map_err(disconnected)?
    }

    fn is_closed(&self) -> bool {
        self.jobs.is_closed()
    }

    async fn closed(&self) {
        self.jobs.closed().await;
    }
}

/// Owns the stream until it fails, the [`UnixLink`] is dropped, or the enclave hangs up. Everyone who
/// waits for an answer then is told.
async fn serve(
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    queue: mpsc::Receiver<Job>,
    terms: Terms,
) {
    let pending = Pending::default();
    let outcome = tokio::select! {
        outcome = send(writer, queue, &pending, terms.clock.as_ref()) => outcome,
        outcome = hand_out(reader, &pending, &terms) => outcome,
    };
    match outcome {
        Ok(()) => debug!("the connection to the enclave ended"),
        Err(error) => warn!(
            error = &error as &dyn std::error::Error,
            "the stream to the enclave failed"
        ),
    }
}

/// Sends requests until nobody asks any more.
async fn send(
    mut writer: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Job>,
    pending: &Pending,
    clock: &dyn Clock,
) -> Result<(), StreamError> {
    let mut id = 0_u64;
    while let Some(Job {
        request,
        answer,
        place,
    }) = queue.recv().await
    {
        if request.lane() == Lane::Query && answer.is_closed() {
            // Nobody waits for it any more, and nothing comes of it.
            continue;
        }
        id += 1;
        let frame = match frame::encode(id, &request) {
            Ok(frame) => frame,
            Err(error) => {
                let _ = answer.send(Err(EnclaveError::Oversized(error.into())));
                continue;
            }
        };
        let at = clock.monotonic();
        lock(pending).insert(
            id,
            Asked {
                at,
                answer,
                _place: place,
            },
        );
        wire::write(&mut writer, &frame).await?;
    }
    Ok(())
}

/// Gives answers to whoever asked.
async fn hand_out(
    mut reader: OwnedReadHalf,
    pending: &Pending,
    terms: &Terms,
) -> Result<(), StreamError> {
    let clock = terms.clock.as_ref();
    let mut patience = terms.patience.answer;
    loop {
        let (id, response) = {
            let mut answer = pin!(wire::receive(&mut reader));
            loop {
                tokio::select! {
                    answer = &mut answer => break answer?,
                    () = clock.sleep(patience) => {
                        let is_late = |asked: &Asked| elapsed(clock, asked.at) >= patience;
                        if lock(pending).values().any(is_late) {
                            return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
                        }
                    }
                }
            }
        };
        let Some(Asked { at, answer, .. }) = lock(pending).remove(&id) else {
            // It answers what nobody asked.
            return Err(StreamError::Malformed(frame::WireError::Malformed));
        };
        terms.request_seconds.record(elapsed(clock, at));
        patience = patience
            .max(elapsed(clock, at) * PATIENCE_FACTOR)
            .min(MOST_PATIENCE.max(terms.patience.answer));
        // Whoever asked may have stopped waiting; the enclave has acted all the same.
        let _ = answer.send(Ok(response));
    }
}

fn lock(pending: &Pending) -> MutexGuard<'_, HashMap<u64, Asked>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Requests that may wait to be written.
const QUEUE: usize = 64;

/// Requests that may be under way, by lane: control, execution, queries.
const PLACES: [usize; 3] = [48, 192, 48];

/// How many times the longest wait so far is waited for the next answer.
const PATIENCE_FACTOR: u32 = 10;

/// The longest that an answer is waited for.
const MOST_PATIENCE: Duration = Duration::from_secs(600);
