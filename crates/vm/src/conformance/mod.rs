// SPDX-License-Identifier: Apache-2.0
//! What must hold of every [`Vm`](crate::Vm), as a suite that an engine's tests run.
//!
//! The suite speaks to two contracts, a [`Ledger`] and a [`Probe`], by their Solidity interfaces,
//! and is given them in the code of the engine under test ([`Subject`]). An engine runs it by
//! `subrosa_vm::conformance_tests!(subject())`, which makes a test of every case.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "cases fail by panicking, and their names say what they are"
)]

pub mod construct;
pub mod execute;
mod faulty;
mod guest;
pub mod host_calls;
pub mod limits;
pub mod repeat;
mod subject;
pub mod work;

pub use faulty::Faulty;
pub use guest::{CALLER, CONTRACT, Environment, Guest, Ledger, Probe, call};
pub use subject::Subject;

/// Makes a `#[test]` of every case of the suite, on the [`Subject`] that the expression gives.
#[macro_export]
macro_rules! conformance_tests {
    ($subject:expr) => {
        $crate::conformance_tests! {
            $subject;
            construct::a_constructor_sees_its_arguments_and_its_caller,
            construct::constructing_leaves_the_contract_and_nothing_of_the_caller,
            construct::a_constructor_that_reverts_leaves_nothing_and_says_why,
            construct::arguments_that_do_not_decode_revert,
            construct::a_contract_is_not_constructed_over_another,
            construct::a_static_construction_halts,
            construct::another_caller_is_another_keeper,
            execute::storage_is_written_read_and_deleted,
            execute::mappings_and_arrays_work_over_several_calls,
            execute::a_write_set_holds_real_changes_only,
            execute::a_write_set_is_sorted_and_its_hash_is_that_of_its_encoding,
            execute::a_state_that_was_encoded_goes_on_as_if_it_had_not_been,
            execute::a_static_call_cannot_write,
            host_calls::random_bytes_repeat_with_the_seed_and_differ_by_call,
            host_calls::a_draw_in_a_reverted_frame_is_not_drawn_again,
            host_calls::random_bytes_cost_what_they_cost_on_sapphire,
            host_calls::more_than_the_limit_yields_the_limit,
            host_calls::malformed_requests_for_random_bytes_fail,
            host_calls::a_guest_learns_who_asked,
            host_calls::the_invocation_is_four_words,
            host_calls::a_reserved_address_without_a_host_call_fails_instead_of_answering_nothing,
            limits::an_endless_loop_ends_with_the_most_fuel_there_is,
            limits::the_table_that_applies_is_that_of_the_generation_asked_in,
            limits::output_is_limited_to_the_byte,
            limits::a_state_does_not_grow_beyond_its_limit_but_may_shrink,
            repeat::two_engines_and_a_used_one_agree,
            work::exhausted_work_ends_the_execution,
            work::no_frame_catches_exhausted_work,
            work::a_frame_that_is_out_of_fuel_is_caught_as_ever,
            work::more_fuel_comes_with_more_work,
            work::work_grows_with_what_is_executed,
            work::what_failed_counts_as_work,
            work::work_depends_on_nothing_but_the_call,
            work::a_constructor_has_a_limit_too,
        }
    };
    ($subject:expr; $($group:ident::$case:ident,)+) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::$group::$case(&$subject);
            }
        )+
    };
}
