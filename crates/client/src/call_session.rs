// SPDX-License-Identifier: Apache-2.0
//! Sessions: one call carries an encapsulated key, those after it name that call instead.

use std::fmt;

use alloy_primitives::B256;
use subrosa_crypto::{
    EpochId, Suite,
    envelope::{EnvelopeId, Session as Envelopes, SessionDraft, SessionSecret},
};
use subrosa_types::{
    ContractId,
    entry::{FLAG_INPUT_SEALED, FLAG_OPENS_SESSION},
};

use crate::{
    Account, Attested, CallRequest, CallTarget, ClientError, ReplyKey, SealedCall, Sealing, Ticket,
    random,
};

/// A session that a call opened, and what seals in it: an envelope of 188 bytes for a word of
/// input, where one that carries a post-quantum key has over 1,700.
///
/// It lasts until the contract's key epoch advances, at most 30 days, and may end earlier if
/// thousands of others are opened on the same contract; a call in a session that ended is rejected.
/// Outputs go to the reply key of the call that opened it. Whoever has the secret can read every
/// input sealed in the session.
pub struct CallSession {
    contract: ContractId,
    seq: u64,
    suite: Suite,
    epoch: EpochId,
    secret: SessionSecret,
}

/// A session whose opening call is not on the log yet.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct PendingSession {
    suite: Suite,
    epoch: EpochId,
    secret: SessionSecret,
}

impl PendingSession {
    /// The session, once its opening call is entry `seq` of `contract`'s log.
    pub fn opened(self, contract: ContractId, seq: u64) -> CallSession {
        CallSession {
            contract,
            seq,
            suite: self.suite,
            epoch: self.epoch,
            secret: self.secret,
        }
    }
}

impl CallSession {
    /// The contract that is called.
    pub fn contract(&self) -> ContractId {
        self.contract
    }

    /// The entry that opened the session, which is its id.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The suite of the envelope that opened it.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The key epoch with which it ends.
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    /// The session as text, for a file that only its owner reads:
    /// `contract:seq:suite:group:epoch:secret`, hexadecimal but for seq, group and epoch.
    pub fn expose_text(&self) -> String {
        format!(
            "{}:{}:{:02x}:{}:{}:{}",
            self.contract,
            self.seq,
            self.suite as u8,
            self.epoch.group,
            self.epoch.epoch,
            B256::from(*self.secret.expose())
        )
    }

    /// Reads [`expose_text`](Self::expose_text). `None` if this is no session.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let session = Self {
            contract: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
            suite: Suite::try_from(u8::from_str_radix(parts.next()?, 16).ok()?).ok()?,
            epoch: EpochId {
                group: parts.next()?.parse().ok()?,
                epoch: parts.next()?.parse().ok()?,
            },
            secret: SessionSecret::from_bytes(&parts.next()?.parse::<B256>().ok()?.0),
        };
        parts.next().is_none().then_some(session)
    }
}

impl fmt::Debug for CallSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The secret stays out.
        f.debug_struct("CallSession")
            .field("contract", &self.contract)
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

impl Attested {
    /// Seals a call whose envelope opens a session. The request must set execution flag bit 1
    /// beside bit 0; a `SubrosaConsumer` does for `opensSession`.
    ///
    /// # Errors
    ///
    /// As [`Attested::seal_call`].
    pub fn seal_opening_call(
        &self,
        target: &CallTarget,
        input: &[u8],
        reply_key: Option<&ReplyKey>,
        sealing: Sealing,
    ) -> Result<(SealedCall, PendingSession), ClientError> {
        let (sealed, secret) = self.seal_for_session(target, input, reply_key, sealing)?;
        let pending = PendingSession {
            suite: sealing.suite,
            epoch: self.epoch_id(),
            secret,
        };
        Ok((sealed, pending))
    }

    /// Seals a call in a session, valid for `lifetime` seconds.
    ///
    /// # Errors
    ///
    /// [`ClientError::SessionEnded`] if the session is of another epoch than the attested one or
    /// of another contract than `target`; otherwise as [`Attested::seal_call`].
    pub fn seal_call_in(
        &self,
        session: &CallSession,
        target: &CallTarget,
        input: &[u8],
        lifetime: u64,
    ) -> Result<SealedCall, ClientError> {
        if session.epoch != self.epoch_id() || session.contract != target.contract {
            return Err(ClientError::SessionEnded {
                contract: session.contract,
                seq: session.seq,
            });
        }
        let now = self.fresh()?;
        let id = EnvelopeId::random(&mut random::generator()?);
        let draft = SessionDraft {
            epoch: session.epoch,
            id,
            expiry: now.saturating_add(lifetime),
            binding: &self.binding(target),
        };
        let envelopes = Envelopes::new(session.seq, session.suite, &session.secret);
        Ok(SealedCall {
            envelope: envelopes.seal(&draft, input)?.into(),
            id: *id.as_bytes(),
        })
    }

    /// As [`Attested::request`], and opens a session for the calls after it.
    ///
    /// # Errors
    ///
    /// As [`Attested::request`].
    pub async fn request_opening(
        &self,
        call: &CallRequest<'_>,
        account: &Account,
    ) -> Result<(Ticket, CallSession), ClientError> {
        let target = self.checked_target(call, account).await?;
        let (sealed, pending) =
            self.seal_opening_call(&target, call.input, call.reply, call.sealing)?;
        let flags = FLAG_INPUT_SEALED | FLAG_OPENS_SESSION;
        let ticket = self
            .connection()
            .append(call, flags, self.epoch_id().epoch, sealed.envelope, account)
            .await?;
        Ok((ticket, pending.opened(call.contract, ticket.seq)))
    }

    /// As [`Attested::request`], in a session. The output goes to the reply key of the call that
    /// opened it; `call.reply` and the suite of `call.sealing` have no effect.
    ///
    /// # Errors
    ///
    /// As [`Attested::request`] and [`Attested::seal_call_in`].
    pub async fn request_in(
        &self,
        session: &CallSession,
        call: &CallRequest<'_>,
        account: &Account,
    ) -> Result<Ticket, ClientError> {
        let target = self.checked_target(call, account).await?;
        let lifetime = call.sealing.lifetime;
        let sealed = self.seal_call_in(session, &target, call.input, lifetime)?;
        self.connection()
            .append(
                call,
                FLAG_INPUT_SEALED,
                session.epoch.epoch,
                sealed.envelope,
                account,
            )
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_as_it_was_written_and_never_printed() {
        let epoch = EpochId { group: 3, epoch: 4 };
        let contract = B256::repeat_byte(1);
        let pending = PendingSession {
            suite: Suite::X25519,
            epoch,
            secret: SessionSecret::from_bytes(&[0xab; 32]),
        };
        let session = pending.opened(contract, 9);
        let text = session.expose_text();
        let read = CallSession::from_text(&text).unwrap();
        assert_eq!(read.expose_text(), text);
        assert_eq!((read.contract(), read.seq()), (contract, 9));
        assert_eq!((read.suite(), read.epoch()), (Suite::X25519, epoch));
        assert!(!format!("{session:?}").contains("abab"));
        for end in 0..text.len() {
            assert!(CallSession::from_text(&text[..end]).is_none(), "{end}");
        }
        assert!(CallSession::from_text(&format!("{text}:")).is_none());
    }
}
