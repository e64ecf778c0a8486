// SPDX-License-Identifier: Apache-2.0
//! Replies within a session: no key is encapsulated for them.
//!
//! ```text
//! version u8 = 1 │ suite u8 │ purpose u8 = 5 │ size class u8 = log2(padded length)
//! nonce 12 │ ciphertext ‖ 16-byte tag
//! ```
//!
//! AES-256-GCM-SIV (RFC 8452). Its key and the key its nonce comes from are HKDF-SHA256 expansions
//! of the session's secret by the subject (its kind and the digest of the entry that is answered), under
//! the labels `subrosa/v1/session-reply` and `subrosa/v1/session-reply-nonce`. The padded plaintext is that of
//! any reply; the additional data is
//!
//! ```text
//! keccak256("subrosa.v1.session-reply") ‖ the four header bytes ‖ session u64
//!   ‖ chainId u256 ‖ oracle 20 ‖ contractId 32 ‖ subject kind u8 = 1 ‖ digest 32
//! ```
//!
//! and the nonce is the first 12 bytes of HMAC-SHA256(nonce key, length of the additional data u64
//! ‖ additional data ‖ padded plaintext). An entry may be executed twice with different outcomes, if
//! it is reassigned to another runtime generation: its two answers then share a key, and never a
//! nonce but by a collision of the HMAC, which GCM-SIV survives. Whoever opens a reply computes the
//! nonce again, so that no reply opens under two sessions' keys.

use alloc::vec::Vec;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{HEADER_LEN, MAX_OUTPUT_LEN, MIN_CLASS, ReplyBinding, VERSION};
use crate::{
    ReplyError, SealError, Subject,
    cipher::{NONCE_LEN, TAG_LEN},
    domain,
    envelope::Session,
    pad::{SizeClass, unpad},
    synthetic::SyntheticKeys,
};

/// Seals the `output` of a call in `session`. The same arguments give the same bytes.
///
/// # Errors
///
/// [`SealError::TooLong`] beyond 1 GiB.
pub fn seal_in_session(
    session: &Session,
    binding: &ReplyBinding,
    output: &[u8],
) -> Result<Vec<u8>, SealError> {
    let too_long = SealError::TooLong {
        found: output.len(),
        limit: MAX_OUTPUT_LEN,
    };
    let class = SizeClass::holding(output.len(), MIN_CLASS).ok_or(too_long)?;
    let mut buffer = class.pad(output).ok_or(too_long)?;
    let header = header(session, class);
    let aad = additional_data(session, binding, header);
    let (nonce, tag) = keys(session, binding.subject)
        .seal(&aad, &mut buffer)
        .map_err(|_| too_long)?;
    let mut out = Vec::with_capacity(HEADER_LEN + NONCE_LEN + buffer.len() + TAG_LEN);
    out.extend_from_slice(&header);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&buffer);
    out.extend_from_slice(&tag);
    Ok(out)
}

/// Opens the sealed reply to a call in `session`.
///
/// # Errors
///
/// [`ReplyError::Malformed`] or [`ReplyError::OtherSuite`] by its layout,
/// [`ReplyError::DoesNotOpen`] if it is not this session's, or answers something else.
pub fn open_in_session(
    session: &Session,
    binding: &ReplyBinding,
    reply: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ReplyError> {
    let malformed = ReplyError::Malformed;
    let (found, rest) = reply.split_first_chunk::<HEADER_LEN>().ok_or(malformed)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(malformed)?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(malformed)?;
    let class = SizeClass::new(found[3]).ok_or(malformed)?;
    let expected = header(session, class);
    if (found[0], found[2]) != (expected[0], expected[2])
        || class.log2() < MIN_CLASS.log2()
        || ciphertext.len() != class.len()
    {
        return Err(malformed);
    }
    if found[1] != expected[1] {
        return Err(ReplyError::OtherSuite);
    }
    let aad = additional_data(session, binding, expected);
    let keys = keys(session, binding.subject);
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    keys.open(nonce, &aad, &mut buffer, tag)
        .map_err(|_| ReplyError::DoesNotOpen)?;
    if !bool::from(keys.nonce(&aad, &buffer).ct_eq(nonce)) {
        return Err(ReplyError::DoesNotOpen);
    }
    unpad(buffer).ok_or(malformed)
}

/// The keys of the answers to one entry.
fn keys(session: &Session, subject: Subject) -> SyntheticKeys {
    let subject = subject.to_bytes();
    SyntheticKeys {
        encryption: session.derive("subrosa/v1/session-reply", &subject),
        nonce: session.derive("subrosa/v1/session-reply-nonce", &subject),
    }
}

fn header(session: &Session, class: SizeClass) -> [u8; HEADER_LEN] {
    [VERSION, session.suite() as u8, PURPOSE, class.log2()]
}

fn additional_data(session: &Session, binding: &ReplyBinding, header: [u8; HEADER_LEN]) -> Vec<u8> {
    let prefix = [header.as_slice(), &session.id().to_be_bytes()].concat();
    binding.additional_data(domain::SESSION_REPLY, &prefix)
}

const PURPOSE: u8 = 5;

#[cfg(test)]
mod tests;
