// SPDX-License-Identifier: Apache-2.0
//! Why bytes are not a bundle.

use crate::EvidencePart;

/// Why an encoded bundle is refused. The peer must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It ends too early.
    #[error("evidence bundle ends too early")]
    Truncated,
    /// Bytes follow it.
    #[error("{0} bytes follow the evidence bundle")]
    Trailing(usize),
    /// Of a version this build does not speak.
    #[error("evidence bundle version {0}, expected 2")]
    Version(u8),
    /// Of a TEE kind that has no number.
    #[error("unknown TEE kind {0}")]
    Kind(u8),
    /// Not a bundle at all.
    #[error("not an evidence bundle: it does not begin with \"sreb\"")]
    Magic,
    /// A part that has no number.
    #[error("unknown part {0} of an evidence bundle")]
    Part(u8),
    /// A part that is there twice, or out of order.
    #[error("part {0} of the evidence bundle is out of order")]
    PartOrder(u8),
    /// A part is larger than it may be.
    #[error("{part:?} of {found} bytes is larger than {limit}")]
    PartTooLarge {
        /// The part that is too large.
        part: EvidencePart,
        /// Its length, bytes.
        found: usize,
        /// The largest, bytes.
        limit: usize,
    },
}
