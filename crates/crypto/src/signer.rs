// SPDX-License-Identifier: Apache-2.0
//! An enclave's signer: secp256k1 as Ethereum uses it.

use alloy_primitives::{Address, B256, Signature, keccak256};
use secp256k1::{
    Message, PublicKey, Secp256k1, SecretKey, SignOnly,
    ecdsa::{RecoverableSignature, RecoveryId},
};

use crate::{KeyError, kdf::hmac};

/// Signs what an enclave says: fulfillments, receipts, query replies.
///
/// Signatures are deterministic (RFC 6979) and low-s (EIP-2), made by libsecp256k1, whose
/// multiplications are constant-time and blinded besides.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct Signer {
    key: SecretKey,
    context: Secp256k1<SignOnly>,
    address: Address,
}

impl Signer {
    /// Takes 32 fresh random bytes as private key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Signer`] for zero or a number not below the group order, which random bytes
    /// meet with a probability of 2^-127: draw again.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SecretKey::from_byte_array(*seed).map_err(|_| KeyError::Signer)?;
        let mut context = Secp256k1::signing_only();
        // Blinds the multiplications; signatures are the same whatever the blinding is.
        context.seeded_randomize(&hmac(seed, &[b"subrosa/v1/signer-blinding"]));
        let point = PublicKey::from_secret_key(&context, &key);
        Ok(Self {
            key,
            context,
            address: address(&point),
        })
    }

    /// The signer's Ethereum address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs a message that has been hashed already, such as an EIP-712 signing hash.
    pub fn sign(&self, prehash: B256) -> Signature {
        let message = Message::from_digest(prehash.0);
        let signature = self.context.sign_ecdsa_recoverable(message, &self.key);
        let (recovery, bytes) = signature.serialize_compact();
        let parity = i32::from(recovery) & 1 == 1;
        // libsecp256k1 yields low-s already; normalizing keeps that a property of this function.
        Signature::from_bytes_and_parity(&bytes, parity).normalized_s()
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        // Volatile writes and a fence, as `zeroize` does it. That other copies may be left on the stack,
        // which the name warns of, holds for any key.
        self.key.non_secure_erase();
    }
}

/// Who signed `prehash`. `None` unless the signature is low-s and a public key follows from it.
pub fn recover(prehash: B256, signature: &Signature) -> Option<Address> {
    if signature.normalize_s().is_some() {
        return None;
    }
    let recovery = RecoveryId::try_from(i32::from(signature.v())).ok()?;
    let compact = signature.as_bytes();
    let signature = RecoverableSignature::from_compact(compact.get(..64)?, recovery).ok()?;
    let context = Secp256k1::verification_only();
    let point = context.recover_ecdsa(Message::from_digest(prehash.0), &signature);
    Some(address(&point.ok()?))
}

/// The last 20 bytes of keccak256 over x ‖ y.
fn address(point: &PublicKey) -> Address {
    let [_uncompressed, coordinates @ ..] = point.serialize_uncompressed();
    Address::from_word(keccak256(coordinates))
}

/// Splits a low-s signature into the compact form of EIP-2098: r, and s with the parity of y in
/// its highest bit.
pub fn compact(signature: &Signature) -> (B256, B256) {
    let bytes = signature.as_erc2098();
    (
        B256::from_slice(&bytes[..32]),
        B256::from_slice(&bytes[32..]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{U256, address, b256, uint};
    use proptest::prelude::*;

    const HALF_ORDER: U256 =
        uint!(0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0_U256);

    const ORDER: U256 =
        uint!(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141_U256);

    proptest! {
        /// k256 is another implementation of RFC 6979.
        #[test]
        fn signatures_are_those_of_k256(seed in any::<[u8; 32]>(), hash in any::<[u8; 32]>()) {
            let Ok(signer) = Signer::from_seed(&seed) else { return Ok(()) };
            let key = k256::ecdsa::SigningKey::from_bytes(&seed.into()).unwrap();
            let (signature, recovery) = key.sign_prehash_recoverable(&hash).unwrap();
            let expected = Signature::from_signature_and_parity(signature, recovery.is_y_odd());
            prop_assert_eq!(signer.sign(B256::from(hash)), expected);
        }

        #[test]
        fn signatures_recover_to_the_signer_and_are_low_s_and_repeatable(
            seed in any::<[u8; 32]>(), hash in any::<[u8; 32]>(),
        ) {
            let Ok(signer) = Signer::from_seed(&seed) else { return Ok(()) };
            let hash = B256::from(hash);
            let signature = signer.sign(hash);
            prop_assert!(signature.s() <= HALF_ORDER);
            prop_assert_eq!(signer.sign(hash), signature);
            prop_assert_eq!(
                signature.recover_address_from_prehash(&hash).unwrap(),
                signer.address()
            );
            prop_assert_eq!(recover(hash, &signature), Some(signer.address()));
            let high = Signature::new(signature.r(), ORDER - signature.s(), !signature.v());
            prop_assert_eq!(
                high.recover_address_from_prehash(&hash).unwrap(),
                signer.address()
            );
            prop_assert_eq!(recover(hash, &high), None);
            let (r, vs) = compact(&signature);
            prop_assert_eq!(r, B256::from(signature.r()));
            let mut s = vs;
            s[0] &= 0x7f;
            prop_assert_eq!(s, B256::from(signature.s()));
            prop_assert_eq!(vs[0] >> 7 == 1, signature.v());
        }
    }

    #[test]
    fn eip_2098_test_cases() {
        // The two examples of EIP-2098, "Test Cases".
        let key = b256!("1234567890123456789012345678901234567890123456789012345678901234");
        let signer = Signer::from_seed(&key.0).unwrap();
        for (message, r, vs) in [
            (
                "Hello World",
                b256!("68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90"),
                b256!("7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064"),
            ),
            (
                "It's a small(er) world",
                b256!("9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76"),
                b256!("939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793"),
            ),
        ] {
            let hash = alloy_primitives::eip191_hash_message(message);
            assert_eq!(compact(&signer.sign(hash)), (r, vs), "{message}");
        }
    }

    #[test]
    fn addresses_are_ethereums() {
        // The first account of the mnemonic "test test … junk".
        let key = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
        assert_eq!(
            Signer::from_seed(&key.0).unwrap().address(),
            address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
        );
    }

    #[test]
    fn numbers_outside_the_group_are_refused() {
        let order = b256!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
        for seed in [[0; 32], order.0, [0xff; 32]] {
            assert_eq!(Signer::from_seed(&seed).err(), Some(KeyError::Signer));
        }
    }
}
