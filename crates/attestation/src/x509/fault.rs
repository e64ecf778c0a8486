// SPDX-License-Identifier: Apache-2.0
//! Why there is no certificate path.

use alloc::string::{String, ToString};

use webpki::Error;

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
    /// More certificates or lists than [`MAX_ITEMS`](super::items::MAX_ITEMS), or intermediates than [`MAX_INTERMEDIATES`](super::MAX_INTERMEDIATES).
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

impl From<Error> for PathFault {
    fn from(error: Error) -> Self {
        match error {
            Error::CertExpired { not_after, .. } => Self::Expired(not_after.as_secs()),
            Error::CertNotValidYet { not_before, .. } => Self::NotYetValid(not_before.as_secs()),
            Error::UnknownIssuer => Self::UnknownIssuer,
            Error::InvalidSignatureForPublicKey => Self::BadSignature,
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            | Error::SignatureAlgorithmMismatch => Self::Algorithm,
            Error::BadDer
            | Error::BadDerTime
            | Error::TrailingData(_)
            | Error::MalformedExtensions
            | Error::ExtensionValueInvalid
            | Error::InvalidSerialNumber
            | Error::UnsupportedCertVersion => Self::Malformed(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}

pub(super) fn malformed(error: x509_cert::der::Error) -> PathFault {
    PathFault::Malformed(error.to_string())
}
