// SPDX-License-Identifier: Apache-2.0
//! Opening what the requester sent.

use alloc::{boxed::Box, vec::Vec};

use subrosa_crypto::{
    OpenError, RecipientPublicKey,
    envelope::{self, Binding, Envelope, Expected, Header, KeySource, Purpose, Session},
    plaintext,
};
use subrosa_types::{
    abi::CallPlaintext,
    entry::Execution,
    frame::{ErrorCode, FrameError},
};
use subrosa_vm::{Holder, State, StateKey};

use super::{
    places::{takes_envelope, takes_session},
    proven::Proven,
    session::SessionRecord,
};
use crate::{epoch::Epoch, fixed::Place, limits::MAX_ENVELOPE_LIFETIME};

/// What a call is executed with.
pub(super) struct CallInput {
    pub(super) data: Vec<u8>,
    pub(super) reply: ReplyTo,
    /// The envelope, to be remembered.
    pub(super) envelope: Option<SeenEnvelope>,
    /// The session it opens, to be remembered.
    pub(super) opens: Option<SessionRecord>,
}

/// Who can read an output.
pub(super) enum ReplyTo {
    /// Everybody.
    Public,
    /// Who holds a key that the call named.
    Key(RecipientPublicKey),
    /// Who shares the session that the call was made in.
    Session(Session),
}

/// An envelope that was opened.
#[derive(Clone, Copy)]
pub(super) struct SeenEnvelope {
    pub(super) holder: Holder,
    pub(super) expiry: u64,
    pub(super) id: [u8; 16],
}

impl SeenEnvelope {
    /// Where it is remembered.
    pub(super) fn key(&self) -> StateKey {
        StateKey::Seen {
            expiry: self.expiry,
            holder: self.holder,
            id: self.id,
        }
    }
}

/// Why an input does not open. The two must never be mistaken for each other: the first is a
/// result, the second is none.
pub(super) enum Unopened {
    /// The entry's input is not executable, for every enclave alike.
    Rejected,
    /// This enclave cannot tell: it lacks the key.
    NoResult(FrameError),
}

/// What was opened of a call's input ahead of its turn.
pub(super) enum OpenedAhead {
    /// It is public, or names a session, which only the log before it knows.
    Nothing,
    /// It carried its key.
    Envelope(Box<Result<OpenedCall, Unopened>>),
}

/// Opens what the epoch's keys alone open.
pub(super) fn open_ahead(place: Place, epoch: &Epoch, proven: &Proven) -> OpenedAhead {
    let execution = &proven.execution;
    if !execution.input_is_sealed() || session_named(proven).is_some() {
        return OpenedAhead::Nothing;
    }
    let binding = binding(place, proven);
    let expected = expected(proven, &binding);
    let opened = open_with_epoch_key(epoch, execution, &proven.input, &expected);
    OpenedAhead::Envelope(Box::new(opened))
}

/// Opens a call's input.
pub(super) fn open_call(
    place: Place,
    ahead: OpenedAhead,
    state: &State,
    proven: &Proven,
) -> Result<CallInput, Unopened> {
    let execution = &proven.execution;
    if !execution.input_is_sealed() {
        // The oracle takes no session without an envelope.
        return Ok(CallInput {
            data: proven.input.to_vec(),
            reply: ReplyTo::Public,
            envelope: None,
            opens: None,
        });
    }
    let holder = Holder::new(proven.requester, proven.entry.context);
    let opened = match (ahead, session_named(proven)) {
        (OpenedAhead::Envelope(opened), None) => (*opened)?,
        (OpenedAhead::Nothing, Some(session)) if !execution.opens_session() => {
            let binding = binding(place, proven);
            let expected = expected(proven, &binding);
            open_in_session(state, holder, session, &proven.input, &expected)?
        }
        _ => return Err(Unopened::Rejected),
    };
    let seen = SeenEnvelope {
        holder,
        expiry: opened.header.expiry,
        id: *opened.header.id.as_bytes(),
    };
    let expires_in = seen.expiry.saturating_sub(execution.block_timestamp);
    if expires_in > MAX_ENVELOPE_LIFETIME || state.contains(&seen.key()) {
        return Err(Unopened::Rejected);
    }
    // A stateless contract remembers nothing.
    let stateless = proven.entry.is_stateless();
    if !stateless && !takes_envelope(state, &holder) {
        return Err(Unopened::Rejected);
    }
    if opened.opens.is_some() && (stateless || !takes_session(state, &holder)) {
        return Err(Unopened::Rejected);
    }
    Ok(CallInput {
        data: opened.data,
        reply: opened.reply,
        envelope: Some(seen),
        opens: opened.opens,
    })
}

fn session_named(proven: &Proven) -> Option<u64> {
    match Envelope::parse(&proven.input).map(|envelope| envelope.key) {
        Ok(KeySource::Session(session)) => Some(session),
        _ => None,
    }
}

fn binding(place: Place, proven: &Proven) -> Binding {
    Binding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: proven.entry.contractId,
        requester: proven.requester,
        context: proven.entry.context,
    }
}

fn expected<'a>(proven: &Proven, binding: &'a Binding) -> Expected<'a> {
    Expected {
        purpose: Purpose::Call,
        epoch: proven.epoch(),
        timestamp: proven.execution.block_timestamp,
        binding,
    }
}

/// What an envelope held, whatever its key came from.
pub(super) struct OpenedCall {
    header: Header,
    data: Vec<u8>,
    reply: ReplyTo,
    opens: Option<SessionRecord>,
}

/// Opens an envelope that carries its key, encapsulated to the epoch's.
fn open_with_epoch_key(
    epoch: &Epoch,
    execution: &Execution,
    input: &[u8],
    expected: &Expected<'_>,
) -> Result<OpenedCall, Unopened> {
    let (opened, secret) = if execution.opens_session() {
        envelope::open_session(input, &epoch.keys, expected)
            .map(|(opened, secret)| (opened, Some(secret)))
            .map_err(Unopened::from)?
    } else {
        let opened = envelope::open(input, &epoch.keys, expected).map_err(Unopened::from)?;
        (opened, None)
    };
    let plaintext =
        plaintext::decode::<CallPlaintext>(&opened.plaintext).map_err(|_| Unopened::Rejected)?;
    let reply = match plaintext.replyKey.as_ref() {
        [] => ReplyTo::Public,
        tagged => RecipientPublicKey::from_tagged(tagged)
            .map(ReplyTo::Key)
            .map_err(|_| Unopened::Rejected)?,
    };
    Ok(OpenedCall {
        header: opened.header,
        data: plaintext.input.to_vec(),
        reply,
        opens: secret.map(|secret| SessionRecord {
            opened_at: execution.block_timestamp,
            suite: opened.header.suite,
            secret,
            seals_outputs: !plaintext.replyKey.is_empty(),
        }),
    })
}

/// Opens an envelope that names a session.
fn open_in_session(
    state: &State,
    holder: Holder,
    session: u64,
    input: &[u8],
    expected: &Expected<'_>,
) -> Result<OpenedCall, Unopened> {
    let record = SessionRecord::find(state, holder, session, expected.timestamp)
        .ok_or(Unopened::Rejected)?;
    let session = record.session(session);
    // The session's secret is a function of the log, so whatever fails here fails for all.
    let opened = session
        .open(input, expected)
        .map_err(|_| Unopened::Rejected)?;
    Ok(OpenedCall {
        header: opened.header,
        data: opened.plaintext.to_vec(),
        reply: if record.seals_outputs {
            ReplyTo::Session(session)
        } else {
            ReplyTo::Public
        },
        opens: None,
    })
}

/// All but a missing key are results.
impl From<OpenError> for Unopened {
    fn from(error: OpenError) -> Self {
        if error.is_deterministic() {
            Self::Rejected
        } else {
            Self::NoResult(FrameError::new(ErrorCode::MissingKey, error))
        }
    }
}
