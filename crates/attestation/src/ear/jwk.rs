// SPDX-License-Identifier: Apache-2.0
//! Public keys of verifiers: JSON Web Keys (RFC 7517) on P-256 (RFC 7518, 6.2).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::EncodedPoint;
use p256::ecdsa::VerifyingKey;
use sha2::{Digest, Sha256};
use subrosa_evidence::api::Jwk;

/// Why a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// Not an ES256 signature key on P-256.
    #[error("key is not an ES256 signature key on P-256")]
    Kind,
    /// The coordinates are not a point.
    #[error("key's coordinates are not a point on P-256")]
    Point,
    /// The `kid` is not the thumbprint of RFC 7638.
    #[error("key id is not the key's thumbprint, which is {0}")]
    Thumbprint(String),
}

pub(crate) fn jwk_of(key: &VerifyingKey) -> Jwk {
    let point = key.to_encoded_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| {
        URL_SAFE_NO_PAD.encode(bytes.map(|bytes| bytes.as_slice()).unwrap_or_default())
    };
    let (x, y) = (coordinate(point.x()), coordinate(point.y()));
    let kid = thumbprint(&x, &y);
    Jwk {
        kty: "EC".to_owned(),
        crv: "P-256".to_owned(),
        x,
        y,
        kid,
        alg: Jwk::es256(),
        usage: Jwk::sig(),
    }
}

/// Checks that `jwk` is a usable key under its own thumbprint.
///
/// # Errors
///
/// [`JwkError`].
pub fn validate(jwk: &Jwk) -> Result<(), JwkError> {
    verifying_key(jwk).map(|_| ())
}

pub(crate) fn verifying_key(jwk: &Jwk) -> Result<VerifyingKey, JwkError> {
    if jwk.kty != "EC" || jwk.crv != "P-256" || jwk.alg != "ES256" || jwk.usage != "sig" {
        return Err(JwkError::Kind);
    }
    let (x, y) = (coordinate(&jwk.x)?, coordinate(&jwk.y)?);
    let point = EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
    let key = VerifyingKey::from_encoded_point(&point).map_err(|_| JwkError::Point)?;
    let expected = thumbprint(&jwk.x, &jwk.y);
    if jwk.kid != expected {
        return Err(JwkError::Thumbprint(expected));
    }
    Ok(key)
}

fn coordinate(text: &str) -> Result<[u8; 32], JwkError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(JwkError::Point)
}

/// RFC 7638: SHA-256 of the required members in lexicographic order, without white space.
fn thumbprint(x: &str, y: &str) -> String {
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ear::EarKey;

    #[test]
    fn keys_round_trip_and_their_thumbprint_is_checked() {
        let jwk = EarKey::from_bytes(&[7; 32]).unwrap().jwk();
        let json = serde_json::to_string(&jwk).unwrap();
        let mut read: Jwk = serde_json::from_str(&json).unwrap();
        assert_eq!(validate(&read), Ok(()));
        assert_eq!(jwk_of(&verifying_key(&read).unwrap()), jwk);
        read.kid = "other".to_owned();
        assert_eq!(validate(&read), Err(JwkError::Thumbprint(jwk.kid.clone())));
        let off_curve = Jwk {
            y: jwk.x.clone(),
            ..jwk.clone()
        };
        assert_eq!(validate(&off_curve), Err(JwkError::Point));
        let symmetric = Jwk {
            kty: "oct".to_owned(),
            ..jwk
        };
        assert_eq!(validate(&symmetric), Err(JwkError::Kind));
    }

    #[test]
    fn no_key_has_a_zero_scalar_and_keys_do_not_print() {
        assert!(EarKey::from_bytes(&[0; 32]).is_none());
        assert!(EarKey::from_bytes(&[0xff; 32]).is_none());
        assert_eq!(
            format!("{:?}", EarKey::from_bytes(&[1; 32]).unwrap()),
            "EarKey(..)"
        );
    }
}
