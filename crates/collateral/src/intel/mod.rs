// SPDX-License-Identifier: Apache-2.0
//! Intel: what a quote needs, and what the provisioning certification service answers.
//!
//! Source: Intel SGX and TDX Provisioning Certification Service API, version 4; SGX PCK Certificate
//! and Certificate Revocation List Profile Specification.

pub(crate) mod answer;
pub(crate) mod json;
pub(crate) mod need;
mod platform;

pub use platform::{IntelCa, IntelFamily, IntelTee};
