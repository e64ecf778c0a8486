// SPDX-License-Identifier: Apache-2.0
//! Host calls: what a guest may ask of the machine, the same for every engine.
//!
//! A host call is a call to a reserved address. Two families are reserved:
//!
//! - `0x0100…xxxx`, Oasis Sapphire's confidential precompiles, with Sapphire's encodings and
//!   prices, so that contracts written for Sapphire run unmodified;
//! - `0x0200…xxxx`, Subrosa's own.
//!
//! Calling a reserved address that this build does not implement *fails*. Without that, it would
//! be a call to an account without code, which succeeds and returns nothing: a contract could take
//! the empty answer of a missing cipher for a ciphertext.
//!
//! A host call is one file with one `HostCall` constant, listed in `CALLS`.

mod invocation;
mod random_bytes;
mod randomness;

use alloy_primitives::Address;

use crate::{Call, limits::Limits};

pub use invocation::INVOCATION;
pub use random_bytes::RANDOM_BYTES;
use randomness::Randomness;
pub(crate) use randomness::prevrandao;

/// What host calls of one execution may use.
pub(crate) struct HostSession<'a> {
    call: &'a Call<'a>,
    limits: &'static Limits,
    randomness: Randomness,
}

impl<'a> HostSession<'a> {
    pub(crate) fn new(call: &'a Call<'a>, limits: &'static Limits) -> Self {
        Self {
            call,
            limits,
            randomness: Randomness::new(call.randomness),
        }
    }

    /// Answers a call to `address`, or says `None` if that is not a reserved address.
    pub(crate) fn answer(&mut self, address: Address, input: &[u8], fuel: u64) -> Option<Answer> {
        if !is_reserved(address) {
            return None;
        }
        Some(match CALLS.iter().find(|call| call.address == address) {
            Some(call) => (call.run)(self, input, fuel),
            None => Answer::Refused,
        })
    }
}

/// One host call.
pub(crate) struct HostCall {
    address: Address,
    run: fn(&mut HostSession<'_>, input: &[u8], fuel: u64) -> Answer,
}

/// What a host call answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It returned `output` for `fuel`, which is at most what it was given.
    Returned {
        /// Fuel used.
        fuel: u64,
        /// What the guest reads.
        output: Vec<u8>,
    },
    /// It costs more than it was given.
    OutOfFuel,
    /// The input is malformed, or this build has no such call. Uses all fuel it was given.
    Refused,
}

/// Addresses of the host calls of this build.
pub(crate) fn addresses() -> impl Iterator<Item = Address> {
    CALLS.iter().map(|call| call.address)
}

/// Whether `address` belongs to a family of host calls, implemented or not. Nobody can have a
/// contract there: it would take a hash with 18 bytes of a given value.
fn is_reserved(address: Address) -> bool {
    let [family, middle @ .., _, _] = address.into_array();
    matches!(family, SAPPHIRE_FAMILY | SUBROSA_FAMILY) && middle == [0; 17]
}

const CALLS: [HostCall; 2] = [random_bytes::CALL, invocation::CALL];

const SAPPHIRE_FAMILY: u8 = 1;
const SUBROSA_FAMILY: u8 = 2;

/// The address with this first and last byte and zeros between.
const fn reserved(family: u8, number: u8) -> Address {
    let mut address = [0; 20];
    address[0] = family;
    address[19] = number;
    Address::new(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_families_of_addresses_are_reserved() {
        for call in CALLS {
            assert!(is_reserved(call.address));
        }
        let mut sapphire_sha512 = reserved(SAPPHIRE_FAMILY, 1);
        sapphire_sha512.0.0[18] = 1;
        assert!(is_reserved(sapphire_sha512));
        assert!(!is_reserved(reserved(0, 1)));
        assert!(!is_reserved(reserved(3, 1)));
        let mut outside = reserved(SAPPHIRE_FAMILY, 1);
        outside.0.0[17] = 1;
        assert!(!is_reserved(outside));
    }
}
