// SPDX-License-Identifier: Apache-2.0
//! Envelopes: HPKE ciphertexts addressed to an epoch's key. Format version 1.
//!
//! ```text
//! version u8 = 1 │ suite u8 │ mode u8 │ purpose u8 │ key group u32 │ key epoch u32 │ id 16
//! expiry u64 │ recipient-list hash 32 │ key-commitment tag 32            (100 bytes so far)
//! encapsulated key (mode 0: 1120 or 32 bytes by suite) or session id (mode 1: u64)
//! ciphertext ‖ 16-byte tag
//! ```
//!
//! Integers are big-endian. HPKE runs in base mode with info `subrosa/v1/envelope`. The key
//! schedule exports the key-commitment tag, 32 bytes under the exporter context
//! `subrosa/v1/key-commitment` ‖ id: AES-GCM alone would let one ciphertext open under two keys.
//! The additional data is
//!
//! ```text
//! keccak256("subrosa.v1.envelope") ‖ everything before the ciphertext
//!   ‖ chainId u256 ‖ oracle 20 ‖ contractId 32 ‖ requester 20 ‖ context 32
//! ```
//!
//! so a copied ciphertext does not open for another requester, contract, oracle or chain.
//!
//! In mode 1 the key comes from an envelope that went before: see [`Session`].

mod binding;
mod expected;
mod header;
pub(crate) mod purpose;
mod session;

use alloc::vec::Vec;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use alloy_primitives::B256;

use crate::{
    EpochId, EpochKeyPairs, EpochPublicKey, OpenError, Rejection, SealError, Suite,
    hpke_base::{Receiver, Sender},
};

pub use binding::Binding;
pub use expected::{Expected, Opened};
pub use header::{Envelope, EnvelopeId, Header, KeySource, MAX_ENVELOPE_LEN};
pub use purpose::Purpose;
pub use session::{Session, SessionCall, SessionSecret};

/// An envelope about to be sealed.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Which HPKE suite, and so which of the epoch's keys.
    pub suite: Suite,
    /// What the recipient is to do with the plaintext.
    pub purpose: Purpose,
    /// The epoch whose key it is sealed to; the log entry will have to name the same.
    pub epoch: EpochId,
    /// Fresh and random ([`EnvelopeId::random`]): the guest tells duplicates apart by it.
    pub id: EnvelopeId,
    /// Unix seconds. An entry with a later timestamp does not open the envelope; `u64::MAX` for no
    /// limit.
    pub expiry: u64,
    /// Hash of the list of recipients; zero for a single one.
    pub recipients: B256,
    /// Where the envelope is valid.
    pub binding: &'a Binding,
}

/// Seals `plaintext`, which the caller has padded ([`plaintext::encode`](crate::plaintext::encode)
/// does).
///
/// # Errors
///
/// [`SealError::TooLong`] beyond [`MAX_ENVELOPE_LEN`], [`SealError::UnusableKey`] if the public
/// key yields no shared secret.
pub fn seal<R: CryptoRng>(
    draft: &Draft<'_>,
    recipient: &EpochPublicKey,
    plaintext: &[u8],
    rng: &mut R,
) -> Result<Vec<u8>, SealError> {
    seal_opening_session(draft, recipient, plaintext, rng).map(|(envelope, _)| envelope)
}

/// As [`seal`], for an envelope that opens a session. Returns the session's secret too.
///
/// # Errors
///
/// As [`seal`].
pub fn seal_opening_session<R: CryptoRng>(
    draft: &Draft<'_>,
    recipient: &EpochPublicKey,
    plaintext: &[u8],
    rng: &mut R,
) -> Result<(Vec<u8>, SessionSecret), SealError> {
    let overhead = header::FIXED_LEN + draft.suite.encapsulated_len() + header::TAG_LEN;
    let limit = MAX_ENVELOPE_LEN - overhead;
    if plaintext.len() > limit {
        return Err(SealError::TooLong {
            found: plaintext.len(),
            limit,
        });
    }
    let (encapsulated, sender) = Sender::new(recipient.recipient(draft.suite), INFO, rng)
        .map_err(|_| SealError::UnusableKey)?;
    let export = |context: &[u8]| sender.export(context).map_err(|_| SealError::UnusableKey);
    let tag = export(&commitment_context(draft.id))?;
    let session = SessionSecret::from_bytes(&Zeroizing::new(export(SESSION)?));
    let header = Header {
        suite: draft.suite,
        purpose: draft.purpose,
        epoch: draft.epoch,
        id: draft.id,
        expiry: draft.expiry,
        recipients: draft.recipients,
        key_commitment: B256::from(tag),
    };
    let mut out = header.to_bytes(KeySource::Encapsulated(&encapsulated));
    let aad = draft.binding.additional_data(&out);
    let ciphertext = sender
        .seal(plaintext, &aad)
        .map_err(|_| SealError::TooLong {
            found: plaintext.len(),
            limit,
        })?;
    out.extend_from_slice(&ciphertext);
    Ok((out, session))
}

/// Opens an envelope.
///
/// The cheap checks come first and in a fixed order, then the key commitment, then the ciphertext.
///
/// # Errors
///
/// [`OpenError::KeyNotHeld`] if `keys` are not those that `expected` names, whatever the bytes are;
/// otherwise a deterministic error, the same in every enclave
/// ([`OpenError::is_deterministic`]).
pub fn open(
    envelope: &[u8],
    keys: &EpochKeyPairs,
    expected: &Expected<'_>,
) -> Result<Opened, OpenError> {
    let (opened, _) = decapsulate(envelope, keys, expected)?;
    Ok(opened)
}

/// As [`open`], for an envelope that opens a session. Returns the session's secret too.
///
/// # Errors
///
/// As [`open`].
pub fn open_session(
    envelope: &[u8],
    keys: &EpochKeyPairs,
    expected: &Expected<'_>,
) -> Result<(Opened, SessionSecret), OpenError> {
    let (opened, receiver) = decapsulate(envelope, keys, expected)?;
    let secret = receiver
        .export(SESSION)
        .map_err(|_| Rejection::DoesNotOpen)?;
    Ok((opened, SessionSecret::from_bytes(&Zeroizing::new(secret))))
}

/// Opens an envelope that carries its key, and gives the context it was opened in.
fn decapsulate(
    envelope: &[u8],
    keys: &EpochKeyPairs,
    expected: &Expected<'_>,
) -> Result<(Opened, Receiver), OpenError> {
    if keys.id() != expected.epoch {
        return Err(OpenError::KeyNotHeld {
            named: expected.epoch,
        });
    }
    let envelope = Envelope::parse(envelope)?;
    let header = envelope.header;
    expected.check(&header)?;
    let encapsulated = match envelope.key {
        KeySource::Encapsulated(bytes) => bytes,
        KeySource::Session(session) => return Err(Rejection::InSession { session }.into()),
    };

    let mut receiver = Receiver::new(keys.recipient(header.suite), encapsulated, INFO)
        .map_err(|_| Rejection::DoesNotOpen)?;
    let tag = receiver
        .export(&commitment_context(header.id))
        .map_err(|_| Rejection::DoesNotOpen)?;
    if !bool::from(tag.ct_eq(header.key_commitment.as_slice())) {
        return Err(Rejection::KeyCommitment.into());
    }
    let aad = expected.binding.additional_data(envelope.prefix);
    let plaintext = receiver
        .open(envelope.ciphertext, &aad)
        .map_err(|_| Rejection::DoesNotOpen)?;
    Ok((Opened { header, plaintext }, receiver))
}

const INFO: &[u8] = b"subrosa/v1/envelope";

/// Exporter context of a session's secret.
const SESSION: &[u8] = b"subrosa/v1/session";

fn commitment_context(id: EnvelopeId) -> Vec<u8> {
    [b"subrosa/v1/key-commitment".as_slice(), id.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
