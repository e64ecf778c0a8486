// SPDX-License-Identifier: Apache-2.0
//! The EVM: revm, hard fork Osaka, without the parts of Ethereum that a confidential contract has
//! no use for.
//!
//! A call is a transaction from the caller to the contract, and a construction one that creates
//! the contract, with these differences from Ethereum:
//!
//! - There is no ether: every balance and value is zero, and so are gas price and base fee. The
//!   caller's nonce is neither checked nor counted. The cap of EIP-7825 does not apply.
//! - The contract lives at the address its id gives it, not at one derived from its creator.
//! - An upgrade is priced and limited as a creation, but runs in the contract's account as it is:
//!   storage and nonce stay, and SELFDESTRUCT takes nothing away, since the account is not of this
//!   transaction's making (EIP-6780).
//! - `block.number`, `block.timestamp` and `block.chainid` are those of the log entry;
//!   `block.prevrandao` is a draw from the contract's own randomness; `block.coinbase` is zero,
//!   `block.gaslimit` the most fuel there can be, `block.blobbasefee` the least there can be (1).
//! - `blockhash` is zero for every block: a past block's hash is not part of the entry.
//! - Logs are paid for and dropped: nobody could read them.
//! - Beside gas, which is Ethereum's, there is a limit of work ([`limits`](subrosa_vm::limits)). Going past
//!   it ends the transaction, in whichever frame it happens.
//! - Reserved addresses are [host calls](subrosa_vm::host).
//!
//! Everything else is Ethereum's, precompiled contracts included (0x01 to 0x11 and P-256 at
//! 0x100).
//!
//! Start at [`EvmEngine`].
// std: the cache of analyzed code is shared between threads, behind std's `Mutex`.
#![forbid(unsafe_code)]

mod code_cache;
mod context;
mod database;
mod engine;
mod environment;
mod instructions;
mod precompiles;
mod transact;
mod work;
mod writes;

pub use engine::{ENGINE_EVM, EvmEngine};
