// SPDX-License-Identifier: Apache-2.0
//! Work: what a call costs the machine, counted beside gas and unseen by the guest.
//!
//! Gas stays Ethereum's to the last unit. Every instruction, precompiled contract, host call and read of
//! the state also has a weight in units of about a nanosecond ([`weights`], [`precompiles`]), and their
//! sum has a limit. Whoever goes past it has the whole execution ended by the loop that runs frames
//! ([`Transact`](crate::transact::Transact)), which no frame can catch.
//!
//! What is counted depends on what is executed alone. Reads of the state are counted where the journal
//! asks for them, above the cache of analyzed code, so that a cold cache counts as a warm one does.

mod meter;
pub(crate) mod precompiles;
pub(crate) mod weights;

pub(crate) use meter::Meter;
