// SPDX-License-Identifier: Apache-2.0
//! Intel's collateral and quotes in the form in which `SubrosaDcap` takes them.
//!
//! [`Collateral`] takes apart what machines and Intel hand out (JSON, PEM) into
//! [`CollateralDocument`]s, each of which can be submitted by itself; [`Quoted`] does the same with a
//! quote and says which documents it needs. [`Dcap`] compares documents with what a contract keeps
//! and prepares the calls that submit those it lacks.
//!
//! Nothing here verifies a signature: the contract does, and so does every verifier off chain. What
//! is read is read to find keys and dates, and to say early what a transaction would fail with.

mod certificate;
mod collateral;
mod contract;
mod error;
mod evidence;
mod json;
mod quote;

pub use collateral::{Collateral, CollateralDocument, DocumentKind};
pub use contract::{Dcap, Kept, Refusal, Standing, Submission, refusal_of};
pub use error::DcapError;
pub use evidence::evidence_parts;
pub use json::MAX_COLLATERAL_BYTES;
pub use quote::{MAX_QUOTE_BYTES, Quoted};
