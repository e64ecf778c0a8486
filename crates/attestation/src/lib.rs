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
//! promises nothing about whom it says it of.
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
#![forbid(unsafe_code)]

pub mod admission;
pub mod api;
mod appraise;
mod azure;
mod binding;
mod bundle;
mod check;
mod claims;
mod compare;
mod dcap;
pub mod ear;
mod error;
mod failure;
mod files;
pub mod measurement;
mod nitro;
mod policy;
mod roots;
mod snp;
pub mod tpm;
mod verified;
mod x509;

pub use appraise::{Appraisal, Stated, appraise, inspect, verify, verify_genuine};
pub use azure::{AzureJsonError, MAX_AZURE_JSON_BYTES, azure_bundle};
pub use binding::{Binding, CHALLENGE_BYTES, config_register, report_data};
pub use bundle::EvidenceBundle;
pub use check::{Check, CheckId, Outcome, Subject, Verdict, VerdictStatus};
pub use claims::{Bound, Claims, Collateral, Firmware, Product, Register, TcbStatus, machine_id};
pub use error::{BundleError, VerifyError};
pub use files::{FilesError, bundle_of_files};
pub use policy::{Expectations, MAX_POLICY_BYTES, Measurements, Policy, PolicyError, PolicyFile};
pub use roots::{
    AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, AWS_NITRO_ROOT_ID,
    DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID, Root, RootError, is_development, root_certificate,
};
pub use verified::Verified;
