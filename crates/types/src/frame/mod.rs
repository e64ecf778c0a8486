// SPDX-License-Identifier: Apache-2.0
//! The protocol between host and enclave, version 5.
//!
//! One duplex byte stream (Unix socket, vsock, stdio). Each message is a frame: the length of what
//! follows as a 32-bit big-endian integer, the version as a 16-bit one, a request id of the host's
//! choice as a 64-bit one, then the message in [postcard] encoding. The host sends a [`Request`], the
//! enclave answers with exactly one [`Response`] of the same id. Several requests may be under way;
//! their answers come in any order. What executes the log of one contract is executed in the order in
//! which it was sent. The first request on a stream must be [`Request::Hello`].
//!
//! Requests travel in lanes ([`Lane`]): none waits for one of another lane.
//!
//! Nothing in a frame is trusted by the enclave until it has been verified; nothing in a response
//! is secret.
//!
//! [postcard]: https://postcard.jamesmunns.com/wire-format

mod bounded;
mod codec;
mod error;
mod lane;
mod proof;
mod request;
mod response;

pub use codec::{HEADER_BYTES, MAX_FRAME_BYTES, WireError, decode, encode, request_id};
pub use error::{ErrorCode, FrameError};
pub use lane::Lane;
pub use proof::{EntryProof, HeaderFrame, MAX_ANCESTORS, MAX_NODES, SlotProof, StorageProof};
pub use request::{
    LoggedEntry, MAX_ANCHORS, MAX_BETWEEN, MAX_BLOBS, MAX_CHECKPOINT_BYTES, MAX_ENTRIES, MAX_LINKS,
    MAX_MEMBERS, MAX_SIGNED_RESULTS, MAX_UPDATE_BYTES, Reassignment, Request, ResultRef,
    SignerRole,
};
pub use response::{
    Advanced, Answered, Attested, BlobKind, Ended, EpochProposal, Executed, ExecutedEntry,
    HelloReply, Loaded, PublishedEpoch, Queried, Response, Signed, SignedStatement, Started,
    StateBlob, VouchedBlock,
};

/// Version of this protocol; both sides must speak the same.
pub const WIRE_VERSION: u16 = 5;
