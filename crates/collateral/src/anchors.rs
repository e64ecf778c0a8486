// SPDX-License-Identifier: Apache-2.0
//! The roots that everything fetched must hang from.
//!
//! Nothing enters the cache that does not hang from a root which the policy accepts: otherwise
//! whoever answers once could keep genuine evidence from being accepted until the next refresh.
//! Appraisal checks everything again, revocation and purpose included; this is no substitute.

use std::fmt;

use subrosa_attestation::{Policy, root_certificate};
use subrosa_evidence::{
    AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, INTEL_SGX_ROOT_ID,
};
use x509_cert::Certificate;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::{Decode, Encode};

use crate::amd::chip::AmdProduct;
use crate::signed::{Refusal, certificate_by, common_name, list_by, other};

/// The roots that fetched collateral may hang from: those the policy accepts, the development
/// root excepted, for which nobody publishes anything.
#[derive(Clone, Debug)]
pub(crate) struct Anchors {
    built_in: Vec<Vec<u8>>,
    own: Vec<Vec<u8>>,
}

/// The root that issues a list of revoked intermediates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListIssuer {
    /// Intel SGX Root CA, or a root of one's own in its place.
    Intel,
    /// The ARK of a product.
    Amd(AmdProduct),
}

impl Anchors {
    pub(crate) fn of(policy: &Policy) -> Self {
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
    pub(crate) fn may_cover(&self, product: AmdProduct) -> bool {
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
    pub(crate) fn chain(&self, certificates: &[Certificate]) -> Result<(), Refusal> {
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
    pub(crate) fn signed_list(
        &self,
        root: ListIssuer,
        list: &CertificateList<Rfc5280>,
    ) -> Result<(), Refusal> {
        let found = common_name(&list.tbs_cert_list.issuer).unwrap_or_default();
        let is_meant = match root {
            ListIssuer::Intel => !found.starts_with(ARK),
            ListIssuer::Amd(product) => found == format!("{ARK}{product}"),
        };
        if !is_meant {
            return Err(other("the list's issuer", found, root));
        }
        let intel = root_certificate(INTEL_SGX_ROOT_ID);
        let mut anchors = self
            .all()
            .filter(|der| match root {
                ListIssuer::Intel => self.own.contains(*der) || intel == Some(der.as_slice()),
                ListIssuer::Amd(_) => true,
            })
            .filter_map(|der| Certificate::from_der(der).ok());
        if anchors.any(|anchor| list_by(list, &anchor).is_ok()) {
            Ok(())
        } else {
            Err(Refusal::Root)
        }
    }

    /// The anchor that signed `certificate`.
    pub(crate) fn above(&self, certificate: &Certificate) -> Option<Certificate> {
        self.all()
            .filter_map(|der| Certificate::from_der(der).ok())
            .find(|anchor| certificate_by(certificate, anchor).is_ok())
    }
}

impl fmt::Display for ListIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intel => f.write_str("Intel SGX Root CA"),
            Self::Amd(product) => write!(f, "{ARK}{product}"),
        }
    }
}

/// What the common names of AMD's roots begin with.
const ARK: &str = "ARK-";
