// SPDX-License-Identifier: Apache-2.0
//! One host's stream: the body of a frame in, jobs and whole frames out.

use core::fmt;

use alloc::{format, vec::Vec};

use subrosa_types::frame::{
    self, ErrorCode, FrameError, Request, Response, WIRE_VERSION, WireError,
};

use crate::{
    enclave::Enclave,
    job::{Job, Tag},
};

/// One host's stream, which begins with a hello. Whoever reads frames from a real stream hands
/// their bodies over; every one is answered with exactly one frame. The enclave's state outlives
/// the stream.
#[derive(Debug)]
pub struct HostStream {
    id: u64,
    greeted: bool,
}

/// What becomes of a frame.
#[derive(Debug)]
pub enum Accepted {
    /// It is worked on: the answer to this job is [`HostStream::encode`]d.
    Job(Job),
    /// This frame answers it.
    Answer(Vec<u8>),
}

impl HostStream {
    /// A stream on which nothing has been said. The id is the caller's name for it, in the [`Tag`] of
    /// every job.
    pub fn new(id: u64) -> Self {
        Self { id, greeted: false }
    }

    /// Takes in a frame of this body.
    pub fn accept(&mut self, enclave: &Enclave, body: &[u8]) -> Accepted {
        let (id, request) = match frame::decode::<Request>(body) {
            Ok(decoded) => decoded,
            Err(error @ WireError::Version(_)) => {
                return refuse(0, ErrorCode::Version, error);
            }
            Err(error) => return refuse(frame::request_id(body), ErrorCode::Malformed, error),
        };
        match &request {
            Request::Hello { wire_version } if *wire_version != WIRE_VERSION => {
                let message =
                    format!("wire version {wire_version}, this enclave speaks {WIRE_VERSION}");
                return refuse(id, ErrorCode::Version, message);
            }
            Request::Hello { .. } => self.greeted = true,
            _ if !self.greeted => {
                let message = "the first frame must be a hello";
                return refuse(id, ErrorCode::OutOfOrder, message);
            }
            _ => {}
        }
        let tag = Tag {
            stream: self.id,
            request: id,
        };
        Accepted::Job(enclave.accept(tag, request))
    }

    /// Refuses a frame that announces `length` bytes, more than
    /// [`MAX_FRAME_BYTES`](frame::MAX_FRAME_BYTES). The reader keeps of it only its first
    /// [`HEADER_BYTES`](frame::HEADER_BYTES), and skips the rest.
    pub fn refuse_oversized(&self, header: &[u8], length: usize) -> Vec<u8> {
        encode_refusal(
            frame::request_id(header),
            ErrorCode::Malformed,
            WireError::TooLarge(length),
        )
    }

    /// The frame that refuses a job's request for lack of room.
    pub fn refuse_busy(tag: Tag) -> Vec<u8> {
        let message = "too much of this kind is waiting";
        encode_refusal(tag.request, ErrorCode::Busy, message)
    }

    /// The frame of an answer. One that does not fit becomes the error that says so.
    pub fn encode(tag: Tag, response: &Response) -> Vec<u8> {
        frame::encode(tag.request, response)
            .unwrap_or_else(|error| encode_refusal(tag.request, ErrorCode::Unsupported, error))
    }
}

fn refuse(id: u64, code: ErrorCode, message: impl fmt::Display) -> Accepted {
    Accepted::Answer(encode_refusal(id, code, message))
}

fn encode_refusal(id: u64, code: ErrorCode, message: impl fmt::Display) -> Vec<u8> {
    let refusal = Response::Error(FrameError::new(code, message));
    // A refusal is short and always fits.
    frame::encode(id, &refusal).unwrap_or_default()
}
