// SPDX-License-Identifier: Apache-2.0
//! What a host keeps: logs, proofs, sealed blobs, results, transactions it sent.
//!
//! Nothing here is secret, and nothing here is trusted by an enclave: blobs are sealed, results
//! are recomputed or verified. What the store must give is order and atomicity, so that a host
//! that is killed anywhere resumes without losing or repeating an entry.
//!
//! [`Storage`] is the interface, split by what is kept into [`LogStore`], [`BlobStore`] and
//! [`IntentStore`]; [`Store`] is the embedded implementation: one directory, one process. Calls are
//! asynchronous and never wait for the disk on the thread that polls them. Behind the feature
//! `memory` there is a store in memory whose disk can fail, behind `conformance` what each must do.
#![forbid(unsafe_code)]

mod calls;
mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod directory;
mod embedded;
mod engine;
mod error;
mod format;
mod key;
#[cfg(feature = "memory")]
mod memory;
mod record;
mod storage;

pub use directory::Identity;
pub use embedded::Store;
pub use error::StoreError;
pub use format::{FORMAT_VERSION, MAX_RECORD_BYTES, RECORD_VERSION};
#[cfg(feature = "memory")]
pub use memory::{Disk, Memory};
pub use record::{
    AdmissionRecord, Block, Cursor, EntryRecord, FulfillmentRecord, Intent, IntentKind, Receipt,
    ResultRecord,
};
pub use storage::{BlobStore, CodeOf, IntentStore, LogStore, MAX_UPGRADE_ENVELOPES, Storage};
