// SPDX-License-Identifier: Apache-2.0
//! An engine with a fault, for tests of whoever runs engines.

use alloc::{sync::Arc, vec::Vec};

use crate::{Call, Execution, State, Vm};

/// A sound engine that breaks, as a fault of its own would break it, at calls with one input.
#[derive(Debug)]
pub struct Faulty {
    sound: Arc<dyn Vm>,
    input: Vec<u8>,
}

impl Faulty {
    /// `sound`, but for calls with `input`.
    pub fn new(sound: Arc<dyn Vm>, input: Vec<u8>) -> Self {
        Self { sound, input }
    }
}

impl Vm for Faulty {
    fn construct(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution {
        self.sound.construct(state, call, code, init)
    }

    fn upgrade(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution {
        self.sound.upgrade(state, call, code, init)
    }

    fn call(&self, state: &State, call: &Call<'_>) -> Execution {
        assert!(call.input != self.input, "a fault of the engine");
        self.sound.call(state, call)
    }
}
