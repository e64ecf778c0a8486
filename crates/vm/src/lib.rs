// SPDX-License-Identifier: Apache-2.0
//! Virtual machines for confidential contracts.
//!
//! Everything here is a function of its arguments: no clock, no network, no environment. A [`Vm`]
//! takes a contract's [`State`] and a [`Call`] and returns an [`Execution`]: how it ended, what it
//! returned, what it would write. The state is in memory and is not changed, so executing cannot
//! fail, cannot wait, and can be repeated: whoever executes the same call on the same state gets
//! the same bytes.
//!
//! Start at [`engine`]. What a guest may use is in [`limits`], one table per runtime generation.
//! What a guest may ask of the machine beyond its own instruction set (randomness, who asked) are
//! *host calls*, the same for every engine: calls to reserved addresses, see [`host`].
#![forbid(unsafe_code)]

mod call;
mod evm;
pub mod host;
pub mod limits;
mod state;

pub use call::{Call, Execution, Halt, Vm};
pub use limits::RUNTIME_GENERATION;
pub use state::{
    AccountRecord, CODEC_VERSION, CodecError, InvalidValue, State, StateKey, WriteSet,
};

/// Number of the EVM in deployments (`DeployPlaintext.engine`).
pub const ENGINE_EVM: u8 = 1;
/// Number of WebAssembly in deployments. Reserved: this build has no such engine.
pub const ENGINE_WASM: u8 = 2;

/// The engine with this number, or `None` if this build does not have it.
///
/// A deployment that names an engine this build lacks has *no result*: another enclave may have
/// it, so it must not be answered with a signed failure.
pub fn engine(id: u8) -> Option<&'static dyn Vm> {
    match id {
        ENGINE_EVM => Some(evm::shared()),
        _ => None,
    }
}
