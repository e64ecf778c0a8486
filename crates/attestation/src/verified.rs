// SPDX-License-Identifier: Apache-2.0
//! The proof type.

use core::ops::Deref;

/// A value that passed every check its type promises.
///
/// No public constructor and no `Deserialize`: holding one is the proof. What the proof is of
/// depends on the content:
///
/// - [`Claims`](crate::Claims): hardware said this, and the policy trusts that hardware;
/// - [`Bound`](crate::Bound): the above, about exactly these keys, configuration and challenge;
/// - [`AttestationResult`](crate::ear::AttestationResult): a trusted verifier says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// Gives up the proof and keeps the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
