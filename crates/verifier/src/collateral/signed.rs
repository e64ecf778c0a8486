// SPDX-License-Identifier: Apache-2.0
//! Who signed what was fetched.
//!
//! Nothing enters the cache that does not hang from a root which the policy accepts: otherwise
//! whoever answers once could keep genuine evidence from being accepted until the next refresh.
//! Appraisal checks everything again, revocation and purpose included; this is no substitute.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, RSA_PSS_2048_8192_SHA384, UnparsedPublicKey,
    VerificationAlgorithm,
};
use subrosa_attestation::{Policy, root_certificate};
use subrosa_evidence::{
    AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, INTEL_SGX_ROOT_ID,
};
use x509_cert::Certificate;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::asn1::{BitString, ObjectIdentifier};
use x509_cert::der::{Decode, Encode};
use x509_cert::name::Name;

use super::piece::AmdProduct;

/// Why what was fetched is refused. The source must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Not of the form it should have.
    #[error("not {0}")]
    Malformed(&'static str),
    /// About something else.
    #[error("{what} is {found}, expected {expected}")]
    Other {
        what: &'static str,
        found: String,
        expected: String,
    },
    /// Signed by nobody who may.
    #[error("{0} is not signed by its issuer")]
    Signature(&'static str),
    /// Under a root that the policy does not accept.
    #[error("the certificates do not end in an accepted root")]
    Root,
    /// Not in force.
    #[error("in force from {from} until {until}, now is {now}")]
    NotInForce { from: u64, until: u64, now: u64 },
}

/// The roots that fetched collateral may hang from: those the policy accepts, the development
/// root excepted, for which nobody publishes anything.
#[derive(Clone, Debug)]
pub(super) struct Anchors {
    built_in: Vec<Vec<u8>>,
    own: Vec<Vec<u8>>,
}

/// Whose list a list of revoked intermediates is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// Intel SGX Root CA, or a root of one's own in its place.
    Intel,
    /// The ARK of a product.
    Amd(AmdProduct),
}

impl Anchors {
    pub(super) fn of(policy: &Policy) -> Self {
        let own = policy
            .certificates
            .iter()
            .filter(|root| policy.roots.contains(&root.id()))
            .map(|root| root.certificate().to_vec())
            .collect();
        let built_in = policy
            .roots
            .iter()
            .filter(|id| !subrosa_evidence::is_development(**id))
            .filter_map(|id| root_certificate(*id))
            .map(<[u8]>::to_vec)
            .collect();
        Self { built_in, own }
    }

    /// Whether the root of `product` may be one of them.
    pub(super) fn may_cover(&self, product: AmdProduct) -> bool {
        let id = match product {
            AmdProduct::Milan => AMD_MILAN_ROOT_ID,
            AmdProduct::Genoa => AMD_GENOA_ROOT_ID,
            AmdProduct::Turin => AMD_TURIN_ROOT_ID,
        };
        let built_in = root_certificate(id).is_some_and(|certificate| {
            self.built_in
                .iter()
                .any(|anchor| anchor.as_slice() == certificate)
        });
        built_in || !self.own.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.built_in.iter().chain(&self.own)
    }

    /// Verifies that each certificate is signed by the next and the last is an anchor.
    pub(super) fn chain(&self, certificates: &[Certificate]) -> Result<(), Refusal> {
        for pair in certificates.windows(2) {
            if let [subject, issuer] = pair {
                certificate_by(subject, issuer)?;
            }
        }
        let last = certificates.last().ok_or(Refusal::Root)?;
        let last = last.to_der().map_err(|_| Refusal::Root)?;
        if self.all().any(|anchor| *anchor == last) {
            Ok(())
        } else {
            Err(Refusal::Root)
        }
    }

    /// Verifies that the anchor that is `root` signed `list`. Each root's list is about its own
    /// hierarchy: another's says nothing, however well it is signed.
    pub(super) fn signed_list(
        &self,
        root: Root,
        list: &CertificateList<Rfc5280>,
    ) -> Result<(), Refusal> {
        let found = common_name(&list.tbs_cert_list.issuer).unwrap_or_default();
        let is_meant = match root {
            Root::Intel => !found.starts_with(ARK),
            Root::Amd(product) => found == format!("{ARK}{product}"),
        };
        if !is_meant {
            return Err(other("the list's issuer", found, root));
        }
        let intel = root_certificate(INTEL_SGX_ROOT_ID);
        let mut anchors = self
            .all()
            .filter(|der| match root {
                Root::Intel => self.own.contains(*der) || intel == Some(der.as_slice()),
                Root::Amd(_) => true,
            })
            .filter_map(|der| Certificate::from_der(der).ok());
        if anchors.any(|anchor| list_by(list, &anchor).is_ok()) {
            Ok(())
        } else {
            Err(Refusal::Root)
        }
    }

    /// The anchor that signed `certificate`.
    pub(super) fn above(&self, certificate: &Certificate) -> Option<Certificate> {
        self.all()
            .filter_map(|der| Certificate::from_der(der).ok())
            .find(|anchor| certificate_by(certificate, anchor).is_ok())
    }
}

/// The certificates of a PEM chain, one to [`LONGEST_CHAIN`].
pub(super) fn pem_chain(pem: &[u8]) -> Result<Vec<Certificate>, Refusal> {
    const CHAIN: Refusal = Refusal::Malformed("a chain of certificates in PEM");
    let chain = Certificate::load_pem_chain(pem).map_err(|_| CHAIN)?;
    if (1..=LONGEST_CHAIN).contains(&chain.len()) {
        Ok(chain)
    } else {
        Err(CHAIN)
    }
}

/// The common name, if there is exactly one.
pub(super) fn common_name(name: &Name) -> Option<String> {
    let mut names = name.iter().filter(|attribute| attribute.oid == COMMON_NAME);
    let (name, None) = (names.next()?, names.next()) else {
        return None;
    };
    String::from_utf8(name.value.value().to_vec()).ok()
}

/// Verifies that `issuer` signed `subject`.
pub(super) fn certificate_by(subject: &Certificate, issuer: &Certificate) -> Result<(), Refusal> {
    const WHAT: &str = "a certificate";
    let body = subject.tbs_certificate();
    // RFC 5280, 4.1.1.2: what stands outside the signed part repeats what stands inside.
    if body.issuer() != issuer.tbs_certificate().subject()
        || body.signature() != subject.signature_algorithm()
    {
        return Err(Refusal::Signature(WHAT));
    }
    let algorithm = subject.signature_algorithm().oid;
    signed(body, algorithm, subject.signature(), issuer, WHAT)
}

/// Verifies that `issuer` signed `list`.
pub(super) fn list_by(
    list: &CertificateList<Rfc5280>,
    issuer: &Certificate,
) -> Result<(), Refusal> {
    const WHAT: &str = "a revocation list";
    let body = &list.tbs_cert_list;
    if &body.issuer != issuer.tbs_certificate().subject()
        || body.signature != list.signature_algorithm
    {
        return Err(Refusal::Signature(WHAT));
    }
    let algorithm = list.signature_algorithm.oid;
    signed(body, algorithm, &list.signature, issuer, WHAT)
}

/// Verifies that `issuer` signed `text`: ES256, r ‖ s.
pub(super) fn text_by(text: &str, signature: &[u8], issuer: &Certificate) -> Result<(), Refusal> {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key(issuer))
        .verify(text.as_bytes(), signature)
        .map_err(|_| Refusal::Signature("the text"))
}

/// From when until when a certificate is in force, Unix seconds.
pub(super) fn validity(certificate: &Certificate) -> (u64, u64) {
    let validity = certificate.tbs_certificate().validity();
    (
        validity.not_before.to_unix_duration().as_secs(),
        validity.not_after.to_unix_duration().as_secs(),
    )
}

/// From when until when all of `certificates` are in force.
pub(super) fn common_validity(certificates: &[Certificate]) -> (u64, u64) {
    certificates
        .iter()
        .map(validity)
        .fold((0, u64::MAX), |(from, until), (since, end)| {
            (from.max(since), until.min(end))
        })
}

/// Refuses what is not in force at `now`. A vendor's clock may be a little ahead.
pub(super) fn in_force(from: u64, until: u64, now: u64) -> Result<(), Refusal> {
    if from <= now.saturating_add(SKEW) && now < until {
        Ok(())
    } else {
        Err(Refusal::NotInForce { from, until, now })
    }
}

fn signed(
    body: &impl Encode,
    algorithm: ObjectIdentifier,
    signature: &BitString,
    issuer: &Certificate,
    what: &'static str,
) -> Result<(), Refusal> {
    let verifier: &'static dyn VerificationAlgorithm = if algorithm == ECDSA_WITH_SHA256 {
        &ECDSA_P256_SHA256_ASN1
    } else if algorithm == RSASSA_PSS {
        &RSA_PSS_2048_8192_SHA384
    } else {
        return Err(Refusal::Malformed("signed as Intel or AMD sign"));
    };
    let body = body.to_der().map_err(|_| Refusal::Signature(what))?;
    let signature = signature.as_bytes().ok_or(Refusal::Signature(what))?;
    UnparsedPublicKey::new(verifier, key(issuer))
        .verify(&body, signature)
        .map_err(|_| Refusal::Signature(what))
}

fn key(certificate: &Certificate) -> &[u8] {
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key
        .as_bytes()
        .unwrap_or_default()
}

/// What was expected and what was there, for [`Refusal::Other`].
pub(super) fn other(
    what: &'static str,
    found: impl fmt::Display,
    expected: impl fmt::Display,
) -> Refusal {
    Refusal::Other {
        what,
        // A stranger's text, short enough for a log.
        found: found.to_string().chars().take(64).collect(),
        expected: expected.to_string(),
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intel => f.write_str("Intel SGX Root CA"),
            Self::Amd(product) => write!(f, "{ARK}{product}"),
        }
    }
}

/// What the common names of AMD's roots begin with.
const ARK: &str = "ARK-";
/// id-at-commonName (RFC 5280, A.1).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// ecdsa-with-SHA256 (RFC 5758, 3.2).
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// id-RSASSA-PSS (RFC 4055, 3.1).
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// How far a vendor's clock may be ahead, seconds.
const SKEW: u64 = 60;
const LONGEST_CHAIN: usize = 4;
