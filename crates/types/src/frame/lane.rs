// SPDX-License-Identifier: Apache-2.0
//! What may keep what waiting.

use super::Request;

/// Which requests share the enclave's attention. None waits for one of another lane; within one, the
/// enclave refuses with [`Busy`](super::ErrorCode::Busy) what it has no room to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Quotes, signatures, statements, epochs, configuration: short, and never behind execution.
    Control,
    /// What executes, loads and seals the state of contracts.
    Execution,
    /// Queries and whatever else strangers cause, whose share is bounded.
    Query,
}

impl Request {
    /// The lane that the request travels in.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Execute { .. }
            | Self::Anchor { .. }
            | Self::Load { .. }
            | Self::Snapshot { .. } => Lane::Execution,
            Self::Query { .. } | Self::CheckCode { .. } => Lane::Query,
            _ => Lane::Control,
        }
    }
}
