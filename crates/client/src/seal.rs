// SPDX-License-Identifier: Apache-2.0
//! Encryption to an attested epoch.

use alloy_primitives::{Address, B256, Bytes};
use subrosa_crypto::{
    Suite,
    envelope::{self, Binding, Draft, EnvelopeId, SessionCall, SessionSecret},
    plaintext::{self, Plaintext},
};
use subrosa_types::{ContractId, abi::CallPlaintext};

use crate::{Attested, CallSession, ClientError, PendingSession, ReplyKey, random};

/// The entry that a call is sealed for: its envelope opens for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallTarget {
    /// The confidential contract.
    pub contract: ContractId,
    /// The account that calls the oracle: the consumer contract, or the account itself.
    pub requester: Address,
    /// The context the requester will assert; for a `SubrosaConsumer`, its `nextContext` of the
    /// user; zero for an account that asks for itself.
    pub context: B256,
}

/// How something is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealing {
    /// The HPKE suite.
    pub suite: Suite,
    /// Seconds from now after which an entry with this envelope is rejected.
    pub lifetime: u64,
}

impl Default for Sealing {
    /// Post-quantum, for one hour.
    fn default() -> Self {
        Self {
            suite: Suite::XWing,
            lifetime: 3600,
        }
    }
}

/// An envelope, and its id as the guest will see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCall {
    /// What goes on the chain.
    pub envelope: Bytes,
    /// Fresh and random.
    pub id: [u8; 16],
}

impl Attested {
    /// Seals a call to the attested epoch. `reply_key` is where the output is to be sealed to;
    /// without one, the output is public.
    ///
    /// The contract's log must be in the attested epoch ([`Attested::check_contract`]); an
    /// envelope for another epoch is rejected when it is executed.
    ///
    /// # Errors
    ///
    /// [`ClientError::AttestationExpired`], [`ClientError::Seal`] for an oversized input,
    /// [`ClientError::Randomness`].
    pub fn seal_call(
        &self,
        target: &CallTarget,
        input: &[u8],
        reply_key: Option<&ReplyKey>,
        sealing: Sealing,
    ) -> Result<SealedCall, ClientError> {
        self.seal(target, call_plaintext(input, reply_key), sealing)
    }

    /// Seals a call whose envelope opens a session. The request must set execution flag bit 1
    /// beside bit 0; a `SubrosaConsumer` does for `opensSession`.
    ///
    /// # Errors
    ///
    /// As [`Attested::seal_call`].
    pub fn seal_call_opening_session(
        &self,
        target: &CallTarget,
        input: &[u8],
        reply_key: Option<&ReplyKey>,
        sealing: Sealing,
    ) -> Result<(SealedCall, PendingSession), ClientError> {
        let plaintext = call_plaintext(input, reply_key);
        let (sealed, secret) = self.seal_opening_session(target, plaintext, sealing)?;
        let pending = PendingSession::new(sealing.suite, self.epoch_id(), secret);
        Ok((sealed, pending))
    }

    /// Seals a call in a session, valid for `lifetime` seconds.
    ///
    /// # Errors
    ///
    /// [`ClientError::SessionEnded`] if the session is of another epoch than the attested one or
    /// of another contract than `target`; otherwise as [`Attested::seal_call`].
    pub fn seal_call_in_session(
        &self,
        session: &CallSession,
        target: &CallTarget,
        input: &[u8],
        lifetime: u64,
    ) -> Result<SealedCall, ClientError> {
        if session.epoch() != self.epoch_id() || session.contract() != target.contract {
            return Err(ClientError::SessionEnded {
                contract: session.contract(),
                seq: session.seq(),
            });
        }
        let now = self.fresh()?;
        let id = EnvelopeId::random(&mut random::generator()?);
        let call = SessionCall {
            epoch: session.epoch(),
            id,
            expiry: now.saturating_add(lifetime),
            binding: &self.binding(target),
        };
        Ok(SealedCall {
            envelope: session.sealing_session().seal(&call, input)?.into(),
            id: *id.as_bytes(),
        })
    }

    /// Seals any plaintext, padded to its size class, under the purpose it is for.
    pub(crate) fn seal<P: Plaintext>(
        &self,
        target: &CallTarget,
        plaintext: P,
        sealing: Sealing,
    ) -> Result<SealedCall, ClientError> {
        self.seal_opening_session(target, plaintext, sealing)
            .map(|(sealed, _)| sealed)
    }

    /// As [`Self::seal`], and gives the secret of the session that the envelope may open.
    fn seal_opening_session<P: Plaintext>(
        &self,
        target: &CallTarget,
        plaintext: P,
        sealing: Sealing,
    ) -> Result<(SealedCall, SessionSecret), ClientError> {
        let now = self.fresh()?;
        let mut generator = random::generator()?;
        let id = EnvelopeId::random(&mut generator);
        let draft = Draft {
            suite: sealing.suite,
            purpose: P::PURPOSE,
            epoch: self.epoch_id(),
            id,
            expiry: now.saturating_add(sealing.lifetime),
            recipients: B256::ZERO,
            binding: &self.binding(target),
        };
        let plaintext = plaintext::encode(plaintext);
        let (envelope, session) =
            envelope::seal_opening_session(&draft, self.epoch_key(), &plaintext, &mut generator)?;
        let sealed = SealedCall {
            envelope: envelope.into(),
            id: *id.as_bytes(),
        };
        Ok((sealed, session))
    }

    /// What envelopes for `target` are bound to.
    fn binding(&self, target: &CallTarget) -> Binding {
        Binding {
            chain_id: self.connection().deployment.measured.chain_id,
            oracle: self.connection().deployment.measured.oracle,
            contract_id: target.contract,
            requester: target.requester,
            context: target.context,
        }
    }
}

fn call_plaintext(input: &[u8], reply_key: Option<&ReplyKey>) -> CallPlaintext {
    CallPlaintext {
        input: Bytes::copy_from_slice(input),
        replyKey: reply_key.map(ReplyKey::public).unwrap_or_default().into(),
        padding: Bytes::new(),
    }
}
