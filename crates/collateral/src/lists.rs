// SPDX-License-Identifier: Apache-2.0
//! Revocation lists.

use std::sync::Arc;

use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode;

use crate::anchors::{Anchors, ListIssuer};
use crate::edition::{Answer, Content, Edition};
use crate::signed::{self, Refusal};

/// A list that `root` signed.
pub(crate) fn root_list(
    root: ListIssuer,
    answer: Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Edition, Refusal> {
    let (list, der) = revocation_list(answer.body)?;
    anchors.signed_list(root, &list)?;
    list_edition(&list, String::new(), der, now)
}

/// Reads a revocation list, DER or, as PCCS give them out, hexadecimal.
pub(crate) fn revocation_list(
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

/// The edition that `list` is, if it is in force.
pub(crate) fn list_edition(
    list: &CertificateList<Rfc5280>,
    chain: String,
    der: Vec<u8>,
    now: u64,
) -> Result<Edition, Refusal> {
    let (issued, expires) = list_dates(list)?;
    signed::in_force(issued, expires, now)?;
    Ok(Edition {
        content: Arc::new(Content::List { chain, der }),
        issued,
        expires,
    })
}

/// When a list was issued and when the next one is due.
pub(crate) fn list_dates(list: &CertificateList<Rfc5280>) -> Result<(u64, u64), Refusal> {
    let body = &list.tbs_cert_list;
    let expires = body
        .next_update
        .ok_or(Refusal::Malformed("a revocation list with nextUpdate"))?;
    Ok((
        body.this_update.to_unix_duration().as_secs(),
        expires.to_unix_duration().as_secs(),
    ))
}

const SEQUENCE: u8 = 0x30;
