// SPDX-License-Identifier: Apache-2.0
//! The DCAP quote and the collateral in an evidence bundle.

use subrosa_evidence::{EncodedBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use super::DcapError;

/// The quote and the collateral (empty if there is none) of an evidence bundle of TDX or SGX.
///
/// # Errors
///
/// [`DcapError::Bundle`] if it is no bundle, [`DcapError::Evidence`] if it is another TEE's or has
/// no quote.
pub fn evidence_parts(bundle: &[u8]) -> Result<(&[u8], &[u8]), DcapError> {
    let bundle = EncodedBundle::read(bundle)?;
    if !matches!(bundle.kind(), TeeKind::Tdx | TeeKind::Sgx) {
        return Err(DcapError::Evidence(
            "that of TDX or SGX, the only ones the chain verifies by itself",
        ));
    }
    let part = |part| bundle.part(part).unwrap_or_default();
    let (quote, collateral) = (part(EvidencePart::Quote), part(EvidencePart::Collateral));
    if quote.is_empty() {
        return Err(DcapError::Evidence("a bundle with a quote"));
    }
    Ok((quote, collateral))
}
