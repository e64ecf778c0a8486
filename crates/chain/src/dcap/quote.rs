// SPDX-License-Identifier: Apache-2.0
//! A DCAP quote, taken apart (Intel SGX DCAP Quoting Library API, appendix A).

use alloy::primitives::{B256, Bytes};
use subrosa_types::id::TeeKind;

use super::{
    Collateral, DcapError, DocumentKind,
    certificate::{authority_id, der, fmspc, pem_chain, root_id},
};

/// Longest quote that is read, bytes. Real quotes have 4 to 8 KiB.
pub const MAX_QUOTE_BYTES: usize = 32 * 1024;

/// A quote as the chain takes it, and what is needed to judge it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// `Tdx` or `Sgx`.
    pub tee: TeeKind,
    /// The quote without its certification data, which is not signed and which the chain does not
    /// read: 3.6 KB less.
    pub short: Bytes,
    /// The PCK certificate, DER.
    pub pck_certificate: Bytes,
    /// SHA-256 of the root key's SubjectPublicKeyInfo.
    pub root_id: B256,
    /// Id of the PCK CA.
    pub pck_authority: B256,
    /// Which family of platforms it is from.
    pub fmspc: [u8; 6],
    /// Distinguished name of the PCK CA (RFC 4514).
    pub authority: String,
}

impl Quoted {
    /// Reads a quote of version 3 (SGX), 4 or 5 (TDX) with the PCK certificate chain that it
    /// carries.
    ///
    /// # Errors
    ///
    /// [`DcapError::Quote`] if it is none of these, [`DcapError::Field`] if its chain is not that
    /// of an Intel platform.
    pub fn read(quote: &[u8]) -> Result<Self, DcapError> {
        let parts = Parts::find(quote)?;
        if parts.certification_type != PCK_CHAIN {
            return Err(DcapError::Quote("one with its PCK certificate chain"));
        }
        let pem = std::str::from_utf8(parts.certification).unwrap_or_default();
        let chain = pem_chain(FIELD, pem)?;
        let [leaf, authority, .., root] = chain.as_slice() else {
            return Err(DcapError::Quote("one with its whole PCK certificate chain"));
        };
        let root_id = root_id(FIELD, root)?;
        Ok(Self {
            tee: parts.tee,
            short: parts.short(quote).into(),
            pck_certificate: der(FIELD, leaf)?.into(),
            root_id,
            pck_authority: authority_id(FIELD, root_id, authority)?,
            fmspc: fmspc(FIELD, leaf)?,
            authority: authority.tbs_certificate().subject().to_string(),
        })
    }

    /// The same for a quote that carries no chain: PCK certificate, root and authority are those of
    /// `collateral`.
    ///
    /// # Errors
    ///
    /// As [`Self::read`], if the collateral has no PCK certificate chain either.
    pub fn with_collateral(quote: &[u8], collateral: &Collateral) -> Result<Self, DcapError> {
        let parts = Parts::find(quote)?;
        if parts.certification_type == PCK_CHAIN {
            return Self::read(quote);
        }
        let Some(pck_certificate) = collateral.pck_certificate.clone() else {
            return Err(DcapError::Quote("one with its PCK certificate chain"));
        };
        use x509_cert::der::Decode as _;
        let leaf = x509_cert::Certificate::from_der(&pck_certificate)
            .map_err(|_| DcapError::Quote("one with its PCK certificate chain"))?;
        Ok(Self {
            tee: parts.tee,
            short: parts.short(quote).into(),
            fmspc: fmspc("pck_certificate_chain", &leaf)?,
            authority: leaf.tbs_certificate().issuer().to_string(),
            pck_certificate,
            root_id: collateral.root_id,
            pck_authority: collateral.pck_authority,
        })
    }

    /// What the chain must keep before it can judge this quote, with the key of the latest edition of
    /// each.
    pub fn needs(&self) -> [(DocumentKind, B256); 4] {
        let (tee, fmspc) = (self.tee, self.fmspc);
        [
            DocumentKind::RootCrl,
            DocumentKind::PckAuthority,
            DocumentKind::TcbInfo { tee, fmspc },
            DocumentKind::QeIdentity { tee },
        ]
        .map(|kind| (kind, kind.key(self.root_id).unwrap_or(self.pck_authority)))
    }
}

/// Where a quote's parts are.
struct Parts<'a> {
    tee: TeeKind,
    version: u16,
    /// Length of header and body: what is signed.
    signed: usize,
    /// Where type and length of the certification data stand.
    place: usize,
    certification_type: u16,
    certification: &'a [u8],
}

impl<'a> Parts<'a> {
    fn find(quote: &'a [u8]) -> Result<Self, DcapError> {
        if quote.len() > MAX_QUOTE_BYTES {
            return Err(DcapError::TooLarge {
                what: "quote",
                found: quote.len(),
                limit: MAX_QUOTE_BYTES,
            });
        }
        Self::walk(quote).ok_or(DcapError::Quote("a DCAP quote of version 3, 4 or 5"))
    }

    fn walk(quote: &'a [u8]) -> Option<Self> {
        let (version, tee_type) = (le16(quote, 0)?, le32(quote, 4)?);
        let (tee, body) = match (version, tee_type) {
            (3, 0) => (TeeKind::Sgx, ENCLAVE_REPORT),
            (4, TDX) => (TeeKind::Tdx, TD_REPORT_10),
            (5, TDX) => {
                let size = usize::try_from(le32(quote, HEADER + 2)?).ok()?;
                let known = [TD_REPORT_10, TD_REPORT_15, TD_REPORT_15_EXTENDED];
                (
                    TeeKind::Tdx,
                    6 + Some(size).filter(|size| known.contains(size))?,
                )
            }
            _ => return None,
        };
        let signed = HEADER + body;
        // Every length must fit into the one around it, as the contract has it.
        let within = |start: usize, length: usize, end: usize| {
            start.checked_add(length).filter(|next| *next <= end)
        };
        let length = |place: usize| usize::try_from(le32(quote, place)?).ok();
        let mut offset = signed + 4;
        let mut end = within(offset, length(signed)?, quote.len())?;
        offset = within(offset, SIGNATURE_AND_KEY, end)?;
        if version != 3 {
            let start = within(offset, 6, end)?;
            end = within(start, length(offset + 2)?, end)?;
            offset = start;
        }
        let authentication = within(offset, ENCLAVE_REPORT + 64, end)?;
        let size = usize::from(le16(quote, authentication)?);
        let place = within(authentication, 2 + size, end)?;
        let content = within(place, 6, end)?;
        let certification_end = within(content, length(place + 2)?, end)?;
        Some(Self {
            tee,
            version,
            signed,
            place,
            certification_type: le16(quote, place)?,
            certification: quote.get(content..certification_end)?,
        })
    }

    /// The quote up to its certification data, all lengths set accordingly.
    fn short(&self, quote: &[u8]) -> Vec<u8> {
        let mut short = quote.get(..self.place + 6).unwrap_or_default().to_vec();
        let mut set = |place: usize, length: usize| {
            let length = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
            if let Some(field) = short.get_mut(place..place + 4) {
                field.copy_from_slice(&length);
            }
        };
        set(self.place + 2, 0);
        let after = self.signed + 4;
        set(self.signed, self.place + 6 - after);
        if self.version != 3 {
            let inner = after + SIGNATURE_AND_KEY + 6;
            set(inner - 4, self.place + 6 - inner);
        }
        short
    }
}

fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*field))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*field))
}

const FIELD: &str = "the quote's PCK certificate chain";
const HEADER: usize = 48;
const TDX: u32 = 0x81;
const ENCLAVE_REPORT: usize = 384;
const TD_REPORT_10: usize = 584;
const TD_REPORT_15: usize = 648;
const TD_REPORT_15_EXTENDED: usize = 885;
const SIGNATURE_AND_KEY: usize = 128;
/// Certification data: the PCK certificate chain, PEM.
const PCK_CHAIN: u16 = 5;
