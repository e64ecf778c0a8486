// SPDX-License-Identifier: Apache-2.0
//! What a quote needs to be verified.

use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::quote::Quote;
use subrosa_evidence::{EvidenceBundle, EvidencePart};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::answer::{Text, authority, pck_list};
use super::json::{filled, nothing};
use super::platform::{IntelFamily, IntelTee};
use crate::anchors::{Anchors, ListIssuer};
use crate::edition::{Answer, Content, Edition};
use crate::incomplete::Incomplete;
use crate::lists::{revocation_list, root_list};
use crate::publication::Publication;
use crate::signed::{self, certificate_by};

/// What a quote needs to be verified.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    family: IntelFamily,
    /// The root above the quote, under which everything else has to be as well.
    root: Certificate,
    brought: Option<Brought>,
}

/// The collateral that the evidence brings.
#[derive(Clone, Debug)]
struct Brought {
    /// As it is, but without a PCK certificate chain if the quote carries its own.
    all: QuoteCollateralV3,
    /// Those of [`Need::publications`] that could as well have been fetched.
    sound: [Option<Edition>; 4],
}

/// What `quote` needs, unless no hardware of an accepted root could have made it, or its collateral
/// cannot be read: that is for the appraisal to say.
///
/// Evidence that brings collateral in force needs it all the same: it may be from before a
/// revocation.
pub(crate) fn need(
    bundle: &EvidenceBundle,
    quote: EvidencePart,
    anchors: &Anchors,
    now: u64,
) -> Result<Option<Need>, Incomplete> {
    let mut brought: Option<QuoteCollateralV3> = None;
    if !bundle.collateral().is_empty() {
        let Ok(collateral) = serde_json::from_slice(bundle.collateral()) else {
            return Ok(None);
        };
        brought = Some(collateral);
    }
    let Ok(quote) = Quote::parse(bundle.part(quote).unwrap_or_default()) else {
        return Ok(None);
    };
    let chain = match (quote.inner_cert_type(), &mut brought) {
        (PCK_CHAIN, brought) => {
            if let Some(brought) = brought {
                brought.pck_certificate_chain = None;
            }
            dcap_qvl::intel::extract_cert_chain(&quote).unwrap_or_default()
        }
        (found, brought) => {
            let pem = brought
                .as_ref()
                .and_then(|brought| brought.pck_certificate_chain.as_deref())
                .ok_or(Incomplete::PckCertificate(found))?;
            pem_chain(pem)
        }
    };
    // Only platforms that Intel certified are asked for, so nobody can invent any.
    let Some((leaf, issuer, root)) = path(&chain, anchors) else {
        return Ok(None);
    };
    let (Some(ca), Some(fmspc)) = (authority(&issuer), fmspc(&leaf)) else {
        return Ok(None);
    };
    let tee = if quote.report.is_sgx() {
        IntelTee::Sgx
    } else {
        IntelTee::Tdx
    };
    let family = IntelFamily { tee, fmspc, ca };
    Ok(Some(Need {
        family,
        root,
        brought: brought.map(|all| Brought::read(all, &family, anchors, now)),
    }))
}

impl Need {
    /// TCB info, QE identity, the authority's list, the root's list.
    pub(crate) fn publications(&self) -> [Publication; 4] {
        Publication::of_family(&self.family)
    }

    /// Puts everything together as [`EvidenceBundle::collateral`] wants it: of each the later
    /// edition of what is `held` and what the evidence brings. Where there is none of either, what
    /// it brings is left as it is, so that the verdict says what is wrong with it; `None` if it
    /// brings nothing.
    pub(crate) fn collateral(self, held: [Option<Edition>; 4]) -> Option<Vec<u8>> {
        let (brought, sound) = match self.brought {
            Some(brought) => (Some(brought.all), brought.sound),
            None => (None, [const { None }; 4]),
        };
        let root = &self.root;
        let mut chosen = held
            .into_iter()
            .zip(sound)
            .map(|(held, sound)| {
                let under_it = |edition: &Edition| is_under(&edition.content, root);
                Edition::later(held.filter(under_it), sound.filter(under_it))
            })
            .map(|edition| edition.map(|edition| edition.content));
        let chosen: [_; 4] = std::array::from_fn(|_| chosen.next().flatten());
        if brought.is_none() && chosen.iter().any(Option::is_none) {
            return None;
        }
        filled(brought.unwrap_or_else(nothing), &chosen)
    }
}

impl Brought {
    /// Reads of `all` what is fit for use, as if it had been fetched.
    fn read(all: QuoteCollateralV3, family: &IntelFamily, anchors: &Anchors, now: u64) -> Self {
        let sound = Publication::of_family(family).map(|publication| {
            let list = |chain: &str, der: &[u8]| Answer {
                body: der.to_vec(),
                chain: chain.to_owned(),
            };
            let read = match &publication {
                Publication::TcbInfo { tee, fmspc } => {
                    let text = Text {
                        text: &all.tcb_info,
                        signature: all.tcb_info_signature.clone(),
                        chain: all.tcb_info_issuer_chain.clone(),
                    };
                    text.tcb_info(*tee, *fmspc, anchors, now)
                }
                Publication::QeIdentity { tee } => {
                    let text = Text {
                        text: &all.qe_identity,
                        signature: all.qe_identity_signature.clone(),
                        chain: all.qe_identity_issuer_chain.clone(),
                    };
                    text.qe_identity(*tee, anchors, now)
                }
                Publication::PckCrl { ca } => {
                    let answer = list(&all.pck_crl_issuer_chain, &all.pck_crl);
                    pck_list(*ca, answer, anchors, now)
                }
                _ => root_list(ListIssuer::Intel, list("", &all.root_ca_crl), anchors, now),
            };
            read.ok()
        });
        Self { all, sound }
    }
}

/// The PCK certificate of a chain (the first, DER), its issuer, and the anchor above that. The
/// appraisal overlooks superfluous certificates; evidence that has some is completed like any
/// other, or they would be a way around what was published since.
fn path(chain: &[Vec<u8>], anchors: &Anchors) -> Option<(Certificate, Certificate, Certificate)> {
    let (leaf, others) = chain.split_first()?;
    let leaf = Certificate::from_der(leaf).ok()?;
    let issuer = others
        .iter()
        .take(MOST_ISSUERS)
        .filter_map(|der| Certificate::from_der(der).ok())
        .find(|issuer| certificate_by(&leaf, issuer).is_ok())?;
    let root = anchors.above(&issuer)?;
    Some((leaf, issuer, root))
}

/// The certificates of a PEM chain, DER. No certificate at all if one does not parse.
fn pem_chain(pem: &str) -> Vec<Vec<u8>> {
    let chain = Certificate::load_pem_chain(pem.as_bytes()).unwrap_or_default();
    chain.iter().filter_map(|one| one.to_der().ok()).collect()
}

/// Whether something hangs from `root` and not from another that is accepted as well.
fn is_under(content: &Content, root: &Certificate) -> bool {
    match content {
        Content::List { chain, der } if chain.is_empty() => {
            revocation_list(der.clone()).is_ok_and(|(list, _)| signed::list_by(&list, root).is_ok())
        }
        Content::List { chain, .. } | Content::Text { chain, .. } => {
            signed::pem_chain(chain.as_bytes()).is_ok_and(|chain| chain.last() == Some(root))
        }
        Content::Certificates(_) => false,
    }
}

fn fmspc(leaf: &Certificate) -> Option<[u8; 6]> {
    let der = leaf.to_der().ok()?;
    dcap_qvl::intel::parse_pck_extension(&der)
        .ok()
        .map(|extension| extension.fmspc)
}

/// Most certificates after the first that are looked through; the appraisal takes fewer.
const MOST_ISSUERS: usize = 8;
/// Certification data: the PCK certificate chain, PEM.
const PCK_CHAIN: u16 = 5;
