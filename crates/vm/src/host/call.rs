// SPDX-License-Identifier: Apache-2.0
//! What a host call is, and where it may be.

use alloc::vec::Vec;
use core::fmt;

use alloy_primitives::Address;

use super::randomness::Randomness;
use crate::{Call, limits::Limits};

/// What host calls of one execution may use. An engine has one per execution and hands it every
/// call that its guest makes to an address without code.
pub struct HostSession<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) randomness: Randomness,
}

impl<'a> HostSession<'a> {
    /// Of an execution of `call`.
    pub fn new(call: &'a Call<'a>) -> Self {
        Self {
            call,
            randomness: Randomness::new(call.randomness),
        }
    }
}

/// Shows nothing of the seed.
impl fmt::Debug for HostSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostSession")
            .field("call", self.call)
            .finish_non_exhaustive()
    }
}

/// What a host call answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
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

/// One host call.
pub(super) struct HostCall {
    pub(super) address: Address,
    /// Work of answering, in addition to what every host call does.
    pub(super) work: fn(&Limits, input: &[u8]) -> u64,
    pub(super) run: fn(&mut HostSession<'_>, input: &[u8], fuel: u64) -> Answer,
}

pub(super) const SAPPHIRE_FAMILY: u8 = 1;
pub(super) const SUBROSA_FAMILY: u8 = 2;

/// The address with this first and last byte and zeros between.
pub(super) const fn reserved(family: u8, number: u8) -> Address {
    let mut address = [0; 20];
    address[0] = family;
    address[19] = number;
    Address::new(address)
}

/// Whether `address` belongs to a family of host calls, implemented or not. Nobody can have a
/// contract there: it would take a hash with 18 bytes of a given value.
pub(super) fn is_reserved(address: Address) -> bool {
    let [family, middle @ .., _, _] = address.into_array();
    matches!(family, SAPPHIRE_FAMILY | SUBROSA_FAMILY) && middle == [0; 17]
}
