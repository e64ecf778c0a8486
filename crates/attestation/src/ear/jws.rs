// SPDX-License-Identifier: Apache-2.0
//! JSON Web Signatures in compact form (RFC 7515), with ES256 (RFC 7518, 3.4) and nothing else.
//!
//! There is no algorithm to negotiate and so none to confuse: the header must say ES256, the key
//! decides what that means.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// A token taken apart, its signature not yet verified.
pub(crate) struct Unverified<'a> {
    /// Which key it claims.
    pub(crate) kid: String,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[expect(
    clippy::expect_used,
    reason = "plain structs with string keys always serialize"
)]
pub(crate) fn sign<T: Serialize>(payload: &T, key: &SigningKey, kid: &str) -> String {
    let header = Header {
        alg: ALGORITHM.to_owned(),
        typ: TYPE.to_owned(),
        kid: kid.to_owned(),
    };
    let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
    let signed = format!(
        "{}.{}",
        part(serde_json::to_vec(&header).expect("serializable by construction")),
        part(serde_json::to_vec(payload).expect("serializable by construction")),
    );
    let signature: Signature = key.sign(signed.as_bytes());
    let signature = signature.normalize_s().unwrap_or(signature);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

impl<'a> Unverified<'a> {
    /// Takes `token` apart. `Err` says what is wrong with its form.
    pub(crate) fn parse(token: &'a str) -> Result<Self, String> {
        let (signed, signature) = token.rsplit_once('.').ok_or("not three parts")?;
        let (header, payload) = signed.split_once('.').ok_or("not three parts")?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "not base64url");
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|error| format!("header: {error}"))?;
        if header.alg != ALGORITHM {
            return Err(format!("algorithm {:?}", shortened(&header.alg)));
        }
        if header.typ != TYPE {
            return Err(format!("type {:?}", shortened(&header.typ)));
        }
        let signature = Signature::from_slice(&decode(signature)?)
            .map_err(|_| "signature is not two scalars".to_owned())?;
        Ok(Self {
            kid: header.kid,
            signed,
            payload: decode(payload)?,
            signature,
        })
    }

    /// The payload, if `key` signed it.
    pub(crate) fn verify(self, key: &VerifyingKey) -> Option<Vec<u8>> {
        key.verify(self.signed.as_bytes(), &self.signature)
            .ok()
            .map(|()| self.payload)
    }
}

/// A stranger's text, short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

const ALGORITHM: &str = "ES256";
const TYPE: &str = "JWT";
