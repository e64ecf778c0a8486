// SPDX-License-Identifier: Apache-2.0
//! One certificate of a path.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{BasicConstraints, CrlDistributionPoints, KeyUsage};
use x509_cert::name::Name;
use x509_cert::time::Time;

use super::PathFault;
use super::fault::malformed;

/// A certificate or a revocation list that a path rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// DER.
    pub(crate) der: Vec<u8>,
    /// `notAfter` or `nextUpdate`, Unix seconds.
    pub(crate) expires: u64,
}

/// A certificate of a path, and what a revocation list is held against.
pub(super) struct Step {
    pub(super) item: Item,
    pub(super) certificate: Certificate,
}

impl Step {
    pub(super) fn of(der: &[u8]) -> Result<Self, PathFault> {
        let certificate = Certificate::from_der(der).map_err(malformed)?;
        let expires = seconds(&certificate.tbs_certificate().validity().not_after);
        Ok(Self {
            item: Item {
                der: der.to_vec(),
                expires,
            },
            certificate,
        })
    }

    pub(super) fn subject(&self) -> &Name {
        self.certificate.tbs_certificate().subject()
    }

    pub(super) fn issuer(&self) -> &Name {
        self.certificate.tbs_certificate().issuer()
    }

    pub(super) fn in_force(&self, now: u64) -> Result<(), PathFault> {
        let from = seconds(&self.certificate.tbs_certificate().validity().not_before);
        if now < from {
            return Err(PathFault::NotYetValid(from));
        }
        if now > self.item.expires {
            return Err(PathFault::Expired(self.item.expires));
        }
        Ok(())
    }

    /// Whether the key may sign revocation lists (RFC 5280 section 4.2.1.3).
    pub(super) fn signs_lists(&self) -> Result<bool, PathFault> {
        let usage = self
            .certificate
            .tbs_certificate()
            .get_extension::<KeyUsage>()
            .map_err(malformed)?;
        Ok(usage.is_none_or(|(_, usage)| usage.crl_sign()))
    }

    pub(super) fn is_ca(&self) -> Result<bool, PathFault> {
        let constraints = self
            .certificate
            .tbs_certificate()
            .get_extension::<BasicConstraints>()
            .map_err(malformed)?;
        Ok(constraints.is_some_and(|(_, constraints)| constraints.ca))
    }

    /// The URIs where the revocation lists about this certificate are published.
    pub(super) fn list_uris(&self) -> Result<Vec<String>, PathFault> {
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

pub(super) fn uris(name: &DistributionPointName) -> Vec<String> {
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

pub(super) fn seconds(time: &Time) -> u64 {
    time.to_unix_duration().as_secs()
}
