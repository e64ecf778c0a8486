// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {Fulfillment, FulfillmentGroup, FulfillmentItem} from "./support/Batches.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {StandInRegistry} from "./support/StandInRegistry.sol";

/// @notice Which items are applied, and what that changes.
contract FulfillTest is OracleTest {
    address private user = makeAddr("user");

    function test_an_executed_entry_moves_the_head_and_earns_the_landing_part() public {
        Entry memory entry = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        uint256 before = oracle.balanceOf(relayer);
        uint256 owners = oracle.balanceOf(owner);

        FulfillmentItem memory item = f.groups[0].items[0];
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.EntryFulfilled(stateful, _outcomeWord(item.result, 1), item.data);
        assertEq(_fulfill(f), 1);

        assertEq(oracle.head(stateful), _commitment(entry) | 2, "no flag either");
        assertEq(oracle.balanceOf(relayer) - before, FEE - CHARGE);
        assertEq(oracle.balanceOf(owner) - owners, CHARGE);
        assertEq(_status(entry), 0, "the slot is untouched");
    }

    function test_a_batch_over_two_contracts_is_applied_in_order() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        Entry memory c = _request(stateless, user, 0);
        uint256 before = oracle.balanceOf(relayer);

        assertEq(_fulfill(_batch(_groupOnHead(_list(a, b)), _groupOnHead(_list(c)))), 3);

        assertEq(_head(stateful), _commitment(b) | 3);
        assertEq(_status(c), EXECUTED);
        assertEq(oracle.balanceOf(relayer) - before, 3 * (FEE - CHARGE));
    }

    function test_a_fulfilled_batch_sent_again_changes_nothing() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        Entry memory c = _request(stateless, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(a, b)), _groupOnHead(_list(c)));
        _fulfill(f);

        vm.startStateDiffRecording();
        _expectSkip(stateful, 1, 1);
        _expectSkip(stateless, 1, 1);
        assertEq(_fulfill(f), 0);
        _assertUnchanged();
    }

    function test_a_result_on_a_stale_head_changes_nothing_and_says_so() public {
        uint256 stale = _head(stateful);
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        _execute(_list(a, b));

        // An enclave that was rolled back signs another result for entry 1.
        FulfillmentGroup memory fork = _group(stale, _list(a));
        fork.items[0].result ^= 1 << 200;
        Fulfillment memory f = _batch(fork);
        vm.startStateDiffRecording();
        _expectSkip(stateful, 1, 1);
        assertEq(_fulfill(f), 0);
        _assertUnchanged();
    }

    function test_a_fork_that_reaches_past_the_head_does_not_continue_it() public {
        uint256 start = _head(stateful);
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        _execute(_list(a));

        FulfillmentGroup memory fork = _group(start, _list(a, b));
        fork.items[0].result ^= 1 << 200;
        Fulfillment memory f = _batch(fork);
        vm.startStateDiffRecording();
        _expectSkip(stateful, 1, 1);
        _expectSkip(stateful, 2, 2);
        assertEq(_fulfill(f), 0);
        _assertUnchanged();
    }

    function test_a_batch_continues_where_another_relayer_stopped() public {
        uint256 start = _head(stateful);
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        Entry memory c = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_group(start, _list(a, b, c)));
        _execute(_list(a));
        uint256 before = oracle.balanceOf(relayer);

        _expectSkip(stateful, 1, 1);
        assertEq(_fulfill(f), 2);
        assertEq(_head(stateful), _commitment(c) | 4);
        assertEq(oracle.balanceOf(relayer) - before, 2 * (FEE - CHARGE));
    }

    function test_a_gap_in_the_log_is_not_jumped() public {
        _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        uint256 ahead = (uint256(keccak256("elsewhere")) >> 48 << 48) | 2;
        Fulfillment memory f = _batch(_group(ahead, _list(b)));

        vm.startStateDiffRecording();
        _expectSkip(stateful, 2, 2);
        assertEq(_fulfill(f), 0);
        _assertUnchanged();
    }

    function test_items_up_to_the_last_known_entry_are_applied() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        // What a reorganised chain would have held as entry 3.
        Entry memory phantom = _next(b);

        _expectSkip(stateful, 3, 3);
        assertEq(_execute(_list(a, b, phantom)), 2);
        assertEq(_head(stateful), _commitment(b) | 3);
    }

    function test_an_entry_that_differs_from_the_log_is_skipped_with_its_successors_only() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        Entry memory other = _request(stateless, user, 0);
        a.payment ^= 1 << 200;

        _expectSkip(stateful, 1, 3);
        assertEq(_fulfill(_batch(_groupOnHead(_list(a, b)), _groupOnHead(_list(other)))), 1);
        assertEq(_headSeq(stateful), 1);
        assertEq(_status(other), EXECUTED);
    }

    function testFuzz_no_changed_field_of_an_entry_is_accepted(uint8 field, uint8 bit) public {
        Entry memory entry = _request(stateful, user, 0);
        FulfillmentGroup memory group = _groupOnHead(_list(entry));
        uint256 mask = 1 << bit;
        field %= 5;
        if (field == 0) group.items[0].executionHash ^= bytes32(mask);
        if (field == 1) group.items[0].settlement ^= mask;
        // Below its parts the payment is not in the batch.
        if (field == 2) group.items[0].payment ^= 1 << (112 + bit % 144);
        // Where a digest has no bits there is the number of items.
        if (field == 3) group.previousDigest ^= bytes32(uint256(1) << (8 + bit % 248));
        if (field == 4) group.contractId ^= bytes32(mask);
        Fulfillment memory f = _batch(group);

        vm.startStateDiffRecording();
        assertEq(_fulfill(f), 0);
        _assertUnchanged();
    }

    function test_an_unregistered_contract_has_nothing_to_fulfill() public {
        FulfillmentGroup memory group = _group(0, _list(_request(stateful, user, 0)));
        group.contractId = keccak256("nobody");
        group.previousDigest = 0;
        _expectSkip(group.contractId, 0, 3);
        assertEq(_fulfill(_batch(group)), 0);
    }

    /// @dev A head's number has 40 bits of the 48 that a position has in a batch.
    function test_a_position_beyond_the_heads_bits_is_no_position_of_the_log() public {
        Entry memory entry = _request(stateful, user, 0);
        FulfillmentGroup memory group = _group(_head(stateful) | 1 << 44, _list(entry));
        vm.startStateDiffRecording();
        assertEq(_fulfill(_batch(group)), 0);
        _assertUnchanged();
    }

    function test_stateless_entries_are_executed_in_any_order_once() public {
        Entry memory a = _request(stateless, user, 0);
        Entry memory b = _request(stateless, user, 0);
        assertEq(_execute(_list(b)), 1);
        assertEq(_execute(_list(a)), 1);
        assertEq(_status(a), EXECUTED);
        assertEq(_status(b), EXECUTED);
        assertEq(_head(stateless), 0);

        uint256 before = oracle.balanceOf(relayer);
        _expectSkip(stateless, _seq(b), 1);
        assertEq(_execute(_list(b)), 0);
        assertEq(oracle.balanceOf(relayer), before);
    }

    function test_a_stateless_group_holds_one_entry() public {
        Entry memory a = _request(stateless, user, 0);
        Entry memory b = _request(stateless, user, 0);
        // In a group, entries are chained; on this log they are not.
        _expectSkip(stateless, _seq(a), 3);
        assertEq(_execute(_list(a, b)), 0);
        assertEq(_status(b), 0);
    }

    function test_entries_of_another_key_epoch_are_not_on_the_log_for_this_one() public {
        Entry memory old = _request(stateful, user, 0);
        Entry memory oldStateless = _request(stateless, user, 0);
        registry.openEpoch(KEY_GROUP);
        vm.recordLogs();
        vm.prank(owner);
        oracle.advanceEpoch{value: FEE}(stateful, 2);
        Entry memory moved = _appended();
        _note(moved);

        _expectSkip(stateful, 2, 3);
        assertEq(_execute(_list(old, moved)), 1);

        Fulfillment memory f = _batch(_groupOnHead(_list(moved)), _groupOnHead(_list(oldStateless)));
        f.keyEpoch = 2;
        _signBatch(f, signerKey);
        _expectSkip(stateless, _seq(oldStateless), 3);
        assertEq(_fulfill(f), 1);
        assertEq(_headSeq(stateful), 3);
    }

    function test_a_signer_that_may_not_sign_for_the_epoch_has_the_batch_revert() public {
        Fulfillment memory f = _batch(_groupOnHead(_list(_request(stateful, user, 0))));
        f.keyEpoch = 2;
        _signBatch(f, signerKey);
        vm.expectRevert(abi.encodeWithSelector(StandInRegistry.EpochUnknown.selector, KEY_GROUP, 2));
        _fulfill(f);
        registry.dismiss(vm.addr(signerKey));
        f.keyEpoch = 1;
        _signBatch(f, signerKey);
        vm.expectRevert(abi.encodeWithSelector(StandInRegistry.SignerUnknown.selector, vm.addr(signerKey)));
        _fulfill(f);
    }

    function test_what_was_earned_waits_for_a_withdrawal() public {
        Entry memory entry = _request(stateful, user, 0);
        uint256 before = oracle.balanceOf(relayer);
        _execute(_list(entry));
        assertEq(oracle.balanceOf(relayer) - before, FEE - CHARGE);
        before = oracle.balanceOf(relayer);

        address payable recipient = payable(makeAddr("recipient"));
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.Withdrawn(relayer, recipient, before);
        vm.prank(relayer);
        assertEq(oracle.withdraw(recipient), before);
        assertEq(recipient.balance, before);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToWithdraw.selector, relayer));
        vm.prank(relayer);
        oracle.withdraw(recipient);
    }

    function test_a_withdrawal_to_one_who_takes_none_reverts() public {
        uint256 before = oracle.balanceOf(relayer);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.WithdrawalFailed.selector, address(this)));
        vm.prank(relayer);
        // This test has no receive function.
        oracle.withdraw(payable(address(this)));
        assertEq(oracle.balanceOf(relayer), before);
    }

    /// @dev The entry that would follow if the log went on.
    function _next(Entry memory entry) private view returns (Entry memory next) {
        next = abi.decode(abi.encode(entry), (Entry));
        next.previousDigest = _digest(entry);
        next.payment = entry.payment + 1;
    }

    /// @dev No account's storage or balance has changed since recording began.
    function _assertUnchanged() private {
        Vm.AccountAccess[] memory accesses = vm.stopAndReturnStateDiff();
        for (uint256 i = 0; i < accesses.length; ++i) {
            assertEq(accesses[i].oldBalance, accesses[i].newBalance, "a balance changed");
            for (uint256 j = 0; j < accesses[i].storageAccesses.length; ++j) {
                assertFalse(accesses[i].storageAccesses[j].isWrite, "a slot was written");
            }
        }
    }
}
