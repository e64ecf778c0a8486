// SPDX-License-Identifier: Apache-2.0
//! Public attestation keys.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey,
};
use p256::pkcs8::DecodePublicKey as _;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Reader as _, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::TpmError;
use super::signature::Signature;

/// A public attestation key: RSA of 2048 to 4096 bits with the exponent 65537, or P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Rsa { modulus: Vec<u8> },
    P256 { point: Vec<u8> },
}

impl Key {
    /// An RSA key; both numbers big-endian, without leading zeros.
    ///
    /// # Errors
    ///
    /// [`TpmError::Key`].
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, TpmError> {
        if exponent != EXPONENT {
            return Err(TpmError::Key("an exponent other than 65537".to_owned()));
        }
        let Some(first @ 1..) = modulus.first() else {
            return Err(TpmError::Key("a modulus with leading zeros".to_owned()));
        };
        let bits = modulus.len().saturating_mul(8) - first.leading_zeros() as usize;
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(TpmError::Key(format!("RSA of {bits} bits")));
        }
        Ok(Self(Kind::Rsa {
            modulus: modulus.to_vec(),
        }))
    }

    /// Reads a SubjectPublicKeyInfo, DER or PEM (`PUBLIC KEY`), at most 2 KiB.
    ///
    /// # Errors
    ///
    /// [`TpmError::Key`].
    pub fn from_public_key(bytes: &[u8]) -> Result<Self, TpmError> {
        let malformed = |error: &dyn fmt::Display| TpmError::Key(error.to_string());
        if bytes.len() > MAX_SPKI_BYTES {
            return Err(malformed(&format!("{} bytes", bytes.len())));
        }
        let decoded;
        let der = if bytes.starts_with(b"-----BEGIN") {
            let (label, der) =
                x509_cert::der::pem::decode_vec(bytes).map_err(|error| malformed(&error))?;
            if label != "PUBLIC KEY" {
                return Err(malformed(&format!("a PEM {label}")));
            }
            decoded = der;
            decoded.as_slice()
        } else {
            bytes
        };
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|error| malformed(&error))?;
        if info.algorithm.oid != RSA_ENCRYPTION {
            let key =
                p256::PublicKey::from_public_key_der(der).map_err(|error| malformed(&error))?;
            return Ok(Self(Kind::P256 {
                point: key.to_sec1_bytes().to_vec(),
            }));
        }
        let numbers = info
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| malformed(&"an RSA key that is not whole bytes"))?;
        let mut reader = SliceReader::new(numbers).map_err(|error| malformed(&error))?;
        let (modulus, exponent) = reader
            .sequence(|fields| Ok((UintRef::decode(fields)?, UintRef::decode(fields)?)))
            .and_then(|numbers: (UintRef<'_>, UintRef<'_>)| {
                reader.finish()?;
                Ok(numbers)
            })
            .map_err(|error: x509_cert::der::Error| malformed(&error))?;
        Self::rsa(modulus.as_bytes(), exponent.as_bytes())
    }

    pub(super) fn verify(&self, message: &[u8], signature: &Signature<'_>) -> Result<(), TpmError> {
        let verified = match (&self.0, signature) {
            (Kind::Rsa { modulus }, Signature::Rsassa(signature)) => {
                components(modulus).verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Kind::Rsa { modulus }, Signature::Rsapss(signature)) => {
                components(modulus).verify(&RSA_PSS_2048_8192_SHA256, message, signature)
            }
            (Kind::P256 { point }, Signature::Ecdsa(signature)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            _ => return Err(TpmError::Signature),
        };
        verified.map_err(|_| TpmError::Signature)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Rsa { modulus } => write!(f, "Key(RSA, {} bytes)", modulus.len()),
            Kind::P256 { .. } => f.write_str("Key(P-256)"),
        }
    }
}

fn components(modulus: &[u8]) -> PublicKeyComponents<&[u8]> {
    PublicKeyComponents {
        n: modulus,
        e: &EXPONENT,
    }
}

const RSA_ENCRYPTION: x509_cert::der::asn1::ObjectIdentifier =
    x509_cert::der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EXPONENT: [u8; 3] = [1, 0, 1];
const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 4096;
const MAX_SPKI_BYTES: usize = 2048;
