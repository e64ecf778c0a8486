// SPDX-License-Identifier: Apache-2.0
//! Labelled derivation: HKDF-SHA256 (RFC 5869) and HMAC-SHA256 (RFC 2104).

use alloc::vec::Vec;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 32 secret bytes.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// A root from which keys are expanded.
pub(crate) struct Prk(Hkdf<Sha256>);

impl Prk {
    /// HKDF-Extract, salted with the name of what `secret` is.
    pub(crate) fn new(name: &str, secret: &[u8; 32]) -> Self {
        Self(Hkdf::new(Some(name.as_bytes()), secret))
    }

    /// HKDF-Expand to 32 bytes, with info = label and fields, each behind its length (u64).
    pub(crate) fn derive(&self, label: &str, fields: &[&[u8]]) -> Secret {
        let mut info = Vec::with_capacity(8 + label.len() + fields.len() * 40);
        push_prefixed(&mut info, label.as_bytes());
        for field in fields {
            push_prefixed(&mut info, field);
        }
        let mut out = Zeroizing::new([0; 32]);
        if self.0.expand(&info, out.as_mut_slice()).is_err() {
            unreachable!("32 bytes are within HKDF-SHA256's limit of 8160");
        }
        out
    }
}

/// HMAC-SHA256 over the concatenation of `parts`, which the caller keeps prefix-free.
pub(crate) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Secret {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length");
    };
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn push_prefixed(out: &mut Vec<u8>, field: &[u8]) {
    out.extend_from_slice(&(field.len() as u64).to_be_bytes());
    out.extend_from_slice(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_separated_by_their_lengths() {
        let prk = Prk::new("test", &[7; 32]);
        let derive = |fields: &[&[u8]]| *prk.derive("label", fields);
        assert_ne!(derive(&[b"ab", b"c"]), derive(&[b"a", b"bc"]));
        assert_ne!(derive(&[b"abc"]), derive(&[b"abc", b""]));
        assert_ne!(*prk.derive("label", &[b"x"]), *prk.derive("labelx", &[]));
        assert_ne!(
            *Prk::new("a", &[7; 32]).derive("label", &[]),
            *Prk::new("b", &[7; 32]).derive("label", &[])
        );
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        // RFC 4231 test case 1 uses a 20-byte key; HMAC pads keys with zeros, so 32 bytes serve.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex::encode(*hmac(&key, &[b"Hi ", b"There"])), expected);
    }
}
