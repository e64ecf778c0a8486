// SPDX-License-Identifier: Apache-2.0
//! The storage's guarantees over ordered keyspaces and atomic batches; synchronous.

mod blobs;
mod blocks;
mod database;
mod envelopes;
mod intents;
mod keyspaces;
pub(crate) mod rows;
mod table;

pub(crate) use self::{database::Engine, keyspaces::KEYSPACES};
