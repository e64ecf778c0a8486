// SPDX-License-Identifier: Apache-2.0
//! What whoever asks for evidence, or is handed some, has in mind.

use alloc::collections::BTreeSet;

use alloy_primitives::{B256, Bytes};
use subrosa_evidence::Binding;
use subrosa_types::Challenge;

use crate::Policy;

/// Which measurements are expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measurements {
    /// Any of these measurement ids; none if empty.
    AnyOf(BTreeSet<B256>),
    /// This measurement, as in [`Claims::measurement`](crate::Claims::measurement), or its id; for
    /// Nitro PCR0 alone. The first 48 bytes of another (MRTD, Azure's launch digest) leave open
    /// what started after them: never an acceptance, and a rejection if even they differ.
    Stated(Bytes),
    /// The caller judges it elsewhere, as a verifier does that leaves it to the registry and to
    /// clients. Never an acceptance: [`verify`](crate::verify) refuses it.
    JudgedElsewhere,
}

/// Everything that a relying party has in mind when it asks for evidence.
///
/// The same expectations are held against raw evidence ([`verify`](crate::verify)) and against
/// attestation results ([`ear::verify`](crate::ear::verify)), with the same named checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectations {
    /// Which hardware is trusted.
    pub policy: Policy,
    /// What may run on it.
    pub measurements: Measurements,
    /// The keys that the node presents and the configuration it must have.
    pub binding: Binding,
    /// The challenge that was sent; a client's is [`CHALLENGE_BYTES`](subrosa_evidence::CHALLENGE_BYTES)
    /// long.
    pub challenge: Challenge,
}

/// What a person states about evidence that somebody hands over, instead of the keys and the
/// challenge of an [`Expectations`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// What should run; `None` leaves it open, and the verdict is not an acceptance.
    pub measurements: Option<Measurements>,
    /// The report data, byte for byte; `None` likewise.
    pub report_data: Option<Bytes>,
}
