// SPDX-License-Identifier: Apache-2.0
//! Sealed blobs: what the host stores and cannot read.
//!
//! ```text
//! version u8 = 1 │ kind u8 │ codec u8 │ size class u8 = log2(padded length) │ seq u64
//! nonce 12 │ ciphertext (2^size class bytes) ‖ 16-byte tag
//! ```
//!
//! AES-256-GCM-SIV (RFC 8452). The padded plaintext is length u32 ‖ plaintext ‖ zeros, a power of
//! two of at least 256 bytes. The nonce is the first 12 bytes of HMAC-SHA256(nonce key, length of
//! the additional data u64 ‖ additional data ‖ padded plaintext): sealing is deterministic, so a
//! restarted or cloned enclave writes the same bytes, and two plaintexts never share key and
//! nonce but by a collision of the HMAC, which GCM-SIV survives.

mod blob;
mod epoch_secret;
pub(crate) mod kind;
mod state;

pub use blob::{BlobHeader, BlobKind};
pub use epoch_secret::{
    EpochSecretBinding, PlatformSealingKey, open_epoch_secret, seal_epoch_secret,
};
pub use kind::StateKind;
pub use state::{StateBinding, open_state, seal_state};
