// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../src/interfaces/SubrosaTypes.sol";
import {RequestReenterer} from "./consumers/Reenterers.sol";
import {Fulfillment} from "./support/Batches.sol";
import {Moody} from "./support/Consumers.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Reference} from "./support/Reference.sol";

/// @notice Slots come around: each rule of the ring has an attack behind it.
contract RingTest is OracleTest {
    address private user = makeAddr("user");

    function test_steady_traffic_writes_no_new_slot() public {
        for (uint256 i = 1; i < 200; ++i) {
            for (uint256 k = 0; k < 2; ++k) {
                bytes32 id = k == 0 ? stateful : stateless;
                if (i >= 64) assertTrue(_slotAt(id, i % 64) != 0, "used before");
                _execute(_list(_request(id, user, 0)));
                assertEq(_slotAt(id, i | 1 << 48), 0);
            }
        }
    }

    function test_a_pending_entry_is_never_written_over() public {
        for (uint256 k = 0; k < 2; ++k) {
            bytes32 id = k == 0 ? stateful : stateless;
            Entry memory first = _request(id, user, 0);
            Entry[] memory more = new Entry[](130);
            for (uint256 i = 0; i < more.length; ++i) {
                more[i] = _request(id, user, 0);
            }
            assertEq(_slotAt(id, 1), _digest(first));
            // Of 130 entries that follow, 62 find an empty slot; entry 0's is free as it is executed.
            for (uint256 i = 0; i < more.length; ++i) {
                uint256 seq = _seq(more[i]);
                bool apart = seq > 64;
                assertEq(_slotAt(id, apart ? seq | 1 << 48 : seq % 64), _digest(more[i]));
            }
            assertEq(oracle.logOf(id) >> 155 & 1, 1, "the last one is apart");
            _assertChainGoesOn(id, more[more.length - 1]);
        }
    }

    function test_entries_apart_are_executed_refunded_and_topped_up_like_others() public {
        Entry[] memory all = new Entry[](70);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = _request(stateful, user, 100_000);
        }
        Entry memory last = all[69];
        vm.deal(address(this), 1 gwei);
        oracle.addFee{value: 1 gwei}(last);
        vm.prank(user);
        oracle.cancel(last);
        skip(2 hours);
        oracle.refund(last);
        assertEq(_slotAt(stateful, 70 | 1 << 48), _digest(last) | bytes32(uint256(TOPPED_UP | CANCELLED | REFUNDED)));
        assertEq(_execute(all), 70);
        assertEq(_headFlags(stateful), 0);
        assertEq(_addedTo(last), 0);
    }

    /// @dev The head has passed the entry; its slot is another's, which must keep what it holds.
    function test_nothing_is_written_to_a_slot_on_account_of_an_executed_entry() public {
        Moody moody = new Moody();
        Entry memory failed = _request(stateful, address(moody), 100_000);
        vm.recordLogs();
        _execute(_list(failed));
        Outstanding memory left = _lastOutstanding();
        Entry memory other;
        for (uint256 i = 0; i < 64; ++i) {
            other = _request(stateful, user, 0);
        }
        assertEq(_seq(other) % 64, _seq(failed) % 64);
        assertEq(_slotAt(stateful, 1), _digest(other));
        moody.cheerUp();
        oracle.retryCallback(failed, left, _output(failed));
        assertEq(_slotAt(stateful, 1), _digest(other));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.AlreadyExecuted.selector, stateful, 1));
        oracle.refund(failed);
    }

    /// @dev A callback that appends finds the slot of its own entry free.
    function test_a_callback_may_append_into_the_slot_of_its_own_entry() public {
        uint256 terms = _terms(0);
        RequestReenterer puppet = new RequestReenterer(oracle, stateful, terms, FEE, 1);
        vm.deal(address(puppet), 10 * FEE);
        Entry[] memory all = new Entry[](64);
        for (uint256 i = 0; i < 64; ++i) {
            all[i] = _request(stateful, address(puppet), i == 0 ? 500_000 : 0);
        }
        bytes32 last = _digest(all[63]);
        vm.recordLogs();
        // The first entry's callback appends entry 65, and the rest of the batch is applied all the same.
        Fulfillment memory f = _batch(_groupOnHead(all));
        assertEq(_fulfill(f), 64);
        Entry memory within = _appended();
        assertEq(_seq(within), 65);
        assertEq(within.previousDigest, last);
        assertEq(_slotAt(stateful, 1), _digest(within));
        _note(within);
        assertEq(_execute(_list(within)), 1);
    }

    function test_a_stateless_log_writes_over_executed_entries_only_in_whatever_order() public {
        Entry[] memory all = new Entry[](64);
        for (uint256 i = 0; i < 64; ++i) {
            all[i] = _request(stateless, user, 0);
        }
        _execute(_list(all[9]));
        // Entries 65 to 73 find entries 1 to 9 pending; the next one's place is entry 10's, which is executed.
        for (uint256 seq = 65; seq < 76; ++seq) {
            Entry memory entry = _request(stateless, user, 0);
            assertEq(_seq(entry), seq);
            uint256 position = seq == 74 ? 10 : seq | 1 << 48;
            assertEq(_slotAt(stateless, position), _digest(entry));
            assertEq(_execute(_list(entry)), 1);
        }
        // What was written over is nobody's any more.
        _expectSkip(stateless, 10, 3);
        assertEq(_execute(_list(all[9])), 0);
    }

    /// @dev Refunded, cancelled, topped up: written over never, whatever the bits.
    function test_a_status_survives_until_its_entry_is_executed() public {
        for (uint256 k = 0; k < 2; ++k) {
            bytes32 id = k == 0 ? stateful : stateless;
            Entry memory entry = _request(id, user, 100_000);
            vm.prank(user);
            oracle.cancel(entry);
            skip(2 hours);
            oracle.refund(entry);
            skip(31 days);
            oracle.reclaim(entry);
            for (uint256 i = 0; i < 65; ++i) {
                _request(id, user, 0);
            }
            assertEq(_status(entry), CANCELLED | REFUNDED | RECLAIMED);
            uint256 before = oracle.balanceOf(relayer);
            assertEq(_execute(_list(entry)), 1);
            assertEq(oracle.balanceOf(relayer), before);
            _assertNothingOutstanding(entry);
            if (k == 0) assertEq(_headFlags(id), 1, "others are pending");
        }
    }

    /// @dev A position says nothing of which entry lies there, and a reorganization puts another one there.
    function test_an_entry_of_another_branch_is_not_the_one_in_its_place() public {
        uint256 snapshot = vm.snapshotState();
        Entry memory lost = _request(stateful, user, 0);
        vm.revertToState(snapshot);
        skip(12);
        Entry memory kept = _request(stateful, user, 0);
        assertEq(_seq(lost), _seq(kept));
        assertTrue(_digest(lost) != _digest(kept));
        vm.deal(address(this), 1 gwei);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.EntryMismatch.selector, stateful, 1));
        oracle.addFee{value: 1 gwei}(lost);
        _expectSkip(stateful, 1, 3);
        assertEq(_execute(_list(lost)), 0);
    }

    function test_the_mark_goes_with_the_last_pending_entry() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        vm.deal(address(this), 2 gwei);
        oracle.addFee{value: 1 gwei}(b);
        assertEq(_headFlags(stateful), 1);
        _execute(_list(a));
        assertEq(_headFlags(stateful), 1);
        _execute(_list(b));
        assertEq(_headFlags(stateful), 0);
        vm.deal(address(this), 1 gwei);
        Entry memory c = _request(stateless, user, 0);
        oracle.addFee{value: 1 gwei}(c);
        assertEq(_headFlags(stateless), 4, "a stateless log's slots are always looked at");
    }

    function _assertChainGoesOn(bytes32 id, Entry memory last) private {
        Entry memory next = _request(id, user, 0);
        assertEq(next.previousDigest, id == stateless ? bytes32(0) : _digest(last));
    }
}
