// SPDX-License-Identifier: Apache-2.0
//! The report that the paravisor of an Azure confidential VM leaves in NV index 0x01400001 of the
//! virtual TPM: a hardware report, and the runtime claims that it binds.
//!
//! ```text
//! header            signature "HCLA", version u32 1 or 2, report size u32, request type u32 2,
//!                   status u32 0, reserved 12 bytes 0
//! hardware report   1,184 bytes: a SEV-SNP report, or a TDREPORT of 1,024 bytes and zeros
//! request data      data size u32, version u32 1, report type u32 2 (SEV-SNP) or 4 (TDX),
//!                   hash type u32 1 (SHA-256), variable data size u32
//! variable data     the runtime claims, JSON
//! padding           zeros, up to the size of the NV index (2,600 bytes; 2,048 of older images)
//! ```
//!
//! Numbers are little-endian. *Report size* counts everything but the padding, *data size* request
//! data and variable data: the length of the claims is there three times, and must agree. Nothing
//! but the hardware report is signed, and nothing but the runtime claims is bound by it.
//!
//! Source: Azure confidential VM guest attestation design (learn.microsoft.com); openvmm,
//! `openhcl_attestation_protocol::igvm_attest::get` (`IgvmAttestRequest`), which calls the report
//! that the guest reads an AK certificate request.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use sha2::{Digest, Sha256};
use subrosa_evidence::CheckId;
use subrosa_types::id::TeeKind;

use crate::failure::Failure;

/// A report, of which nothing has been verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct HclReport<'a> {
    /// The hardware report and its kind.
    pub(super) hardware: Hardware<'a>,
    /// The runtime claims, JSON.
    pub(super) claims: &'a [u8],
}

/// A hardware report.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hardware<'a> {
    /// ATTESTATION_REPORT of SEV-SNP.
    Snp(&'a [u8; SNP_REPORT_BYTES]),
    /// TDREPORT_STRUCT of TDX.
    Tdx(&'a [u8; TD_REPORT_BYTES]),
}

impl Hardware<'_> {
    /// The kind of evidence that brings this report.
    pub(super) fn kind(&self) -> TeeKind {
        match self {
            Self::Snp(_) => TeeKind::AzureSnp,
            Self::Tdx(_) => TeeKind::AzureTdx,
        }
    }

    /// REPORT_DATA of SEV-SNP (firmware ABI, table 23), REPORTDATA of TDX (module ABI, REPORTMACSTRUCT).
    fn report_data(&self) -> Option<&[u8]> {
        match self {
            Self::Snp(report) => report.get(0x50..0x90),
            Self::Tdx(report) => report.get(128..192),
        }
    }
}

impl<'a> HclReport<'a> {
    /// Reads a report, and holds every byte to what it should be.
    ///
    /// # Errors
    ///
    /// `evidence.format`.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Failure> {
        let layout = |found: String| Failure::format("an HCL report of an Azure VM", found);
        let fields = split(bytes)
            .ok_or_else(|| layout(format!("{} bytes, which is too short", bytes.len())))?;
        let Fields {
            header:
                [
                    signature,
                    version,
                    report_size,
                    request_type,
                    status,
                    reserved @ ..,
                ],
            hardware,
            request: [data_size, data_version, report_type, hash_type, claims_size],
            rest,
        } = fields;
        let claims_bytes = usize::try_from(claims_size).unwrap_or(usize::MAX);
        let (claims, padding) = rest.split_at_checked(claims_bytes).ok_or_else(|| {
            let there = rest.len();
            layout(format!("{claims_bytes} bytes of claims in {there}"))
        })?;
        let report_bytes = u64::try_from(FIXED_BYTES).unwrap_or_default() + u64::from(claims_size);
        let data_bytes = u64::try_from(REQUEST_BYTES).unwrap_or_default() + u64::from(claims_size);
        let expected = [
            ("signature", u64::from(signature), u64::from(SIGNATURE)),
            (
                "version",
                u64::from(version),
                u64::from(version.clamp(1, 2)),
            ),
            ("report size", u64::from(report_size), report_bytes),
            ("request type", u64::from(request_type), AK_CERTIFICATE),
            ("status", u64::from(status), 0),
            ("data size", u64::from(data_size), data_bytes),
            ("data version", u64::from(data_version), 1),
            ("hash type", u64::from(hash_type), SHA_256),
        ];
        for (name, found, expected) in expected {
            if found != expected {
                return Err(layout(format!("{name} {found:#x}, not {expected:#x}")));
            }
        }
        let (hardware, unused) = match report_type {
            SNP => (Hardware::Snp(hardware), &[][..]),
            TDX => hardware
                .split_first_chunk()
                .map(|(report, unused)| (Hardware::Tdx(report), unused))
                .ok_or_else(|| layout("no TDREPORT".to_owned()))?,
            other => return Err(layout(format!("report type {other}, not 2 or 4"))),
        };
        let zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if reserved != [0; 3] || !zero(unused) || !zero(padding) {
            return Err(layout(
                "something other than zeros where there is nothing".to_owned(),
            ));
        }
        Ok(Self { hardware, claims })
    }

    /// Holds the runtime claims, byte for byte, to the hardware report.
    ///
    /// # Errors
    ///
    /// `azure.report`.
    pub(super) fn bind(&self) -> Result<(), Failure> {
        let expected = [&Sha256::digest(self.claims)[..], &[0; 32]].concat();
        let found = self.hardware.report_data().unwrap_or_default();
        if found == expected {
            Ok(())
        } else {
            Err(Failure::rejected(
                CheckId::AzureReport,
                format_args!("report data {}, the runtime claims'", hex::encode(expected)),
                hex::encode(found),
            ))
        }
    }
}

struct Fields<'a> {
    header: [u32; 8],
    hardware: &'a [u8; SNP_REPORT_BYTES],
    request: [u32; 5],
    rest: &'a [u8],
}

fn split(bytes: &[u8]) -> Option<Fields<'_>> {
    let (header, rest) = words(bytes)?;
    let (hardware, rest) = rest.split_first_chunk()?;
    let (request, rest) = words(rest)?;
    Some(Fields {
        header,
        hardware,
        request,
        rest,
    })
}

fn words<const N: usize>(bytes: &[u8]) -> Option<([u32; N], &[u8])> {
    let (mut words, mut rest) = ([0; N], bytes);
    for word in &mut words {
        let (head, tail) = rest.split_first_chunk()?;
        (*word, rest) = (u32::from_le_bytes(*head), tail);
    }
    Some((words, rest))
}

pub(super) const SNP_REPORT_BYTES: usize = 1184;
pub(super) const TD_REPORT_BYTES: usize = 1024;
const HEADER_BYTES: usize = 32;
const REQUEST_BYTES: usize = 20;
const FIXED_BYTES: usize = HEADER_BYTES + SNP_REPORT_BYTES + REQUEST_BYTES;
const SIGNATURE: u32 = u32::from_le_bytes(*b"HCLA");
const AK_CERTIFICATE: u64 = 2;
const SHA_256: u64 = 1;
const SNP: u32 = 2;
const TDX: u32 = 4;
