// SPDX-License-Identifier: Apache-2.0
//! What a host keeps: logs, proofs, sealed blobs, results, transactions it sent.
//!
//! Nothing here is secret, and nothing here is trusted by an enclave: blobs are sealed, results
//! are recomputed or verified. What the store must give is order and atomicity, so that a host
//! that is killed anywhere resumes without losing or repeating an entry.
//!
//! [`Storage`] is the interface, [`Store`] the embedded implementation: one directory, one
//! process. Calls are synchronous and may wait for the disk.
#![forbid(unsafe_code)]

mod codec;
mod directory;
mod embedded;
mod error;
mod key;
mod record;
mod storage;

pub use codec::{MAX_RECORD_BYTES, RECORD_VERSION};
pub use directory::{FORMAT_VERSION, Identity};
pub use embedded::Store;
pub use error::StoreError;
pub use record::{
    AdmissionRecord, Block, Cursor, EntryRecord, FulfillmentRecord, Intent, IntentKind, Receipt,
    ResultRecord,
};
pub use storage::{MAX_UPGRADES, Storage};
