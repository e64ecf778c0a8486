// SPDX-License-Identifier: Apache-2.0
//! The Solidity structs, as Rust types.
//!
//! Field meanings and packings are documented where they are defined, in
//! `contracts/src/interfaces/SubrosaTypes.sol`.
#![allow(
    missing_docs,
    clippy::all,
    reason = "generated from SubrosaTypes.sol, which carries the documentation"
)]

alloy_sol_types::sol!(
    #![sol(all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    "../../contracts/src/interfaces/SubrosaTypes.sol"
);
