// SPDX-License-Identifier: Apache-2.0
//! What Intel's collateral consists of.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::str::FromStr as _;

use alloy_primitives::B256;
use dcap_qvl::QuoteCollateralV3;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subrosa_evidence::Collateral;
use x509_cert::Certificate;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::{DateTime, Decode, Encode};

use crate::failure::Failure;

/// Digest and end of each piece of verified collateral.
pub(super) fn described(collateral: &QuoteCollateralV3) -> Result<Vec<Collateral>, Failure> {
    Ok(vec![
        piece(
            "tcb-info",
            collateral.tcb_info.as_bytes(),
            next_update(&collateral.tcb_info)?,
        ),
        piece(
            "qe-identity",
            collateral.qe_identity.as_bytes(),
            next_update(&collateral.qe_identity)?,
        ),
        piece(
            "root-crl",
            &collateral.root_ca_crl,
            crl_next_update(&collateral.root_ca_crl)?,
        ),
        piece(
            "pck-crl",
            &collateral.pck_crl,
            crl_next_update(&collateral.pck_crl)?,
        ),
    ])
}

/// An RFC 3339 date in UTC as Intel writes it, Unix seconds.
pub(super) fn seconds(date: &str) -> Result<u64, Failure> {
    DateTime::from_str(date)
        .map(|date| date.unix_duration().as_secs())
        .map_err(|error| Failure::format("a date", error))
}

/// The certificates of a PEM chain, DER, leaf first.
pub(super) fn pem_chain(pem: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let malformed =
        |error: x509_cert::der::Error| Failure::format("a PCK certificate chain in PEM", error);
    Certificate::load_pem_chain(pem.as_bytes())
        .map_err(malformed)?
        .iter()
        .map(|certificate| certificate.to_der().map_err(malformed))
        .collect()
}

fn piece(name: &str, bytes: &[u8], expires: u64) -> Collateral {
    Collateral {
        name: name.to_owned(),
        digest: B256::from(<[u8; 32]>::from(Sha256::digest(bytes))),
        expires,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dated {
    next_update: String,
}

fn next_update(json: &str) -> Result<u64, Failure> {
    let dated: Dated =
        serde_json::from_str(json).map_err(|error| Failure::format("nextUpdate", error))?;
    seconds(&dated.next_update)
}

fn crl_next_update(der: &[u8]) -> Result<u64, Failure> {
    let list = CertificateList::<Rfc5280>::from_der(der)
        .map_err(|error| Failure::format("a revocation list", error))?;
    list.tbs_cert_list
        .next_update
        .map(|date| date.to_unix_duration().as_secs())
        .ok_or_else(|| Failure::format("a revocation list with nextUpdate", "none"))
}
