// SPDX-License-Identifier: Apache-2.0
//! What the suite is given.

use alloc::{string::String, sync::Arc, vec::Vec};

use alloy_primitives::U256;
use alloy_sol_types::SolValue;

use super::guest::Guest;
use crate::Vm;

/// An engine, and contracts in the code it runs.
#[derive(Clone, Debug)]
pub struct Subject {
    /// A new engine.
    pub engine: fn() -> Arc<dyn Vm>,
    /// Init code of a [`Ledger`](super::Ledger) whose constructor takes `(uint256 initial, string
    /// label)`, reverts with "unlucky" if `initial` is 13, and keeps `total` in slot 0.
    pub ledger: Vec<u8>,
    /// Init code of a [`Probe`](super::Probe) whose constructor takes nothing.
    pub probe: Vec<u8>,
}

impl Subject {
    /// A new engine.
    pub fn engine(&self) -> Arc<dyn Vm> {
        (self.engine)()
    }

    /// A constructed ledger that holds `initial`.
    pub fn ledger(&self, initial: u64) -> Guest {
        let arguments = (U256::from(initial), String::from("x")).abi_encode_params();
        Guest::construct(self.engine(), &self.ledger, &arguments)
    }

    /// A constructed probe.
    pub fn probe(&self) -> Guest {
        Guest::construct(self.engine(), &self.probe, &[])
    }
}
