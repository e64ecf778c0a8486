// SPDX-License-Identifier: Apache-2.0
//! Intel's collateral as documents that the chain keeps by themselves, and their keys.

use alloy::primitives::{B256, Bytes, hex, keccak256};
use alloy::sol_types::SolValue;
use subrosa_types::id::TeeKind;

use crate::bindings::SubrosaDcap::DcapCollateral;

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

/// What sets one kind of key apart from the others.
pub(super) fn domain(name: &str) -> B256 {
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
