// SPDX-License-Identifier: Apache-2.0
//! Envelopes of mode 1, whose key comes from an envelope that went before.

use alloc::vec::Vec;

use alloy_primitives::B256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    binding::Binding,
    expected::{Expected, Opened},
    header::{self, Envelope, EnvelopeId, Header, KeySource, MAX_ENVELOPE_LEN},
    purpose::Purpose,
};
use crate::{
    EpochId, Rejection, SealError, Suite,
    cipher::{Aes256, Gcm},
    kdf::{Prk, Secret},
    pad::{SizeClass, unpad},
};

/// What both sides of an envelope that opened a session have in common: exported from its HPKE
/// context under `subrosa/v1/session` (RFC 9180, section 5.3).
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct SessionSecret(Secret);

impl SessionSecret {
    /// Takes over a secret that was kept.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The secret, to be kept.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A session: calls without an encapsulated key of their own, some thousand bytes shorter.
///
/// An envelope's AES-256-GCM key and its key-commitment tag are HKDF-SHA256 expansions of the
/// session's secret by the envelope's id, under the labels `subrosa/v1/session-key` and
/// `subrosa/v1/session-commitment`; the nonce is zero, since each key seals one envelope. The
/// additional data is that of any envelope. The plaintext is the call's input behind its length
/// (u32), zeros making it a power of two and at least 64 bytes.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct Session {
    id: u64,
    suite: Suite,
    prk: Prk,
}

/// A call about to be sealed in a session. The fields are those of [`Draft`](super::Draft).
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "documented where the link leads")]
pub struct SessionCall<'a> {
    pub epoch: EpochId,
    /// Never twice in a session: the key follows from it.
    pub id: EnvelopeId,
    pub expiry: u64,
    pub binding: &'a Binding,
}

impl Session {
    /// The session that entry `id` opened with an envelope of `suite`.
    pub fn new(id: u64, suite: Suite, secret: &SessionSecret) -> Self {
        Self {
            id,
            suite,
            prk: Prk::new("subrosa/v1/session", &secret.0),
        }
    }

    /// Position of the entry that opened the session.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The suite of the envelope that opened the session.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// A secret that follows from the session's and `subject`.
    pub(crate) fn derive(&self, label: &str, subject: &[u8]) -> Secret {
        self.prk.derive(label, &[subject])
    }

    /// Seals a call's input.
    ///
    /// # Errors
    ///
    /// [`SealError::TooLong`] if the envelope would exceed [`MAX_ENVELOPE_LEN`].
    pub fn seal(&self, call: &SessionCall<'_>, input: &[u8]) -> Result<Vec<u8>, SealError> {
        let too_long = SealError::TooLong {
            found: input.len(),
            limit: MAX_INPUT_LEN,
        };
        let class = SizeClass::holding(input.len(), MIN_CLASS)
            .filter(|class| class.log2() <= MAX_CLASS)
            .ok_or(too_long)?;
        let mut buffer = class.pad(input).ok_or(too_long)?;
        let (key, commitment) = self.keys(call.id);
        let header = Header {
            suite: self.suite,
            purpose: Purpose::Call,
            epoch: call.epoch,
            id: call.id,
            expiry: call.expiry,
            recipients: B256::ZERO,
            key_commitment: B256::from(*commitment),
        };
        let mut out = header.to_bytes(KeySource::Session(self.id));
        let aad = call.binding.additional_data(&out);
        let tag = Aes256::<Gcm>::with_key(&key)
            .seal(NONCE, &aad, &mut buffer)
            .map_err(|_| too_long)?;
        out.extend_from_slice(&buffer);
        out.extend_from_slice(&tag);
        Ok(out)
    }

    /// Opens an envelope of this session; its plaintext is the call's input, without padding.
    ///
    /// # Errors
    ///
    /// [`Rejection`], the same in every enclave; [`Rejection::OtherSession`] if the envelope
    /// carries a key, names another session or another suite than the one that opened this.
    pub fn open(&self, envelope: &[u8], expected: &Expected<'_>) -> Result<Opened, Rejection> {
        let envelope = Envelope::parse(envelope)?;
        let header = envelope.header;
        expected.check(&header)?;
        if envelope.key != KeySource::Session(self.id) || header.suite != self.suite {
            return Err(Rejection::OtherSession { expected: self.id });
        }
        let (key, commitment) = self.keys(header.id);
        if !bool::from(commitment.ct_eq(header.key_commitment.as_slice())) {
            return Err(Rejection::KeyCommitment);
        }
        let (ciphertext, tag) = envelope
            .ciphertext
            .split_last_chunk::<{ header::TAG_LEN }>()
            .ok_or(Rejection::DoesNotOpen)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let aad = expected.binding.additional_data(envelope.prefix);
        Aes256::<Gcm>::with_key(&key)
            .open(NONCE, &aad, &mut buffer, tag)
            .map_err(|_| Rejection::DoesNotOpen)?;
        let plaintext = unpad(buffer).ok_or(Rejection::Plaintext)?;
        Ok(Opened { header, plaintext })
    }

    /// Key and key-commitment tag of an envelope.
    fn keys(&self, id: EnvelopeId) -> (Secret, Secret) {
        (
            self.derive("subrosa/v1/session-key", id.as_bytes()),
            self.derive("subrosa/v1/session-commitment", id.as_bytes()),
        )
    }
}

const NONCE: [u8; 12] = [0; 12];
/// The least size class of a plaintext: 64 bytes.
const MIN_CLASS: SizeClass = match SizeClass::new(6) {
    Some(class) => class,
    None => unreachable!(),
};
/// log2 of the largest: the largest power of two that an envelope holds.
const MAX_CLASS: u8 = 23;
/// Longest input of a call in a session, bytes.
const MAX_INPUT_LEN: usize = (1 << MAX_CLASS) - 4;

const _: () = assert!(
    header::FIXED_LEN + header::SESSION_ID_LEN + header::TAG_LEN + (1 << MAX_CLASS)
        <= MAX_ENVELOPE_LEN
);

#[cfg(test)]
mod tests;
