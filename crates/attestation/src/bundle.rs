// SPDX-License-Identifier: Apache-2.0
//! The wire format of evidence.
//!
//! ```text
//! version    u8   1
//! kind       u8   number of the TEE kind, as in admissions
//! quote      u32 length (big-endian) ‖ bytes
//! collateral u32 length (big-endian) ‖ bytes
//! ```
//!
//! Nothing may follow. The encoding of a bundle is unique, and the bundle carries no challenge:
//! what it is fresh for is in the quote's report data.

use subrosa_types::id::TeeKind;

use crate::BundleError;

/// Largest quote that is parsed, bytes. Real ones have 4 to 8 KiB.
pub const MAX_QUOTE_BYTES: usize = 32 * 1024;

/// Largest collateral that is parsed, bytes. Real ones have 14 to 25 KiB.
pub const MAX_COLLATERAL_BYTES: usize = 256 * 1024;

/// A quote and what is needed to verify it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceBundle {
    kind: TeeKind,
    quote: Vec<u8>,
    collateral: Vec<u8>,
}

impl EvidenceBundle {
    /// Largest encoding, bytes.
    pub const MAX_BYTES: usize = 2 + 4 + MAX_QUOTE_BYTES + 4 + MAX_COLLATERAL_BYTES;

    /// Puts a bundle together.
    ///
    /// # Errors
    ///
    /// [`BundleError::QuoteTooLarge`] or [`BundleError::CollateralTooLarge`].
    pub fn new(kind: TeeKind, quote: Vec<u8>, collateral: Vec<u8>) -> Result<Self, BundleError> {
        if quote.len() > MAX_QUOTE_BYTES {
            return Err(BundleError::QuoteTooLarge(quote.len()));
        }
        if collateral.len() > MAX_COLLATERAL_BYTES {
            return Err(BundleError::CollateralTooLarge(collateral.len()));
        }
        Ok(Self {
            kind,
            quote,
            collateral,
        })
    }

    /// Reads an encoded bundle.
    ///
    /// # Errors
    ///
    /// [`BundleError`] if it is not exactly one bundle within the size limits. Lengths are checked
    /// before anything is allocated.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let [version, kind, rest @ ..] = bytes else {
            return Err(BundleError::Truncated);
        };
        if *version != VERSION {
            return Err(BundleError::Version(*version));
        }
        let kind = kind_from(*kind).ok_or(BundleError::Kind(*kind))?;
        let (quote, rest) = field(rest, MAX_QUOTE_BYTES, BundleError::QuoteTooLarge)?;
        let (collateral, rest) =
            field(rest, MAX_COLLATERAL_BYTES, BundleError::CollateralTooLarge)?;
        if !rest.is_empty() {
            return Err(BundleError::Trailing(rest.len()));
        }
        Ok(Self {
            kind,
            quote: quote.to_vec(),
            collateral: collateral.to_vec(),
        })
    }

    /// The encoding that [`Self::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(10 + self.quote.len() + self.collateral.len());
        bytes.extend([VERSION, self.kind as u8]);
        for field in [&self.quote, &self.collateral] {
            // Both are capped far below u32 by every constructor.
            bytes.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(field);
        }
        bytes
    }

    /// What the quote is.
    pub fn kind(&self) -> TeeKind {
        self.kind
    }

    /// The quote, as the platform made it.
    pub fn quote(&self) -> &[u8] {
        &self.quote
    }

    /// What is needed beside the quote; for TDX the JSON object of Intel's collateral with the
    /// field names `pck_crl_issuer_chain`, `root_ca_crl`, `pck_crl`, `tcb_info_issuer_chain`,
    /// `tcb_info`, `tcb_info_signature`, `qe_identity_issuer_chain`, `qe_identity`,
    /// `qe_identity_signature`, binary fields in hexadecimal.
    pub fn collateral(&self) -> &[u8] {
        &self.collateral
    }
}

fn field(
    bytes: &[u8],
    limit: usize,
    too_large: fn(usize) -> BundleError,
) -> Result<(&[u8], &[u8]), BundleError> {
    let (length, rest) = bytes
        .split_first_chunk::<4>()
        .ok_or(BundleError::Truncated)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(too_large(length));
    }
    rest.split_at_checked(length).ok_or(BundleError::Truncated)
}

pub(crate) fn kind_from(number: u8) -> Option<TeeKind> {
    [
        TeeKind::Tdx,
        TeeKind::Sgx,
        TeeKind::Snp,
        TeeKind::Nitro,
        TeeKind::AzureSnp,
        TeeKind::AzureTdx,
    ]
    .into_iter()
    .find(|kind| *kind as u8 == number)
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small() -> EvidenceBundle {
        EvidenceBundle::new(TeeKind::Tdx, vec![1, 2, 3], vec![4, 5]).unwrap()
    }

    #[test]
    fn the_layout_is_as_documented() {
        assert_eq!(
            small().encode(),
            [1, 1, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 2, 4, 5]
        );
    }

    #[test]
    fn every_prefix_is_truncated_and_every_suffix_is_trailing() {
        let bytes = small().encode();
        for end in 0..bytes.len() {
            assert_eq!(
                EvidenceBundle::decode(&bytes[..end]),
                Err(BundleError::Truncated)
            );
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(
            EvidenceBundle::decode(&longer),
            Err(BundleError::Trailing(1))
        );
    }

    #[test]
    fn foreign_versions_and_kinds_are_named() {
        let mut bytes = small().encode();
        bytes[0] = 2;
        assert_eq!(EvidenceBundle::decode(&bytes), Err(BundleError::Version(2)));
        bytes[0] = 1;
        for kind in [0, 7, 255] {
            bytes[1] = kind;
            assert_eq!(EvidenceBundle::decode(&bytes), Err(BundleError::Kind(kind)));
        }
    }

    #[test]
    fn the_size_limits_hold_where_bundles_are_made_and_where_they_are_read() {
        let quote = vec![0; MAX_QUOTE_BYTES + 1];
        assert_eq!(
            EvidenceBundle::new(TeeKind::Tdx, quote, vec![]),
            Err(BundleError::QuoteTooLarge(MAX_QUOTE_BYTES + 1))
        );
        assert_eq!(
            EvidenceBundle::decode(&[1, 1, 0xff, 0xff, 0xff, 0xff]),
            Err(BundleError::QuoteTooLarge(0xffff_ffff))
        );
        let largest = EvidenceBundle::new(
            TeeKind::Tdx,
            vec![0; MAX_QUOTE_BYTES],
            vec![0; MAX_COLLATERAL_BYTES],
        )
        .unwrap();
        assert_eq!(largest.encode().len(), EvidenceBundle::MAX_BYTES);
        assert_eq!(EvidenceBundle::decode(&largest.encode()), Ok(largest));
        let mut bytes = small().encode();
        bytes[9..13].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(
            EvidenceBundle::decode(&bytes),
            Err(BundleError::CollateralTooLarge(0xffff_ffff))
        );
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(bundle) = EvidenceBundle::decode(&bytes) {
                prop_assert_eq!(bundle.encode(), bytes);
            }
        }

        #[test]
        fn what_encodes_decodes(quote in proptest::collection::vec(any::<u8>(), 0..600), collateral in proptest::collection::vec(any::<u8>(), 0..600), kind in 1u8..=6) {
            let bundle = EvidenceBundle::new(kind_from(kind).unwrap(), quote, collateral).unwrap();
            prop_assert_eq!(EvidenceBundle::decode(&bundle.encode()), Ok(bundle));
        }
    }
}
