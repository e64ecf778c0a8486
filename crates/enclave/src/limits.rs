// SPDX-License-Identifier: Apache-2.0
//! What the enclave takes, keeps and gives at most. What a guest may use is in
//! [`subrosa_vm::limits`], what a frame may hold in [`subrosa_types::frame`].

/// Work ([`subrosa_vm::Execution::work_used`]) after which a request to execute ends early: about a
/// tenth of a second. The entry that exceeds it is the last.
pub const FRAME_WORK: u64 = 100_000_000;

/// Work that an entry counts for beside its guest's: it is proven, opened and sealed.
pub(crate) const ENTRY_WORK: u64 = 200_000;

/// Bytes of results after which a request to execute ends early. What one entry adds, an output and
/// a delta that its fuel bounds, fits a frame beside it. Answers of other contracts wait on the stream
/// while one is written, so it is no larger than is needed to be quick.
pub const FRAME_RESULT_BYTES: usize = 1 << 20;

/// Bytes of a part of a snapshot, before it is sealed: with its length it is padded to a power of two.
/// As small as it is for the reason that [`FRAME_RESULT_BYTES`] is.
pub const PART_BYTES: usize = (1 << 20) - 4;

/// Longest public or sealed output, bytes before sealing. Longer output is a failure.
pub const MAX_OUTPUT_BYTES: usize = 24 * 1024;

/// Longest time between an entry's timestamp and the expiry of its envelope, seconds: envelope ids
/// are remembered until they expire, so this bounds what is remembered.
pub const MAX_ENVELOPE_LIFETIME: u64 = 7 * 24 * 60 * 60;

/// Longest life of a session, seconds from the timestamp of the entry that opened it.
pub const MAX_SESSION_LIFETIME: u64 = 30 * 24 * 60 * 60;

/// Unexpired envelopes of one (requester, user) that are always remembered.
pub const ENVELOPES_KEPT: usize = 64;

/// Most envelopes of one (requester, user). An entry with one more is rejected.
pub const MAX_HOLDER_ENVELOPES: usize = 65_536;

/// Envelopes of one requester's users together, beyond which none has more than
/// [`ENVELOPES_KEPT`].
pub const MAX_REQUESTER_ENVELOPES: usize = 262_144;

/// Sessions of one (requester, user) that are always remembered.
pub const SESSIONS_KEPT: usize = 4;

/// Most sessions of one (requester, user); its oldest makes room for one more.
pub const MAX_HOLDER_SESSIONS: usize = 64;

/// Sessions of one requester's users together, beyond which none has more than [`SESSIONS_KEPT`].
pub const MAX_REQUESTER_SESSIONS: usize = 16_384;

/// Bytes of a contract's state that are envelopes' ids and sessions, beside what the guest may
/// store. Beyond it nothing more is remembered for anybody, which takes over a million requests
/// within the life of an envelope.
pub const MAX_KEPT_BYTES: usize = 96 << 20;

/// Most expired envelope ids, and most sessions that ended, that one entry forgets.
pub(crate) const MAX_FORGOTTEN: usize = 8;

/// Most results per contract that are kept signable, the newest.
pub const MAX_SIGNABLE: usize = 4_096;

/// Most results that are kept signable of a contract whose state is not in memory.
pub(crate) const MAX_SIGNABLE_OUT: usize = 64;

/// Fuel of one query.
pub const QUERY_FUEL: u64 = 30_000_000;

/// Most contracts that a greeting names.
pub(crate) const MAX_GREETED: usize = 65_536;

/// Answers to queries that are kept, the newest.
pub(crate) const MAX_ANSWERS: usize = 256;

/// Bytes of the sealed parts of the answers that are kept.
pub(crate) const MAX_ANSWERS_BYTES: usize = 4 << 20;
