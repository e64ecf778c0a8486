// SPDX-License-Identifier: Apache-2.0
//! The measured enclave executable: the state machine of `subrosa-enclave-core` on the platform
//! of `subrosa-tee`, serving one Unix socket.
//!
//! It decides nothing. Its arguments are the host's and therefore hostile: they say where to
//! listen, which environment this is and where the software TEE keeps what it calls a machine secret.
//! An environment that is not the one named cannot be opened, or makes evidence that says what it
//! is. Everything that matters is fixed by the first frames and measured.
#![forbid(unsafe_code)]

mod arguments;
mod engines;
mod hardening;
mod lanes;
mod platform;
mod server;
mod socket;
mod stream;

use eyre::{Result, WrapErr};
use mimalloc::MiMalloc;
use subrosa_enclave_core::Enclave;

use crate::server::Server;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<()> {
    let arguments = match arguments::parse(std::env::args_os().skip(1))? {
        arguments::Command::Serve(arguments) => arguments,
        arguments::Command::Print(text) => {
            return socket::announce(&text);
        }
    };
    hardening::forbid_core_dumps()?;
    hardening::keep_panics_quiet();
    let platform = platform::TeePlatform::open(&arguments.environment)?;
    let memory = arguments.memory_mib.saturating_mul(1 << 20);
    let enclave = Enclave::boot(Box::new(platform), engines::built_in()?, memory)?;
    let server = Server::start(enclave, arguments.workers).wrap_err("cannot start threads")?;
    socket::serve(&server, &arguments.socket)
}
