// SPDX-License-Identifier: Apache-2.0
//! Keeps memory out of files and logs.

use eyre::{Result, WrapErr};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// No core dumps, and no attaching by other processes of the same user.
pub(crate) fn forbid_core_dumps() -> Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).wrap_err("cannot forbid core dumps")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).wrap_err("cannot forbid attaching")
}

/// What a panic says may hold what was computed with; only where it happened is printed.
pub(crate) fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => eprintln!("panic at {}:{}", place.file(), place.line()),
        None => eprintln!("panic"),
    }));
}
