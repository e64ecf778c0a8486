// SPDX-License-Identifier: Apache-2.0
//! The recipient's side of both KEMs, with private keys kept expanded.
//!
//! The `hpke` crate expands an X-Wing seed (an ML-KEM key generation and an X25519 base-point
//! multiplication) and recomputes an X25519 public key on every decapsulation. A node opens
//! thousands of envelopes with one key, so these implementations of the crate's `Kem` expand it
//! once, and compute with AWS-LC; the key schedule stays the crate's own. Tests hold both against it.

mod dh;
mod mlkem;
mod x25519;
mod xwing;

pub(crate) use dh::has_small_order;
pub(crate) use x25519::ExpandedX25519;
pub(crate) use xwing::ExpandedXWing;

/// The private key type of an expanded KEM.
pub(crate) type PrivateKey<K> = <K as hpke::Kem>::PrivateKey;

#[cfg(test)]
pub(crate) use {dh::DhKey, mlkem::*};

#[cfg(test)]
mod tests;
