// SPDX-License-Identifier: Apache-2.0
//! Opening what the requester sent.

use alloy_primitives::Address;
use subrosa_crypto::{
    EpochId, OpenError, RecipientPublicKey,
    envelope::{self, Binding, Expected, Purpose},
    plaintext,
};
use subrosa_types::{
    abi::{CallPlaintext, Entry},
    entry::Execution,
    frame::{ErrorCode, FrameError},
};
use subrosa_vm::{State, StateKey};

use crate::{contract::Place, epoch::Epoch};

/// Longest time between an entry's timestamp and the expiry of its envelope, seconds: envelope ids
/// are remembered until they expire, so this bounds what is remembered.
pub const MAX_ENVELOPE_LIFETIME: u64 = 30 * 24 * 60 * 60;

/// Most expired envelope ids that one entry forgets.
pub(crate) const MAX_FORGOTTEN: usize = 4;

/// What a call is executed with.
pub(crate) struct CallInput {
    pub(crate) data: Vec<u8>,
    /// Where the output is sealed to; `None` makes it public.
    pub(crate) reply: Option<RecipientPublicKey>,
    /// The envelope's (expiry, id), to be remembered.
    pub(crate) envelope: Option<(u64, [u8; 16])>,
}

/// The entry's input is not executable, for every enclave alike.
pub(crate) struct Rejected;

/// Opens a call's input.
///
/// # Errors
///
/// The inner [`Rejected`] is a result; the outer [`FrameError`] is none.
pub(crate) fn open_call(
    place: Place,
    epoch: &Epoch,
    state: &State,
    entry: &Entry,
    execution: &Execution,
    requester: Address,
    input: &[u8],
) -> Result<Result<CallInput, Rejected>, FrameError> {
    if !execution.input_is_sealed() {
        return Ok(Ok(CallInput {
            data: input.to_vec(),
            reply: None,
            envelope: None,
        }));
    }
    let binding = Binding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: entry.contractId,
        requester,
        context: entry.context,
    };
    let expected = Expected {
        purpose: Purpose::Call,
        epoch: epoch.keys.id(),
        timestamp: execution.block_timestamp,
        binding: &binding,
    };
    let opened = match envelope::open(input, &epoch.keys, &expected) {
        Ok(opened) => opened,
        Err(error) => return no_key(error).map(|()| Err(Rejected)),
    };
    let seen = (opened.header.expiry, *opened.header.id.as_bytes());
    let expires_in = seen.0.saturating_sub(execution.block_timestamp);
    if expires_in > MAX_ENVELOPE_LIFETIME || state.get(&seen_key(seen)).is_some() {
        return Ok(Err(Rejected));
    }
    let Ok(plaintext) = plaintext::decode::<CallPlaintext>(&opened.plaintext) else {
        return Ok(Err(Rejected));
    };
    let reply = match plaintext.replyKey.as_ref() {
        [] => None,
        tagged => match RecipientPublicKey::from_tagged(tagged) {
            Ok(key) => Some(key),
            Err(_) => return Ok(Err(Rejected)),
        },
    };
    Ok(Ok(CallInput {
        data: plaintext.input.to_vec(),
        reply,
        envelope: Some(seen),
    }))
}

/// Splits the ways in which an envelope does not open: all but a missing key are results.
pub(crate) fn no_key(error: OpenError) -> Result<(), FrameError> {
    if error.is_deterministic() {
        return Ok(());
    }
    Err(FrameError::new(ErrorCode::MissingKey, error))
}

/// Where an envelope id is remembered.
pub(crate) fn seen_key((expiry, id): (u64, [u8; 16])) -> StateKey {
    StateKey::Seen { expiry, id }
}

/// The (group, epoch) an entry names.
pub(crate) fn named_epoch(entry: &Entry) -> EpochId {
    let payment = subrosa_types::entry::Payment::unpack(entry.payment);
    EpochId {
        group: payment.key_group,
        epoch: payment.key_epoch,
    }
}
