// SPDX-License-Identifier: Apache-2.0
//! One connection over a Unix socket: one task owns the stream and serves requests in the order in
//! which they were made.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use metrics::Histogram;
use subrosa_types::frame::{HelloReply, Request, Response};
use tokio::{
    net::UnixStream,
    sync::{mpsc, oneshot},
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
    /// Process id of whoever listens at the other end.
    pub(super) peer: Option<i32>,
}

/// One request and where its answer goes.
#[derive(Debug)]
struct Job {
    request: Request,
    answer: oneshot::Sender<Result<Response, EnclaveError>>,
}

/// How long to wait for an enclave before its stream counts as broken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For connecting and greeting. A fresh enclave answers at once; one that serves another
    /// host does not answer at all.
    pub(super) handshake: Duration,
    /// For one answer. Far above what the enclave itself allows for one request.
    pub(super) answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            answer: Duration::from_secs(300),
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
    tokio::spawn(serve(stream, queue, terms));
    Ok((Arc::new(UnixLink { jobs, peer }), hello))
}

#[async_trait]
impl EnclaveLink for UnixLink {
    async fn ask(&self, request: Request) -> Result<Response, EnclaveError> {
        let (answer, response) = oneshot::channel();
        let job = Job { request, answer };
        self.jobs
            .send(job)
            .await
            .map_err(|_| EnclaveError::Disconnected)?;
        response.await.map_err(|_| EnclaveError::Disconnected)?
    }

    fn is_closed(&self) -> bool {
        self.jobs.is_closed()
    }

    async fn closed(&self) {
        self.jobs.closed().await;
    }
}

/// Owns the stream until it fails, the [`UnixLink`] is dropped, or the enclave hangs up.
async fn serve(mut stream: UnixStream, mut queue: mpsc::Receiver<Job>, terms: Terms) {
    let clock = terms.clock.as_ref();
    loop {
        let job = tokio::select! {
            job = queue.recv() => job,
            // The enclave never speaks unasked, so readable while idle means that it is gone.
            _ = stream.readable() => {
                if is_idle(&stream) {
                    continue;
                }
                debug!("the enclave hung up");
                return;
            }
        };
        let Some(Job { request, answer }) = job else {
            return;
        };
        let started = clock.monotonic();
        let exchange = wire::exchange(&mut stream, &request);
        let outcome = within(clock, terms.patience.answer, exchange)
            .await
            .unwrap_or_else(|| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        terms.request_seconds.record(elapsed(clock, started));
        let outcome = match outcome {
            Ok(response) => Ok(response),
            Err(error @ StreamError::TooLarge(_)) => Err(EnclaveError::Oversized(error)),
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "the stream to the enclave failed"
                );
                let _ = answer.send(Err(EnclaveError::Disconnected));
                return;
            }
        };
        // Whoever asked may have stopped waiting; the enclave has acted all the same.
        let _ = answer.send(outcome);
    }
}

/// Whether nothing has arrived: a spurious wake-up rather than an end or unasked bytes.
fn is_idle(stream: &UnixStream) -> bool {
    let read = stream.try_read(&mut [0; 1]);
    matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Requests that may wait for the stream.
const QUEUE: usize = 64;
