// SPDX-License-Identifier: Apache-2.0
//! Verifies TEE evidence offline.
//!
//! Everything here is a function of its arguments: no clock, no network, no environment. The
//! caller says what time it is, so any verdict can be replayed later from stored bytes.
//!
//! Start at [`verify`]. It yields a [`Verified`] [`Bound`]: proof that evidence is genuine, that it
//! comes from an allowed measurement, and that it binds the keys, the configuration and the
//! challenge that the caller had in mind. [`appraise`](appraise()) does the same, says how every
//! single check went, and can leave the measurement to others: then [`Bound::measurement_appraised`]
//! is false, and whoever accepts it must look there. [`verify_genuine`] stops at what the hardware says and
//! does not promise whose keys are bound or what runs.
//!
//! [`ear`] turns a verified appraisal into a signed attestation result and back, [`admission`]
//! into a statement that the registry contract accepts. Neither authorizes handing out secrets:
//! the types differ on purpose, and a donor of secrets asks for [`Verified`] [`Bound`].
//!
//! | | evidence | attestation result (EAR) | admission |
//! |---|---|---|---|
//! | who judges | the caller, here | a verifier service, earlier | a verifier service, earlier |
//! | type | [`Verified`]\<[`Bound`]\> | [`Verified`]\<[`ear::AttestationResult`]\> | `SignerAdmission` and signature |
//! | expectations | [`Expectations`] | the same [`Expectations`] | the registry's tables |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod admission;
mod appraise;
mod azure;
mod claims;
mod compare;
mod dcap;
pub mod ear;
mod error;
mod expectations;
mod failure;
mod files;
pub mod measurement;
mod nitro;
mod policy;
mod roots;
mod snp;
pub mod tpm;
mod verdict;
mod verified;
mod x509;

pub use appraise::{Appraisal, appraise, inspect, verify, verify_genuine};
pub use azure::{AzureJsonError, MAX_AZURE_JSON_BYTES, azure_bundle};
pub use claims::{Bound, Claims, Firmware, Register, machine_id};
pub use error::VerifyError;
pub use expectations::{Expectations, Measurements, Stated};
pub use files::{FilesError, bundle_of_files};
pub use policy::{MAX_POLICY_BYTES, Policy, PolicyError, PolicyFile};
pub use roots::{Root, RootError, root_certificate};
pub use verdict::unreadable;
pub use verified::Verified;
