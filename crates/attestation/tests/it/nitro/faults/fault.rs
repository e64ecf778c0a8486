// SPDX-License-Identifier: Apache-2.0
//! What a fault is.

use subrosa_evidence::CheckId;

use crate::forge::nitro::Blueprint;

/// A fault: its name, the check that must find it, whether fresh evidence could mend it, and how
/// to bring it about.
pub(crate) type Fault = (&'static str, CheckId, bool, fn(&mut Blueprint));

pub(super) const STALE: bool = true;
pub(super) const FINAL: bool = false;
