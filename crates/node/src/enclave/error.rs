// SPDX-License-Identifier: Apache-2.0
//! Why the enclave gave no answer, or not the one asked for.

use std::path::PathBuf;

use subrosa_types::frame::{ErrorCode, FrameError, WireError};

/// Why a frame did not cross the stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The frame exceeds the largest one; nothing was sent.
    #[error(transparent)]
    TooLarge(WireError),
    /// What came is no frame of this protocol.
    #[error(transparent)]
    Malformed(WireError),
    /// The stream failed or ended inside a frame.
    #[error("stream failed")]
    Broken(#[from] std::io::Error),
}

impl From<WireError> for StreamError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooLarge(_) => Self::TooLarge(error),
            _ => Self::Malformed(error),
        }
    }
}

/// Why a request to the enclave failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnclaveError {
    /// The enclave answered that it could not or would not.
    #[error("enclave refused")]
    Refused(#[from] FrameError),
    /// The stream to the enclave is gone; whether it acted on the request is unknown.
    #[error("enclave disconnected")]
    Disconnected,
    /// The request does not fit a frame; nothing was sent.
    #[error("request does not fit a frame")]
    Oversized(#[source] StreamError),
    /// The enclave answered something else than was asked: its fault, or ours.
    #[error("enclave answered a {asked} request with something else")]
    OutOfStep {
        /// What was asked.
        asked: &'static str,
    },
}

impl EnclaveError {
    /// The code of a refusal.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.code),
            _ => None,
        }
    }
}

/// Why there is no connection to an enclave.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nothing listens on the socket, and no binary is configured to start.
    #[error("cannot connect to the enclave at {socket}", socket = socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The binary does not start.
    #[error("cannot start the enclave {binary}", binary = binary.display())]
    Start {
        /// The binary.
        binary: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The binary ended, or closed its output, before it listened.
    #[error("the enclave ended before it listened ({status}); its output is in {log}", log = log.display())]
    Ended {
        /// How it ended.
        status: String,
        /// Where its output is.
        log: PathBuf,
    },
    /// The stream failed, or carried something that is not this protocol, during the handshake.
    #[error("handshake with the enclave failed")]
    Handshake(#[source] StreamError),
    /// The handshake took too long.
    #[error("the enclave at {} did not answer; another host may hold its stream", .0.display())]
    Silent(PathBuf),
    /// The enclave speaks another version.
    #[error("the enclave speaks another protocol than version {ours}: {message}")]
    Version {
        /// What this host speaks.
        ours: u16,
        /// What the enclave said.
        message: String,
    },
    /// The enclave refused the handshake for another reason.
    #[error("the enclave refused the handshake")]
    Refused(#[source] FrameError),
}

impl ConnectError {
    /// Whether trying again later could help.
    pub(crate) fn is_transient(&self) -> bool {
        !matches!(self, Self::Version { .. } | Self::Start { .. })
    }
}
