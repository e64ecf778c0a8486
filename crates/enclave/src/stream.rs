// SPDX-License-Identifier: Apache-2.0
//! One host's stream: the body of a frame in, a whole frame out.

use core::fmt;

use alloc::{format, vec::Vec};

use subrosa_types::frame::{
    self, ErrorCode, FrameError, Request, Response, WIRE_VERSION, WireError,
};

use crate::enclave::Enclave;

/// One host's stream, which begins with a hello. Whoever reads frames from a real stream hands
/// their bodies over; every one is answered with exactly one frame. The enclave's state outlives
/// the stream.
pub struct HostStream<'a> {
    enclave: &'a mut Enclave,
    greeted: bool,
}

impl<'a> HostStream<'a> {
    /// A stream on which nothing has been said.
    pub fn new(enclave: &'a mut Enclave) -> Self {
        Self {
            enclave,
            greeted: false,
        }
    }

    /// The frame that answers a frame of this body. One that does not decode is answered with an
    /// error.
    pub fn answer(&mut self, body: &[u8]) -> Vec<u8> {
        encode(&self.respond(body))
    }

    /// The frame that answers one which announces `length` bytes, more than
    /// [`MAX_FRAME_BYTES`](frame::MAX_FRAME_BYTES). The reader skips those bytes without keeping
    /// them.
    pub fn answer_oversized(&self, length: usize) -> Vec<u8> {
        encode(&refuse(ErrorCode::Malformed, WireError::TooLarge(length)))
    }

    fn respond(&mut self, body: &[u8]) -> Response {
        let request = match frame::decode::<Request>(body) {
            Ok(request) => request,
            Err(error @ WireError::Version(_)) => return refuse(ErrorCode::Version, error),
            Err(error) => return refuse(ErrorCode::Malformed, error),
        };
        match &request {
            Request::Hello { wire_version } if *wire_version != WIRE_VERSION => {
                let message =
                    format!("wire version {wire_version}, this enclave speaks {WIRE_VERSION}");
                return refuse(ErrorCode::Version, message);
            }
            Request::Hello { .. } => self.greeted = true,
            _ if !self.greeted => {
                return refuse(ErrorCode::OutOfOrder, "the first frame must be a hello");
            }
            _ => {}
        }
        self.enclave.handle(request)
    }
}

/// Shows nothing of the enclave.
impl fmt::Debug for HostStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostStream")
            .field("greeted", &self.greeted)
            .finish_non_exhaustive()
    }
}

/// A response as a frame; one that does not fit becomes the error that says so.
fn encode(response: &Response) -> Vec<u8> {
    frame::encode(response)
        .or_else(|error| frame::encode(&refuse(ErrorCode::Unsupported, error)))
        .unwrap_or_default()
}

fn refuse(code: ErrorCode, message: impl fmt::Display) -> Response {
    Response::Error(FrameError::new(code, message))
}
