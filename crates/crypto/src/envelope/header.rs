// SPDX-License-Identifier: Apache-2.0
//! The layout of an envelope.

use alloc::vec::Vec;

use alloy_primitives::B256;
use rand_core::CryptoRng;

use super::purpose::Purpose;
use crate::{EpochId, Rejection, Suite};

/// Identifies an envelope. Fresh and random for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvelopeId([u8; 16]);

impl EnvelopeId {
    /// Draws an id.
    pub fn random<R: CryptoRng>(rng: &mut R) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// An id drawn elsewhere.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The fixed part of an envelope's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The HPKE suite.
    pub suite: Suite,
    /// What the plaintext is for.
    pub purpose: Purpose,
    /// Whose key it is sealed to.
    pub epoch: EpochId,
    /// The envelope's id.
    pub id: EnvelopeId,
    /// Unix seconds; compared with the entry's timestamp.
    pub expiry: u64,
    /// Hash of the list of recipients; zero for a single one.
    pub recipients: B256,
    /// Commits the ciphertext to one key.
    pub key_commitment: B256,
}

/// Where the key of an envelope comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource<'a> {
    /// Mode 0: an encapsulated key, 1120 or 32 bytes by suite.
    Encapsulated(&'a [u8]),
    /// Mode 1: a session, by its id: the seq of the entry that opened it.
    Session(u64),
}

/// An envelope's parts, not yet authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The fixed part of the header.
    pub header: Header,
    /// Where the key comes from.
    pub key: KeySource<'a>,
    /// Everything before the ciphertext, as it arrived.
    pub(super) prefix: &'a [u8],
    /// Ciphertext and tag, at least 16 bytes.
    pub ciphertext: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Takes an envelope apart, strictly. Allocates nothing.
    ///
    /// # Errors
    ///
    /// [`Rejection::TooLong`] before anything else; then, byte by byte, the unknown version, suite,
    /// mode or purpose; [`Rejection::Truncated`] where bytes are missing.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Rejection> {
        if bytes.len() > MAX_ENVELOPE_LEN {
            return Err(Rejection::TooLong { found: bytes.len() });
        }
        let mut reader = Reader { bytes, position: 0 };
        let version = reader.byte()?;
        if version != VERSION {
            return Err(Rejection::UnknownVersion(version));
        }
        let suite = Suite::try_from(reader.byte()?).map_err(Rejection::UnknownSuite)?;
        let mode = reader.byte()?;
        if mode > MODE_SESSION {
            return Err(Rejection::UnknownMode(mode));
        }
        let purpose = match reader.byte()? {
            1 => Purpose::Deploy,
            2 => Purpose::Call,
            3 => Purpose::Query,
            other => return Err(Rejection::UnknownPurpose(other)),
        };
        let header = Header {
            suite,
            purpose,
            epoch: EpochId {
                group: u32::from_be_bytes(reader.array()?),
                epoch: u32::from_be_bytes(reader.array()?),
            },
            id: EnvelopeId(reader.array()?),
            expiry: u64::from_be_bytes(reader.array()?),
            recipients: B256::from(reader.array()?),
            key_commitment: B256::from(reader.array()?),
        };
        let key = if mode == MODE_SESSION {
            KeySource::Session(u64::from_be_bytes(reader.array()?))
        } else {
            KeySource::Encapsulated(reader.take(suite.encapsulated_len())?)
        };
        let (prefix, ciphertext) = reader.split();
        if ciphertext.len() < TAG_LEN {
            let needed = prefix.len() + TAG_LEN;
            return Err(Rejection::Truncated {
                needed,
                found: bytes.len(),
            });
        }
        Ok(Self {
            header,
            key,
            prefix,
            ciphertext,
        })
    }
}

impl Header {
    /// Everything before the ciphertext.
    pub(super) fn to_bytes(self, key: KeySource<'_>) -> Vec<u8> {
        let mode = match key {
            KeySource::Encapsulated(_) => MODE_ENCAPSULATED,
            KeySource::Session(_) => MODE_SESSION,
        };
        let mut out = Vec::with_capacity(FIXED_LEN + self.suite.encapsulated_len());
        out.extend_from_slice(&[VERSION, self.suite as u8, mode, self.purpose as u8]);
        out.extend_from_slice(&self.epoch.group.to_be_bytes());
        out.extend_from_slice(&self.epoch.epoch.to_be_bytes());
        out.extend_from_slice(&self.id.0);
        out.extend_from_slice(&self.expiry.to_be_bytes());
        out.extend_from_slice(self.recipients.as_slice());
        out.extend_from_slice(self.key_commitment.as_slice());
        match key {
            KeySource::Encapsulated(bytes) => out.extend_from_slice(bytes),
            KeySource::Session(id) => out.extend_from_slice(&id.to_be_bytes()),
        }
        out
    }
}

/// Reads from the front; what it has read is always within `bytes`.
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Rejection> {
        let end = self.position + len;
        let taken = self
            .bytes
            .get(self.position..end)
            .ok_or(Rejection::Truncated {
                needed: end,
                found: self.bytes.len(),
            })?;
        self.position = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Rejection> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn byte(&mut self) -> Result<u8, Rejection> {
        self.array().map(|[byte]| byte)
    }

    fn split(&self) -> (&'a [u8], &'a [u8]) {
        self.bytes.split_at(self.position)
    }
}

/// Most bytes an envelope may have: 16 MiB. Every enclave rejects a longer one.
pub const MAX_ENVELOPE_LEN: usize = 16 << 20;
/// Bytes of the header before the encapsulated key or session id.
pub(super) const FIXED_LEN: usize = 100;
/// Bytes of a session's id.
pub(super) const SESSION_ID_LEN: usize = 8;
/// Bytes of the AES-256-GCM tag.
pub(super) const TAG_LEN: usize = 16;
const VERSION: u8 = 1;
const MODE_ENCAPSULATED: u8 = 0;
const MODE_SESSION: u8 = 1;
