// SPDX-License-Identifier: Apache-2.0
//! What every virtual machine of confidential contracts shares.
//!
//! Everything here is a function of its arguments: no clock, no network, no environment. An engine
//! ([`Vm`]) takes a contract's [`State`] and a [`Call`] and returns an [`Execution`]: how it ended,
//! what it returned, what it would write. The state is in memory and is not changed, so executing
//! cannot fail, cannot wait, and can be repeated: whoever executes the same call on the same state
//! gets the same bytes.
//!
//! An engine is a crate of its own; an executable is built with those it puts into its
//! [`Engines`], and with the runtime generations it puts there ([`Runtimes`]). What a guest may use is
//! in [`limits`], one table per runtime generation. What a
//! guest may ask of the machine beyond its own instruction set (randomness, who asked) are *host
//! calls*, the same for every engine: calls to reserved addresses, see [`host`]. What must hold of
//! every engine is the suite `conformance` (feature of that name).
// std: persistent maps, which make copies of a state cheap, have no other form
#![forbid(unsafe_code)]

extern crate alloc;

mod call;
#[cfg(feature = "conformance")]
pub mod conformance;
mod engines;
pub mod host;
pub mod limits;
mod runtimes;
mod state;

pub use call::{Call, Execution, Halt, Vm};
pub use engines::{DuplicateEngine, Engines};
pub use runtimes::{DuplicateRuntime, RUNTIME, Runtime, Runtimes};
pub use state::{
    AccountRecord, CODEC_VERSION, CodecError, Holder, InvalidValue, Share, State, StateKey,
    StateReader, StateWriter, WriteSet,
};
