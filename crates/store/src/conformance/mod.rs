// SPDX-License-Identifier: Apache-2.0
//! What every implementation of [`Storage`](crate::Storage) must do.
//!
//! An implementation's tests call [`run`] with a way to make places for empty storages; each case
//! closes its storage and opens it again before it looks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a case fails by panicking"
)]

mod blob;
mod envelope;
mod intent;
mod log;
mod place;
mod power;
pub mod sample;

pub use self::{
    place::{Place, Unplug},
    sample::identity,
};

/// Runs `$case`s one after the other, each on a place of its own.
macro_rules! each {
    ($fresh:ident: $($case:path),+ $(,)?) => {
        $($case(&$fresh()).await;)+
    };
}

/// Runs every case, each on an empty storage of its own.
///
/// # Panics
///
/// If a case fails.
pub async fn run<P: Place>(fresh: impl Fn() -> P) {
    each![fresh:
        log::starts_empty,
        log::blocks_append_in_order,
        log::blocks_are_refused_whole,
        log::a_rewind_takes_back_what_came_after,
        log::the_chain_head_follows_the_fulfillments,
        log::proofs_come_back,
        log::contracts_do_not_mix,
        blob::results_are_stored_with_their_blobs,
        blob::results_of_replaced_entries_are_refused,
        blob::blobs_lead_from_the_newest_snapshot,
        blob::a_snapshot_counts_once_its_last_part_is_there,
        blob::missing_deltas_are_named,
        blob::pruning_keeps_what_later_states_need,
        envelope::code_envelopes_come_back,
        envelope::what_is_too_large_is_refused,
        envelope::upgrade_envelopes_are_kept_by_commitment_and_in_number,
        envelope::epochs_come_back_in_order,
        intent::admissions_come_back,
        intent::intents_are_kept_per_sender_until_settled,
    ];
}

/// Runs every case of power failures, each on an empty storage of its own. For storages whose
/// power can be cut.
///
/// # Panics
///
/// If a case fails.
pub async fn run_power_failures<P: Unplug>(fresh: impl Fn() -> P) {
    each![fresh:
        power::durable_writes_survive,
        power::the_rest_is_lost_from_the_end,
    ];
}
