// SPDX-License-Identifier: Apache-2.0
//! Intel's collateral, taken apart.

use std::str::FromStr as _;

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
};
use crate::bindings::SubrosaDcap::DcapCollateral;

/// Longest JSON that is read, bytes. Genuine collateral has 14 to 25 KiB.
pub const MAX_COLLATERAL_BYTES: usize = 256 * 1024;

/// Everything that is needed to judge the quotes of one family of platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collateral {
    /// SHA-256 of the root key's SubjectPublicKeyInfo.
    pub root_id: B256,
    /// Id of the PCK CA, which `verifyQuote` takes.
    pub pck_authority: B256,
    /// The root's revocation list, the PCK CA with its list, TCB info, QE identity: in this order.
    pub documents: [CollateralDocument; 4],
    /// The PCK certificate, DER, for quotes that carry none.
    pub pck_certificate: Option<Bytes>,
}

/// One document of collateral, which the chain keeps under a key of its own. Of revocation lists it keeps
/// the newest, of everything else all editions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollateralDocument {
    /// What it is.
    pub kind: DocumentKind,
    /// What `collateralOf` takes: of TCB info and QE identities for this very edition.
    pub key: B256,
    /// What it takes for the latest edition of the same.
    pub latest: B256,
    /// What `verifyQuote` takes to go by this TCB info or QE identity; zero for revocation lists.
    pub edition: B256,
    /// When it was issued, Unix seconds.
    pub issued: u64,
    /// When the next edition is due, Unix seconds. The chain may take it to run out earlier: with
    /// the certificate of its issuer.
    pub next_update: u64,
    /// TCB evaluation number; zero for revocation lists.
    pub evaluation: u32,
    /// SHA-256 of what its issuer signed, as the event `CollateralStored` has it.
    pub digest: B256,
    /// What submits it, other documents empty.
    pub submission: DcapCollateral,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// The root's revocation list.
    RootCrl,
    /// The certificate of a PCK CA and its revocation list.
    PckAuthority,
    /// TCB info.
    TcbInfo {
        /// `Tdx` or `Sgx`.
        tee: TeeKind,
        /// Family, model, stepping, platform type and custom SKU.
        fmspc: [u8; 6],
    },
    /// The identity of the quoting enclave.
    QeIdentity {
        /// `Tdx` or `Sgx`.
        tee: TeeKind,
    },
}

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

impl DocumentKind {
    /// What `collateralOf` takes for the latest edition. None for a PCK CA, whose key is the hash of its
    /// certificate's content.
    pub(super) fn key(self, root_id: B256) -> Option<B256> {
        Some(keccak256(match self {
            Self::RootCrl => (domain("root-crl"), root_id).abi_encode(),
            Self::PckAuthority => return None,
            Self::TcbInfo { tee, fmspc } => {
                // A number of 48 bits, as the contract packs it: right-aligned.
                let mut word = B256::ZERO;
                if let Some(low) = word.last_chunk_mut() {
                    *low = fmspc;
                }
                (domain("tcb-info"), root_id, number(tee), word).abi_encode()
            }
            Self::QeIdentity { tee } => (domain("qe-identity"), root_id, number(tee)).abi_encode(),
        }))
    }
}

impl std::fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RootCrl => f.write_str("root-crl"),
            Self::PckAuthority => f.write_str("pck-authority"),
            Self::TcbInfo { tee, fmspc } => {
                write!(f, "tcb-info {} {}", name(*tee), hex::encode(fmspc))
            }
            Self::QeIdentity { tee } => write!(f, "qe-identity {}", name(*tee)),
        }
    }
}

/// The JSON object. Everything is borrowed but what has escapes.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    pck_crl_issuer_chain: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    root_ca_crl: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    pck_crl: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    tcb_info_issuer_chain: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    tcb_info: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    tcb_info_signature: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    qe_identity_issuer_chain: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    qe_identity: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    qe_identity_signature: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    pck_certificate_chain: Option<std::borrow::Cow<'a, str>>,
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
pub(super) fn nothing() -> DcapCollateral {
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

/// What sets one kind of key apart from the others.
fn domain(name: &str) -> B256 {
    keccak256(format!("subrosa.v1.dcap-{name}"))
}

/// The contract's number of a TEE, as a word.
fn number(tee: TeeKind) -> B256 {
    B256::with_last_byte(tee as u8)
}

fn name(tee: TeeKind) -> &'static str {
    match tee {
        TeeKind::Sgx => "sgx",
        _ => "tdx",
    }
}
