// SPDX-License-Identifier: Apache-2.0
//! What evidence needs of its vendor.

use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use crate::amd::need as amd;
use crate::anchors::Anchors;
use crate::incomplete::Incomplete;
use crate::intel::need as intel;
use crate::publication::Publication;

/// What a bundle needs.
pub(crate) enum Plan {
    Nothing,
    Intel(Box<intel::Need>),
    Amd(amd::Need),
}

impl Plan {
    /// Reads what `bundle` needs at `now`. Nothing of it has been verified.
    pub(crate) fn of(
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

    pub(crate) fn publications(&self) -> Vec<Publication> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Intel(need) => need.publications().to_vec(),
            Self::Amd(need) => need.publications().cloned().collect(),
        }
    }
}
