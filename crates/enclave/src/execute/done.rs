// SPDX-License-Identifier: Apache-2.0
//! What executing one entry comes to, before it is sealed.

use super::result::EntryResult;
use crate::step::Step;

/// What one entry did.
pub(super) struct Done {
    pub(super) result: EntryResult,
    pub(super) step: Step,
    /// Whether it is sealed as a whole.
    pub(super) whole: bool,
}
