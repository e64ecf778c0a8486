// SPDX-License-Identifier: Apache-2.0
//! An enclave that is a process, at the other end of a Unix socket.

mod process;
mod stream;
mod wire;

pub(crate) use self::process::UnixEnclaves;

#[cfg(test)]
mod tests;
