// SPDX-License-Identifier: Apache-2.0
//! Where documented structures keep the few fields a producer looks at in its own evidence.
//!
//! A producer looks for two reasons: to learn its own measurement, and to notice that it was
//! handed evidence that somebody else asked for. It verifies nothing.

use sha2::{Digest, Sha256};

use crate::TeeError;

/// A DCAP quote over a trust domain, version 4 or 5.
///
/// Intel TDX DCAP Quoting Library API, appendix A.3: header of 48 bytes (version at 0, TEE type at
/// 4), then in version 5 a body descriptor of 6 bytes, then the TD quote body. Its first 584 bytes
/// are the same in TDX 1.0 and 1.5: MRTD at 136, RTMR0 to RTMR3 at 328, REPORTDATA at 520.
#[derive(Debug)]
pub(crate) struct TdQuote<'a> {
    pub(crate) mrtd: &'a [u8; 48],
    pub(crate) rtmr: [&'a [u8; 48]; 4],
    pub(crate) report_data: &'a [u8; 64],
}

impl<'a> TdQuote<'a> {
    pub(crate) fn parse(quote: &'a [u8]) -> Result<Self, TeeError> {
        let malformed = |why| TeeError::Malformed {
            what: "TDX quote",
            why,
        };
        let short = || malformed("too short");
        let version = u16::from_le_bytes(*array(quote, 0).ok_or_else(short)?);
        let tee_type = u32::from_le_bytes(*array(quote, 4).ok_or_else(short)?);
        if tee_type != TEE_TYPE_TDX {
            return Err(malformed("not of type TDX"));
        }
        let body = match version {
            4 => quote.get(48..),
            5 => quote.get(54..),
            _ => return Err(malformed("neither version 4 nor 5")),
        };
        let body = body.ok_or_else(short)?;
        let register = |at| array(body, at).ok_or_else(short);
        Ok(Self {
            mrtd: register(136)?,
            rtmr: [
                register(328)?,
                register(376)?,
                register(424)?,
                register(472)?,
            ],
            report_data: array(body, 520).ok_or_else(short)?,
        })
    }

    /// MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2.
    pub(crate) fn measurement(&self) -> Vec<u8> {
        let [rtmr0, rtmr1, rtmr2, _] = self.rtmr;
        [&self.mrtd[..], rtmr0, rtmr1, rtmr2].concat()
    }
}

/// A DCAP quote over an SGX enclave, version 3.
///
/// Intel SGX ECDSA Quote Library Reference, appendix A.4: header of 48 bytes, then the report body
/// of 384 with MRENCLAVE at 64 and REPORTDATA at 320.
#[derive(Debug)]
pub(crate) struct SgxQuote<'a> {
    pub(crate) mrenclave: &'a [u8; 32],
    pub(crate) report_data: &'a [u8; 64],
}

impl<'a> SgxQuote<'a> {
    pub(crate) fn parse(quote: &'a [u8]) -> Result<Self, TeeError> {
        let malformed = |why| TeeError::Malformed {
            what: "SGX quote",
            why,
        };
        let short = || malformed("too short");
        if u16::from_le_bytes(*array(quote, 0).ok_or_else(short)?) != 3 {
            return Err(malformed("not of version 3"));
        }
        Ok(Self {
            mrenclave: array(quote, 112).ok_or_else(short)?,
            report_data: array(quote, 368).ok_or_else(short)?,
        })
    }
}

/// An SEV-SNP attestation report.
///
/// SEV Secure Nested Paging Firmware ABI Specification (56860), table "ATTESTATION_REPORT
/// structure": VERSION at 0, VMPL at 0x30, SIGNING_KEY in bits 4:2 at 0x48, REPORT_DATA at 0x50,
/// MEASUREMENT at 0x90, since version 3 CPUID family and model at 0x188; 1,184 bytes.
#[derive(Debug)]
pub(crate) struct SnpReport<'a> {
    pub(crate) measurement: &'a [u8; 48],
    pub(crate) report_data: &'a [u8; 64],
    /// The privilege level the report is for.
    pub(crate) vmpl: u32,
    /// The key that signs the report: 0 the chip's (VCEK), 1 one that the host loaded (VLEK), 7
    /// none.
    pub(crate) signing_key: u8,
    /// CPUID family and model; `None` in reports of version 2.
    pub(crate) processor: Option<(u8, u8)>,
}

impl<'a> SnpReport<'a> {
    pub(crate) const BYTES: usize = 1184;

    pub(crate) fn parse(report: &'a [u8]) -> Result<Self, TeeError> {
        let malformed = |why| TeeError::Malformed {
            what: "SEV-SNP report",
            why,
        };
        let short = || malformed("not 1,184 bytes long");
        if report.len() != Self::BYTES {
            return Err(short());
        }
        let version = u32::from_le_bytes(*array(report, 0).ok_or_else(short)?);
        if version < 2 {
            return Err(malformed("older than version 2"));
        }
        let &[family, model] = array(report, 0x188).ok_or_else(short)?;
        let &[flags] = array(report, 0x48).ok_or_else(short)?;
        Ok(Self {
            signing_key: (flags >> 2) & 0b111,
            measurement: array(report, 0x90).ok_or_else(short)?,
            report_data: array(report, 0x50).ok_or_else(short)?,
            vmpl: u32::from_le_bytes(*array(report, 0x30).ok_or_else(short)?),
            processor: (version >= 3).then_some((family, model)),
        })
    }
}

/// Azure's HCL report: what the paravisor keeps in NV index 0x01400001.
///
/// Layout as in Microsoft's OpenHCL (`openhcl_attestation_protocol::igvm_attest`): a header of 32
/// bytes beginning with `HCLA`, 1,184 bytes for the hardware report, then little-endian 32-bit
/// data size, version, report type (2 SEV-SNP, 4 TDX), hash type (1 SHA-256) and size of the
/// runtime claims, then the claims, JSON. The first 32 bytes of the hardware report's report data
/// are the hash of the claims.
///
/// The TDX report is a TDREPORT_STRUCT (Intel TDX Module ABI Specification): REPORTDATA at 128,
/// TDINFO at 512 with MRTD at 16 in it.
#[derive(Debug)]
pub(crate) struct HclReport<'a> {
    pub(crate) hardware: HclHardware,
    /// The launch measurement in the hardware report: MEASUREMENT or MRTD.
    pub(crate) measurement: &'a [u8; 48],
    /// CPUID family and model, if the hardware report is an SEV-SNP report that states them.
    pub(crate) processor: Option<(u8, u8)>,
    pub(crate) claims: &'a [u8],
    /// Whether the hardware report binds these claims: a report that was renewed between two
    /// reads of its halves does not.
    pub(crate) binds_claims: bool,
}

/// What is under an Azure vTPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HclHardware {
    Snp,
    Tdx,
}

impl<'a> HclReport<'a> {
    /// The smallest: an empty claims field.
    pub(crate) const HEADER_BYTES: usize = 1236;

    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, TeeError> {
        let malformed = |why| TeeError::Malformed {
            what: "HCL report",
            why,
        };
        let short = || malformed("too short");
        if array(bytes, 0) != Some(b"HCLA") {
            return Err(malformed("does not begin with HCLA"));
        }
        let field = |at| array(bytes, at).copied().map(u32::from_le_bytes);
        let report_type = field(1224).ok_or_else(short)?;
        let hash_type = field(1228).ok_or_else(short)?;
        let claims_size = field(1232).ok_or_else(short)?;
        let claims = usize::try_from(claims_size)
            .ok()
            .and_then(|size| Self::HEADER_BYTES.checked_add(size))
            .and_then(|end| bytes.get(Self::HEADER_BYTES..end))
            .ok_or_else(|| malformed("claims exceed it"))?;
        if hash_type != SHA256_CLAIMS {
            return Err(malformed("claims are not hashed with SHA-256"));
        }
        let report = bytes.get(32..32 + SnpReport::BYTES).ok_or_else(short)?;
        let (hardware, measurement, report_data, processor) = match report_type {
            2 => {
                let snp = SnpReport::parse(report)?;
                (
                    HclHardware::Snp,
                    snp.measurement,
                    snp.report_data,
                    snp.processor,
                )
            }
            4 => {
                let mrtd = array(report, 528).ok_or_else(short)?;
                let report_data = array(report, 128).ok_or_else(short)?;
                (HclHardware::Tdx, mrtd, report_data, None)
            }
            _ => return Err(malformed("neither over SEV-SNP nor over TDX")),
        };
        let digest = Sha256::digest(claims);
        Ok(Self {
            hardware,
            measurement,
            processor,
            claims,
            binds_claims: report_data.starts_with(digest.as_slice()),
        })
    }
}

/// `N` bytes at `offset`, if they are there.
pub(crate) fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<&[u8; N]> {
    bytes.get(offset..).and_then(|rest| rest.first_chunk())
}

const TEE_TYPE_TDX: u32 = 0x81;
const SHA256_CLAIMS: u32 = 1;

#[cfg(test)]
pub(crate) mod tests;
