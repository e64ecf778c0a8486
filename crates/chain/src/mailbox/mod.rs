// SPDX-License-Identifier: Apache-2.0
//! The mailbox: what passes through the chain instead of through a node's RPC.
//!
//! Nothing that comes out of it is believed: enclaves open envelopes and clients verify evidence, as they do
//! wherever it comes from.

mod event;
mod gas;
mod read;

pub use self::{
    event::{AskedChallenge, CodePart, MailboxEvent, MailboxLog},
    gas::{MAX_TRANSACTION_BYTES, answer_gas, answer_gas_of},
    read::{Mailbox, PendingChallenge},
};
