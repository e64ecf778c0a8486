// SPDX-License-Identifier: Apache-2.0
//! The runtime claims of an HCL report: the keys of the virtual TPM, and how the VM is configured.
//!
//! ```json
//! {"keys":[{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":"…"},
//!          {"kid":"HCLEkPub", …}],
//!  "vm-configuration":{"secure-boot":true,"tpm-enabled":true,"vmUniqueId":"…", …},
//!  "user-data":"128 hexadecimal digits"}
//! ```
//!
//! `vm-configuration` and `user-data` are only shown: the first is what the host asked for, the
//! second what the guest wrote into NV index 0x01400002, and what a quote binds is in the quote.
//! `user-data` is absent from older images.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;
use subrosa_evidence::CheckId;

use crate::failure::Failure;
use crate::tpm::Key;

/// Runtime claims.
#[derive(Debug)]
pub(super) struct RuntimeClaims<'a> {
    /// The attestation key of the virtual TPM.
    pub(super) attestation_key: Key,
    /// `vm-configuration`, the bytes that the report binds.
    pub(super) vm_configuration: Option<&'a [u8]>,
    /// `user-data`.
    pub(super) user_data: Option<Vec<u8>>,
}

impl<'a> RuntimeClaims<'a> {
    /// Reads the claims; the caller has seen that a hardware report binds them.
    ///
    /// # Errors
    ///
    /// `evidence.format`, or `azure.ak` if they name no attestation key, or more than one, or one
    /// that no TPM of Azure has.
    pub(super) fn parse(json: &'a [u8]) -> Result<Self, Failure> {
        let claims: Json<'a> = serde_json::from_slice(json)
            .map_err(|error| Failure::format("runtime claims in JSON", error))?;
        let user_data = claims
            .user_data
            .map(|digits| hex::decode(&*digits))
            .transpose()
            .map_err(|error| Failure::format("user-data in hexadecimal", error))?;
        Ok(Self {
            attestation_key: attestation_key(&claims.keys)?,
            vm_configuration: claims.vm_configuration.map(|raw| raw.get().as_bytes()),
            user_data,
        })
    }
}

fn attestation_key(keys: &[Jwk<'_>]) -> Result<Key, Failure> {
    let fault = |found: &str| {
        let expected = "one RSA key with the key id HCLAkPub in the runtime claims";
        Failure::rejected(CheckId::AzureAk, expected, found)
    };
    let mut named = keys
        .iter()
        .filter(|key| key.kid.as_deref() == Some(ATTESTATION_KEY));
    let key = match (named.next(), named.next()) {
        (Some(key), None) => key,
        (None, _) => return Err(fault("none")),
        (Some(_), Some(_)) => return Err(fault("more than one")),
    };
    if key.kty != "RSA" {
        return Err(fault("a key that is not RSA"));
    }
    let number = |text: &Option<Cow<'_, str>>| {
        let text = text.as_deref().ok_or_else(|| fault("an incomplete key"))?;
        URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|error| fault(&error.to_string()))
    };
    Key::rsa(&number(&key.n)?, &number(&key.e)?).map_err(|error| fault(&error.to_string()))
}

#[derive(Deserialize)]
struct Json<'a> {
    #[serde(borrow)]
    keys: Vec<Jwk<'a>>,
    #[serde(borrow, default, rename = "vm-configuration")]
    vm_configuration: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "user-data")]
    user_data: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Jwk<'a> {
    #[serde(borrow, default)]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kty: Cow<'a, str>,
    #[serde(borrow, default)]
    n: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    e: Option<Cow<'a, str>>,
}

const ATTESTATION_KEY: &str = "HCLAkPub";
