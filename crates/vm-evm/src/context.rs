// SPDX-License-Identifier: Apache-2.0
//! What every part of the machine knows of a transaction: hard fork, kind and context.

use revm::{
    Context, Journal,
    context::{BlockEnv, CfgEnv, TxEnv},
    primitives::hardfork::SpecId,
};

use crate::{database::StateReader, work::Meter};

/// The hard fork of generation 1.
pub(crate) const SPEC: SpecId = SpecId::OSAKA;

/// Holds the count of work where other chains have data of their own.
pub(crate) type GuestContext<'a> =
    Context<BlockEnv, TxEnv, CfgEnv, StateReader<'a>, Journal<StateReader<'a>>, &'a Meter>;

/// What a transaction does to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionKind {
    /// Runs its code.
    Call,
    /// Creates it where there is nothing.
    Create,
    /// Gives it other code.
    Replace,
}

impl TransactionKind {
    /// Whether it runs init code and leaves what that returns.
    pub(crate) fn installs_code(self) -> bool {
        self != Self::Call
    }
}
