// SPDX-License-Identifier: Apache-2.0
//! An engine that breaks costs the call it was executing.

use alloc::{format, string::String};
use std::panic::{AssertUnwindSafe, catch_unwind};

use subrosa_types::frame::{ErrorCode, FrameError};
use subrosa_vm::Execution;

/// Runs a guest. Should its engine panic, there is no result; what it was given is as it was, since
/// engines only read it.
pub(crate) fn guarded(
    what: impl FnOnce() -> String,
    run: impl FnOnce() -> Execution,
) -> Result<Execution, FrameError> {
    // What the panic says may hold what the guest computed with.
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| FrameError::new(ErrorCode::Broken, format!("the engine broke at {}", what())))
}
