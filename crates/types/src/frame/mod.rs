// SPDX-License-Identifier: Apache-2.0
//! The protocol between host and enclave, version 3.
//!
//! One duplex byte stream (Unix socket, vsock, stdio). Each message is a frame: the length of what
//! follows as a 32-bit big-endian integer, the version as a 16-bit one, then the message in
//! [postcard] encoding. The host sends a [`Request`], the enclave answers with exactly one
//! [`Response`], in order. The first request on a stream must be [`Request::Hello`].
//!
//! Nothing in a frame is trusted by the enclave until it has been verified; nothing in a response
//! is secret.
//!
//! [postcard]: https://postcard.jamesmunns.com/wire-format

mod codec;
mod error;
mod proof;
mod request;
mod response;

pub use codec::{MAX_FRAME_BYTES, WireError, decode, encode};
pub use error::{ErrorCode, FrameError};
pub use proof::{HeaderFrame, StorageProof};
pub use request::{
    LoggedEntry, MAX_BETWEEN, MAX_CHECKPOINT_BYTES, MAX_UPDATE_BYTES, Reassignment, Request,
    ResultRef,
};
pub use response::{
    Advanced, BlobKind, EpochProposal, Executed, ExecutedEntry, HelloReply, Loaded, PublishedEpoch,
    Queried, Response, Signed, SignedStatement, Started, StateBlob, VouchedBlock,
};

/// Version of this protocol; both sides must speak the same.
pub const WIRE_VERSION: u16 = 3;
