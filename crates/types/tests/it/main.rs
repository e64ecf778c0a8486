// SPDX-License-Identifier: Apache-2.0
//! The protocol's hashes, words and slots, in the file that Solidity and TypeScript check too.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod batches;
mod draw;
mod hashes;
mod messages;
mod prices;
mod vectors;
mod words;
