// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {InvariantsTest} from "../Invariants.t.sol";
import {PrepaidInvariantsTest} from "../PrepaidInvariants.t.sol";
import {RingInvariantsTest} from "../RingInvariants.t.sol";
import {ThresholdInvariantsTest} from "../ThresholdInvariants.t.sol";

// Every invariant after every call of one campaign for each handler. Campaigns of one invariant each make the same
// calls if they have the same seed, so that all of them find no more than these do.

/// @notice Requests, results, signers, everything that they rest on and can be suspended, epochs and runtimes.
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
        invariant_an_epoch_counts_the_contracts_that_need_its_keys();
        invariant_a_trusted_batch_with_ample_gas_is_applied_in_full();
    }
}

/// @notice The ring, what entries bring and where it goes.
contract RingCampaignTest is RingInvariantsTest {
    function invariant_every_one_holds() public {
        invariant_the_ring_is_a_log_without_one();
        invariant_every_entry_brings_what_it_costs();
        invariant_nobody_gains_by_late_withheld_failed_or_cancelled_answers();
    }
}

/// @notice Who must sign.
contract ThresholdCampaignTest is ThresholdInvariantsTest {
    function invariant_every_one_holds() public {
        invariant_a_guarded_log_moves_by_as_many_as_it_asks_for();
    }
}

/// @notice Prepaid accounts.
contract PrepaidCampaignTest is PrepaidInvariantsTest {
    function invariant_every_one_holds() public {
        invariant_a_prepaid_account_holds_what_it_was_given_and_limits_hold();
    }
}
