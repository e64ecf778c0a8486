// SPDX-License-Identifier: Apache-2.0
//! The blob's layout and cipher, whatever it holds.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::{
    BlobError, SealError,
    cipher::{NONCE_LEN, TAG_LEN},
    pad::{SizeClass, unpad},
    synthetic::SyntheticKeys,
};

/// What a blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum BlobKind {
    /// What one execution changed.
    Delta = 1,
    /// A whole state.
    Snapshot = 2,
    /// An epoch secret, sealed to a platform.
    EpochSecret = 3,
}

/// A blob's header, not yet authenticated: enough to find the blob that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobHeader {
    /// What the blob holds.
    pub kind: BlobKind,
    /// How the plaintext is encoded; whoever seals defines the codecs.
    pub codec: u8,
    /// log2 of the padded plaintext's length.
    pub size_class: u8,
    /// For a state, the entry it follows; for an epoch secret, group << 32 | epoch.
    pub seq: u64,
}

impl BlobHeader {
    /// Reads the header of a blob.
    ///
    /// # Errors
    ///
    /// [`BlobError::UnknownVersion`], or [`BlobError::Malformed`] if kind or size class are unknown
    /// or the blob's length is not its size class's.
    pub fn parse(blob: &[u8]) -> Result<Self, BlobError> {
        Parts::parse(blob).map(|parts| parts.header)
    }

    fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[..4].copy_from_slice(&[VERSION, self.kind as u8, self.codec, self.size_class]);
        out[4..].copy_from_slice(&self.seq.to_be_bytes());
        out
    }
}

/// Seals `plaintext`. `binding` is what the additional data has beside the header.
pub(super) fn seal(
    keys: &SyntheticKeys,
    (kind, codec, seq): (BlobKind, u8, u64),
    binding: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let too_long = SealError::TooLong {
        found: plaintext.len(),
        limit: MAX_PLAINTEXT_LEN,
    };
    let class = SizeClass::holding(plaintext.len(), MIN_CLASS).ok_or(too_long)?;
    let mut buffer = class.pad(plaintext).ok_or(too_long)?;
    let header = BlobHeader {
        kind,
        codec,
        size_class: class.log2(),
        seq,
    }
    .to_bytes();
    let aad = [binding, &header].concat();
    let (nonce, tag) = keys.seal(&aad, &mut buffer).map_err(|_| too_long)?;
    let mut out = Vec::with_capacity(HEADER_LEN + NONCE_LEN + buffer.len() + TAG_LEN);
    out.extend_from_slice(&header);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&buffer);
    out.extend_from_slice(&tag);
    Ok(out)
}

/// Opens a blob that must have this kind, codec and seq.
pub(super) fn open(
    keys: &SyntheticKeys,
    (kind, codec, seq): (BlobKind, u8, u64),
    binding: &[u8],
    blob: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BlobError> {
    let parts = Parts::parse(blob)?;
    let header = parts.header;
    if (header.kind, header.codec, header.seq) != (kind, codec, seq) {
        return Err(BlobError::OtherBlob);
    }
    let aad = [binding, &header.to_bytes()].concat();
    let mut buffer = Zeroizing::new(parts.ciphertext.to_vec());
    keys.open(parts.nonce, &aad, &mut buffer, parts.tag)
        .map_err(|_| BlobError::DoesNotOpen)?;
    unpad(buffer).ok_or(BlobError::Malformed)
}

struct Parts<'a> {
    header: BlobHeader,
    nonce: &'a [u8; NONCE_LEN],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_LEN],
}

impl<'a> Parts<'a> {
    fn parse(blob: &'a [u8]) -> Result<Self, BlobError> {
        let (&version, _) = blob.split_first().ok_or(BlobError::Malformed)?;
        if version != VERSION {
            return Err(BlobError::UnknownVersion(version));
        }
        let (&[_, kind, codec, size_class], rest) =
            blob.split_first_chunk::<4>().ok_or(BlobError::Malformed)?;
        let (seq, rest) = rest.split_first_chunk::<8>().ok_or(BlobError::Malformed)?;
        let (nonce, rest) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(BlobError::Malformed)?;
        let (ciphertext, tag) = rest
            .split_last_chunk::<TAG_LEN>()
            .ok_or(BlobError::Malformed)?;
        let kind = match kind {
            1 => BlobKind::Delta,
            2 => BlobKind::Snapshot,
            3 => BlobKind::EpochSecret,
            _ => return Err(BlobError::Malformed),
        };
        let class = SizeClass::new(size_class).ok_or(BlobError::Malformed)?;
        if class.log2() < MIN_CLASS.log2() || ciphertext.len() != class.len() {
            return Err(BlobError::Malformed);
        }
        let header = BlobHeader {
            kind,
            codec,
            size_class,
            seq: u64::from_be_bytes(*seq),
        };
        Ok(Self {
            header,
            nonce,
            ciphertext,
            tag,
        })
    }
}

const VERSION: u8 = 1;
const HEADER_LEN: usize = 12;
const MIN_CLASS: SizeClass = match SizeClass::new(8) {
    Some(class) => class,
    None => unreachable!(),
};
const MAX_PLAINTEXT_LEN: usize = (1 << 30) - 4;
