// SPDX-License-Identifier: Apache-2.0
//! The fields of a report that say what to ask for. Nothing here has been verified.
//!
//! Source: SEV Secure Nested Paging Firmware ABI Specification 1.58, table 23 (ATTESTATION_REPORT).

use std::sync::Arc;

use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use super::certificates::field;
use super::chip::{AmdKey, AmdProduct, Firmware, Vcek};
use crate::incomplete::Incomplete;

/// What a report says of its origin.
pub(crate) struct Report {
    pub(crate) version: u32,
    pub(crate) key: AmdKey,
    cpuid: (u8, u8),
    tcb: [u8; 8],
    chip: [u8; 64],
}

/// The report of `bundle`, unless it is too short or says that nothing signed it.
pub(crate) fn report(bundle: &EvidenceBundle) -> Option<Report> {
    let bytes = match bundle.kind() {
        TeeKind::AzureSnp => bundle
            .part(EvidencePart::HclReport)?
            .get(HCL_HEADER_BYTES..)?,
        _ => bundle.quote(),
    };
    let bytes = bytes.get(..REPORT_BYTES)?;
    // Bits 4:2 of the flags at 48h: which key signed, 0 VCEK, 1 VLEK.
    let key = match (field::<1>(bytes, 0x48)?[0] >> 2) & 0b111 {
        0 => AmdKey::Vcek,
        1 => AmdKey::Vlek,
        _ => return None,
    };
    let [family, model] = field(bytes, 0x188)?;
    Some(Report {
        version: u32::from_le_bytes(field(bytes, 0)?),
        key,
        cpuid: (family, model),
        tcb: field(bytes, 0x180)?,
        chip: field(bytes, 0x1a0)?,
    })
}

impl Report {
    /// The product that made it, which reports say from version 3 on.
    pub(crate) fn product(&self) -> Result<Option<AmdProduct>, Incomplete> {
        if self.version < 3 {
            return Ok(None);
        }
        let (family, model) = self.cpuid;
        AmdProduct::of_cpuid(family, model)
            .map(Some)
            .ok_or(Incomplete::Processor(family, model))
    }

    /// The certificate that verifies it.
    pub(crate) fn vcek(&self, product: AmdProduct) -> Result<Vcek, Incomplete> {
        if self.chip.iter().all(|byte| *byte == 0) {
            return Err(Incomplete::Chip);
        }
        let chip = match product {
            AmdProduct::Turin => self.chip.get(..8).unwrap_or_default(),
            AmdProduct::Milan | AmdProduct::Genoa => &self.chip,
        };
        Ok(Vcek {
            product,
            chip: Arc::from(chip),
            firmware: Firmware::read(product, self.tcb),
        })
    }
}

/// Bytes of a report.
pub(crate) const REPORT_BYTES: usize = 1184;
/// Before the report in an Azure HCL report: signature, version, sizes, request type, status.
pub(crate) const HCL_HEADER_BYTES: usize = 32;
