// SPDX-License-Identifier: Apache-2.0
//! Randomness from the operating system.

use chacha20::ChaCha20Rng;
use subrosa_crypto::{Zeroizing, rand_core::SeedableRng};

use crate::ClientError;

/// Fresh random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, ClientError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(ClientError::Randomness)?;
    Ok(bytes)
}

/// A generator with a fresh seed, for functions that draw and cannot fail.
pub(crate) fn generator() -> Result<ChaCha20Rng, ClientError> {
    Ok(ChaCha20Rng::from_seed(*bytes()?))
}
