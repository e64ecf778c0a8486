// SPDX-License-Identifier: Apache-2.0
//! Guests that take all they can get.

use alloy_primitives::{B256, U256, hex};
use subrosa_crypto::Signer;

use crate::guest::creation;

/// Creation code of a contract that writes its input's second word to as many slots as its first says,
/// the same ones every time.
pub(crate) fn writer() -> Vec<u8> {
    creation(&hex!("5f355b60203581556001900380600257"))
}

/// Creation code of a contract that calls `ecrecover` with its input for ever.
pub(crate) fn recoverer() -> Vec<u8> {
    creation(&hex!("365f5f375b6020608060805f60015afa50600456"))
}

/// A signature that `ecrecover` finds the signer of.
pub(crate) fn signature() -> Vec<u8> {
    let hash = B256::repeat_byte(0x42);
    let signature = Signer::from_seed(&[3; 32]).unwrap().sign(hash);
    let v = U256::from(27 + u8::from(signature.v()));
    let words = [U256::from_be_bytes(hash.0), v, signature.r(), signature.s()];
    words.iter().flat_map(U256::to_be_bytes_vec).collect()
}
