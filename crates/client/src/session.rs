// SPDX-License-Identifier: Apache-2.0
//! Sessions: one call carries an encapsulated key, those after it name that call instead.

use std::fmt;

use alloy_primitives::B256;
use subrosa_crypto::{
    EpochId, Suite,
    envelope::{Session, SessionSecret},
};
use subrosa_types::ContractId;

/// A session that a call opened, and what seals in it: an envelope of 188 bytes for a word of
/// input, where one that carries a post-quantum key has over 1,700.
///
/// It belongs to the requester and the user that opened it. It lasts until the contract's key epoch
/// advances, at most 30 days, and ends earlier only if the same user opens dozens of others; a call
/// in a session that ended is rejected. If the call that opened it named a reply key, outputs in the
/// session are sealed too, under keys that follow from its secret
/// ([`open_session_reply`](crate::Connection::open_session_reply)). Whoever has the secret can read
/// every input and output sealed in the session.
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
    /// The session that an envelope of `suite`, sealed to `epoch`, opens.
    pub(crate) fn new(suite: Suite, epoch: EpochId, secret: SessionSecret) -> Self {
        Self {
            suite,
            epoch,
            secret,
        }
    }

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

    /// What seals calls in it.
    pub(crate) fn sealing_session(&self) -> Session {
        Session::new(self.seq, self.suite, &self.secret)
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
