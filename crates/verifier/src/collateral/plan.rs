// SPDX-License-Identifier: Apache-2.0
//! What evidence lacks.

use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use super::piece::Piece;
use super::signed::Anchors;
use super::{amd, intel};

/// What a bundle needs.
pub(super) enum Plan {
    Nothing,
    Intel(Box<intel::Need>),
    Amd(amd::Need),
}

impl Plan {
    /// Reads what `bundle` lacks at `now`. Nothing of it has been verified.
    pub(super) fn of(
        bundle: &EvidenceBundle,
        anchors: &Anchors,
        now: u64,
    ) -> Result<Self, Incomplete> {
        let intel = |part| {
            let need = intel::need(bundle, part, anchors, now)?;
            Ok(need.map_or(Self::Nothing, |need| Self::Intel(Box::new(need))))
        };
        match bundle.kind() {
            TeeKind::Tdx | TeeKind::Sgx => intel(EvidencePart::Quote),
            TeeKind::AzureTdx => intel(EvidencePart::TdQuote),
            TeeKind::Snp | TeeKind::AzureSnp => {
                let need = amd::need(bundle, anchors, now)?;
                Ok(need.map_or(Self::Nothing, Self::Amd))
            }
            _ => Ok(Self::Nothing),
        }
    }

    pub(super) fn pieces(&self) -> Vec<Piece> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Intel(need) => need.pieces().to_vec(),
            Self::Amd(need) => need.pieces().cloned().collect(),
        }
    }
}

/// Why evidence cannot be completed. Whoever sent it must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Incomplete {
    /// The quote names its PCK certificate instead of carrying it.
    #[error(
        "the quote carries no PCK certificate chain (certification data of type {0}, expected 5): \
         put the chain into the evidence's collateral"
    )]
    PckCertificate(u16),
    /// A report that does not say what it comes from.
    #[error(
        "an attestation report of version {0} does not say which product made it: put the VCEK or \
         VLEK certificate into the evidence"
    )]
    Product(u32),
    /// A product that this build does not know.
    #[error("processors of family {0:#x}, model {1:#x} are unknown")]
    Processor(u8, u8),
    /// The report is signed with a key that AMD gives out to its owner alone.
    #[error("the report is signed with a VLEK: put its certificate into the evidence")]
    Vlek,
    /// The report hides its chip.
    #[error("the report hides its chip id: put the VCEK certificate into the evidence")]
    Chip,
}
