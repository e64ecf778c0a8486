// SPDX-License-Identifier: Apache-2.0
//! What the enclave takes, keeps and gives at most. What a guest may use is in
//! [`subrosa_vm::limits`].

/// Longest challenge, bytes.
pub(crate) const MAX_CHALLENGE_BYTES: usize = 256;

/// Most entries in one frame.
pub const MAX_ENTRIES: usize = 1_024;

/// Longest public or sealed output, bytes before sealing. Longer output is a failure.
pub const MAX_OUTPUT_BYTES: usize = 24 * 1024;

/// Longest time between an entry's timestamp and the expiry of its envelope, seconds: envelope ids
/// are remembered until they expire, so this bounds what is remembered.
pub const MAX_ENVELOPE_LIFETIME: u64 = 30 * 24 * 60 * 60;

/// Longest life of a session, seconds from the timestamp of the entry that opened it.
pub const MAX_SESSION_LIFETIME: u64 = 30 * 24 * 60 * 60;

/// Most sessions a contract has open; the oldest makes room for one more.
pub const MAX_SESSIONS: usize = 4_096;

/// Most expired envelope ids, and most sessions that ended, that one entry forgets.
pub(crate) const MAX_FORGOTTEN: usize = 4;

/// Most results under one signature.
pub const MAX_SIGNED_RESULTS: usize = 1_024;

/// Most results per contract that are kept signable, the newest.
pub const MAX_SIGNABLE: usize = 4_096;

/// Fuel of one query.
pub const QUERY_FUEL: u64 = 30_000_000;
