// SPDX-License-Identifier: Apache-2.0
//! The subcommands, one a file.

pub(crate) mod attest;
pub(crate) mod collateral;
pub(crate) mod config;
pub(crate) mod contract;
pub(crate) mod deploy;
pub(crate) mod dev;
pub(crate) mod fee;
pub(crate) mod governance;
pub(crate) mod mailbox;
pub(crate) mod measurement;
pub(crate) mod node;
pub(crate) mod policy;
pub(crate) mod prepaid;
pub(crate) mod query;
pub(crate) mod receipt;
pub(crate) mod request;
pub(crate) mod result;
pub(crate) mod verifier;
