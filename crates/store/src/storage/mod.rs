// SPDX-License-Identifier: Apache-2.0
//! The interface of a host's storage, split by what is kept.

mod blob;
mod intent;
mod log;

pub use self::{
    blob::{BlobStore, CodeOf, MAX_UPGRADE_ENVELOPES},
    intent::IntentStore,
    log::LogStore,
};

/// What a host keeps, and how: the chain's log, what enclaves sealed, and what was sent.
///
/// Each method is atomic: after a crash either all of it happened or nothing. *Durable* methods
/// return only once what they wrote survives a power failure, and everything written before it;
/// the others survive the death of the process, and what they write can be fetched from the chain
/// again.
///
/// Methods may be called from several tasks; writes take effect one after another. None of them
/// waits for a disk or a server on the thread that polls it. A write whose future is dropped may
/// take effect all the same.
///
/// Every method fails with [`StoreError::Engine`] if the storage fails, reading ones also with
/// [`StoreError::Corrupt`], writing ones with [`StoreError::TooLarge`].
///
/// [`StoreError::Engine`]: crate::StoreError::Engine
/// [`StoreError::Corrupt`]: crate::StoreError::Corrupt
/// [`StoreError::TooLarge`]: crate::StoreError::TooLarge
pub trait Storage: LogStore + BlobStore + IntentStore {}

impl<S: LogStore + BlobStore + IntentStore> Storage for S {}
