// SPDX-License-Identifier: Apache-2.0
//! Envelopes, key schedule, sealing and signing.
//!
//! Everything here is a function of its arguments: no clock, no network, no environment, and no
//! randomness but what the caller hands in. Whatever an enclave produces for the chain or for the
//! host's storage ([`reply`], [`sealing`], [`commitment`]) is deterministic, so that a restarted
//! or cloned enclave can only repeat itself.
//!
//! Start at [`EpochSecret`]: every secret but the signer follows from it. [`EpochKeyPairs`] open an
//! [`envelope`]; a [`ContractRoot`], drawn once per confidential contract, survives the epoch.
//!
//! Secrets are zeroized when dropped, implement neither `Debug` nor `Clone`, and are compared in
//! constant time.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod cipher;
pub mod commitment;
mod contract;
mod domain;
pub mod envelope;
mod epoch;
mod epoch_id;
mod error;
mod hpke_base;
mod kdf;
mod kem;
mod pad;
pub mod plaintext;
mod recipient;
pub mod reply;
pub mod sealing;
mod signer;
mod suite;
mod synthetic;
pub mod transfer;
#[cfg(test)]
mod wycheproof;

pub use contract::{ContractRoot, RandomStream, Subject};
pub use epoch::{EpochKeyPairs, EpochPublicKey, EpochSecret};
pub use epoch_id::EpochId;
pub use error::{BlobError, KeyError, OpenError, Rejection, ReplyError, SealError, TransferError};
pub use recipient::{RecipientKey, RecipientPublicKey};
pub use signer::{Signer, compact, recover};
pub use suite::Suite;

/// The random-number traits that this crate's functions take.
pub use rand_core;
/// Wipes what [`envelope::open`] and its kin return.
pub use zeroize::Zeroizing;
