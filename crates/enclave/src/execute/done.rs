// SPDX-License-Identifier: Apache-2.0
//! What executing one entry comes to, before it is sealed.

use super::result::EntryResult;
use crate::{contract::Contract, step::Step};

/// What one entry did.
pub(super) struct Done {
    pub(super) result: EntryResult,
    pub(super) step: Step,
    /// The contract after it; `None` if it is as it was.
    pub(super) after: Option<Contract>,
    /// Whether it is sealed as a whole.
    pub(super) whole: bool,
}
