// SPDX-License-Identifier: Apache-2.0
//! For clients that reach the chain and no node: attesting an enclave and handing in code through the
//! deployment's mailbox.
//!
//! The mailbox is believed no more than a node: an answer is held to the challenge that was put and to the
//! signer that was named, and then to every check of [`Connection::attest`](crate::Connection::attest).

mod ask;
mod error;
mod escrow;
mod publish;
mod signer;

pub use self::{ask::Asking, error::MailboxError, escrow::PutChallenge};
