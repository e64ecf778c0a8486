// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Fulfillment, FulfillmentGroup, FulfillmentItem} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";

/// @notice Which items are applied, and what that changes.
contract FulfillTest is OracleTest {
    address private user = makeAddr("user");

    function test_an_executed_entry_moves_the_head_and_pays_the_relayer() public {
        Entry memory entry = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        uint256 before = relayer.balance;

        FulfillmentItem memory item = f.groups[0].items[0];
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.EntryFulfilled(stateful, 1, item.result, item.data);
        assertEq(_fulfill(f), 1);

        assertEq(_head(stateful), _commitment(entry) | 2);
        assertEq(relayer.balance - before, FEE);
        assertEq(_status(entry), 0, "the slot is untouched");
    }

    function test_a_batch_over_two_contracts_is_applied_in_order() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        Entry memory c = _request(stateless, user, 0);
        uint256 before = relayer.balance;

        assertEq(_fulfill(_batch(_groupOnHead(_list(a, b)), _groupOnHead(_list(c)))), 3);

        assertEq(_head(stateful), _commitment(b) | 3);
        assertEq(_status(c), 4);
        assertEq(relayer.balance - before, 3 * FEE);
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
        uint256 before = relayer.balance;

        _expectSkip(stateful, 1, 1);
        assertEq(_fulfill(f), 2);
        assertEq(_head(stateful), _commitment(c) | 4);
        assertEq(relayer.balance - before, 2 * FEE);
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
        assertEq(uint48(_head(stateful)), 1);
        assertEq(_status(other), 4);
    }

    function testFuzz_no_changed_field_of_an_entry_is_accepted(uint8 field, uint8 bit) public {
        Entry memory entry = _request(stateful, user, 0);
        FulfillmentGroup memory group = _groupOnHead(_list(entry));
        uint256 mask = 1 << bit;
        field %= 5;
        if (field == 0) group.items[0].executionHash ^= bytes32(mask);
        if (field == 1) group.items[0].settlement ^= mask;
        if (field == 2) group.items[0].payment ^= mask;
        if (field == 3) group.previousDigest ^= bytes32(mask);
        if (field == 4) group.contractId ^= bytes32(mask);
        Fulfillment memory f = _batch(group);

        vm.startStateDiffRecording();
        assertEq(_fulfill(f), 0);
        _assertUnchanged();
    }

    function test_an_unregistered_contract_has_nothing_to_fulfill() public {
        Entry memory entry = _request(stateful, user, 0);
        entry.contractId = keccak256("nobody");
        entry.seq = 0;
        entry.previousDigest = 0;
        _expectSkip(entry.contractId, 0, 3);
        assertEq(_fulfill(_batch(_group(0, _list(entry)))), 0);
    }

    function test_stateless_entries_are_executed_in_any_order_once() public {
        Entry memory a = _request(stateless, user, 0);
        Entry memory b = _request(stateless, user, 0);
        assertEq(_execute(_list(b)), 1);
        assertEq(_execute(_list(a)), 1);
        assertEq(_status(a), 4);
        assertEq(_status(b), 4);
        assertEq(_head(stateless), 0);

        uint256 before = relayer.balance;
        _expectSkip(stateless, b.seq, 1);
        assertEq(_execute(_list(b)), 0);
        assertEq(relayer.balance, before);
    }

    function test_a_stateless_group_holds_one_entry() public {
        Entry memory a = _request(stateless, user, 0);
        Entry memory b = _request(stateless, user, 0);
        // In a group, entries are chained; on this log they are not.
        _expectSkip(stateless, b.seq, 3);
        assertEq(_execute(_list(a, b)), 1);
        assertEq(_status(b), 0);
    }

    function test_entries_of_another_key_epoch_are_skipped() public {
        Entry memory old = _request(stateful, user, 0);
        Entry memory oldStateless = _request(stateless, user, 0);
        _openEpoch(2);
        vm.startPrank(owner);
        vm.recordLogs();
        oracle.advanceEpoch{value: FEE}(stateful, 2);
        vm.stopPrank();
        Entry memory moved = _appended();
        _note(moved);

        _expectSkip(stateful, 2, 4);
        assertEq(_execute(_list(old, moved)), 1);

        Fulfillment memory f = _batch(_groupOnHead(_list(moved)), _groupOnHead(_list(oldStateless)));
        f.keyEpoch = 2;
        _signBatch(f, signerKey);
        _expectSkip(stateless, oldStateless.seq, 4);
        assertEq(_fulfill(f), 1);
        assertEq(uint48(_head(stateful)), 3);
    }

    function test_an_empty_batch_is_a_success() public {
        assertEq(_fulfill(_batch(new FulfillmentGroup[](0))), 0);
        FulfillmentGroup memory empty;
        empty.contractId = stateful;
        assertEq(_fulfill(_batch(empty)), 0);
    }

    function test_output_longer_than_the_data_reverts() public {
        Entry memory entry = _request(stateful, user, 0);
        FulfillmentGroup memory group = _groupOnHead(_list(entry));
        Fulfillment memory f = _batch(group);
        f.groups[0].items[0].result |= type(uint32).max;
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.OutputLengthTooLong.selector, 0, 0));
        _fulfill(f);
    }

    /// @dev Far out, copying reads zeros where loading wraps around to the start of calldata.
    function testFuzz_only_the_low_bits_of_an_items_offset_count(uint224 high) public {
        Fulfillment memory f = _batch(_groupOnHead(_list(_request(stateful, user, 0))));
        bytes memory message = abi.encodeCall(oracle.fulfill, f);
        uint256 items = _itemsOffset(message);
        uint256 offset = _word(message, items);
        assertEq(offset, 0x20, "of the only item");
        _putWord(message, items, uint256(high) << 32 | offset);
        vm.prank(relayer);
        (bool success,) = address(oracle).call(message);
        assertTrue(success);
        assertEq(uint48(_head(stateful)), 2);
    }

    function testFuzz_no_offset_of_an_item_has_another_entry_executed(uint256 offset, uint8 below) public {
        Entry memory entry = _request(stateful, user, 0);
        bytes memory message = abi.encodeCall(oracle.fulfill, _batch(_groupOnHead(_list(entry))));
        uint256 items = _itemsOffset(message);
        // Among others an item less than 0x60 below 2^256.
        if (offset % 2 == 0) {
            unchecked {
                offset = 0 - items - below;
            }
        }
        if (uint32(offset) == 0x20) return;
        _putWord(message, items, offset);
        vm.prank(relayer);
        (bool success,) = address(oracle).call{gas: 5_000_000}(message);
        success;
        assertEq(uint48(_head(stateful)), 1);
        assertEq(address(oracle).balance, FEE, "nothing is paid");
    }

    /// @dev Where the first item's offset stands in a `fulfill` of one group.
    function _itemsOffset(bytes memory message) private pure returns (uint256) {
        uint256 fulfillment = 4 + _word(message, 4);
        uint256 groups = fulfillment + _word(message, fulfillment);
        uint256 group = groups + 0x20 + _word(message, groups + 0x20);
        return group + _word(message, group + 0x60) + 0x20;
    }

    function _word(bytes memory message, uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(message, 0x20), at))
        }
    }

    function _putWord(bytes memory message, uint256 at, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(message, 0x20), at), word)
        }
    }

    function test_payment_is_deferred_if_the_relayer_takes_none() public {
        Entry memory entry = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        // This test has no receive function.
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.PaymentDeferred(address(this), FEE);
        oracle.fulfill(f);
        assertEq(oracle.balanceOf(address(this)), FEE);

        address payable recipient = payable(makeAddr("recipient"));
        assertEq(oracle.withdraw(recipient), FEE);
        assertEq(recipient.balance, FEE);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToWithdraw.selector, address(this)));
        oracle.withdraw(recipient);
    }

    function test_a_withdrawal_to_one_who_takes_none_reverts() public {
        Entry memory entry = _request(stateful, user, 0);
        oracle.fulfill(_batch(_groupOnHead(_list(entry))));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.WithdrawalFailed.selector, address(this)));
        oracle.withdraw(payable(address(this)));
        assertEq(oracle.balanceOf(address(this)), FEE);
    }

    /// @dev The entry that would follow if the log went on.
    function _next(Entry memory entry) private view returns (Entry memory next) {
        next = abi.decode(abi.encode(entry), (Entry));
        next.previousDigest = _digest(entry);
        next.seq = entry.seq + 1;
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
