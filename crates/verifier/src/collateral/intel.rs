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
use subrosa_attestation::EvidenceBundle;
use subrosa_types::id::EvidencePart;
use x509_cert::Certificate;
use x509_cert::der::{DateTime, Decode};

use super::content::{Answer, Content, Dated, dated_list, list_dates, revocation_list};
use super::piece::{IntelCa, IntelTee, Piece};
use super::plan::Incomplete;
use super::signed::{self, Anchors, Refusal, other};

/// What a quote needs to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) tee: IntelTee,
    pub(super) fmspc: [u8; 6],
    pub(super) ca: IntelCa,
    /// The PCK certificate chain that the evidence had beside the quote.
    pub(super) pck_chain: Option<String>,
}

/// What `quote` needs, unless what the bundle brings is in force at `now`, or the quote is none
/// that an accepted root's hardware could have made: that is for the appraisal to say.
pub(super) fn need(
    bundle: &EvidenceBundle,
    quote: EvidencePart,
    anchors: &Anchors,
    now: u64,
) -> Result<Option<Need>, Incomplete> {
    let brought: Option<QuoteCollateralV3> = serde_json::from_slice(bundle.collateral()).ok();
    if !bundle.collateral().is_empty() {
        let Some(brought) = &brought else {
            return Ok(None);
        };
        if expiry(brought).is_none_or(|expires| now < expires) {
            return Ok(None);
        }
    }
    let Ok(quote) = Quote::parse(bundle.part(quote).unwrap_or_default()) else {
        return Ok(None);
    };
    let pck_chain = brought.and_then(|brought| brought.pck_certificate_chain);
    let chain = match (quote.inner_cert_type(), &pck_chain) {
        (PCK_CHAIN, _) => dcap_qvl::intel::extract_cert_chain(&quote)
            .unwrap_or_default()
            .iter()
            .filter_map(|certificate| Certificate::from_der(certificate).ok())
            .collect(),
        (_, Some(pem)) => signed::pem_chain(pem.as_bytes()).unwrap_or_default(),
        (found, None) => return Err(Incomplete::PckCertificate(found)),
    };
    // Only Intel's word makes this service ask for a platform, so nobody can invent platforms.
    if !(2..=3).contains(&chain.len()) || anchors.chain(&chain).is_err() {
        return Ok(None);
    }
    let (Some(leaf), Some(issuer)) = (chain.first(), chain.get(1)) else {
        return Ok(None);
    };
    let (Some(ca), Some(fmspc)) = (authority(issuer), fmspc(leaf)) else {
        return Ok(None);
    };
    Ok(Some(Need {
        tee: if quote.report.is_sgx() {
            IntelTee::Sgx
        } else {
            IntelTee::Tdx
        },
        fmspc,
        ca,
        pck_chain,
    }))
}

impl Need {
    /// TCB info, QE identity, the authority's list, the root's list.
    pub(super) fn pieces(&self) -> [Piece; 4] {
        let (tee, fmspc, ca) = (self.tee, self.fmspc, self.ca);
        [
            Piece::TcbInfo { tee, fmspc },
            Piece::QeIdentity { tee },
            Piece::PckCrl { ca },
            Piece::IntelRootCrl,
        ]
    }

    /// Puts the pieces together as [`EvidenceBundle::collateral`] wants them.
    pub(super) fn collateral(self, pieces: [&Content; 4]) -> Option<Vec<u8>> {
        let [
            Content::Text {
                chain: tcb_info_issuer_chain,
                text: tcb_info,
                signature: tcb_info_signature,
            },
            Content::Text {
                chain: qe_identity_issuer_chain,
                text: qe_identity,
                signature: qe_identity_signature,
            },
            Content::List {
                chain: pck_crl_issuer_chain,
                der: pck_crl,
            },
            Content::List {
                der: root_ca_crl, ..
            },
        ] = pieces
        else {
            return None;
        };
        serde_json::to_vec(&QuoteCollateralV3 {
            pck_crl_issuer_chain: pck_crl_issuer_chain.clone(),
            root_ca_crl: root_ca_crl.clone(),
            pck_crl: pck_crl.clone(),
            tcb_info_issuer_chain: tcb_info_issuer_chain.clone(),
            tcb_info: tcb_info.clone(),
            tcb_info_signature: tcb_info_signature.clone(),
            qe_identity_issuer_chain: qe_identity_issuer_chain.clone(),
            qe_identity: qe_identity.clone(),
            qe_identity_signature: qe_identity_signature.clone(),
            pck_certificate_chain: self.pck_chain,
        })
        .ok()
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
    let (dated, about) = text(
        response.tcb_info,
        &response.signature,
        answer.chain,
        anchors,
        now,
    )?;
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
    let (dated, about) = text(
        response.identity,
        &response.signature,
        answer.chain,
        anchors,
        now,
    )?;
    let id = match tee {
        IntelTee::Sgx => "QE",
        IntelTee::Tdx => "TD_QE",
    };
    expect("enclaveIdentity.id", &about.id, id)?;
    Ok(dated)
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

/// When the first piece of collateral that a bundle brings runs out; `None` if it does not say.
fn expiry(collateral: &QuoteCollateralV3) -> Option<u64> {
    let text = |text: &str| {
        let about: About = serde_json::from_str(text).ok()?;
        seconds(&about.next_update)
    };
    let list = |der: &[u8]| {
        let (list, _) = revocation_list(der.to_vec()).ok()?;
        list_dates(&list).ok().map(|(_, expires)| expires)
    };
    let all = [
        text(&collateral.tcb_info)?,
        text(&collateral.qe_identity)?,
        list(&collateral.pck_crl)?,
        list(&collateral.root_ca_crl)?,
    ];
    all.into_iter().min()
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

fn text(
    raw: &RawValue,
    signature: &str,
    chain: String,
    anchors: &Anchors,
    now: u64,
) -> Result<(Dated, About), Refusal> {
    let text = raw.get();
    let about: About =
        serde_json::from_str(text).map_err(|_| Refusal::Malformed("dated and named"))?;
    let signature =
        hex::decode(signature).map_err(|_| Refusal::Malformed("signed in hexadecimal"))?;
    let issuers = issuers(&chain, anchors)?;
    signed::text_by(text, &signature, issuers.first().ok_or(Refusal::Root)?)?;
    let date = |date: &str| seconds(date).ok_or(Refusal::Malformed("dated"));
    let (issued, until) = (date(&about.issue_date)?, date(&about.next_update)?);
    let (from, end) = signed::common_validity(&issuers);
    let expires = until.min(end);
    signed::in_force(issued.max(from), expires, now)?;
    let content = Content::Text {
        chain,
        text: text.to_owned(),
        signature,
    };
    let dated = Dated {
        content: Arc::new(content),
        issued,
        expires,
    };
    Ok((dated, about))
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

/// Which of Intel's two authorities a certificate is.
fn authority(certificate: &Certificate) -> Option<IntelCa> {
    let subject = certificate.tbs_certificate().subject().to_string();
    if subject.contains("SGX PCK Processor CA") {
        Some(IntelCa::Processor)
    } else if subject.contains("SGX PCK Platform CA") {
        Some(IntelCa::Platform)
    } else {
        None
    }
}

fn fmspc(leaf: &Certificate) -> Option<[u8; 6]> {
    use x509_cert::der::Encode as _;
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

/// Certification data: the PCK certificate chain, PEM.
const PCK_CHAIN: u16 = 5;
