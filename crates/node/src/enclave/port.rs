// SPDX-License-Identifier: Apache-2.0
//! The enclave port: frames to an enclave and back, and how a host comes by one.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use subrosa_types::frame::{ErrorCode, HelloReply, Request, Response, WIRE_VERSION, WireError};

use super::error::{ConnectError, EnclaveError};

/// A connection to one boot of an enclave that has been greeted.
///
/// When it breaks it is over for everyone that holds it; connecting again, perhaps to another boot,
/// is done through [`Enclaves`].
#[async_trait]
pub trait EnclaveLink: fmt::Debug + Send + Sync {
    /// Asks, and waits for the one answer. A refusal is an answer: [`Response::Error`]. Several may
    /// ask at once; each is given the answer to its own request. Once taken, a request is acted upon
    /// even if nobody waits for its answer any more.
    ///
    /// # Errors
    ///
    /// [`EnclaveError::Disconnected`] if the connection is gone, now or before there was an answer:
    /// then whether the enclave acted is unknown. [`EnclaveError::Oversized`] if the request fits
    /// no frame: nothing was sent, and the connection goes on.
    async fn ask(&self, request: Request) -> Result<Response, EnclaveError>;

    /// Whether the connection is gone.
    fn is_closed(&self) -> bool;

    /// Completes when the connection is gone. Cancel safe.
    async fn closed(&self);
}

/// Where a host has its enclave from. There is one at a time.
#[async_trait]
pub trait Enclaves: Send {
    /// Connects to the enclave that is there, or launches one, and greets it: [`hello`] is the first
    /// request of a connection, and [`greeted`] reads the answer.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    async fn connect(&mut self) -> Result<(Arc<dyn EnclaveLink>, HelloReply), ConnectError>;

    /// Whether the enclave that was connected to last is this host's to end.
    fn is_ours(&self) -> bool;

    /// Ends the enclave that was connected to last if [`Self::is_ours`], and waits until it is gone.
    async fn end(&mut self);
}

/// The request that opens a connection.
pub fn hello() -> Request {
    Request::Hello {
        wire_version: WIRE_VERSION,
    }
}

/// The enclave's answer to [`hello`], if it is one of this version.
///
/// # Errors
///
/// [`ConnectError::Version`], [`ConnectError::Refused`], [`ConnectError::Handshake`].
pub fn greeted(answer: Response) -> Result<HelloReply, ConnectError> {
    match answer {
        Response::Hello(reply) if reply.wire_version == WIRE_VERSION => Ok(*reply),
        Response::Hello(reply) => Err(ConnectError::Version {
            ours: WIRE_VERSION,
            message: format!("version {}", reply.wire_version),
        }),
        Response::Error(error) if error.code == ErrorCode::Version => Err(ConnectError::Version {
            ours: WIRE_VERSION,
            message: error.message,
        }),
        Response::Error(error) => Err(ConnectError::Refused(error)),
        _ => Err(ConnectError::Handshake(WireError::Malformed.into())),
    }
}
