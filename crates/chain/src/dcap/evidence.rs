// SPDX-License-Identifier: Apache-2.0
//! The DCAP quote and the collateral in an evidence bundle.

use subrosa_types::id::{EvidencePart, TeeKind};

use super::DcapError;

/// The quote and the collateral (empty if there is none) of an evidence bundle of TDX or SGX.
///
/// The bundle's format is the attestation crate's, which hosts do not link: magic "sreb", version 2,
/// kind, count of parts; then for each part its number, a length (4 bytes, big-endian) and its bytes.
///
/// # Errors
///
/// [`DcapError::Evidence`] if it is another TEE's, or no bundle.
pub fn evidence_parts(bundle: &[u8]) -> Result<(&[u8], &[u8]), DcapError> {
    const FORMAT: DcapError = DcapError::Evidence("an evidence bundle");
    let rest = bundle.strip_prefix(b"sreb\x02").ok_or(FORMAT)?;
    let [kind, count, rest @ ..] = rest else {
        return Err(FORMAT);
    };
    if !matches!(
        TeeKind::from_number(*kind),
        Some(TeeKind::Tdx | TeeKind::Sgx)
    ) {
        return Err(DcapError::Evidence(
            "that of TDX or SGX, the only ones the chain verifies by itself",
        ));
    }
    let (mut quote, mut collateral, mut rest) = (&[][..], &[][..], rest);
    for _ in 0..*count {
        let (header, after) = rest.split_at_checked(5).ok_or(FORMAT)?;
        let [number, length @ ..] = header else {
            return Err(FORMAT);
        };
        let length = <[u8; 4]>::try_from(length).map_err(|_| FORMAT)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| FORMAT)?;
        let (content, after) = after.split_at_checked(length).ok_or(FORMAT)?;
        match EvidencePart::from_number(*number) {
            Some(EvidencePart::Quote) => quote = content,
            Some(EvidencePart::Collateral) => collateral = content,
            _ => {}
        }
        rest = after;
    }
    if quote.is_empty() || !rest.is_empty() {
        return Err(FORMAT);
    }
    Ok((quote, collateral))
}
