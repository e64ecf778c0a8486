// SPDX-License-Identifier: Apache-2.0
//! From a vendor's answer to a piece of collateral that is fit for use.

use std::sync::Arc;

use x509_cert::Certificate;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode;

use super::piece::{AmdKey, Piece};
use super::signed::{self, Anchors, Refusal, Root};
use super::{amd, intel};

/// A piece of collateral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// TCB info or QE identity: the exact bytes that are signed, r ‖ s, and the PEM chain of the
    /// signer.
    Text {
        chain: String,
        text: String,
        signature: Vec<u8>,
    },
    /// A revocation list, DER, and the PEM chain of its issuer where the source gives one.
    List { chain: String, der: Vec<u8> },
    /// Certificates, DER, each signed by the next.
    Certificates(Vec<Vec<u8>>),
}

/// A piece of collateral and when it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) content: Arc<Content>,
    /// From when, Unix seconds. Of two, the later is the current one.
    pub(super) issued: u64,
    /// Until when it is in force, Unix seconds.
    pub(super) expires: u64,
}

impl Dated {
    /// The later edition of a piece that is `held` and `brought` by evidence; of equals, the held
    /// one. What a vendor has published since counts: a revocation would else be undone by whoever
    /// attaches the list from before it. What ran out is returned as well if it is the later one,
    /// and nothing is accepted on it.
    pub(super) fn later(held: Option<Self>, brought: Option<Self>) -> Option<Self> {
        match (held, brought) {
            (Some(held), Some(brought)) if held.issued < brought.issued => Some(brought),
            (Some(held), _) => Some(held),
            (None, brought) => brought,
        }
    }
}

/// What came over the wire.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// The issuers' certificates from the header, PEM.
    pub(super) chain: String,
}

/// Reads `answer` as `piece`, and verifies that it is about that, in force at `now` and signed
/// under `anchors`. `issuer` is the chain that [`Piece::issuer`] names.
pub(super) fn read(
    piece: &Piece,
    answer: Answer,
    issuer: Option<&Content>,
    anchors: &Anchors,
    now: u64,
) -> Result<Dated, Refusal> {
    match piece {
        Piece::TcbInfo { tee, fmspc } => intel::tcb_info(*tee, *fmspc, answer, anchors, now),
        Piece::QeIdentity { tee } => intel::qe_identity(*tee, answer, anchors, now),
        Piece::PckCrl { ca } => intel::pck_list(*ca, answer, anchors, now),
        Piece::IntelRootCrl => root_list(Root::Intel, answer, anchors, now),
        Piece::AmdChain { product, key } => amd::chain(*product, *key, &answer, anchors, now),
        // AMD's roots sign their lists themselves.
        Piece::AmdCrl { product, .. } => root_list(Root::Amd(*product), answer, anchors, now),
        Piece::Vcek(vcek) => amd::vcek(vcek, &answer.body, issuer, now),
    }
}

impl Piece {
    /// The piece that holds the certificates of this one's issuer, where the answer does not.
    pub(super) fn issuer(&self) -> Option<Self> {
        match self {
            Self::Vcek(vcek) => Some(Self::AmdChain {
                product: vcek.product,
                key: AmdKey::Vcek,
            }),
            _ => None,
        }
    }
}

/// A list that `root` signed.
fn root_list(root: Root, answer: Answer, anchors: &Anchors, now: u64) -> Result<Dated, Refusal> {
    let (list, der) = revocation_list(answer.body)?;
    anchors.signed_list(root, &list)?;
    dated_list(&list, String::new(), der, now)
}

/// Reads a revocation list, DER or, as PCCS give them out, hexadecimal.
pub(super) fn revocation_list(
    body: Vec<u8>,
) -> Result<(CertificateList<Rfc5280>, Vec<u8>), Refusal> {
    const LIST: Refusal = Refusal::Malformed("a revocation list in DER or hexadecimal");
    let der = if body.first() == Some(&SEQUENCE) {
        body
    } else {
        hex::decode(body.trim_ascii()).map_err(|_| LIST)?
    };
    let list = CertificateList::<Rfc5280>::from_der(&der).map_err(|_| LIST)?;
    Ok((list, der))
}

pub(super) fn dated_list(
    list: &CertificateList<Rfc5280>,
    chain: String,
    der: Vec<u8>,
    now: u64,
) -> Result<Dated, Refusal> {
    let (issued, expires) = list_dates(list)?;
    signed::in_force(issued, expires, now)?;
    Ok(Dated {
        content: Arc::new(Content::List { chain, der }),
        issued,
        expires,
    })
}

/// When a list was issued and when the next one is due.
pub(super) fn list_dates(list: &CertificateList<Rfc5280>) -> Result<(u64, u64), Refusal> {
    let body = &list.tbs_cert_list;
    let expires = body
        .next_update
        .ok_or(Refusal::Malformed("a revocation list with nextUpdate"))?;
    Ok((
        body.this_update.to_unix_duration().as_secs(),
        expires.to_unix_duration().as_secs(),
    ))
}

/// Certificates that hang together, as content.
pub(super) fn certificates(
    certificates: &[Certificate],
    der: Vec<Vec<u8>>,
    now: u64,
) -> Result<Dated, Refusal> {
    let (from, until) = signed::common_validity(certificates);
    signed::in_force(from, until, now)?;
    Ok(Dated {
        content: Arc::new(Content::Certificates(der)),
        issued: from,
        expires: until,
    })
}

const SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests;
