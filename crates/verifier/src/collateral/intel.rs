// SPDX-License-Identifier: Apache-2.0
//! Intel: what a quote needs, and what the provisioning certification service answers.
//!
//! Source: Intel SGX and TDX Provisioning Certification Service API, version 4; SGX PCK Certificate
//! and Certificate Revocation List Profile Specification.

use std::str::FromStr as _;
use std::sync::Arc;

use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::quote::Quote;
use serde::Deserialize;
use serde_json::value::RawValue;
use subrosa_evidence::{EvidenceBundle, EvidencePart};
use x509_cert::Certificate;
use x509_cert::der::{DateTime, Decode, Encode};

use super::content::{self, Answer, Content, Dated, dated_list, revocation_list};
use super::piece::{IntelCa, IntelTee, Piece};
use super::plan::Incomplete;
use super::signed::{self, Anchors, Refusal, certificate_by, common_name, other};

/// What a quote needs to be verified.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) tee: IntelTee,
    pub(super) fmspc: [u8; 6],
    pub(super) ca: IntelCa,
    /// The root above the quote, under which everything else has to be as well.
    root: Certificate,
    brought: Option<Brought>,
}

/// The collateral that the evidence brings.
#[derive(Clone, Debug)]
struct Brought {
    /// As it is. Of the certificate chains only the one that the quote has none of.
    all: QuoteCollateralV3,
    /// Those of [`Need::pieces`] that could as well have been fetched.
    sound: [Option<Dated>; 4],
}

/// What `quote` needs, unless the quote is none that an accepted root's hardware could have made,
/// or its collateral cannot be read: that is for the appraisal to say.
///
/// Collateral in force is no reason to ask for none: it may be from before a revocation.
pub(super) fn need(
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
    // Only Intel's word makes this service ask for a platform, so nobody can invent platforms.
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
    let sound = |all| Brought::read(all, pieces(tee, fmspc, ca), anchors, now);
    Ok(Some(Need {
        tee,
        fmspc,
        ca,
        root,
        brought: brought.map(sound),
    }))
}

impl Need {
    /// TCB info, QE identity, the authority's list, the root's list.
    pub(super) fn pieces(&self) -> [Piece; 4] {
        pieces(self.tee, self.fmspc, self.ca)
    }

    /// Puts the pieces together as [`EvidenceBundle::collateral`] wants them: of each the later
    /// edition of what is `held` and what the evidence brings. Where there is none of either, what
    /// it brings is left as it is, so that the verdict says what is wrong with it; `None` if it
    /// brings nothing.
    pub(super) fn collateral(self, held: [Option<Dated>; 4]) -> Option<Vec<u8>> {
        let (brought, sound) = match self.brought {
            Some(brought) => (Some(brought.all), brought.sound),
            None => (None, [const { None }; 4]),
        };
        let root = &self.root;
        let mut chosen = held
            .into_iter()
            .zip(sound)
            .map(|(held, sound)| {
                let under_it = |dated: &Dated| is_under(&dated.content, root);
                Dated::later(held.filter(under_it), sound.filter(under_it))
            })
            .map(|dated| dated.map(|dated| dated.content));
        let chosen: [_; 4] = std::array::from_fn(|_| chosen.next().flatten());
        if brought.is_none() && chosen.iter().any(Option::is_none) {
            return None;
        }
        filled(brought.unwrap_or_else(nothing), &chosen)
    }
}

/// `all` with the pieces that were chosen in their places, as JSON.
fn filled(mut all: QuoteCollateralV3, chosen: &[Option<Arc<Content>>; 4]) -> Option<Vec<u8>> {
    let [tcb_info, qe_identity, pck_list, root_list] = chosen.each_ref().map(Option::as_deref);
    if let Some(Content::Text {
        chain,
        text,
        signature,
    }) = tcb_info
    {
        all.tcb_info_issuer_chain.clone_from(chain);
        all.tcb_info.clone_from(text);
        all.tcb_info_signature.clone_from(signature);
    }
    if let Some(Content::Text {
        chain,
        text,
        signature,
    }) = qe_identity
    {
        all.qe_identity_issuer_chain.clone_from(chain);
        all.qe_identity.clone_from(text);
        all.qe_identity_signature.clone_from(signature);
    }
    if let Some(Content::List { chain, der }) = pck_list {
        all.pck_crl_issuer_chain.clone_from(chain);
        all.pck_crl.clone_from(der);
    }
    if let Some(Content::List { der, .. }) = root_list {
        all.root_ca_crl.clone_from(der);
    }
    serde_json::to_vec(&all).ok()
}

/// Collateral of these four pieces, in the order of [`Need::pieces`], as JSON.
pub(super) fn assembled(pieces: [Dated; 4]) -> Option<Vec<u8>> {
    filled(nothing(), &pieces.map(|dated| Some(dated.content)))
}

impl Brought {
    /// Reads of `all` what is fit for use, as if it had been fetched.
    fn read(all: QuoteCollateralV3, pieces: [Piece; 4], anchors: &Anchors, now: u64) -> Self {
        let sound = pieces.map(|piece| {
            let list = |chain: &str, der: &[u8]| {
                let (chain, body) = (chain.to_owned(), der.to_vec());
                content::read(&piece, Answer { body, chain }, None, anchors, now)
            };
            let read = match &piece {
                Piece::TcbInfo { tee, fmspc } => {
                    let text = Text {
                        text: &all.tcb_info,
                        signature: all.tcb_info_signature.clone(),
                        chain: all.tcb_info_issuer_chain.clone(),
                    };
                    text.tcb_info(*tee, *fmspc, anchors, now)
                }
                Piece::QeIdentity { tee } => {
                    let text = Text {
                        text: &all.qe_identity,
                        signature: all.qe_identity_signature.clone(),
                        chain: all.qe_identity_issuer_chain.clone(),
                    };
                    text.qe_identity(*tee, anchors, now)
                }
                Piece::PckCrl { .. } => list(&all.pck_crl_issuer_chain, &all.pck_crl),
                _ => list("", &all.root_ca_crl),
            };
            read.ok()
        });
        Self { all, sound }
    }
}

pub(super) fn tcb_info(
    tee: IntelTee,
    fmspc: [u8; 6],
    answer: Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Dated, Refusal> {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(rename = "tcbInfo", borrow)]
        tcb_info: &'a RawValue,
        signature: String,
    }
    const FORM: Refusal = Refusal::Malformed("an object of tcbInfo and signature");
    let response: Response<'_> = serde_json::from_slice(&answer.body).map_err(|_| FORM)?;
    Text::of(response.tcb_info, &response.signature, answer.chain)?
        .tcb_info(tee, fmspc, anchors, now)
}

pub(super) fn qe_identity(
    tee: IntelTee,
    answer: Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Dated, Refusal> {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(rename = "enclaveIdentity", borrow)]
        identity: &'a RawValue,
        signature: String,
    }
    const FORM: Refusal = Refusal::Malformed("an object of enclaveIdentity and signature");
    let response: Response<'_> = serde_json::from_slice(&answer.body).map_err(|_| FORM)?;
    Text::of(response.identity, &response.signature, answer.chain)?.qe_identity(tee, anchors, now)
}

pub(super) fn pck_list(
    ca: IntelCa,
    answer: Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Dated, Refusal> {
    let chain = issuers(&answer.chain, anchors)?;
    let issuer = chain.first().ok_or(Refusal::Root)?;
    match authority(issuer) {
        Some(found) if found == ca => {}
        Some(found) => return Err(other("the list's authority", found, ca)),
        None => return Err(other("the list's authority", "unknown", ca)),
    }
    let (list, der) = revocation_list(answer.body)?;
    signed::list_by(&list, issuer)?;
    dated_list(&list, answer.chain, der, now)
}

pub(super) fn pieces(tee: IntelTee, fmspc: [u8; 6], ca: IntelCa) -> [Piece; 4] {
    [
        Piece::TcbInfo { tee, fmspc },
        Piece::QeIdentity { tee },
        Piece::PckCrl { ca },
        Piece::IntelRootCrl,
    ]
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

/// The certificates of a PEM chain, DER. None if one of them is none.
fn pem_chain(pem: &str) -> Vec<Vec<u8>> {
    let chain = Certificate::load_pem_chain(pem.as_bytes()).unwrap_or_default();
    chain.iter().filter_map(|one| one.to_der().ok()).collect()
}

/// Whether a piece hangs from `root` and not from another that is accepted as well.
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

/// Collateral before anything is put into it.
fn nothing() -> QuoteCollateralV3 {
    QuoteCollateralV3 {
        pck_crl_issuer_chain: String::new(),
        root_ca_crl: Vec::new(),
        pck_crl: Vec::new(),
        tcb_info_issuer_chain: String::new(),
        tcb_info: String::new(),
        tcb_info_signature: Vec::new(),
        qe_identity_issuer_chain: String::new(),
        qe_identity: String::new(),
        qe_identity_signature: Vec::new(),
        pck_certificate_chain: None,
    }
}

/// What TCB info and QE identity have in common.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    id: String,
    issue_date: String,
    next_update: String,
    #[serde(default)]
    fmspc: Option<String>,
}

/// TCB info or QE identity, before it is verified.
struct Text<'a> {
    /// The exact bytes that are signed.
    text: &'a str,
    /// r ‖ s.
    signature: Vec<u8>,
    /// The signer's chain, PEM.
    chain: String,
}

impl<'a> Text<'a> {
    fn of(raw: &'a RawValue, signature: &str, chain: String) -> Result<Self, Refusal> {
        let signature =
            hex::decode(signature).map_err(|_| Refusal::Malformed("signed in hexadecimal"))?;
        Ok(Self {
            text: raw.get(),
            signature,
            chain,
        })
    }

    fn tcb_info(
        self,
        tee: IntelTee,
        fmspc: [u8; 6],
        anchors: &Anchors,
        now: u64,
    ) -> Result<Dated, Refusal> {
        let (dated, about) = self.dated(anchors, now)?;
        let id = match tee {
            IntelTee::Sgx => "SGX",
            IntelTee::Tdx => "TDX",
        };
        expect("tcbInfo.id", &about.id, id)?;
        let expected = hex::encode_upper(fmspc);
        let found = about.fmspc.unwrap_or_default().to_ascii_uppercase();
        expect("fmspc", &found, &expected)?;
        Ok(dated)
    }

    fn qe_identity(self, tee: IntelTee, anchors: &Anchors, now: u64) -> Result<Dated, Refusal> {
        let (dated, about) = self.dated(anchors, now)?;
        let id = match tee {
            IntelTee::Sgx => "QE",
            IntelTee::Tdx => "TD_QE",
        };
        expect("enclaveIdentity.id", &about.id, id)?;
        Ok(dated)
    }

    fn dated(self, anchors: &Anchors, now: u64) -> Result<(Dated, About), Refusal> {
        let about: About =
            serde_json::from_str(self.text).map_err(|_| Refusal::Malformed("dated and named"))?;
        let issuers = issuers(&self.chain, anchors)?;
        signed::text_by(
            self.text,
            &self.signature,
            issuers.first().ok_or(Refusal::Root)?,
        )?;
        let date = |date: &str| seconds(date).ok_or(Refusal::Malformed("dated"));
        let (issued, until) = (date(&about.issue_date)?, date(&about.next_update)?);
        let (from, end) = signed::common_validity(&issuers);
        let expires = until.min(end);
        signed::in_force(issued.max(from), expires, now)?;
        let content = Content::Text {
            chain: self.chain,
            text: self.text.to_owned(),
            signature: self.signature,
        };
        let dated = Dated {
            content: Arc::new(content),
            issued,
            expires,
        };
        Ok((dated, about))
    }
}

/// The two certificates of a signer right below the root.
fn issuers(chain: &str, anchors: &Anchors) -> Result<Vec<Certificate>, Refusal> {
    let chain = signed::pem_chain(chain.as_bytes())?;
    if chain.len() != 2 {
        return Err(other("the length of the issuers' chain", chain.len(), 2));
    }
    anchors.chain(&chain)?;
    Ok(chain)
}

fn expect(what: &'static str, found: &str, expected: &str) -> Result<(), Refusal> {
    if found == expected {
        Ok(())
    } else {
        Err(other(what, found, expected))
    }
}

/// Which of the two authorities below a root a certificate is: `Intel SGX PCK Platform CA`, or
/// the like below a root of one's own.
fn authority(certificate: &Certificate) -> Option<IntelCa> {
    let name = common_name(certificate.tbs_certificate().subject())?;
    if name.ends_with("PCK Processor CA") {
        Some(IntelCa::Processor)
    } else if name.ends_with("PCK Platform CA") {
        Some(IntelCa::Platform)
    } else {
        None
    }
}

fn fmspc(leaf: &Certificate) -> Option<[u8; 6]> {
    let der = leaf.to_der().ok()?;
    dcap_qvl::intel::parse_pck_extension(&der)
        .ok()
        .map(|extension| extension.fmspc)
}

fn seconds(date: &str) -> Option<u64> {
    DateTime::from_str(date)
        .ok()
        .map(|date| date.unix_duration().as_secs())
}

/// Most certificates after the first that are looked through; the appraisal takes fewer.
const MOST_ISSUERS: usize = 8;
/// Certification data: the PCK certificate chain, PEM.
const PCK_CHAIN: u16 = 5;
