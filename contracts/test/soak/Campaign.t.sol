// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {InvariantsTest} from "../Invariants.t.sol";

/// @notice Every invariant after every call of one campaign. Campaigns of one invariant each make the
/// same calls if they have the same seed, so that all of them find no more than this one does.
contract CampaignTest is InvariantsTest {
    function invariant_every_one_holds() public view {
        invariant_the_oracle_holds_exactly_what_it_owes();
        invariant_heads_only_move_forward_along_the_log_by_executed_entries();
        invariant_an_entry_has_one_payment_outcome();
        invariant_the_charge_and_the_fee_go_to_whoever_lands();
        invariant_a_callback_succeeds_at_most_once_and_never_starved();
        invariant_slots_are_never_cleared();
        invariant_digests_chain();
        invariant_no_stranger_nor_anyone_who_rests_on_what_was_taken_lands();
        invariant_no_signer_lands_after_its_lease();
        invariant_only_who_is_trusted_is_admitted_and_all_of_those();
        invariant_a_place_among_the_vouchers_stands_for_one();
        invariant_what_is_suspended_or_of_no_epoch_lands_nothing_and_what_was_lifted_stays();
        invariant_every_contract_is_in_a_runtime_that_counts_or_leads_to_one();
        invariant_epochs_open_one_by_one_and_stay();
        invariant_a_trusted_batch_with_ample_gas_is_applied_in_full();
    }
}
