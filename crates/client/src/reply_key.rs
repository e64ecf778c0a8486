// SPDX-License-Identifier: Apache-2.0
//! The key that outputs are sealed to.

use subrosa_crypto::{RecipientKey, Suite, Zeroizing};

use crate::{ClientError, random};

/// A private key that opens sealed outputs. Its public half travels inside the envelope.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct ReplyKey {
    key: RecipientKey,
    seed: Zeroizing<[u8; 32]>,
}

impl ReplyKey {
    /// Draws a key of the post-quantum suite.
    ///
    /// # Errors
    ///
    /// [`ClientError::Randomness`].
    pub fn generate() -> Result<Self, ClientError> {
        Ok(Self::from_seed(Suite::XWing, &*random::bytes()?))
    }

    /// The key of `suite` that grows from 32 secret bytes. A smaller suite makes smaller requests.
    pub fn from_seed(suite: Suite, seed: &[u8; 32]) -> Self {
        Self {
            key: RecipientKey::from_seed(suite, seed),
            seed: Zeroizing::new(*seed),
        }
    }

    /// The seed, to be kept where a later run finds it.
    pub fn expose_seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The suite it belongs to.
    pub fn suite(&self) -> Suite {
        self.key.suite()
    }

    /// Suite (1 byte) ‖ public key, as plaintexts carry it.
    pub fn public(&self) -> Vec<u8> {
        self.key.public_key().to_tagged()
    }

    /// The private key.
    pub(crate) fn key(&self) -> &RecipientKey {
        &self.key
    }
}
