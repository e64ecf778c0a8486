// SPDX-License-Identifier: Apache-2.0
//! The chain port, and the chain behind JSON-RPC that a node runs on.

mod alloy;
mod error;
mod port;

pub use self::{
    alloy::{AlloyChain, AlloyOptions},
    error::ChainAccessError,
    port::{
        Chain, ChainAccount, ChainEvents, ChainFeed, ChainView, DcapContract, InFlight, Lease,
        MAX_SLOTS, Mined, Note, StartingPoint, Transaction,
    },
};
