// SPDX-License-Identifier: Apache-2.0
//! What a report needs to be verified. What is read here has not been verified and only decides
//! what is asked for.

use std::sync::Arc;
use subrosa_evidence::{BundleError, EvidenceBundle, EvidencePart};

use x509_cert::der::Encode;

use crate::amd::certificates::{
    PRODUCT_NAME, brought, extension, is_called, issues, named_product, several,
};
use crate::amd::chip::AmdKey;
use crate::amd::report::report;
use crate::anchors::{Anchors, ListIssuer};
use crate::edition::{Answer, Content, Edition};
use crate::incomplete::Incomplete;
use crate::lists::root_list;
use crate::publication::Publication;
use crate::signed;

/// What a report needs to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// The chip's certificate, if the evidence has none in force.
    pub(crate) vcek: Option<Publication>,
    /// Whether the evidence has a certificate of the chip that ran out.
    pub(crate) stale: bool,
    /// Its issuers, if the evidence has none.
    pub(crate) chain: Option<Publication>,
    /// The revocation list, whether or not the evidence has one: that may be from before a
    /// revocation.
    pub(crate) list: Publication,
    /// The one that the evidence has, if it could as well have been fetched.
    pub(crate) brought: Option<Edition>,
}

/// What was obtained of what a report needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) vcek: Option<Arc<Content>>,
    pub(crate) chain: Option<Arc<Content>>,
    pub(crate) list: Option<Arc<Content>>,
}

/// What the report of `bundle` needs at `now`, if it is one.
///
/// Nothing is asked for products whose root is not accepted: the appraisal says so.
pub(crate) fn need(
    bundle: &EvidenceBundle,
    anchors: &Anchors,
    now: u64,
) -> Result<Option<Need>, Incomplete> {
    let Some(report) = report(bundle) else {
        return Ok(None);
    };
    let brought = brought(bundle);
    let key = report.key;
    let name = match key {
        AmdKey::Vcek => "SEV-VCEK",
        AmdKey::Vlek => "SEV-VLEK",
    };
    let leaf = brought
        .iter()
        .find(|c| is_called(c, name) && extension(c, PRODUCT_NAME).is_some());
    let issuer = brought.iter().find(|c| issues(c, key));
    let stale = leaf.is_some_and(|leaf| signed::validity(leaf).1 <= now);
    let product = match (report.product(), leaf) {
        (Ok(Some(product)), _) => product,
        // Whether the report is of that product is for the appraisal to say.
        (_, Some(leaf)) => match extension(leaf, PRODUCT_NAME).and_then(named_product) {
            Some(product) => product,
            None => return Ok(None),
        },
        (Ok(None), None) => return Err(Incomplete::Product(report.version)),
        (Err(unknown), None) => return Err(unknown),
    };
    if !anchors.may_cover(product) {
        return Ok(None);
    }
    let vcek = match (leaf, key) {
        (Some(_), _) if !stale => None,
        // Nobody but its owner can get another.
        (Some(_), AmdKey::Vlek) => None,
        (Some(_), AmdKey::Vcek) => report.vcek(product).ok().map(Publication::Vcek),
        (None, AmdKey::Vlek) => return Err(Incomplete::Vlek),
        (None, AmdKey::Vcek) => Some(Publication::Vcek(report.vcek(product)?)),
    };
    let list = Publication::AmdCrl { product, key };
    let answer = Answer {
        body: bundle
            .part(EvidencePart::RevocationLists)
            .unwrap_or_default()
            .to_vec(),
        chain: String::new(),
    };
    Ok(Some(Need {
        chain: (vcek.is_some() || issuer.is_none())
            .then_some(Publication::AmdChain { product, key }),
        brought: root_list(ListIssuer::Amd(product), answer, anchors, now).ok(),
        list,
        stale,
        vcek,
    }))
}

impl Need {
    pub(crate) fn publications(&self) -> impl Iterator<Item = &Publication> {
        self.chain.iter().chain(&self.vcek).chain([&self.list])
    }
}

/// `bundle` with what was found. A fetched certificate of a chip replaces those the evidence had,
/// the host's table included, so that the stale one is not looked at.
///
/// # Errors
///
/// [`BundleError::PartTooLarge`] if what the evidence had leaves no room for it.
pub(crate) fn completed(
    bundle: EvidenceBundle,
    found: &Found,
) -> Result<EvidenceBundle, BundleError> {
    let mut added = Vec::new();
    for content in [&found.vcek, &found.chain].into_iter().flatten() {
        if let Content::Certificates(certificates) = &**content {
            added.extend(certificates.iter().cloned());
        }
    }
    let kind = bundle.kind();
    let replaced = found.vcek.is_some();
    let mut parts: Vec<(EvidencePart, Vec<u8>)> = bundle
        .parts()
        .filter(|(part, _)| {
            !replaced
                || !matches!(
                    part,
                    EvidencePart::Certificates | EvidencePart::CertificateTable
                )
        })
        .map(|(part, bytes)| (part, bytes.to_vec()))
        .collect();
    if !added.is_empty() {
        // DER one after the other: what the evidence had is written anew, it may be PEM.
        let mut all: Vec<Vec<u8>> = Vec::new();
        if !replaced {
            let own = bundle.part(EvidencePart::Certificates).unwrap_or_default();
            all.extend(several(own).iter().filter_map(|one| one.to_der().ok()));
        }
        all.extend(added);
        parts.retain(|(part, _)| *part != EvidencePart::Certificates);
        parts.push((EvidencePart::Certificates, all.concat()));
    }
    if let Some(Content::List { der, .. }) = found.list.as_deref() {
        parts.retain(|(part, _)| *part != EvidencePart::RevocationLists);
        parts.push((EvidencePart::RevocationLists, der.clone()));
    }
    EvidenceBundle::from_parts(kind, parts)
}

#[cfg(test)]
mod tests;
