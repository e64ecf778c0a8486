// SPDX-License-Identifier: Apache-2.0
//! Opening what the requester sent.

use alloy_primitives::Address;
use subrosa_crypto::{
    EpochId, OpenError, RecipientPublicKey,
    envelope::{self, Binding, Envelope, Expected, Header, KeySource, Purpose},
    plaintext,
};
use subrosa_types::{
    abi::{CallPlaintext, Entry},
    entry::Execution,
    frame::{ErrorCode, FrameError},
};
use subrosa_vm::{State, StateKey};

use crate::{contract::Place, epoch::Epoch, session::SessionRecord};

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
    /// The session it opens, to be remembered.
    pub(crate) opens: Option<SessionRecord>,
}

/// The entry's input is not executable, for every enclave alike.
pub(crate) struct Rejected;

/// An entry as far as opening its input needs it.
pub(crate) struct Sealed<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) execution: &'a Execution,
    pub(crate) requester: Address,
    pub(crate) input: &'a [u8],
}

/// Opens a call's input.
///
/// # Errors
///
/// The inner [`Rejected`] is a result; the outer [`FrameError`] is none.
pub(crate) fn open_call(
    place: Place,
    epoch: &Epoch,
    state: &State,
    sealed: &Sealed<'_>,
) -> Result<Result<CallInput, Rejected>, FrameError> {
    let execution = sealed.execution;
    if !execution.input_is_sealed() {
        // The oracle takes no session without an envelope.
        return Ok(Ok(CallInput {
            data: sealed.input.to_vec(),
            reply: None,
            envelope: None,
            opens: None,
        }));
    }
    let binding = Binding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: sealed.entry.contractId,
        requester: sealed.requester,
        context: sealed.entry.context,
    };
    let expected = Expected {
        purpose: Purpose::Call,
        epoch: epoch.keys.id(),
        timestamp: execution.block_timestamp,
        binding: &binding,
    };
    let session = match Envelope::parse(sealed.input).map(|envelope| envelope.key) {
        Ok(KeySource::Session(session)) => Some(session),
        _ => None,
    };
    let opened = match session {
        Some(_) if execution.opens_session() => Ok(Err(Rejected)),
        Some(session) => Ok(open_in_session(state, session, sealed.input, &expected)),
        None => open_with_key(epoch, execution, sealed.input, &expected),
    }?;
    let Ok(opened) = opened else {
        return Ok(Err(Rejected));
    };
    let seen = (opened.header.expiry, *opened.header.id.as_bytes());
    let expires_in = seen.0.saturating_sub(execution.block_timestamp);
    if expires_in > MAX_ENVELOPE_LIFETIME || state.get(&seen_key(seen)).is_some() {
        return Ok(Err(Rejected));
    }
    if opened.opens.is_some() && is_stateless(sealed.entry) {
        // There is no state to keep it in.
        return Ok(Err(Rejected));
    }
    let reply = match opened.reply_key.as_slice() {
        [] => None,
        tagged => match RecipientPublicKey::from_tagged(tagged) {
            Ok(key) => Some(key),
            Err(_) => return Ok(Err(Rejected)),
        },
    };
    Ok(Ok(CallInput {
        data: opened.data,
        reply,
        envelope: Some(seen),
        opens: opened.opens,
    }))
}

/// What an envelope held, whatever its key came from.
struct OpenedCall {
    header: Header,
    data: Vec<u8>,
    reply_key: Vec<u8>,
    opens: Option<SessionRecord>,
}

/// Opens an envelope that carries its key.
fn open_with_key(
    epoch: &Epoch,
    execution: &Execution,
    input: &[u8],
    expected: &Expected<'_>,
) -> Result<Result<OpenedCall, Rejected>, FrameError> {
    let opened = if execution.opens_session() {
        envelope::open_session(input, &epoch.keys, expected)
            .map(|(opened, secret)| (opened, Some(secret)))
    } else {
        envelope::open(input, &epoch.keys, expected).map(|opened| (opened, None))
    };
    let (opened, secret) = match opened {
        Ok(opened) => opened,
        Err(error) => return no_key(error).map(|()| Err(Rejected)),
    };
    let Ok(plaintext) = plaintext::decode::<CallPlaintext>(&opened.plaintext) else {
        return Ok(Err(Rejected));
    };
    Ok(Ok(OpenedCall {
        header: opened.header,
        data: plaintext.input.to_vec(),
        reply_key: plaintext.replyKey.to_vec(),
        opens: secret.map(|secret| SessionRecord {
            opened_at: execution.block_timestamp,
            suite: opened.header.suite,
            secret,
            reply_key: plaintext.replyKey.to_vec(),
        }),
    }))
}

/// Opens an envelope that names a session.
fn open_in_session(
    state: &State,
    session: u64,
    input: &[u8],
    expected: &Expected<'_>,
) -> Result<OpenedCall, Rejected> {
    let record = SessionRecord::find(state, session, expected.timestamp).ok_or(Rejected)?;
    let opened = record
        .session(session)
        .open(input, expected)
        .map_err(|_| Rejected)?;
    Ok(OpenedCall {
        header: opened.header,
        data: opened.plaintext.to_vec(),
        reply_key: record.reply_key,
        opens: None,
    })
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

/// Entries of a stateless contract do not chain.
pub(crate) fn is_stateless(entry: &Entry) -> bool {
    entry.seq() > 0 && entry.previousDigest.is_zero()
}
