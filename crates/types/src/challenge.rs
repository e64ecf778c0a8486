// SPDX-License-Identifier: Apache-2.0
//! What evidence answers, so that nobody takes old evidence for new.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::Domain;

/// What evidence answers, and so what it is good for. The domains differ: a client that chooses its
/// bytes can still never obtain what registers or renews a signer.
///
/// The enclave quotes for either purpose whenever its host asks. A host can thus register its own
/// enclave, which it may, and answer clients, which it should; what it cannot do is to pass one off
/// as the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Challenge {
    /// A client's: bytes of its own choice, which nobody knew before.
    Client(Vec<u8>),
    /// A registration's: nobody can have known it before that block, and nobody but the registrant
    /// can use it.
    Registration {
        /// Hash of a recent block.
        block_hash: B256,
        /// Who sends the transaction.
        registrant: Address,
    },
}

impl Challenge {
    /// The domain that is hashed before [`Self::bytes`].
    pub const fn domain(&self) -> Domain {
        match self {
            Self::Client(_) => Domain::ClientChallenge,
            Self::Registration { .. } => Domain::RegistrationChallenge,
        }
    }

    /// The challenge itself; a registration's is block hash ‖ registrant, 52 bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Client(bytes) => bytes.clone(),
            Self::Registration {
                block_hash,
                registrant,
            } => [block_hash.as_slice(), registrant.as_slice()].concat(),
        }
    }
}
