// SPDX-License-Identifier: Apache-2.0
//! Guests run through the public interface.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod construct;
mod environment;
mod ethereum;
mod execute;
mod guest;
mod hostile;
mod limits;
mod metering;
mod native;
mod precompiles;
mod sharing;
mod upgrade;
mod work;

/// What must hold of every engine.
mod conformance {
    subrosa_vm::conformance_tests!(crate::guest::subject());
}
