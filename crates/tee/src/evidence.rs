// SPDX-License-Identifier: Apache-2.0
//! What a platform hands out.

use subrosa_types::id::{EvidencePart, TeeKind};

/// What hardware, or what pretends to be hardware, says about this process.
///
/// Which parts there are depends on the platform:
///
/// | platform | parts |
/// |---|---|
/// | software | `Quote`, `Collateral` |
/// | TDX, SGX | `Quote`; the host fetches `Collateral` |
/// | SEV-SNP | `Quote`, and `CertificateTable` if the host provides one |
/// | Nitro | `Quote` |
/// | Azure vTPM | `Quote`, `TpmSignature`, `TpmPcrs`, `HclReport`; over a TD the host adds `TdQuote` and `Collateral` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What the quote is.
    pub kind: TeeKind,
    /// Each part at most once; `Quote` is always there.
    pub parts: Vec<(EvidencePart, Vec<u8>)>,
}

impl Evidence {
    /// The part the platform signed; empty if `parts` was emptied by hand.
    pub fn quote(&self) -> &[u8] {
        self.part(EvidencePart::Quote).unwrap_or_default()
    }

    /// One part, if it is there.
    pub fn part(&self, part: EvidencePart) -> Option<&[u8]> {
        self.parts
            .iter()
            .find(|(name, _)| *name == part)
            .map(|(_, bytes)| bytes.as_slice())
    }

    /// All parts.
    pub fn into_parts(self) -> Vec<(EvidencePart, Vec<u8>)> {
        self.parts
    }
}
