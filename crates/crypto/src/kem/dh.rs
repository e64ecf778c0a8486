// SPDX-License-Identifier: Apache-2.0
//! X25519 (RFC 7748), by AWS-LC.

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use zeroize::Zeroizing;

use crate::kdf::Secret;

/// A private key with its public key.
///
/// AWS-LC keeps its copy of the private key in memory that its allocator overwrites when it is
/// freed, and `aws-lc-rs` wipes the secrets that are agreed on.
pub(crate) struct DhKey {
    bytes: Secret,
    key: PrivateKey,
    public: [u8; 32],
}

impl DhKey {
    /// Takes a 32-byte private key, clamped on use (RFC 7748, section 5).
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        let Ok(key) = PrivateKey::from_private_key(&X25519, bytes) else {
            unreachable!("any 32 bytes are an X25519 private key");
        };
        let public = key.compute_public_key().ok();
        let Some(public) = public.and_then(|public| public.as_ref().try_into().ok()) else {
            unreachable!("an X25519 public key has 32 bytes");
        };
        Self {
            bytes: Zeroizing::new(*bytes),
            key,
            public,
        }
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(super) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// What is shared with the holder of `peer`. `None` if `peer` is of small order, so that the
    /// result would be zero whatever the private key is.
    pub(crate) fn agree(&self, peer: &[u8; 32]) -> Option<Secret> {
        let mut secret = Zeroizing::new([0; 32]);
        let peer_key = UnparsedPublicKey::new(&X25519, peer);
        let agreed = agree(&self.key, peer_key, (), |shared| {
            if shared.len() != secret.len() {
                return Err(());
            }
            secret.copy_from_slice(shared);
            Ok(())
        });
        match agreed {
            Ok(()) => Some(secret),
            Err(()) if has_small_order(peer) => None,
            // A refusal is signed where every enclave refuses alike, so nothing else may pass for one.
            Err(()) => unreachable!("AWS-LC agrees on a secret with any other point"),
        }
    }
}

/// Whether a u-coordinate generates a subgroup of order at most 8, on the curve or its twist, so
/// that every Diffie-Hellman with it yields zero (RFC 7748, section 6.1). Public data: not
/// constant-time.
pub(crate) fn has_small_order(point: &[u8; 32]) -> bool {
    let mut u = *point;
    u[31] &= 0x7f;
    SMALL_ORDER.contains(&u)
}

/// u = 0, 1, p-1, p, p+1 and the two of order 8, little-endian.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    alloy_primitives::hex!("0100000000000000000000000000000000000000000000000000000000000000"),
    alloy_primitives::hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    alloy_primitives::hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    alloy_primitives::hex!("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    alloy_primitives::hex!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    alloy_primitives::hex!("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyError, RecipientPublicKey, Suite};

    #[test]
    fn every_small_order_key_yields_no_secret_and_is_refused() {
        let secret = DhKey::new(&[9; 32]);
        for mut point in SMALL_ORDER {
            for _ in 0..2 {
                assert!(secret.agree(&point).is_none(), "{}", hex::encode(point));
                assert_eq!(
                    RecipientPublicKey::new(Suite::X25519, &point),
                    Err(KeyError::Invalid(Suite::X25519))
                );
                point[31] |= 0x80;
            }
        }
    }
}
