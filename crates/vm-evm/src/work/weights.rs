// SPDX-License-Identifier: Apache-2.0
//! Weights of generation 1: instructions, what depends on sizes, and reads of the state.
//!
//! Measured by `cargo xtask bench` (benchmark `work`), which prints nanoseconds per unit of work for
//! each of them and fails if one is further than a factor of ten from the median instruction. Like
//! every table of a generation these do not change once it has been released.

use revm::bytecode::opcode::*;

/// Work that grows with a size, in units per KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PerKib(u64);

impl PerKib {
    /// Work for this many bytes, rounded up.
    pub(crate) const fn of(self, bytes: u64) -> u64 {
        bytes.saturating_mul(self.0).div_ceil(1024)
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// Starting: the machine, the first frame, and the changes collected in the end.
pub(crate) const START: u64 = 1_200;
/// Input of a call: copied, and priced byte by byte.
pub(crate) const INPUT: PerKib = PerKib(1_000);

/// Bytes copied from one place in memory to another.
pub(crate) const COPY: PerKib = PerKib(30);
/// Memory added to a frame: zeroed, and perhaps moved.
pub(crate) const GROWTH: PerKib = PerKib(100);
/// Bytes kept in a log until the end.
pub(crate) const LOGGED: PerKib = PerKib(250);
/// Bytes hashed with keccak256, by the thousand.
const KECCAK: PerKib = PerKib(2_700);
/// A block of keccak256; what is not empty has at least one.
const KECCAK_BLOCK: u64 = 350;
/// Code searched for jump destinations.
pub(crate) const ANALYSIS: PerKib = PerKib(1_000);
/// Init code: copied and searched.
pub(crate) const INIT_CODE: PerKib = COPY.and(ANALYSIS);
/// Init code whose hash is part of an address.
pub(crate) const HASHED_INIT_CODE: PerKib = INIT_CODE.and(KECCAK);
/// Code left by a constructor: copied, hashed, searched, and added to the state under its hash.
pub(crate) const DEPLOYED_CODE: PerKib = HASHED_INIT_CODE.and(KECCAK).and(COPY);
/// Code of the state: copied and searched, as if the cache had never seen it.
pub(crate) const LOADED_CODE: PerKib = INIT_CODE;
/// Returned or reverted with: copied, and copied into the caller's memory.
pub(crate) const OUTPUT: PerKib = COPY.and(COPY);
/// Growing memory at all.
pub(crate) const GROWING: u64 = 50;
/// Per byte of EXP's exponent.
pub(crate) const EXPONENT_BYTE: u64 = 60;

/// An account that the journal does not have yet.
pub(crate) const LOAD_ACCOUNT: u64 = 300;
/// A storage slot that the journal does not have yet, and what finding out whether it changed takes.
pub(crate) const LOAD_SLOT: u64 = 300;

/// Hashing this many bytes with keccak256.
pub(crate) const fn keccak(bytes: u64) -> u64 {
    match bytes {
        0 => 0,
        _ => (bytes / 136).saturating_add(1).saturating_mul(KECCAK_BLOCK),
    }
}

/// What each instruction weighs, whatever its operands.
pub(crate) static INSTRUCTIONS: [u16; 256] = instructions();

const fn instructions() -> [u16; 256] {
    // Also what does not exist: it ends the frame.
    let mut weights = [2; 256];
    let heavier: [(u8, u16); 41] = [
        (MUL, 4),
        (DIV, 19),
        (SDIV, 20),
        (MOD, 19),
        (SMOD, 24),
        (ADDMOD, 20),
        (MULMOD, 46),
        (EXP, 20),
        (SIGNEXTEND, 4),
        (BYTE, 3),
        (SHL, 3),
        (SHR, 3),
        (SAR, 3),
        (KECCAK256, 6),
        (BALANCE, 25),
        (CALLDATALOAD, 5),
        (CALLDATACOPY, 8),
        (CODECOPY, 8),
        (GASPRICE, 3),
        (EXTCODESIZE, 50),
        (EXTCODECOPY, 60),
        (RETURNDATACOPY, 8),
        (EXTCODEHASH, 30),
        (BLOCKHASH, 3),
        (SELFBALANCE, 15),
        (BLOBHASH, 3),
        (MLOAD, 4),
        (MSTORE, 4),
        (MSTORE8, 4),
        (SLOAD, 16),
        (SSTORE, 200),
        (JUMP, 3),
        (JUMPI, 6),
        (TLOAD, 8),
        (TSTORE, 250),
        (MCOPY, 8),
        (CREATE, 1_200),
        (CREATE2, 1_200),
        (SELFDESTRUCT, 100),
        (RETURN, 20),
        (REVERT, 30),
    ];
    let mut index = 0;
    while index < heavier.len() {
        weights[heavier[index].0 as usize] = heavier[index].1;
        index += 1;
    }
    // A frame is made, run and taken down.
    let calls = [CALL, CALLCODE, DELEGATECALL, STATICCALL];
    let mut index = 0;
    while index < calls.len() {
        weights[calls[index] as usize] = 240;
        index += 1;
    }
    let mut log = LOG0 as usize;
    while log <= LOG4 as usize {
        weights[log] = 50;
        log += 1;
    }
    weights
}
