// SPDX-License-Identifier: Apache-2.0
//! What envelopes are for.

/// What the recipient is to do with a plaintext. Byte 4 is taken by sealed replies
/// ([`reply`](crate::reply)), which are no envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Purpose {
    /// Deploy or upgrade: a `DeployPlaintext`.
    Deploy = 1,
    /// Execute as a log entry: a `CallPlaintext`.
    Call = 2,
    /// Answer off chain: a `QueryPlaintext`.
    Query = 3,
}
