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

mod call;
mod invocation;
mod random_bytes;
mod randomness;

use alloy_primitives::Address;

pub use call::{Answer, HostSession};
pub use invocation::INVOCATION;
pub use random_bytes::RANDOM_BYTES;
pub use randomness::prevrandao;

use call::{HostCall, is_reserved};

impl HostSession<'_> {
    /// Work of answering a call to `address`, or `None` if that is not a reserved address. Charged
    /// before the call is answered, also if it will be refused.
    pub fn work(&self, address: Address, input: &[u8]) -> Option<u64> {
        if !is_reserved(address) {
            return None;
        }
        let limits = self.call.runtime.limits;
        let own = CALLS
            .iter()
            .find(|call| call.address == address)
            .map_or(0, |call| (call.work)(limits, input));
        let bytes = limits
            .host_call_work_byte
            .saturating_mul(input.len() as u64);
        Some(
            limits
                .host_call_work
                .saturating_add(bytes)
                .saturating_add(own),
        )
    }

    /// Answers a call to `address`, or says `None` if that is not a reserved address.
    pub fn answer(&mut self, address: Address, input: &[u8], fuel: u64) -> Option<Answer> {
        if !is_reserved(address) {
            return None;
        }
        Some(match CALLS.iter().find(|call| call.address == address) {
            Some(call) => (call.run)(self, input, fuel),
            None => Answer::Refused,
        })
    }
}

/// Addresses of the host calls of this build.
pub fn addresses() -> impl Iterator<Item = Address> {
    CALLS.iter().map(|call| call.address)
}

const CALLS: [HostCall; 2] = [random_bytes::CALL, invocation::CALL];

#[cfg(test)]
mod tests {
    use super::{
        call::{SAPPHIRE_FAMILY, reserved},
        *,
    };

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
