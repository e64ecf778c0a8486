// SPDX-License-Identifier: Apache-2.0
//! Handing code in through the chain.

use alloy_primitives::{Bytes, keccak256};
use subrosa_types::ContractId;

use super::error::MailboxError;
use crate::{Account, ClientError, Connection};

impl Connection {
    /// Publishes a code envelope in parts that transactions can carry, one after the other.
    pub(crate) async fn publish_code(
        &self,
        contract: ContractId,
        envelope: &[u8],
        account: &Account,
    ) -> Result<(), ClientError> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(MailboxError::EnvelopeTooLarge {
                bytes: envelope.len(),
                most: MAX_ENVELOPE_BYTES,
            }
            .into());
        }
        let mailbox = self.mailbox().await?;
        let place = self.chain.mailbox_as(mailbox.address(), account);
        let hash = keccak256(envelope);
        let chunks = envelope.chunks(CHUNK_BYTES);
        // As many as fit the limit.
        let count = u16::try_from(chunks.len()).unwrap_or(u16::MAX);
        for (chunk, index) in chunks.zip(0..count) {
            let chunk = Bytes::copy_from_slice(chunk);
            let call = place.publishCode(contract, hash, index, count, chunk);
            self.chain.send("publishing the code", call).await?;
            tracing::info!(%contract, part = index + 1, of = count, "published");
        }
        Ok(())
    }
}

/// What nodes take.
const MAX_ENVELOPE_BYTES: usize = 1 << 20;
/// Of a transaction's 128 KiB, which are what pools take; about 4 million gas at the floor price of calldata.
const CHUNK_BYTES: usize = 96 << 10;
