// SPDX-License-Identifier: Apache-2.0
//! Certificate paths (RFC 5280 section 6) and revocation lists (section 5) over `rustls-webpki`.
//!
//! `rustls-webpki` finds the path and judges signatures, dates, CA flags and path lengths. This
//! module adds what it leaves to its caller, the dates of the root itself, and judges revocation
//! lists: `rustls-webpki` would consult the first that fits, demands more of their form than
//! vendors promise, and does not say which it consulted.

mod list;

use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, SignatureVerificationAlgorithm, TrustAnchor,
    UnixTime,
};
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Reader, SliceReader};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{BasicConstraints, CrlDistributionPoints, KeyUsage};
use x509_cert::name::Name;
use x509_cert::time::Time;

use crate::roots::Root;

/// Most certificates, and most revocation lists, of one piece of evidence.
pub(crate) const MAX_ITEMS: usize = 8;

/// Most certificates between leaf and root.
pub(crate) const MAX_INTERMEDIATES: usize = 4;

/// A path that was verified.
#[derive(Clone, Debug)]
pub(crate) struct Path<'a> {
    /// Where it ends.
    pub(crate) root: &'a Root,
    /// Every certificate, the leaf first, the root last.
    pub(crate) certificates: Vec<Piece>,
    /// Every revocation list that covers one of them.
    pub(crate) lists: Vec<Piece>,
    /// When the first certificate or list runs out, Unix seconds.
    pub(crate) expires: u64,
}

/// A certificate or a revocation list that a path rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// DER.
    pub(crate) der: Vec<u8>,
    /// `notAfter` or `nextUpdate`, Unix seconds.
    pub(crate) expires: u64,
}

/// Why there is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PathFault {
    /// Not X.509, or not the X.509 that this module supports.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The same of a revocation list.
    #[error("malformed revocation list: {0}")]
    MalformedList(String),
    /// More certificates or lists than [`MAX_ITEMS`], or intermediates than [`MAX_INTERMEDIATES`].
    #[error("too many {0}")]
    TooMany(&'static str),
    /// A certificate is not in force yet.
    #[error("a certificate that is not valid before {0}")]
    NotYetValid(u64),
    /// A certificate is no longer in force.
    #[error("a certificate that is not valid after {0}")]
    Expired(u64),
    /// A revocation list names a certificate of the path.
    #[error("a revoked certificate ({0})")]
    Revoked(String),
    /// A revocation list is not in force.
    #[error("a revocation list in force from {from} to {to}")]
    StaleList { from: u64, to: u64 },
    /// A revocation list is not signed by the issuer it names.
    #[error("a revocation list that its issuer did not sign")]
    ListSignature,
    /// No path leads to a root.
    #[error("an issuer that is not known")]
    UnknownIssuer,
    /// A certificate is not signed by the issuer it names.
    #[error("a certificate that its issuer did not sign")]
    BadSignature,
    /// A certificate is signed with an algorithm that does not belong here.
    #[error("a certificate signed with an algorithm that does not belong here")]
    Algorithm,
    /// A constraint of RFC 5280 is violated.
    #[error("a certificate path that violates RFC 5280: {0}")]
    Other(String),
}

impl PathFault {
    /// Whether fresh certificates, or fresh lists, could change the verdict.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(
            self,
            Self::NotYetValid(_) | Self::Expired(_) | Self::StaleList { .. }
        )
    }

    /// Whether it is a revocation list, or what it says, that is at fault.
    pub(crate) fn is_about_revocation(&self) -> bool {
        matches!(
            self,
            Self::MalformedList(_)
                | Self::Revoked(_)
                | Self::StaleList { .. }
                | Self::ListSignature
        )
    }
}

/// Verifies that `leaf` (DER, not a CA) hangs from one of `roots` through any of `intermediates`
/// (DER, any order, at most [`MAX_INTERMEDIATES`]: paths are searched among all orders of those
/// that name one another, and strangers choose the names) as of `now` (Unix seconds).
///
/// Each of `lists` (DER) whose issuer is on the path must be signed by that issuer, be in force and
/// name no certificate of the path; one of a stranger is left aside and is not in [`Path::lists`].
///
/// # Errors
///
/// [`PathFault`].
pub(crate) fn verify<'a>(
    leaf: &[u8],
    intermediates: &[Vec<u8>],
    roots: impl Iterator<Item = &'a Root>,
    lists: &[Vec<u8>],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    now: u64,
) -> Result<Path<'a>, PathFault> {
    if intermediates.len() > MAX_INTERMEDIATES {
        return Err(PathFault::TooMany("intermediate certificates"));
    }
    bounded(lists.len(), "revocation lists")?;
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf).map_err(fault)?;
    let intermediates: Vec<CertificateDer<'_>> = intermediates
        .iter()
        .map(|der| CertificateDer::from(der.as_slice()))
        .collect();
    let roots: Vec<(&Root, CertificateDer<'_>)> = roots
        .map(|root| (root, CertificateDer::from(root.certificate())))
        .collect();
    let (roots, anchors): (Vec<&Root>, Vec<TrustAnchor<'_>>) = roots
        .iter()
        .filter_map(|(root, der)| Some((*root, anchor_from_trusted_cert(der).ok()?)))
        .unzip();
    let path = leaf
        .verify_for_usage(
            algorithms,
            &anchors,
            &intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(now)),
            AnyPurpose,
            None,
            None,
        )
        .map_err(fault)?;
    let root = roots
        .iter()
        .zip(&anchors)
        .find(|(_, anchor)| std::ptr::eq(*anchor, path.anchor()))
        .map(|(root, _)| *root)
        .ok_or(PathFault::UnknownIssuer)?;

    let mut steps = vec![Step::of(path.end_entity().der().as_ref())?];
    for certificate in path.intermediate_certificates() {
        steps.push(Step::of(certificate.der().as_ref())?);
    }
    steps.push(Step::of(root.certificate())?);
    if let Some(last) = steps.last() {
        last.in_force(now)?;
    }
    let lists = list::consult(&steps, lists, algorithms, now)?;
    let certificates: Vec<Piece> = steps.into_iter().map(|step| step.piece).collect();
    let expires = certificates
        .iter()
        .chain(&lists)
        .map(|piece| piece.expires)
        .min()
        .unwrap_or_default();
    Ok(Path {
        root,
        certificates,
        lists,
        expires,
    })
}

/// Splits a part of certificates, PEM or DER one after the other, into DER.
///
/// # Errors
///
/// [`PathFault::TooMany`], [`PathFault::Malformed`] where the bytes are neither.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, PathFault> {
    items::<CertificateDer<'static>>(bytes, "certificates")
}

/// Splits a part of revocation lists, PEM or DER one after the other, into DER.
///
/// # Errors
///
/// As [`certificates`].
pub(crate) fn revocation_lists(bytes: &[u8]) -> Result<Vec<Vec<u8>>, PathFault> {
    items::<CertificateRevocationListDer<'static>>(bytes, "revocation lists")
}

fn items<T: PemObject + AsRef<[u8]>>(
    bytes: &[u8],
    what: &'static str,
) -> Result<Vec<Vec<u8>>, PathFault> {
    let mut found = Vec::new();
    if bytes.first() == Some(&DER_SEQUENCE) {
        let mut reader = SliceReader::new(bytes).map_err(malformed)?;
        while !reader.is_finished() {
            found.push(reader.tlv_bytes().map_err(malformed)?.to_vec());
            bounded(found.len(), what)?;
        }
    } else {
        for item in T::pem_slice_iter(bytes) {
            let item = item.map_err(|error| PathFault::Malformed(error.to_string()))?;
            found.push(item.as_ref().to_vec());
            bounded(found.len(), what)?;
        }
        if found.is_empty() && !bytes.is_empty() {
            return Err(PathFault::Malformed(format!("no {what}, PEM or DER")));
        }
    }
    Ok(found)
}

/// A certificate of a path, and what a revocation list is held against.
struct Step {
    piece: Piece,
    certificate: Certificate,
}

impl Step {
    fn of(der: &[u8]) -> Result<Self, PathFault> {
        let certificate = Certificate::from_der(der).map_err(malformed)?;
        let expires = seconds(&certificate.tbs_certificate().validity().not_after);
        Ok(Self {
            piece: Piece {
                der: der.to_vec(),
                expires,
            },
            certificate,
        })
    }

    fn subject(&self) -> &Name {
        self.certificate.tbs_certificate().subject()
    }

    fn issuer(&self) -> &Name {
        self.certificate.tbs_certificate().issuer()
    }

    fn in_force(&self, now: u64) -> Result<(), PathFault> {
        let from = seconds(&self.certificate.tbs_certificate().validity().not_before);
        if now < from {
            return Err(PathFault::NotYetValid(from));
        }
        if now > self.piece.expires {
            return Err(PathFault::Expired(self.piece.expires));
        }
        Ok(())
    }

    /// Whether the key may sign revocation lists (RFC 5280 section 4.2.1.3).
    fn signs_lists(&self) -> Result<bool, PathFault> {
        let usage = self
            .certificate
            .tbs_certificate()
            .get_extension::<KeyUsage>()
            .map_err(malformed)?;
        Ok(usage.is_none_or(|(_, usage)| usage.crl_sign()))
    }

    fn is_ca(&self) -> Result<bool, PathFault> {
        let constraints = self
            .certificate
            .tbs_certificate()
            .get_extension::<BasicConstraints>()
            .map_err(malformed)?;
        Ok(constraints.is_some_and(|(_, constraints)| constraints.ca))
    }

    /// The URIs where the revocation lists about this certificate are published.
    fn list_uris(&self) -> Result<Vec<String>, PathFault> {
        let points = self
            .certificate
            .tbs_certificate()
            .get_extension::<CrlDistributionPoints>()
            .map_err(malformed)?;
        Ok(points
            .into_iter()
            .flat_map(|(_, points)| points.0)
            .filter_map(|point| point.distribution_point)
            .flat_map(|name| uris(&name))
            .collect())
    }
}

fn uris(name: &DistributionPointName) -> Vec<String> {
    let DistributionPointName::FullName(names) = name else {
        return Vec::new();
    };
    names
        .iter()
        .filter_map(|name| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
            _ => None,
        })
        .collect()
}

/// TEE vendors define no purpose of their own: whatever purposes a certificate states, what it is
/// for follows from its place under a root that signs nothing else.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, mut purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        purposes.try_for_each(|purpose| purpose.map(drop))
    }
}

fn bounded(count: usize, what: &'static str) -> Result<(), PathFault> {
    if count > MAX_ITEMS {
        return Err(PathFault::TooMany(what));
    }
    Ok(())
}

fn seconds(time: &Time) -> u64 {
    time.to_unix_duration().as_secs()
}

fn malformed(error: x509_cert::der::Error) -> PathFault {
    PathFault::Malformed(error.to_string())
}

fn fault(error: Error) -> PathFault {
    match error {
        Error::CertExpired { not_after, .. } => PathFault::Expired(not_after.as_secs()),
        Error::CertNotValidYet { not_before, .. } => PathFault::NotYetValid(not_before.as_secs()),
        Error::UnknownIssuer => PathFault::UnknownIssuer,
        Error::InvalidSignatureForPublicKey => PathFault::BadSignature,
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
        | Error::SignatureAlgorithmMismatch => PathFault::Algorithm,
        Error::BadDer
        | Error::BadDerTime
        | Error::TrailingData(_)
        | Error::MalformedExtensions
        | Error::ExtensionValueInvalid
        | Error::InvalidSerialNumber
        | Error::UnsupportedCertVersion => PathFault::Malformed(error.to_string()),
        other => PathFault::Other(other.to_string()),
    }
}

const DER_SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::roots::Roots;

    const MILAN: &str = include_str!("roots/amd-milan.pem");

    #[test]
    fn pem_and_der_are_the_same_certificates() {
        let pem = certificates(MILAN.as_bytes()).unwrap();
        assert_eq!(pem.len(), 2);
        assert_eq!(certificates(&pem.concat()).unwrap(), pem);
        assert_eq!(certificates(&[]).unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(revocation_lists(&[]).unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn what_is_neither_pem_nor_der_is_malformed() {
        let der = certificates(MILAN.as_bytes()).unwrap().concat();
        for spoiled in [
            &der[..der.len() - 1],
            &[0x30, 0x80, 0, 0],
            b"certificate",
            &MILAN.as_bytes()[..100],
        ] {
            assert!(matches!(
                certificates(spoiled),
                Err(PathFault::Malformed(_))
            ));
        }
        assert!(matches!(
            revocation_lists(MILAN.as_bytes()),
            Err(PathFault::Malformed(_))
        ));
    }

    #[test]
    fn no_more_than_the_limit_is_read() {
        let many = |count| [0x30, 0].repeat(count);
        assert_eq!(certificates(&many(MAX_ITEMS)).unwrap().len(), MAX_ITEMS);
        assert_eq!(
            certificates(&many(MAX_ITEMS + 1)),
            Err(PathFault::TooMany("certificates"))
        );
        let pem = MILAN.repeat(MAX_ITEMS / 2 + 1);
        assert_eq!(
            certificates(pem.as_bytes()),
            Err(PathFault::TooMany("certificates"))
        );
        let items = vec![vec![0x30, 0]; MAX_ITEMS + 1];
        let roots = || Roots::with(&[]).iter();
        let verdict = verify(&[], &items[..=MAX_INTERMEDIATES], roots(), &[], &[], 0).map(drop);
        assert_eq!(
            verdict,
            Err(PathFault::TooMany("intermediate certificates"))
        );
        let verdict = verify(&[], &[], roots(), &items, &[], 0).map(drop);
        assert_eq!(verdict, Err(PathFault::TooMany("revocation lists")));
    }

    #[test]
    fn an_authority_is_no_leaf() {
        let ask = certificates(MILAN.as_bytes()).unwrap().remove(0);
        let verdict = verify(&ask, &[], Roots::with(&[]).iter(), &[], &[], 1_700_000_000);
        assert!(matches!(verdict, Err(PathFault::Other(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let der = tlv(&bytes);
            for bytes in [&bytes, &der] {
                let _ = certificates(bytes);
                let _ = revocation_lists(bytes);
                let lists = [bytes.clone()];
                let _ = verify(bytes, &lists, Roots::with(&[]).iter(), &lists, &[], 0).map(drop);
            }
        }
    }

    fn tlv(content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82], &length[..], content].concat()
    }
}
