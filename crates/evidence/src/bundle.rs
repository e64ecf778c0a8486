// SPDX-License-Identifier: Apache-2.0
//! Evidence in one piece.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use subrosa_types::id::TeeKind;

use crate::encoded::{EncodedBundle, HEADER_BYTES, MAGIC, PART_HEADER_BYTES, VERSION};
use crate::{BundleError, EvidencePart};

/// Evidence, and what is needed to verify it: certificates, revocation lists, collateral.
///
/// What a platform gives by itself:
///
/// | platform | parts |
/// |---|---|
/// | software | `Quote`, `Collateral` |
/// | TDX, SGX | `Quote`; the host fetches `Collateral` |
/// | SEV-SNP | `Quote`, and `CertificateTable` if the host provides one |
/// | Nitro | `Quote` |
/// | Azure vTPM | `Quote`, `TpmSignature`, `TpmPcrs`, `HclReport`; over a TD the host adds `TdQuote` and `Collateral` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceBundle {
    kind: TeeKind,
    parts: BTreeMap<EvidencePart, Vec<u8>>,
}

impl EvidenceBundle {
    /// Largest encoding, bytes.
    pub const MAX_BYTES: usize = {
        let (mut sum, mut index) = (HEADER_BYTES, 0);
        while index < EvidencePart::ALL.len() {
            sum += PART_HEADER_BYTES + EvidencePart::ALL[index].max_bytes();
            index += 1;
        }
        sum
    };

    /// A DCAP quote and its collateral.
    ///
    /// # Errors
    ///
    /// [`BundleError::PartTooLarge`].
    pub fn new(kind: TeeKind, quote: Vec<u8>, collateral: Vec<u8>) -> Result<Self, BundleError> {
        Self::from_parts(
            kind,
            [
                (EvidencePart::Quote, quote),
                (EvidencePart::Collateral, collateral),
            ],
        )
    }

    /// Puts a bundle together.
    ///
    /// # Errors
    ///
    /// [`BundleError::PartTooLarge`], or [`BundleError::PartOrder`] if one is given twice.
    pub fn from_parts(
        kind: TeeKind,
        parts: impl IntoIterator<Item = (EvidencePart, Vec<u8>)>,
    ) -> Result<Self, BundleError> {
        let mut bundle = Self {
            kind,
            parts: BTreeMap::new(),
        };
        for (part, bytes) in parts {
            if bundle.parts.contains_key(&part) {
                return Err(BundleError::PartOrder(part as u8));
            }
            bundle = bundle.with_part(part, bytes)?;
        }
        Ok(bundle)
    }

    /// Adds a part, or replaces it.
    ///
    /// # Errors
    ///
    /// [`BundleError::PartTooLarge`].
    pub fn with_part(mut self, part: EvidencePart, bytes: Vec<u8>) -> Result<Self, BundleError> {
        let limit = part.max_bytes();
        if bytes.len() > limit {
            return Err(BundleError::PartTooLarge {
                part,
                found: bytes.len(),
                limit,
            });
        }
        self.parts.insert(part, bytes);
        Ok(self)
    }

    /// Reads an encoded bundle and copies its parts; [`EncodedBundle::read`] does not copy.
    ///
    /// # Errors
    ///
    /// [`BundleError`] if it is not exactly one bundle within the size limits. Lengths are checked
    /// before anything is allocated.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let encoded = EncodedBundle::read(bytes)?;
        let parts = encoded.parts().map(|(part, bytes)| (part, bytes.to_vec()));
        Ok(Self {
            kind: encoded.kind(),
            parts: parts.collect(),
        })
    }

    /// Whether `bytes` begin like an encoded bundle.
    pub fn is_encoded(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// The encoding that [`Self::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let content: usize = self.parts.values().map(Vec::len).sum();
        let mut bytes =
            Vec::with_capacity(HEADER_BYTES + PART_HEADER_BYTES * self.parts.len() + content);
        bytes.extend(MAGIC);
        // There are nine parts, and each is capped far below u32.
        let count = u8::try_from(self.parts.len()).unwrap_or(u8::MAX);
        bytes.extend([VERSION, self.kind as u8, count]);
        for (part, content) in &self.parts {
            bytes.push(*part as u8);
            bytes.extend(
                u32::try_from(content.len())
                    .unwrap_or(u32::MAX)
                    .to_be_bytes(),
            );
            bytes.extend(content);
        }
        bytes
    }

    /// What the evidence is of.
    pub fn kind(&self) -> TeeKind {
        self.kind
    }

    /// A part, if it is there.
    pub fn part(&self, part: EvidencePart) -> Option<&[u8]> {
        self.parts.get(&part).map(Vec::as_slice)
    }

    /// Every part, ascending by number.
    pub fn parts(&self) -> impl Iterator<Item = (EvidencePart, &[u8])> {
        self.parts
            .iter()
            .map(|(part, bytes)| (*part, bytes.as_slice()))
    }

    /// [`EvidencePart::Quote`], or nothing.
    pub fn quote(&self) -> &[u8] {
        self.part(EvidencePart::Quote).unwrap_or_default()
    }

    /// [`EvidencePart::Collateral`], or nothing: the JSON object of Intel's collateral with the
    /// field names `pck_crl_issuer_chain`, `root_ca_crl`, `pck_crl`, `tcb_info_issuer_chain`,
    /// `tcb_info`, `tcb_info_signature`, `qe_identity_issuer_chain`, `qe_identity`,
    /// `qe_identity_signature`, binary fields in hexadecimal.
    pub fn collateral(&self) -> &[u8] {
        self.part(EvidencePart::Collateral).unwrap_or_default()
    }
}

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
            [
                &b"sreb"[..],
                &[2, 1, 2, 1, 0, 0, 0, 3, 1, 2, 3, 2, 0, 0, 0, 2, 4, 5]
            ]
            .concat()
        );
    }

    #[test]
    fn every_prefix_is_truncated_and_every_suffix_is_trailing() {
        let bytes = small().encode();
        for end in 0..bytes.len() {
            let expected = if end < 4 {
                BundleError::Magic
            } else {
                BundleError::Truncated
            };
            assert_eq!(EvidenceBundle::decode(&bytes[..end]), Err(expected));
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(
            EvidenceBundle::decode(&longer),
            Err(BundleError::Trailing(1))
        );
    }

    #[test]
    fn foreign_versions_kinds_and_parts_are_named() {
        let spoil = |index: usize, value: u8| {
            let mut bytes = small().encode();
            bytes[index] = value;
            EvidenceBundle::decode(&bytes)
        };
        assert_eq!(spoil(4, 1), Err(BundleError::Version(1)));
        for kind in [0, 7, 255] {
            assert_eq!(spoil(5, kind), Err(BundleError::Kind(kind)));
        }
        assert_eq!(spoil(7, 10), Err(BundleError::Part(10)));
        assert_eq!(spoil(7, 0), Err(BundleError::PartOrder(0)));
        assert_eq!(spoil(15, 1), Err(BundleError::PartOrder(1)));
    }

    #[test]
    fn the_size_limits_hold_where_bundles_are_made_and_where_they_are_read() {
        for part in EvidencePart::ALL {
            let limit = part.max_bytes();
            assert_eq!(
                EvidenceBundle::from_parts(TeeKind::Tdx, [(part, vec![0; limit + 1])]),
                Err(BundleError::PartTooLarge {
                    part,
                    found: limit + 1,
                    limit
                })
            );
            let header = [&b"sreb"[..], &[2, 1, 1, part as u8, 255, 255, 255, 255]].concat();
            assert_eq!(
                EvidenceBundle::decode(&header),
                Err(BundleError::PartTooLarge {
                    part,
                    found: 0xffff_ffff,
                    limit
                })
            );
        }
        let all = EvidencePart::ALL.map(|part| (part, vec![0; part.max_bytes()]));
        let all = EvidenceBundle::from_parts(TeeKind::Tdx, all).unwrap();
        assert_eq!(all.encode().len(), EvidenceBundle::MAX_BYTES);
        assert_eq!(EvidenceBundle::decode(&all.encode()), Ok(all));
    }

    #[test]
    fn a_part_is_given_once_and_may_be_replaced() {
        let twice = [
            (EvidencePart::Quote, vec![1]),
            (EvidencePart::Quote, vec![2]),
        ];
        assert_eq!(
            EvidenceBundle::from_parts(TeeKind::Snp, twice),
            Err(BundleError::PartOrder(1))
        );
        let replaced = small().with_part(EvidencePart::Quote, vec![9]).unwrap();
        assert_eq!(replaced.quote(), [9]);
    }

    fn any_parts() -> impl Strategy<Value = Vec<(EvidencePart, Vec<u8>)>> {
        let part = proptest::sample::subsequence(EvidencePart::ALL.to_vec(), 0..=9);
        (part, proptest::collection::vec(any::<u8>(), 0..200)).prop_map(|(parts, bytes)| {
            parts
                .into_iter()
                .map(|part| (part, bytes.clone()))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_bytes(tail in proptest::collection::vec(0u8..10, 0..64)) {
            let bytes = [&b"sreb\x02"[..], &tail].concat();
            if let Ok(bundle) = EvidenceBundle::decode(&bytes) {
                prop_assert_eq!(bundle.encode(), bytes);
            }
        }

        #[test]
        fn what_encodes_decodes(parts in any_parts(), kind in 1u8..=6) {
            let kind = TeeKind::from_number(kind).unwrap();
            let bundle = EvidenceBundle::from_parts(kind, parts).unwrap();
            prop_assert_eq!(EvidenceBundle::decode(&bundle.encode()), Ok(bundle));
        }
    }
}
