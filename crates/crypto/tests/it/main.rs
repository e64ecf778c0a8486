// SPDX-License-Identifier: Apache-2.0
//! Envelopes and replies against the npm packages `hpke` and `@hpke/hybridkem-x-wing`, by way of
//! `fixtures/envelopes`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod fixture;
mod javascript;
mod rust;
