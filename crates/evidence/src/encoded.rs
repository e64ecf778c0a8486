// SPDX-License-Identifier: Apache-2.0
//! The wire format of evidence, read in place.
//!
//! ```text
//! magic    4 bytes "sreb"
//! version  u8      2
//! kind     u8      number of the TEE kind, as in admissions
//! count    u8      number of parts
//! part     u8 number, u32 length (big-endian), bytes; ascending by number, none twice
//! ```
//!
//! Nothing may follow. The encoding of a bundle is unique, and the bundle carries no challenge:
//! what it is fresh for is in what the platform signed.

use alloc::collections::BTreeMap;

use subrosa_types::id::TeeKind;

use crate::{BundleError, EvidencePart};

/// An encoded bundle, taken apart without a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedBundle<'a> {
    kind: TeeKind,
    parts: BTreeMap<EvidencePart, &'a [u8]>,
}

impl<'a> EncodedBundle<'a> {
    /// Reads an encoded bundle.
    ///
    /// # Errors
    ///
    /// [`BundleError`] if it is not exactly one bundle within the size limits. Lengths are checked
    /// before anything is allocated.
    pub fn read(bytes: &'a [u8]) -> Result<Self, BundleError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(BundleError::Magic)?;
        let [version, kind, count, rest @ ..] = rest else {
            return Err(BundleError::Truncated);
        };
        if *version != VERSION {
            return Err(BundleError::Version(*version));
        }
        let kind = TeeKind::from_number(*kind).ok_or(BundleError::Kind(*kind))?;
        let (mut parts, mut rest, mut last) = (BTreeMap::new(), rest, 0);
        for _ in 0..*count {
            let [number, after @ ..] = rest else {
                return Err(BundleError::Truncated);
            };
            if *number <= last {
                return Err(BundleError::PartOrder(*number));
            }
            last = *number;
            let part = EvidencePart::from_number(*number).ok_or(BundleError::Part(*number))?;
            let (content, after) = field(after, part)?;
            parts.insert(part, content);
            rest = after;
        }
        if !rest.is_empty() {
            return Err(BundleError::Trailing(rest.len()));
        }
        Ok(Self { kind, parts })
    }

    /// What the evidence is of.
    pub fn kind(&self) -> TeeKind {
        self.kind
    }

    /// A part, if it is there.
    pub fn part(&self, part: EvidencePart) -> Option<&'a [u8]> {
        self.parts.get(&part).copied()
    }

    /// Every part, ascending by number.
    pub fn parts(&self) -> impl Iterator<Item = (EvidencePart, &'a [u8])> {
        self.parts.iter().map(|(part, bytes)| (*part, *bytes))
    }
}

fn field(bytes: &[u8], part: EvidencePart) -> Result<(&[u8], &[u8]), BundleError> {
    let (length, rest) = bytes
        .split_first_chunk::<4>()
        .ok_or(BundleError::Truncated)?;
    let found = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let limit = part.max_bytes();
    if found > limit {
        return Err(BundleError::PartTooLarge { part, found, limit });
    }
    rest.split_at_checked(found).ok_or(BundleError::Truncated)
}

pub(crate) const MAGIC: [u8; 4] = *b"sreb";
pub(crate) const VERSION: u8 = 2;
pub(crate) const HEADER_BYTES: usize = MAGIC.len() + 3;
pub(crate) const PART_HEADER_BYTES: usize = 5;
