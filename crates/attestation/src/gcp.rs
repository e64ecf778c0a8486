// SPDX-License-Identifier: Apache-2.0
//! Tokens of Google's Confidential Space.
//!
//! A token is no evidence of hardware: Google's attestation service has appraised that, and says so
//! in a JWT (RFC 7519) signed with RS256, whose header brings the certificate chain (`x5c`) up to
//! the Confidential Space root. Whoever accepts one trusts Google. So there are no
//! [`Claims`](crate::Claims) of it, and no other part of this crate accepts a [`Token`].
//!
//! Source: Google Cloud, Confidential Space, "Attestation token claims" and "Validate the
//! attestation token" (PKI tokens); RFC 7515 (JWS), 4.1.6 (`x5c`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use serde::Deserialize;
use webpki::EndEntityCert;
use webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;

use crate::Root;
use crate::x509::{self, PathFault};

/// Largest token that is looked at, bytes. Genuine ones have 11 KiB.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// What Google says of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// Whom the token is for.
    pub audience: String,
    /// Which VM: `https://www.googleapis.com/compute/v1/projects/…`.
    pub subject: String,
    /// When it was issued, Unix seconds.
    pub issued: u64,
    /// When it, or the first certificate of its chain, runs out, Unix seconds.
    pub expires: u64,
    /// What the hardware is: `GCP_INTEL_TDX`, `GCP_AMD_SEV`, …; never `GCP_SHIELDED_VM`, which is
    /// no TEE. Whether its protection is enough is for the caller.
    pub hardware: String,
    /// The challenges the workload asked with.
    pub nonces: Vec<String>,
    /// Whether the VM booted securely.
    pub secure_boot: bool,
    /// Versions of the Confidential Space image.
    pub software_versions: Vec<String>,
    /// The container that runs: `sha256:` and 64 hexadecimal digits.
    pub image_digest: String,
}

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a token of Confidential Space.
    #[error("not a Confidential Space token: {0}")]
    Malformed(String),
    /// The certificates are no chain to the root, or not in force.
    #[error("the token's certificates are no chain to the root: {0}")]
    Certificates(String),
    /// The leaf certificate's key did not sign it.
    #[error("the key of the token's certificate did not sign it")]
    Signature,
    /// It is not in force.
    #[error("a token in force from {from} to {to}, judged at {now}")]
    NotInForce {
        /// From, Unix seconds.
        from: u64,
        /// To, Unix seconds.
        to: u64,
        /// When it was judged, Unix seconds.
        now: u64,
    },
    /// It says something that no verifier should accept.
    #[error("{claim} is {found:?}, expected {expected}")]
    Claim {
        /// The claim's name.
        claim: &'static str,
        /// What would have passed.
        expected: &'static str,
        /// What was there.
        found: String,
    },
}

/// Verifies a token under `root` (which the caller has pinned) as of `now` (Unix seconds): chain,
/// signature, dates, issuer, and that the VM is a confidential one whose debugging has been
/// disabled since it started. Audience, nonce and image are for the caller.
///
/// # Errors
///
/// [`TokenError`].
pub fn verify_token(jwt: &str, root: &Root, now: u64) -> Result<Token, TokenError> {
    if jwt.len() > MAX_TOKEN_BYTES {
        return Err(malformed(format_args!("{} bytes", jwt.len())));
    }
    let (signed, signature) = jwt.rsplit_once('.').ok_or_else(three_parts)?;
    let (header, payload) = signed.split_once('.').ok_or_else(three_parts)?;
    let header: Header = serde_json::from_slice(&base64url(header)?).map_err(malformed)?;
    if header.alg != "RS256" {
        return Err(malformed(format_args!("algorithm {:?}", header.alg)));
    }
    if header.crit.is_some() {
        return Err(malformed("an extension that must be understood"));
    }
    if header.x5c.len() > x509::MAX_ITEMS {
        return Err(malformed(format_args!("{} certificates", header.x5c.len())));
    }
    let certificates = header
        .x5c
        .iter()
        .map(|text| STANDARD.decode(text).map_err(malformed))
        .collect::<Result<Vec<Vec<u8>>, _>>()?;
    let [leaf, others @ ..] = certificates.as_slice() else {
        return Err(malformed("no certificate"));
    };
    let others: Vec<Vec<u8>> = others
        .iter()
        .filter(|der| der.as_slice() != root.certificate())
        .cloned()
        .collect();
    let path = x509::verify(leaf, &others, std::iter::once(root), &[], ALGORITHMS, now)
        .map_err(|fault: PathFault| TokenError::Certificates(fault.to_string()))?;
    let der = CertificateDer::from(leaf.as_slice());
    EndEntityCert::try_from(&der)
        .map_err(|error| TokenError::Certificates(error.to_string()))?
        .verify_signature(
            RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &base64url(signature)?,
        )
        .map_err(|_| TokenError::Signature)?;
    let payload: Payload = serde_json::from_slice(&base64url(payload)?).map_err(malformed)?;
    payload.judge(now)?;
    Ok(payload.token(path.expires))
}

impl Payload {
    fn judge(&self, now: u64) -> Result<(), TokenError> {
        let from = self.nbf.max(self.iat);
        if now < from || now >= self.exp {
            let to = self.exp;
            return Err(TokenError::NotInForce { from, to, now });
        }
        let claim = |claim, passed: bool, expected, found: &str| {
            if passed {
                return Ok(());
            }
            Err(TokenError::Claim {
                claim,
                expected,
                found: found.chars().take(64).collect(),
            })
        };
        claim("iss", self.iss == ISSUER, ISSUER, &self.iss)?;
        claim("swname", self.swname == SOFTWARE, SOFTWARE, &self.swname)?;
        claim("dbgstat", self.dbgstat == NO_DEBUG, NO_DEBUG, &self.dbgstat)?;
        let confidential = self.hwmodel != SHIELDED;
        claim("hwmodel", confidential, "a confidential VM", &self.hwmodel)
    }

    fn token(self, chain_expires: u64) -> Token {
        Token {
            audience: self.aud,
            subject: self.sub,
            issued: self.iat,
            expires: self.exp.min(chain_expires),
            hardware: self.hwmodel,
            nonces: match self.eat_nonce {
                Some(Nonces::One(nonce)) => vec![nonce],
                Some(Nonces::Many(nonces)) => nonces,
                None => Vec::new(),
            },
            secure_boot: self.secboot,
            software_versions: self.swversion,
            image_digest: self.submods.container.image_digest,
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    x5c: Vec<String>,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Payload {
    aud: String,
    exp: u64,
    iat: u64,
    iss: String,
    nbf: u64,
    sub: String,
    #[serde(default)]
    eat_nonce: Option<Nonces>,
    secboot: bool,
    hwmodel: String,
    swname: String,
    #[serde(default)]
    swversion: Vec<String>,
    dbgstat: String,
    submods: Submods,
}

/// One, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Nonces {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Submods {
    container: Container,
}

#[derive(Deserialize)]
struct Container {
    image_digest: String,
}

fn base64url(text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(text).map_err(malformed)
}

fn malformed(fault: impl ToString) -> TokenError {
    TokenError::Malformed(fault.to_string())
}

fn three_parts() -> TokenError {
    malformed("not three parts")
}

static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[RSA_PKCS1_2048_8192_SHA256];
const ISSUER: &str = "https://confidentialcomputing.googleapis.com";
const SOFTWARE: &str = "CONFIDENTIAL_SPACE";
const NO_DEBUG: &str = "disabled-since-boot";
const SHIELDED: &str = "GCP_SHIELDED_VM";
