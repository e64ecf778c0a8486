// SPDX-License-Identifier: Apache-2.0
//! Arguments that several subcommands share, one topic a file.

pub(crate) mod call;
pub(crate) mod code;
pub(crate) mod deployment;
pub(crate) mod key;
pub(crate) mod reply_key;
pub(crate) mod session;
pub(crate) mod through_chain;
pub(crate) mod wait;
