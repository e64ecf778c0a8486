// SPDX-License-Identifier: Apache-2.0
//! What envelopes hold: the ABI encodings of `DeployPlaintext`, `CallPlaintext` and
//! `QueryPlaintext` of `SubrosaTypes.sol`, padded so that an envelope's length tells only a power
//! of two.

use alloc::{vec, vec::Vec};

use alloy_primitives::Bytes;
use alloy_sol_types::{SolType, SolValue};
use subrosa_types::abi::{CallPlaintext, DeployPlaintext, QueryPlaintext};
use zeroize::Zeroizing;

use crate::{Rejection, envelope::Purpose};

/// A struct that an envelope can hold.
pub trait Plaintext: SolValue + Sized + sealed::Sealed {
    /// The purpose of envelopes that hold it.
    const PURPOSE: Purpose;

    /// Replaces the padding by `len` zeros.
    #[doc(hidden)]
    fn set_padding(&mut self, len: usize);
}

/// `abi.encode(plaintext)`, its `padding` replaced so that the length is a power of two and at
/// least [`MIN_LEN`].
pub fn encode<P: Plaintext>(mut plaintext: P) -> Zeroizing<Vec<u8>> {
    plaintext.set_padding(0);
    let len = plaintext.abi_encoded_size();
    plaintext.set_padding(padding_len(len));
    Zeroizing::new(plaintext.abi_encode())
}

/// Bytes of padding that bring an ABI encoding of `unpadded` bytes, a multiple of 32, to the next
/// power of two.
pub fn padding_len(unpadded: usize) -> usize {
    unpadded.max(MIN_LEN).next_power_of_two() - unpadded
}

/// Decodes what came out of an envelope. The padding's length and content are the sender's
/// business.
///
/// # Errors
///
/// [`Rejection::Plaintext`] unless the bytes are the ABI encoding of a `P`.
pub fn decode<P>(bytes: &[u8]) -> Result<P, Rejection>
where
    P: Plaintext + From<<<P as SolValue>::SolType as SolType>::RustType>,
{
    P::abi_decode_validate(bytes).map_err(|_| Rejection::Plaintext)
}

/// The smallest padded plaintext in bytes.
pub const MIN_LEN: usize = 256;

mod sealed {
    pub trait Sealed {}
}

macro_rules! plaintext {
    ($($name:ident => $purpose:ident),*) => {$(
        impl sealed::Sealed for $name {}
        impl Plaintext for $name {
            const PURPOSE: Purpose = Purpose::$purpose;

            fn set_padding(&mut self, len: usize) {
                self.padding = Bytes::from(vec![0; len]);
            }
        }
    )*};
}
plaintext!(DeployPlaintext => Deploy, CallPlaintext => Call, QueryPlaintext => Query);

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256};
    use proptest::prelude::*;

    fn call(input: Vec<u8>, reply_key: Vec<u8>) -> CallPlaintext {
        CallPlaintext {
            input: input.into(),
            replyKey: reply_key.into(),
            padding: Bytes::from_static(b"to be replaced"),
        }
    }

    proptest! {
        #[test]
        fn lengths_are_powers_of_two_and_decoding_gives_back_what_was_encoded(
            input in proptest::collection::vec(any::<u8>(), 0..3000),
            reply_key in proptest::collection::vec(any::<u8>(), 0..1300),
        ) {
            let encoded = encode(call(input.clone(), reply_key.clone()));
            prop_assert!(encoded.len().is_power_of_two() && encoded.len() >= MIN_LEN);
            let decoded: CallPlaintext = decode(&encoded).unwrap();
            prop_assert_eq!(&decoded.input[..], &input[..]);
            prop_assert_eq!(&decoded.replyKey[..], &reply_key[..]);
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = decode::<CallPlaintext>(&bytes);
            let _ = decode::<DeployPlaintext>(&bytes);
            let _ = decode::<QueryPlaintext>(&bytes);
        }
    }

    #[test]
    fn every_truncation_is_rejected() {
        let encoded = encode(call(vec![1; 40], vec![]));
        for len in 0..encoded.len() {
            assert_eq!(
                decode::<CallPlaintext>(&encoded[..len]),
                Err(Rejection::Plaintext),
                "{len}"
            );
        }
    }

    #[test]
    fn deployments_and_queries_are_padded_too() {
        let deploy = encode(DeployPlaintext {
            engine: 1,
            salt: B256::ZERO,
            code: vec![1; 1000].into(),
            init: Bytes::new(),
            padding: Bytes::new(),
        });
        assert_eq!(deploy.len(), 2048);
        assert_eq!(decode::<DeployPlaintext>(&deploy).unwrap().code.len(), 1000);
        let query = encode(QueryPlaintext {
            input: Bytes::new(),
            replyKey: vec![2; 33].into(),
            nonce: B256::ZERO,
            expiry: 0,
            caller: Address::ZERO,
            signature: vec![3; 65].into(),
            padding: Bytes::new(),
        });
        assert_eq!(query.len(), 1024);
        assert_eq!(
            decode::<QueryPlaintext>(&query).unwrap().signature.len(),
            65
        );
    }
}
