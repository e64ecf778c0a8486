// SPDX-License-Identifier: Apache-2.0
//! The forms in which TEE evidence travels. Nothing here judges.
//!
//! A platform hands out parts ([`EvidencePart`]), which travel as one [`EvidenceBundle`]; the host
//! and the chain's client read it in place ([`EncodedBundle`]). A verifier answers with a
//! [`Verdict`], in the JSON of [`api`]. What both sides must call by the same name is here too:
//! roots ([`DEVELOPMENT_ROOT_ID`] and its like), [`Product`]s, checks ([`CheckId`]), and what an
//! enclave has its platform sign ([`Binding`], [`report_data`]).
//!
//! Whether evidence is genuine and acceptable is for `subrosa-attestation` to say; holding any of
//! these types proves nothing.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod api;
mod binding;
mod bundle;
mod check;
mod encoded;
mod error;
mod part;
mod product;
mod roots;
mod tcb;
mod verdict;

pub use binding::{Binding, CHALLENGE_BYTES, challenge_hash, config_register, report_data};
pub use bundle::EvidenceBundle;
pub use check::{Check, CheckId, CheckOutcome, shown};
pub use encoded::EncodedBundle;
pub use error::BundleError;
pub use part::EvidencePart;
pub use product::Product;
pub use roots::{
    AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, AWS_NITRO_ROOT_ID,
    DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID, is_development,
};
pub use tcb::TcbStatus;
pub use verdict::{Collateral, Subject, Verdict, VerdictStatus};
