// SPDX-License-Identifier: Apache-2.0
//! What is expected of an envelope, and what opening it yields.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{binding::Binding, header::Header, purpose::Purpose};
use crate::{EpochId, Rejection};

/// What must hold of an envelope for it to be opened: all of it from the log entry or the query
/// that carries it, none of it from the envelope.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What is about to be done with the plaintext.
    pub purpose: Purpose,
    /// The (group, epoch) the entry names. For what no entry carries, the one the header names.
    pub epoch: EpochId,
    /// The entry's timestamp, Unix seconds.
    pub timestamp: u64,
    /// Where the entry stands and who made it.
    pub binding: &'a Binding,
}

/// An opened envelope.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct Opened {
    /// The authenticated header.
    pub header: Header,
    /// The plaintext, padding and all.
    pub plaintext: Zeroizing<Vec<u8>>,
}

impl Expected<'_> {
    /// Checks everything that is known before the ciphertext is opened.
    pub(super) fn check(&self, header: &Header) -> Result<(), Rejection> {
        if header.purpose != self.purpose {
            return Err(Rejection::WrongPurpose {
                expected: self.purpose,
                found: header.purpose,
            });
        }
        if header.epoch != self.epoch {
            return Err(Rejection::OtherEpoch {
                expected: self.epoch,
                found: header.epoch,
            });
        }
        if self.timestamp > header.expiry {
            return Err(Rejection::Expired {
                expiry: header.expiry,
                timestamp: self.timestamp,
            });
        }
        Ok(())
    }
}
