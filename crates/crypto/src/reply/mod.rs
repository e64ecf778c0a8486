// SPDX-License-Identifier: Apache-2.0
//! Sealed outputs: answers to whoever put a reply key into a plaintext.
//!
//! ```text
//! version u8 = 1 │ suite u8 │ purpose u8 = 4 │ size class u8 = log2(padded length)
//! encapsulated key (1120 or 32 bytes by suite) │ ciphertext ‖ 16-byte tag
//! ```
//!
//! The padded plaintext is length u32 ‖ output ‖ zeros, a power of two of at least 64 bytes.
//! HPKE runs in base mode with info `subrosa/v1/reply`; the additional data is
//!
//! ```text
//! keccak256("subrosa.v1.reply") ‖ the four header bytes ‖ encapsulated key
//!   ‖ chainId u256 ‖ oracle 20 ‖ contractId 32 ‖ subject kind u8 (1 entry, 2 query) ‖ subject 32
//! ```
//!
//! A sealed output is part of a signed result, which every enclave must compute alike. So HPKE's
//! randomness is PRF(contract root, subject ‖ recipient ‖ padded plaintext): whoever executes an
//! entry again gets the same bytes, and another answer gets another key.
//!
//! The reply to a call within a session needs no encapsulated key: [`seal_in_session`].

mod session;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, U256};
use zeroize::Zeroizing;

use crate::{
    ContractRoot, RecipientKey, RecipientPublicKey, ReplyError, SealError, Subject, Suite,
    cipher::TAG_LEN,
    domain,
    hpke_base::{Receiver, Sender},
    pad::{SizeClass, unpad},
};

pub use session::{open_in_session, seal_in_session};

/// Where a reply comes from and what it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyBinding {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The oracle that keeps the log.
    pub oracle: Address,
    /// The confidential contract that answers.
    pub contract_id: B256,
    /// The entry or query that is answered.
    pub subject: Subject,
}

/// Seals `output` to `recipient`. The same arguments give the same bytes.
///
/// # Errors
///
/// [`SealError::TooLong`] beyond 1 GiB, [`SealError::UnusableKey`] if the key yields no shared
/// secret (keys read by [`RecipientPublicKey`] do).
pub fn seal(
    root: &ContractRoot,
    binding: &ReplyBinding,
    recipient: &RecipientPublicKey,
    output: &[u8],
) -> Result<Vec<u8>, SealError> {
    let too_long = SealError::TooLong {
        found: output.len(),
        limit: MAX_OUTPUT_LEN,
    };
    let class = SizeClass::holding(output.len(), MIN_CLASS).ok_or(too_long)?;
    let padded = class.pad(output).ok_or(too_long)?;
    let mut randomness = root.sealing_randomness(binding.subject, &recipient.to_tagged(), &padded);
    let (encapsulated, sender) =
        Sender::new(recipient, INFO, randomness.rng()).map_err(|_| SealError::UnusableKey)?;

    let mut out = vec![VERSION, recipient.suite() as u8, PURPOSE, class.log2()];
    out.extend_from_slice(&encapsulated);
    let aad = binding.additional_data(domain::REPLY, &out);
    out.extend_from_slice(&sender.seal(&padded, &aad).map_err(|_| too_long)?);
    Ok(out)
}

/// Opens a sealed reply with the key it was asked for under.
///
/// # Errors
///
/// [`ReplyError::Malformed`] or [`ReplyError::OtherSuite`] by its layout,
/// [`ReplyError::DoesNotOpen`] if it is not this key's, or answers something else.
pub fn open(
    key: &RecipientKey,
    binding: &ReplyBinding,
    reply: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ReplyError> {
    let (header, rest) = reply
        .split_first_chunk::<HEADER_LEN>()
        .ok_or(ReplyError::Malformed)?;
    let [version, suite, purpose, class] = *header;
    if version != VERSION || purpose != PURPOSE {
        return Err(ReplyError::Malformed);
    }
    let suite = Suite::try_from(suite).map_err(|_| ReplyError::Malformed)?;
    let class = SizeClass::new(class).ok_or(ReplyError::Malformed)?;
    let (encapsulated, ciphertext) = rest
        .split_at_checked(suite.encapsulated_len())
        .ok_or(ReplyError::Malformed)?;
    if class.log2() < MIN_CLASS.log2() || ciphertext.len() != class.len() + TAG_LEN {
        return Err(ReplyError::Malformed);
    }
    if suite != key.suite() {
        return Err(ReplyError::OtherSuite);
    }
    let prefix = reply
        .get(..HEADER_LEN + encapsulated.len())
        .ok_or(ReplyError::Malformed)?;
    let padded = Receiver::new(key, encapsulated, INFO)
        .and_then(|mut receiver| {
            receiver.open(ciphertext, &binding.additional_data(domain::REPLY, prefix))
        })
        .map_err(|_| ReplyError::DoesNotOpen)?;
    unpad(padded).ok_or(ReplyError::Malformed)
}

impl ReplyBinding {
    fn additional_data(&self, domain: B256, prefix: &[u8]) -> Vec<u8> {
        [
            domain.as_slice(),
            prefix,
            &U256::from(self.chain_id).to_be_bytes::<32>(),
            self.oracle.as_slice(),
            self.contract_id.as_slice(),
            &self.subject.to_bytes(),
        ]
        .concat()
    }
}

const INFO: &[u8] = b"subrosa/v1/reply";
const VERSION: u8 = 1;
const PURPOSE: u8 = 4;
const HEADER_LEN: usize = 4;
/// A sealed output is calldata, so its smallest class is what a single word fits in.
const MIN_CLASS: SizeClass = match SizeClass::new(6) {
    Some(class) => class,
    None => unreachable!(),
};
const MAX_OUTPUT_LEN: usize = (1 << 30) - 4;

#[cfg(test)]
mod tests;
