// SPDX-License-Identifier: Apache-2.0
//! The enclave: a pure state machine, frames in, frames out.
//!
//! It opens nothing and reads no clock and no environment. What it needs of its platform it asks
//! of a [`Platform`]; everything else is a function of the frames it is given, and every frame is
//! hostile until it has been verified.
//!
//! Start at [`Enclave::accept`] and [`Enclave::run`]. The modules follow the life of a request: a log
//! entry is proven, its input opened, run ([`execute`]) on the state of the entry before it
//! ([`contract`]), sealed ([`blob`]) and signed ([`sign`]). [`HostStream`] is the same over encoded
//! frames.
//!
//! # Parallel
//!
//! No thread is started here, and none waits. A request becomes a [`Job`], which goes through its
//! stages on whatever threads the caller has. Each contract has a cell ([`cell`]), in which those that
//! execute its log stand in line; what they have to open is opened ahead of their turn and sealed
//! behind it. Everybody else reads what was published last. Answers do not depend on who ran what when.
//!
//! # What makes it fork-proof
//!
//! Executing entry n needs a proof that the oracle's slot n holds its digest, and the state whose
//! last digest is the one that entry chains to. Time, caller, fuel, randomness and keys all come
//! from the digest. An enclave that is rolled back, cloned or restarted can therefore only compute
//! the same results again.
//!
//! # Result or no result
//!
//! A [`FrameError`](subrosa_types::frame::FrameError) is *no result*: a key, code, blob or proof is
//! missing, and another attempt may succeed. A failed or rejected
//! [`ExecutedEntry`](subrosa_types::frame::ExecutedEntry) is a *result*: a function of log, code
//! and keys that every enclave computes alike, and that advances the log. No path turns the first
//! into the second.
// std: locks, and guests that break an engine are caught
#![forbid(unsafe_code)]

extern crate alloc;

mod anchors;
mod attest;
mod blob;
mod boot;
mod cell;
mod contract;
mod contracts;
mod enclave;
mod epoch;
mod execute;
mod fixed;
mod job;
mod limits;
mod load;
mod loading;
mod platform;
mod query;
mod sign;
mod snapshot;
mod snapshotting;
mod step;
mod stream;

pub use enclave::Enclave;
pub use job::{Job, Progress, Stage, Tag};
pub use limits::{
    ENVELOPES_KEPT, FRAME_RESULT_BYTES, FRAME_WORK, MAX_ENVELOPE_LIFETIME, MAX_HOLDER_ENVELOPES,
    MAX_HOLDER_SESSIONS, MAX_KEPT_BYTES, MAX_OUTPUT_BYTES, MAX_REQUESTER_ENVELOPES,
    MAX_REQUESTER_SESSIONS, MAX_SESSION_LIFETIME, MAX_SIGNABLE, PART_BYTES, QUERY_FUEL,
    SESSIONS_KEPT,
};
pub use platform::{Evidence, Identity, Platform, PlatformError};
pub use stream::{Accepted, HostStream};
