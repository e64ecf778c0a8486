// SPDX-License-Identifier: Apache-2.0
//! The word that says what an entry executes, and under which rules.

use alloy_primitives::U256;

use super::{EntryError, EntryKind, FinalityClass};
use crate::word::{Packer, Unpacker};

/// Flag of a call: the input is an envelope.
pub const FLAG_INPUT_SEALED: u16 = 1;

/// Flag of a call: the input's envelope opens a session, whose id is the entry's seq.
pub const FLAG_OPENS_SESSION: u16 = 2;

/// Flag of a deployment: the contract is a world.
pub const FLAG_WORLD: u16 = 4;

/// The profile that a deployment's flags name: what its code sees as its chain.
pub const fn profile_of(flags: u16) -> u8 {
    (flags >> 8 & 0xf) as u8
}

/// The `execution` word of an entry.
///
/// Packed, high to low: kind 8 ‖ flags 16 ‖ fuelLimit 64 ‖ codeVersion 16 ‖ runtimeGeneration 16 ‖
/// finalityClass 8 ‖ blockNumber 48 ‖ blockTimestamp 48 ‖ outputLimit 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// What the entry is.
    pub kind: EntryKind,
    /// Of a call [`FLAG_INPUT_SEALED`] and [`FLAG_OPENS_SESSION`]; of a deployment [`FLAG_WORLD`] and its
    /// profile.
    pub flags: u16,
    /// Fuel the entry may use; for the EVM one unit is one gas.
    pub fuel_limit: u64,
    /// Version of the code that executes it: the number of upgrades before it.
    pub code_version: u16,
    /// Runtime generation (price table and engine version) that executes it.
    pub runtime_generation: u16,
    /// What must hold of its block.
    pub finality_class: FinalityClass,
    /// Block that appended it.
    pub block_number: u64,
    /// That block's timestamp, Unix seconds.
    pub block_timestamp: u64,
    /// Bytes of public and sealed output together that it may yield.
    pub output_limit: u32,
}

impl Execution {
    /// The packed word. Block number and timestamp are truncated to 48 bits, as the oracle does.
    pub fn pack(&self) -> U256 {
        let mut word = Packer::new();
        word.push(u64::from(self.kind as u8), 8);
        word.push(u64::from(self.flags), 16);
        word.push(self.fuel_limit, 64);
        word.push(u64::from(self.code_version), 16);
        word.push(u64::from(self.runtime_generation), 16);
        word.push(u64::from(self.finality_class as u8), 8);
        word.push(self.block_number, 48);
        word.push(self.block_timestamp, 48);
        word.push(u64::from(self.output_limit), 32);
        word.0
    }

    /// Reads a packed word.
    ///
    /// # Errors
    ///
    /// [`EntryError`] for an unknown kind or finality class.
    pub fn unpack(word: U256) -> Result<Self, EntryError> {
        let mut word = Unpacker(word);
        let output_limit = word.pop(32) as u32;
        let block_timestamp = word.pop(48);
        let block_number = word.pop(48);
        let finality_class = FinalityClass::try_from(word.pop(8) as u8)?;
        let runtime_generation = word.pop(16) as u16;
        let code_version = word.pop(16) as u16;
        let fuel_limit = word.pop(64);
        let flags = word.pop(16) as u16;
        let kind = EntryKind::try_from(word.pop(8) as u8)?;
        Ok(Self {
            kind,
            flags,
            fuel_limit,
            code_version,
            runtime_generation,
            finality_class,
            block_number,
            block_timestamp,
            output_limit,
        })
    }

    /// Whether the input is an envelope.
    pub fn input_is_sealed(&self) -> bool {
        self.flags & FLAG_INPUT_SEALED != 0
    }

    /// Whether the input's envelope opens a session.
    pub fn opens_session(&self) -> bool {
        self.flags & FLAG_OPENS_SESSION != 0
    }
}
