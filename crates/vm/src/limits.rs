// SPDX-License-Identifier: Apache-2.0
//! What a guest may use and what it pays: one table per runtime generation.
//!
//! A generation is part of every log entry's digest, so a table never changes once it has been
//! released: another number here is another generation. Which generations a build has is in its
//! [`Runtimes`](crate::Runtimes).
//!
//! Fuel is the only limit a caller sets, and what a guest sees and reckons with: its prices are those
//! that the guest's platform has published. One unit of fuel is one gas of the EVM (hard fork Osaka), and a call's fuel limit covers exactly
//! what an Ethereum transaction's gas limit would: the intrinsic cost (21,000, plus 4 or 16 per
//! byte of input, plus 32,000 and 2 per word for a constructor), execution, refunds (EIP-3529) and
//! the calldata floor (EIP-7623). What fuel does *not* bound by itself, the table does.
//!
//! **Work** is what fuel does not bound: time. Published prices are far from what an instruction takes
//! on the machine at hand, by two orders of magnitude in either direction. Beside fuel every execution
//! therefore has a limit of work, [`Limits::work_limit`]. A unit of work is about a nanosecond of the
//! machine on which the weights were measured; what is charged depends on what is executed and on
//! nothing else, so that every enclave counts the same. A guest can neither see work nor catch its
//! exhaustion, which ends the whole execution: [`Halt::OutOfWork`](crate::Halt::OutOfWork).

/// Bytes of an encoded state or write set beyond which decoding refuses to look at them. Bounds
/// what sealed blobs can make an enclave allocate, whatever the generation.
pub const MAX_ENCODED_BYTES: usize = 4 << 30;

/// Limits and prices of one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Fuel of one execution. A higher limit in an entry counts as this one, and the guest sees
    /// this as `block.gaslimit`. Bounds input too: a byte costs at least 10 (EIP-7623).
    pub max_fuel: u64,
    /// Work that every execution may do, whatever its fuel limit.
    pub work_base: u64,
    /// Work that an execution may do in addition for each unit of its fuel limit. Ordinary code does
    /// less than one; what does more is bought with a higher fuel limit.
    pub work_per_fuel: u64,
    /// Bytes of memory of all of a call's frames together. Does not count stacks (32 KiB a frame),
    /// return data, or what a precompiled contract needs.
    pub max_memory: u64,
    /// Nested calls. Together with the rule that a call passes on at most 63/64 of its fuel
    /// (EIP-150), fuel ends far above this.
    pub max_call_depth: u16,
    /// Bytes of a contract's runtime code (EIP-170).
    pub max_code: usize,
    /// Bytes of init code with constructor arguments (EIP-3860).
    pub max_init_code: usize,
    /// Bytes of output or revert data.
    pub max_output: usize,
    /// Bytes of a contract's encoded state, all its accounts and code included, but not what is
    /// remembered of envelopes and sessions. A call after which it would be larger fails. Whatever is
    /// within it can be sealed, in parts, and loaded again.
    pub max_state: usize,
    /// Most bytes one call for randomness yields; asking for more yields this many.
    pub random_max_bytes: usize,
    /// Fuel of a call for randomness (Oasis Sapphire's price).
    pub random_base: u64,
    /// Fuel per 32-byte word of random output (Oasis Sapphire's price).
    pub random_word: u64,
    /// Fuel per 32-byte word of personalization (Oasis Sapphire's price).
    pub random_personalization_word: u64,
    /// Fuel of asking for the invocation's context.
    pub invocation_base: u64,
    /// Work of a host call, whatever it is.
    pub host_call_work: u64,
    /// Work per byte of a host call's input.
    pub host_call_work_byte: u64,
    /// Work of a call for randomness, in addition.
    pub random_work: u64,
    /// Work per 32-byte word of random output.
    pub random_work_word: u64,
}

impl Limits {
    /// Work that an execution with this fuel limit may do. One instruction goes on past it: what an
    /// instruction did is known once it is done.
    pub fn work_limit(&self, fuel_limit: u64) -> u64 {
        self.work_base.saturating_add(
            fuel_limit
                .min(self.max_fuel)
                .saturating_mul(self.work_per_fuel),
        )
    }
}

/// The table of generation 1.
pub(crate) const GENERATION_1: Limits = Limits {
    max_fuel: 100_000_000,
    work_base: 2_000_000,
    work_per_fuel: 4,
    max_memory: 32 << 20,
    max_call_depth: 1_024,
    max_code: 24_576,
    max_init_code: 49_152,
    max_output: 128 << 10,
    max_state: 1 << 30,
    random_max_bytes: 1_024,
    random_base: 10_000,
    random_word: 240,
    random_personalization_word: 60,
    invocation_base: 50,
    host_call_work: 100,
    host_call_work_byte: 1,
    random_work: 300,
    random_work_word: 280,
};

// Any state within its limit can be decoded.
const _: () = assert!(GENERATION_1.max_state < MAX_ENCODED_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_follows_fuel_up_to_the_most_there_is() {
        let limits = GENERATION_1;
        assert_eq!(limits.work_limit(0), limits.work_base);
        assert_eq!(
            limits.work_limit(10) - limits.work_limit(9),
            limits.work_per_fuel
        );
        assert_eq!(
            limits.work_limit(u64::MAX),
            limits.work_limit(limits.max_fuel)
        );
    }
}
