// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {ProtocolHandler} from "./support/ProtocolHandler.sol";
import {RuntimeModel} from "./support/RuntimeModel.sol";
import {TrustBooks} from "./support/TrustBooks.sol";
import {TrustModel} from "./support/TrustModel.sol";

/// @notice What holds after any sequence of requests, batches, repetitions, forgeries, refunds,
/// retries, withdrawals, admissions, renewals, revocations of every kind, epochs, runtime generations and
/// waiting. The handler keeps its own books and predicts every outcome; after each call an invariant looks at what it noted, and after each
/// sequence everything is looked at again.
contract InvariantsTest is Test {
    ProtocolHandler private handler;

    function setUp() public {
        handler = new ProtocolHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](17);
        selectors[0] = ProtocolHandler.request.selector;
        selectors[1] = ProtocolHandler.fulfill.selector;
        selectors[2] = ProtocolHandler.fulfillAgain.selector;
        selectors[3] = ProtocolHandler.forge.selector;
        selectors[4] = ProtocolHandler.refund.selector;
        selectors[5] = ProtocolHandler.retry.selector;
        selectors[6] = ProtocolHandler.withdraw.selector;
        selectors[7] = ProtocolHandler.setMood.selector;
        selectors[8] = ProtocolHandler.advanceEpoch.selector;
        selectors[9] = TrustModel.admit.selector;
        selectors[10] = TrustModel.renew.selector;
        selectors[11] = TrustModel.govern.selector;
        selectors[12] = TrustModel.openEpoch.selector;
        selectors[13] = TrustModel.wait.selector;
        selectors[14] = RuntimeModel.governRuntimes.selector;
        selectors[15] = RuntimeModel.changeRuntime.selector;
        selectors[16] = ProtocolHandler.refundExecuted.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    function afterInvariant() public {
        handler.inspectAll();
        invariant_the_oracle_holds_exactly_what_it_owes();
        invariant_heads_only_move_forward_along_the_log_by_executed_entries();
        invariant_an_entry_has_one_payment_outcome();
        invariant_the_charge_and_the_fee_go_to_whoever_lands();
        invariant_a_callback_succeeds_at_most_once_and_never_starved();
        invariant_slots_are_never_cleared();
        invariant_digests_chain();
        invariant_an_epoch_counts_the_contracts_that_need_its_keys();
    }

    function invariant_the_oracle_holds_exactly_what_it_owes() public view {
        assertEq(handler.balance(), handler.owed());
    }

    function invariant_heads_only_move_forward_along_the_log_by_executed_entries() public view {
        assertFalse(handler.headWentBack());
    }

    function invariant_an_entry_has_one_payment_outcome() public view {
        assertFalse(handler.paidTwice());
        assertFalse(handler.refundedThenPaid());
    }

    function invariant_the_charge_and_the_fee_go_to_whoever_lands() public view {
        assertFalse(handler.misdirected());
    }

    function invariant_a_callback_succeeds_at_most_once_and_never_starved() public view {
        assertFalse(handler.calledTwice());
        assertFalse(handler.starved());
    }

    function invariant_slots_are_never_cleared() public view {
        assertFalse(handler.slotChanged());
    }

    function invariant_digests_chain() public view {
        assertFalse(handler.chainBroken());
    }

    function invariant_no_stranger_nor_anyone_who_rests_on_what_was_taken_lands() public view {
        assertFalse(handler.strangerLanded());
        assertFalse(handler.landed(uint256(TrustBooks.Trust.Revoked)));
        assertFalse(handler.landed(uint256(TrustBooks.Trust.BuildRevoked)));
        assertFalse(handler.landed(uint256(TrustBooks.Trust.ConfigRemoved)));
        assertFalse(handler.landed(uint256(TrustBooks.Trust.ProductDenied)));
        assertFalse(handler.landed(uint256(TrustBooks.Trust.VoucherRevoked)));
        assertFalse(handler.landed(uint256(TrustBooks.Trust.FamilyDenied)));
        assertFalse(handler.landed(uint256(TrustBooks.Trust.MachineDenied)));
    }

    function invariant_no_signer_lands_after_its_lease() public view {
        assertFalse(handler.landed(uint256(TrustBooks.Trust.LeaseEnded)));
        assertFalse(handler.signerRestored());
    }

    function invariant_only_who_is_trusted_is_admitted_and_all_of_those() public view {
        assertFalse(handler.wronglyAdmitted());
        assertFalse(handler.wronglyDenied());
    }

    function invariant_a_place_among_the_vouchers_stands_for_one() public view {
        assertFalse(handler.placesBroken());
    }

    function invariant_what_is_suspended_or_of_no_epoch_lands_nothing_and_what_was_lifted_stays() public view {
        assertFalse(handler.landed(uint256(TrustBooks.Trust.Suspended)));
        assertFalse(handler.landed(uint256(TrustBooks.Trust.NotOfEpoch)));
        assertFalse(handler.suspensionsBroken());
    }

    function invariant_every_contract_is_in_a_runtime_that_counts_or_leads_to_one() public view {
        assertFalse(handler.runtimesBroken());
        assertFalse(handler.wronglyMoved());
    }

    function invariant_epochs_open_one_by_one_and_stay() public view {
        assertFalse(handler.epochsBroken());
    }

    function invariant_an_epoch_counts_the_contracts_that_need_its_keys() public view {
        assertFalse(handler.miscounted());
    }

    function invariant_a_trusted_batch_with_ample_gas_is_applied_in_full() public view {
        assertFalse(handler.notApplied());
    }

    /// @dev The handler does reach the interesting states: otherwise the invariants hold for nothing.
    function test_the_handler_meets_every_situation() public {
        uint256 seed = 1;
        for (uint256 i = 0; i < 28000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed % 17, seed >> 16);
        }
        afterInvariant();
        for (uint256 trust = 0; trust < 11; ++trust) {
            assertGt(handler.attempts(trust), 5, vm.toString(trust));
        }
        assertTrue(handler.landed(0));
        assertGt(handler.renewals(), 20, "renewals");
        assertGt(handler.registrations(), 10, "registrations");
        assertGt(handler.turnedAway(), 0, "turnedAway");
        assertGt(handler.cooldowns(), 5, "cooldowns");
        assertGt(handler.refusedStatuses(), 2, "refusedStatuses");
        assertGt(handler.moves(), 20, "moves");
        assertGt(handler.rescues(), 3, "rescues");
        assertGt(handler.strandings(), 20, "strandings");
        assertGt(handler.executed(), 50, "executed");
        assertGt(handler.refunds(), 20, "refunds");
        assertGt(handler.delivered(), 20, "delivered");
        assertGt(handler.retries(), 3, "retries");
        assertGt(handler.starvedBatches(), 3, "starvedBatches");
    }

    function _step(uint256 which, uint256 seed) private {
        if (which == 0) handler.request(seed);
        if (which == 1) handler.fulfill(seed, seed >> 200);
        if (which == 2) handler.fulfillAgain(seed);
        if (which == 3) handler.forge(seed);
        if (which == 4) handler.refund(seed);
        if (which == 5) handler.retry(seed);
        if (which == 6) handler.withdraw(seed);
        if (which == 7) handler.setMood(seed);
        if (which == 8) handler.advanceEpoch(seed);
        if (which == 9) handler.admit(seed);
        if (which == 10) handler.renew(seed);
        if (which == 11) handler.govern(seed);
        if (which == 12) handler.openEpoch(seed);
        if (which == 13) handler.wait(seed);
        if (which == 14) handler.governRuntimes(seed);
        if (which == 15) handler.changeRuntime(seed);
        if (which == 16) handler.refundExecuted(seed);
    }
}
