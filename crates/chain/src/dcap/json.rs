// SPDX-License-Identifier: Apache-2.0
//! Intel's collateral as JSON, taken apart.

use std::{borrow::Cow, str::FromStr as _};

use alloy::primitives::{B256, Bytes, hex, keccak256};
use alloy::sol_types::SolValue;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subrosa_types::id::TeeKind;
use x509_cert::{
    Certificate,
    certificate::Rfc5280,
    crl::CertificateList,
    der::{DateTime, Decode, Encode},
};

use super::{
    DcapError,
    certificate::{authority_id, der, pem_chain, root_id, signed_digest},
    collateral::{Collateral, CollateralDocument, DocumentKind, domain},
};
use crate::bindings::SubrosaDcap::DcapCollateral;

/// Longest JSON that is read, bytes. Genuine collateral has 14 to 25 KiB.
pub const MAX_COLLATERAL_BYTES: usize = 256 * 1024;

impl Collateral {
    /// Reads the JSON object that carries collateral (`pck_crl_issuer_chain`, `root_ca_crl`,
    /// `pck_crl`, `tcb_info_issuer_chain`, `tcb_info`, `tcb_info_signature`,
    /// `qe_identity_issuer_chain`, `qe_identity`, `qe_identity_signature`; binary fields in
    /// hexadecimal).
    ///
    /// # Errors
    ///
    /// [`DcapError`] naming the field that does not hold what it should.
    pub fn from_json(json: &[u8]) -> Result<Self, DcapError> {
        if json.len() > MAX_COLLATERAL_BYTES {
            return Err(DcapError::TooLarge {
                what: "collateral",
                found: json.len(),
                limit: MAX_COLLATERAL_BYTES,
            });
        }
        let parts: Parts<'_> = serde_json::from_slice(json).map_err(DcapError::Json)?;
        parts.read()
    }
}

/// The JSON object. Everything is borrowed but what has escapes.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    pck_crl_issuer_chain: Cow<'a, str>,
    #[serde(borrow)]
    root_ca_crl: Cow<'a, str>,
    #[serde(borrow)]
    pck_crl: Cow<'a, str>,
    #[serde(borrow)]
    tcb_info_issuer_chain: Cow<'a, str>,
    #[serde(borrow)]
    tcb_info: Cow<'a, str>,
    #[serde(borrow)]
    tcb_info_signature: Cow<'a, str>,
    #[serde(borrow)]
    qe_identity_issuer_chain: Cow<'a, str>,
    #[serde(borrow)]
    qe_identity: Cow<'a, str>,
    #[serde(borrow)]
    qe_identity_signature: Cow<'a, str>,
    #[serde(borrow, default)]
    pck_certificate_chain: Option<Cow<'a, str>>,
}

/// What TCB info and QE identity say of themselves.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    id: String,
    issue_date: String,
    next_update: String,
    tcb_evaluation_data_number: u32,
    #[serde(default)]
    fmspc: Option<String>,
}

/// A chain's first certificate and its last, the root.
struct Issuer {
    first: Certificate,
    root_der: Vec<u8>,
    root_id: B256,
}

impl Parts<'_> {
    fn read(&self) -> Result<Collateral, DcapError> {
        let pck = Issuer::read("pck_crl_issuer_chain", &self.pck_crl_issuer_chain)?;
        let tcb = Issuer::read("tcb_info_issuer_chain", &self.tcb_info_issuer_chain)?;
        let qe = Issuer::read("qe_identity_issuer_chain", &self.qe_identity_issuer_chain)?;
        let authority = authority_id("pck_crl_issuer_chain", pck.root_id, &pck.first)?;
        let pck_certificate = match self.pck_certificate_chain.as_deref() {
            Some(chain) => match pem_chain("pck_certificate_chain", chain)?.first() {
                Some(leaf) => Some(der("pck_certificate_chain", leaf)?.into()),
                None => None,
            },
            None => None,
        };
        Ok(Collateral {
            root_id: pck.root_id,
            pck_authority: authority,
            documents: [
                self.root_crl(&tcb)?,
                self.pck_authority(&pck, authority)?,
                self.tcb_info(&tcb)?,
                self.qe_identity(&qe)?,
            ],
            pck_certificate,
        })
    }

    fn root_crl(&self, issuer: &Issuer) -> Result<CollateralDocument, DcapError> {
        const FIELD: &str = "root_ca_crl";
        let (list, digest, dates) = revocation_list(FIELD, &self.root_ca_crl)?;
        let submission = DcapCollateral {
            rootCrl: list,
            ..issuer.alone()
        };
        let kind = DocumentKind::RootCrl;
        let key = kind.key(issuer.root_id).unwrap_or_default();
        Ok(of_list(kind, key, digest, dates, submission))
    }

    fn pck_authority(&self, issuer: &Issuer, id: B256) -> Result<CollateralDocument, DcapError> {
        const FIELD: &str = "pck_crl";
        let (list, digest, dates) = revocation_list(FIELD, &self.pck_crl)?;
        let submission = DcapCollateral {
            pckAuthority: der("pck_crl_issuer_chain", &issuer.first)?.into(),
            pckCrl: list,
            ..issuer.alone()
        };
        let kind = DocumentKind::PckAuthority;
        Ok(of_list(kind, id, digest, dates, submission))
    }

    fn tcb_info(&self, issuer: &Issuer) -> Result<CollateralDocument, DcapError> {
        const FIELD: &str = "tcb_info";
        let (about, dates) = about(FIELD, &self.tcb_info)?;
        let tee = match about.id.as_str() {
            "SGX" => TeeKind::Sgx,
            "TDX" => TeeKind::Tdx,
            _ => return Err(unexpected(FIELD, "TCB info of SGX or TDX")),
        };
        let mut fmspc = [0; 6];
        hex::decode_to_slice(about.fmspc.unwrap_or_default(), &mut fmspc)
            .map_err(|_| unexpected(FIELD, "about an FMSPC of six bytes"))?;
        let submission = DcapCollateral {
            tcbSigner: der("tcb_info_issuer_chain", &issuer.first)?.into(),
            tcbInfo: self.tcb_info.as_bytes().to_vec().into(),
            tcbInfoSignature: bytes("tcb_info_signature", &self.tcb_info_signature)?,
            ..issuer.alone()
        };
        let kind = DocumentKind::TcbInfo { tee, fmspc };
        let evaluation = about.tcb_evaluation_data_number;
        let digest = sha256(self.tcb_info.as_bytes());
        issuer.edition(FIELD, kind, digest, dates, evaluation, submission)
    }

    fn qe_identity(&self, issuer: &Issuer) -> Result<CollateralDocument, DcapError> {
        const FIELD: &str = "qe_identity";
        let (about, dates) = about(FIELD, &self.qe_identity)?;
        let tee = match about.id.as_str() {
            "QE" => TeeKind::Sgx,
            "TD_QE" => TeeKind::Tdx,
            _ => return Err(unexpected(FIELD, "the identity of a quoting enclave")),
        };
        let submission = DcapCollateral {
            tcbSigner: der("qe_identity_issuer_chain", &issuer.first)?.into(),
            qeIdentity: self.qe_identity.as_bytes().to_vec().into(),
            qeIdentitySignature: bytes("qe_identity_signature", &self.qe_identity_signature)?,
            ..issuer.alone()
        };
        let kind = DocumentKind::QeIdentity { tee };
        let evaluation = about.tcb_evaluation_data_number;
        let digest = sha256(self.qe_identity.as_bytes());
        issuer.edition(FIELD, kind, digest, dates, evaluation, submission)
    }
}

impl Issuer {
    fn read(field: &'static str, pem: &str) -> Result<Self, DcapError> {
        let mut chain = pem_chain(field, pem)?;
        let (Some(root), true) = (chain.pop(), !chain.is_empty()) else {
            return Err(unexpected(field, "an issuer's certificate and its root's"));
        };
        Ok(Self {
            first: chain.swap_remove(0),
            root_der: der(field, &root)?,
            root_id: root_id(field, &root)?,
        })
    }

    /// TCB info or a QE identity that the first certificate signed.
    fn edition(
        &self,
        field: &'static str,
        kind: DocumentKind,
        digest: B256,
        (issued, next_update): (u64, u64),
        evaluation: u32,
        submission: DcapCollateral,
    ) -> Result<CollateralDocument, DcapError> {
        let latest = kind.key(self.root_id).unwrap_or_default();
        let signer = signed_digest(field, &self.first)?;
        let edition = keccak256((digest, signer).abi_encode());
        Ok(CollateralDocument {
            kind,
            key: keccak256((domain("edition"), latest, edition).abi_encode()),
            latest,
            edition,
            issued,
            next_update,
            evaluation,
            digest,
            submission,
        })
    }

    /// The root and nothing else.
    fn alone(&self) -> DcapCollateral {
        DcapCollateral {
            rootCertificate: self.root_der.clone().into(),
            ..nothing()
        }
    }
}

fn of_list(
    kind: DocumentKind,
    key: B256,
    digest: B256,
    (issued, next_update): (u64, u64),
    submission: DcapCollateral,
) -> CollateralDocument {
    CollateralDocument {
        kind,
        key,
        latest: key,
        edition: B256::ZERO,
        issued,
        next_update,
        evaluation: 0,
        digest,
        submission,
    }
}

/// No collateral at all.
fn nothing() -> DcapCollateral {
    DcapCollateral {
        rootCertificate: Bytes::new(),
        rootCrl: Bytes::new(),
        pckAuthority: Bytes::new(),
        pckCrl: Bytes::new(),
        tcbSigner: Bytes::new(),
        tcbInfo: Bytes::new(),
        tcbInfoSignature: Bytes::new(),
        qeIdentity: Bytes::new(),
        qeIdentitySignature: Bytes::new(),
    }
}

/// A revocation list, DER, the digest of what was signed of it, and its two dates.
fn revocation_list(
    field: &'static str,
    text: &str,
) -> Result<(Bytes, B256, (u64, u64)), DcapError> {
    let der = bytes(field, text)?;
    let list = CertificateList::<Rfc5280>::from_der(&der)
        .map_err(|_| unexpected(field, "a revocation list"))?;
    let body = &list.tbs_cert_list;
    let signed = body.to_der().map_err(|_| unexpected(field, "signed"))?;
    let next = body
        .next_update
        .ok_or(unexpected(field, "a revocation list with nextUpdate"))?;
    let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
    let dates = (seconds(body.this_update), seconds(next));
    Ok((der, sha256(&signed), dates))
}

fn about(field: &'static str, text: &str) -> Result<(About, (u64, u64)), DcapError> {
    let about: About =
        serde_json::from_str(text).map_err(|_| unexpected(field, "JSON as Intel serves it"))?;
    let seconds = |date: &str| {
        let date = DateTime::from_str(date).map_err(|_| unexpected(field, "dated"));
        date.map(|date| date.unix_duration().as_secs())
    };
    let dates = (seconds(&about.issue_date)?, seconds(&about.next_update)?);
    Ok((about, dates))
}

fn bytes(field: &'static str, text: &str) -> Result<Bytes, DcapError> {
    let bytes = hex::decode(text).map_err(|_| unexpected(field, "hexadecimal"))?;
    Ok(bytes.into())
}

fn unexpected(field: &'static str, expected: &'static str) -> DcapError {
    DcapError::Field { field, expected }
}

fn sha256(bytes: &[u8]) -> B256 {
    B256::from_slice(Sha256::digest(bytes).as_slice())
}
