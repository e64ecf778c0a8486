// SPDX-License-Identifier: Apache-2.0
//! Whether a contract's code can change, as the oracle stores it.

use alloy_primitives::{B256, U256};
use serde::Serialize;

/// Whether and when a contract's code can change, as the chain says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeTerms {
    /// Seconds between announcing other code and running it; zero if the code never changes.
    pub delay: u32,
    /// What is announced.
    pub announced: Option<Announced>,
}

/// Code that a contract's owner has announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    /// What the chain knows of it.
    pub code_commitment: B256,
    /// From when on (Unix seconds) the owner can have it run.
    pub ready_at: u64,
}

impl UpgradeTerms {
    /// The terms as the oracle stores them.
    pub(crate) fn of(terms: B256, announced: B256) -> Self {
        let low = U256::from_be_bytes(terms.0).as_limbs()[0];
        let high = U256::from_be_bytes(terms.0).as_limbs()[1];
        Self {
            delay: low as u32,
            announced: (!announced.is_zero()).then_some(Announced {
                code_commitment: announced,
                ready_at: low >> 32 | (high & 0xffff) << 32,
            }),
        }
    }
}
