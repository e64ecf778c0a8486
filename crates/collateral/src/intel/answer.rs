// SPDX-License-Identifier: Apache-2.0
//! What the provisioning certification service answers.

use std::str::FromStr as _;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use x509_cert::Certificate;
use x509_cert::der::DateTime;

use super::platform::{IntelCa, IntelTee};
use crate::anchors::Anchors;
use crate::edition::{Answer, Content, Edition};
use crate::lists::{list_edition, revocation_list};
use crate::signed::{self, Refusal, common_name, other};

pub(crate) fn tcb_info(
    tee: IntelTee,
    fmspc: [u8; 6],
    answer: Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Edition, Refusal> {
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

pub(crate) fn qe_identity(
    tee: IntelTee,
    answer: Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Edition, Refusal> {
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

pub(crate) fn pck_list(
    ca: IntelCa,
    answer: Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Edition, Refusal> {
    let chain = issuers(&answer.chain, anchors)?;
    let issuer = chain.first().ok_or(Refusal::Root)?;
    match authority(issuer) {
        Some(found) if found == ca => {}
        Some(found) => return Err(other("the list's authority", found, ca)),
        None => return Err(other("the list's authority", "unknown", ca)),
    }
    let (list, der) = revocation_list(answer.body)?;
    signed::list_by(&list, issuer)?;
    list_edition(&list, answer.chain, der, now)
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
pub(crate) struct Text<'a> {
    /// The exact bytes that are signed.
    pub(crate) text: &'a str,
    /// r ‖ s.
    pub(crate) signature: Vec<u8>,
    /// The signer's chain, PEM.
    pub(crate) chain: String,
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

    /// The TCB info of `tee` on platforms of `fmspc`.
    pub(crate) fn tcb_info(
        self,
        tee: IntelTee,
        fmspc: [u8; 6],
        anchors: &Anchors,
        now: u64,
    ) -> Result<Edition, Refusal> {
        let (edition, about) = self.edition(anchors, now)?;
        let id = match tee {
            IntelTee::Sgx => "SGX",
            IntelTee::Tdx => "TDX",
        };
        expect("tcbInfo.id", &about.id, id)?;
        let expected = hex::encode_upper(fmspc);
        let found = about.fmspc.unwrap_or_default().to_ascii_uppercase();
        expect("fmspc", &found, &expected)?;
        Ok(edition)
    }

    /// The identity of the quoting enclave for `tee`.
    pub(crate) fn qe_identity(
        self,
        tee: IntelTee,
        anchors: &Anchors,
        now: u64,
    ) -> Result<Edition, Refusal> {
        let (edition, about) = self.edition(anchors, now)?;
        let id = match tee {
            IntelTee::Sgx => "QE",
            IntelTee::Tdx => "TD_QE",
        };
        expect("enclaveIdentity.id", &about.id, id)?;
        Ok(edition)
    }

    fn edition(self, anchors: &Anchors, now: u64) -> Result<(Edition, About), Refusal> {
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
        let edition = Edition {
            content: Arc::new(content),
            issued,
            expires,
        };
        Ok((edition, about))
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

/// The authority below a root that a certificate is of.
pub(crate) fn authority(certificate: &Certificate) -> Option<IntelCa> {
    IntelCa::of_name(&common_name(certificate.tbs_certificate().subject())?)
}

fn seconds(date: &str) -> Option<u64> {
    DateTime::from_str(date)
        .ok()
        .map(|date| date.unix_duration().as_secs())
}
