// SPDX-License-Identifier: Apache-2.0
//! The host's end of the stream to the enclave.
//!
//! A [`Link`] is one connection, greeted: one task owns the stream and serves requests in the
//! order in which they were made. When the stream breaks the link is over for everyone that holds
//! it; connecting again, perhaps to another enclave, is the business of
//! [`bringup`](crate::bringup). The boot id says which enclave it is.

mod error;
mod process;
mod wire;

use std::{path::Path, time::Duration};

use alloy_primitives::{B256, Bytes};
use subrosa_types::{
    ContractId,
    frame::{
        EpochProposal, ErrorCode, Executed, HeaderFrame, HelloReply, Loaded, LoggedEntry,
        PublishedEpoch, Queried, Reassignment, Request, Response, ResultRef, Signed,
        SignedStatement, Started, StateBlob, StorageProof, WIRE_VERSION, WireError,
    },
};
use tokio::{
    net::UnixStream,
    sync::{mpsc, oneshot},
};
use tracing::{debug, warn};

use error::StreamError;
pub use error::{ConnectError, EnclaveError};
pub(crate) use process::Launcher;

use crate::metrics::EnclaveMetrics;

/// A greeted connection to one boot of an enclave. Clones share the stream.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    jobs: mpsc::Sender<Job>,
    peer: Option<i32>,
}

/// One request and where its answer goes.
#[derive(Debug)]
struct Job {
    request: Request,
    answer: oneshot::Sender<Result<Response, EnclaveError>>,
}

/// How long to wait for an enclave before its stream counts as broken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For connecting and greeting. A fresh enclave answers at once; one that serves another
    /// host does not answer at all.
    pub(crate) handshake: Duration,
    /// For one answer. Far above what the enclave itself allows for one request.
    pub(crate) answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            answer: Duration::from_secs(300),
        }
    }
}

/// Connects to a listening enclave and greets it.
///
/// # Errors
///
/// [`ConnectError`].
pub(crate) async fn connect(
    socket: &Path,
    patience: Patience,
    metrics: EnclaveMetrics,
) -> Result<(Link, HelloReply), ConnectError> {
    let handshake = async {
        let stream = UnixStream::connect(socket).await;
        let mut stream = stream.map_err(|source| ConnectError::Connect {
            socket: socket.to_owned(),
            source,
        })?;
        let hello = greet(&mut stream).await?;
        Ok((stream, hello))
    };
    let (stream, hello) = tokio::time::timeout(patience.handshake, handshake)
        .await
        .map_err(|_| ConnectError::Silent(socket.to_owned()))??;
    let peer = stream.peer_cred().ok().and_then(|peer| peer.pid());
    let (jobs, queue) = mpsc::channel(QUEUE);
    tokio::spawn(serve(stream, queue, patience.answer, metrics));
    Ok((Link { jobs, peer }, hello))
}

async fn greet(stream: &mut UnixStream) -> Result<HelloReply, ConnectError> {
    let hello = Request::Hello {
        wire_version: WIRE_VERSION,
    };
    match wire::exchange(stream, &hello).await {
        Ok(Response::Hello(reply)) if reply.wire_version == WIRE_VERSION => Ok(*reply),
        Ok(Response::Hello(reply)) => Err(ConnectError::Version {
            ours: WIRE_VERSION,
            message: format!("version {}", reply.wire_version),
        }),
        Ok(Response::Error(error)) if error.code == ErrorCode::Version => {
            Err(ConnectError::Version {
                ours: WIRE_VERSION,
                message: error.message,
            })
        }
        Ok(Response::Error(error)) => Err(ConnectError::Refused(error)),
        Ok(_) => Err(ConnectError::Handshake(WireError::Malformed.into())),
        Err(error) => Err(ConnectError::Handshake(error)),
    }
}

/// Owns the stream until it fails, every [`Link`] is dropped, or the enclave hangs up.
async fn serve(
    mut stream: UnixStream,
    mut queue: mpsc::Receiver<Job>,
    patience: Duration,
    metrics: EnclaveMetrics,
) {
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
        let started = std::time::Instant::now();
        let exchange = wire::exchange(&mut stream, &request);
        let outcome = tokio::time::timeout(patience, exchange)
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        metrics.request_seconds.record(started.elapsed());
        let outcome = match outcome {
            Ok(Response::Error(error)) => {
                metrics.refusals.increment(1);
                Err(EnclaveError::Refused(error))
            }
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

impl Link {
    /// Process id of whoever listens at the other end.
    pub(crate) fn peer(&self) -> Option<i32> {
        self.peer
    }

    /// Whether the stream is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.jobs.is_closed()
    }

    /// Completes when the stream is gone.
    pub(crate) async fn closed(&self) {
        self.jobs.closed().await;
    }

    /// Fixes the configuration. The checkpoint is empty: host-asserted headers have none.
    pub(crate) async fn start(&self, config: Bytes) -> Result<Started, EnclaveError> {
        let request = Request::Start {
            config,
            checkpoint: Bytes::new(),
        };
        match self.ask(request).await? {
            Response::Started(started) => Ok(*started),
            _ => Err(EnclaveError::OutOfStep { asked: "start" }),
        }
    }

    /// Evidence over a challenge.
    pub(crate) async fn quote(&self, challenge: Vec<u8>) -> Result<Bytes, EnclaveError> {
        match self.ask(Request::Quote { challenge }).await? {
            Response::Evidence(bundle) => Ok(bundle),
            _ => Err(EnclaveError::OutOfStep { asked: "quote" }),
        }
    }

    /// A fresh epoch secret's public key.
    pub(crate) async fn propose_epoch(
        &self,
        epoch: u32,
        measurements: Vec<B256>,
    ) -> Result<EpochProposal, EnclaveError> {
        let request = Request::ProposeEpoch {
            epoch,
            measurements,
        };
        match self.ask(request).await? {
            Response::Epoch(proposal) => Ok(*proposal),
            _ => Err(EnclaveError::OutOfStep { asked: "propose" }),
        }
    }

    /// A sealed epoch secret's public key.
    pub(crate) async fn restore_epoch(&self, sealed: Bytes) -> Result<EpochProposal, EnclaveError> {
        match self.ask(Request::RestoreEpoch { sealed }).await? {
            Response::Epoch(proposal) => Ok(*proposal),
            _ => Err(EnclaveError::OutOfStep { asked: "restore" }),
        }
    }

    /// Proves that the registry opened an epoch.
    pub(crate) async fn activate_epoch(
        &self,
        epoch: u32,
        proof: StorageProof,
    ) -> Result<PublishedEpoch, EnclaveError> {
        let proof = Box::new(proof);
        match self.ask(Request::ActivateEpoch { epoch, proof }).await? {
            Response::EpochActive(keys) => Ok(*keys),
            _ => Err(EnclaveError::OutOfStep { asked: "activate" }),
        }
    }

    /// Replaces a contract's state by stored blobs.
    pub(crate) async fn load(
        &self,
        contract: ContractId,
        blobs: Vec<StateBlob>,
    ) -> Result<Loaded, EnclaveError> {
        match self.ask(Request::Load { contract, blobs }).await? {
            Response::Loaded(loaded) => Ok(loaded),
            _ => Err(EnclaveError::OutOfStep { asked: "load" }),
        }
    }

    /// Executes consecutive entries.
    pub(crate) async fn execute(
        &self,
        contract: ContractId,
        entries: Vec<LoggedEntry>,
        code_envelope: Option<Bytes>,
        reassignment: Option<Reassignment>,
        proof: StorageProof,
    ) -> Result<Executed, EnclaveError> {
        let request = Request::Execute {
            contract,
            entries,
            code_envelope,
            reassignment: reassignment.map(Box::new),
            proof: Box::new(proof),
        };
        match self.ask(request).await? {
            Response::Executed(executed) => Ok(*executed),
            _ => Err(EnclaveError::OutOfStep { asked: "execute" }),
        }
    }

    /// A snapshot of a contract's state.
    pub(crate) async fn snapshot(&self, contract: ContractId) -> Result<StateBlob, EnclaveError> {
        match self.ask(Request::Snapshot { contract }).await? {
            Response::Snapshot(blob) => Ok(*blob),
            _ => Err(EnclaveError::OutOfStep { asked: "snapshot" }),
        }
    }

    /// A signature over results.
    pub(crate) async fn sign(
        &self,
        results: Vec<ResultRef>,
        anchor: HeaderFrame,
    ) -> Result<Signed, EnclaveError> {
        match self.ask(Request::Sign { results, anchor }).await? {
            Response::Signed(signed) => Ok(*signed),
            _ => Err(EnclaveError::OutOfStep { asked: "sign" }),
        }
    }

    /// A query's reply.
    pub(crate) async fn query(
        &self,
        contract: ContractId,
        envelope: Bytes,
    ) -> Result<Queried, EnclaveError> {
        match self.ask(Request::Query { contract, envelope }).await? {
            Response::Queried(queried) => Ok(*queried),
            _ => Err(EnclaveError::OutOfStep { asked: "query" }),
        }
    }

    /// A statement of a contract's code commitment.
    pub(crate) async fn state(
        &self,
        contract: ContractId,
        nonce: B256,
    ) -> Result<SignedStatement, EnclaveError> {
        match self.ask(Request::Statement { contract, nonce }).await? {
            Response::Statement(stated) => Ok(*stated),
            _ => Err(EnclaveError::OutOfStep { asked: "state" }),
        }
    }

    async fn ask(&self, request: Request) -> Result<Response, EnclaveError> {
        let (answer, response) = oneshot::channel();
        let job = Job { request, answer };
        self.jobs
            .send(job)
            .await
            .map_err(|_| EnclaveError::Disconnected)?;
        response.await.map_err(|_| EnclaveError::Disconnected)?
    }
}

/// Requests that may wait for the stream.
const QUEUE: usize = 64;

#[cfg(test)]
mod tests;
