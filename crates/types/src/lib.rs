// SPDX-License-Identifier: Apache-2.0
//! Identifiers, signed structs and wire codecs shared by every part of Subrosa.
//!
//! Everything here is data and arithmetic: no clock, no network, no environment. The structs that
//! cross languages are defined once, in `contracts/src/interfaces/SubrosaTypes.sol`, and read from
//! there by [`abi`]; the packed words inside them have typed views in [`entry`], [`log`], [`terms`], [`change`],
//! [`result`] and [`config`]. [`batch`] is how results are packed for the oracle, [`price`] what it asks for them. [`frame`] is the protocol between host and enclave, [`rpc`] the JSON that a node
//! answers with.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod abi;
pub mod batch;
mod challenge;
pub mod change;
pub mod config;
pub mod decimal;
mod domain;
pub mod eip712;
pub mod entry;
pub mod frame;
pub mod id;
pub mod log;
pub mod measured;
pub mod outstanding;
pub mod price;
pub mod result;
pub mod rpc;
pub mod slot;
pub mod terms;
pub mod threshold;
mod word;

pub use challenge::Challenge;
pub use domain::Domain;
pub use id::ContractId;
