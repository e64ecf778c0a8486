// SPDX-License-Identifier: Apache-2.0
//! Why nothing passes through the chain.

use std::time::Duration;

use alloy_primitives::{Address, B256};

/// Why nothing passes through the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailboxError {
    /// The deployment has no mailbox.
    #[error(
        "the deployment file names no mailbox; set `mailbox` to the address of its SubrosaMailbox"
    )]
    None,
    /// What is there serves another oracle or registry.
    #[error(
        "mailbox {mailbox} serves the {what} {found}, not {expected}; correct `mailbox` in the deployment file"
    )]
    Elsewhere {
        /// Where it is.
        mailbox: Address,
        /// Which contract differs.
        what: &'static str,
        /// As deployed.
        expected: Address,
        /// As it says.
        found: Address,
    },
    /// Nobody was found who could answer.
    #[error(
        "among the {looked_at} signers that the registry admitted last, none may sign for the current epoch with a \
         measurement of the deployment; name one with --signer"
    )]
    NoSigner {
        /// How many there are.
        looked_at: usize,
    },
    /// Nobody has answered. Somebody still may, until the deadline.
    #[error(
        "challenge {id} to signer {signer} is not answered after {waited:?}; from {deadline} (Unix seconds) on its \
         escrow can be taken back"
    )]
    NotAnswered {
        /// The challenge.
        id: B256,
        /// Who was asked.
        signer: Address,
        /// Unix seconds.
        deadline: u64,
        /// How long it was waited for.
        waited: Duration,
    },
    /// No node takes such an envelope.
    #[error("the code envelope has {bytes} bytes, nodes take {most}")]
    EnvelopeTooLarge {
        /// Its length.
        bytes: usize,
        /// The longest taken.
        most: usize,
    },
    /// The account never put such a challenge, or it is over.
    #[error(
        "no challenge {id} of {account} waits at the mailbox; it was answered, or reclaimed, or another account put it"
    )]
    UnknownChallenge {
        /// The challenge.
        id: B256,
        /// Who looks for it.
        account: Address,
    },
}
