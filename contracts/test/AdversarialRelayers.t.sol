// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Fulfillment, FulfillmentGroup} from "../src/interfaces/SubrosaTypes.sol";
import {
    BombingRelayer,
    DoubleSubmitter,
    GreedyWithdrawer,
    GuzzlingRelayer,
    ReentrantRelayer,
    StarvingRelayer
} from "./relayers/Relayers.sol";
import {AdversaryTest} from "./support/AdversaryTest.sol";

/// @notice What hostile relayers can do to requesters, to each other and to the escrow: nothing.
contract AdversarialRelayersTest is AdversaryTest {
    address private user = makeAddr("user");

    function test_a_batch_submitted_twice_in_one_transaction_is_paid_once() public {
        DoubleSubmitter enemy = new DoubleSubmitter();
        uint256[] memory executed = enemy.submit(oracle, _prepare(user), 3);
        assertEq(executed[0], 3);
        assertEq(executed[1], 0);
        assertEq(executed[2], 0);
        assertEq(address(enemy).balance, 3 * FEE);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_a_batch_submitted_in_two_transactions_is_paid_once() public {
        Fulfillment memory f = _prepare(user);
        assertEq(_fulfill(f), 3);
        address second = makeAddr("second relayer");
        vm.roll(block.number + 1);
        skip(12);
        vm.prank(second);
        assertEq(oracle.fulfill(f), 0);
        assertEq(second.balance, 0);
        assertEq(relayer.balance, 5 * FEE, "two deployments and these three");
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_groups_repeated_within_one_batch_are_paid_once() public {
        Fulfillment memory once = _prepare(user);
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](5);
        for (uint256 i = 0; i < 5; ++i) {
            groups[i] = once.groups[i % 2];
        }
        uint256 before = relayer.balance;
        assertEq(_fulfill(_batch(groups)), 3);
        assertEq(relayer.balance - before, 3 * FEE);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_an_item_repeated_within_its_group_is_not_on_the_log() public {
        Entry memory a = _request(stateful, user, 0);
        _expectSkip(stateful, a.seq + 1, 3);
        uint256 before = relayer.balance;
        assertEq(_execute(_list(a, a)), 1);
        assertEq(relayer.balance - before, FEE);
        _assertEscrow(0);
    }

    function test_a_batch_cut_into_other_groups_is_the_same_batch() public {
        Fulfillment memory f = _prepare(user);
        // The signature is over results in order; where one group ends is not part of it.
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](3);
        groups[0] = _groupOnHead(_list(enemys));
        groups[1] = _group(_commitment(enemys) | behind.seq, _list(behind));
        groups[2] = f.groups[1];
        f.groups = groups;
        assertEq(_fulfill(f), 3);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_a_batch_cut_short_is_refused() public {
        Fulfillment memory f = _prepare(user);
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](1);
        groups[0] = f.groups[0];
        f.groups = groups;
        vm.expectRevert();
        _fulfill(f);
        _assertEscrow(3 * FEE);
    }

    function test_groups_in_another_order_are_refused() public {
        Fulfillment memory f = _prepare(user);
        (f.groups[0], f.groups[1]) = (f.groups[1], f.groups[0]);
        vm.expectRevert();
        _fulfill(f);
        _assertEscrow(3 * FEE);
    }

    function test_a_relayer_that_submits_again_on_being_paid_is_paid_once() public {
        ReentrantRelayer enemy = new ReentrantRelayer(oracle);
        assertEq(enemy.submit(_prepare(user)), 3);
        assertEq(enemy.executedAgain(), 0);
        assertFalse(enemy.withdrew());
        assertEq(address(enemy).balance + oracle.balanceOf(address(enemy)), 3 * FEE);
        _assertBystandersServed();
        _assertEscrow(0, address(enemy), address(0));
    }

    function test_a_relayer_that_withdraws_on_being_paid_withdraws_once() public {
        GreedyWithdrawer enemy = new GreedyWithdrawer(oracle);
        // What it could steal: a payment deferred for somebody else.
        oracle.fulfill(_batch(_groupOnHead(_list(_request(stateful, user, 0)))));
        assertEq(enemy.submit(_prepare(user)), 3);
        assertEq(oracle.balanceOf(address(enemy)), 3 * FEE);

        assertEq(enemy.collect(), 3 * FEE);
        assertEq(enemy.refusals(), 1);
        assertEq(address(enemy).balance, 3 * FEE);
        _assertEscrow(0, address(this), address(enemy));
        assertEq(oracle.balanceOf(address(this)), FEE);
    }

    function test_a_relayer_that_burns_its_payments_gas_is_owed_it_still() public {
        GuzzlingRelayer enemy = new GuzzlingRelayer();
        Fulfillment memory f = _prepare(user);
        bool started;
        for (uint256 limit = 300_000; limit < 1_400_000; limit += 5000) {
            uint256 snapshot = vm.snapshotState();
            (bool success, uint256 executed) = enemy.submit(oracle, f, limit);
            assertTrue(success || !started, "more gas, yet it fails");
            started = success;
            assertEq(oracle.balanceOf(address(enemy)), executed * FEE);
            _assertEscrow((3 - executed) * FEE, address(enemy), address(0));
            vm.revertToStateAndDelete(snapshot);
        }
        (, uint256 all) = enemy.submit(oracle, f, 3_000_000);
        assertEq(all, 3);
        _assertBystandersServed();
        assertEq(enemy.collect(oracle, payable(user)), 3 * FEE);
        _assertEscrow(0);
    }

    function test_a_relayer_that_returns_a_bomb_is_paid_and_not_copied() public {
        BombingRelayer enemy = new BombingRelayer();
        assertEq(enemy.submit(oracle, _prepare(user)), 3);
        assertEq(address(enemy).balance, 3 * FEE);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_a_relayer_just_below_the_promise_gets_and_does_nothing() public {
        StarvingRelayer enemy = new StarvingRelayer();
        Fulfillment memory f = _prepare(user);
        // The largest gas limit at which the batch ends before its first item, to the unit.
        (uint256 low, uint256 high) = (100_000, 2_000_000);
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            uint256 snapshot = vm.snapshotState();
            (, uint256 executed) = enemy.submit(oracle, f, middle);
            (low, high) = executed == 0 ? (middle, high) : (low, middle);
            vm.revertToStateAndDelete(snapshot);
        }
        uint256 head = _head(stateful);
        uint256 cold = vm.snapshotState();
        vm.expectEmit(true, true, false, false, address(oracle));
        emit ISubrosaOracle.BatchEnded(stateful, enemys.seq, 0);
        (bool success, uint256 none) = enemy.submit(oracle, f, low);
        assertTrue(success);
        assertEq(none, 0);
        assertEq(_head(stateful), head);
        assertEq(address(enemy).balance, 0);
        _assertEscrow(3 * FEE);
        // What the batch looked up would cost less now.
        vm.revertToStateAndDelete(cold);

        (, uint256 some) = enemy.submit(oracle, f, high);
        assertEq(some, 1, "one unit more, and the first item is taken");
        assertEq(address(enemy).balance, FEE);
        // Somebody honest lands the rest of the same batch.
        assertEq(_fulfill(f), 2);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_force_fed_ether_is_paid_to_nobody() public {
        vm.deal(address(oracle), 10 ether);
        Fulfillment memory f = _prepare(user);
        uint256 before = relayer.balance;
        assertEq(_fulfill(f), 3);
        assertEq(relayer.balance - before, 3 * FEE);
        _assertEscrow(10 ether);
    }

    function test_the_oracle_takes_no_plain_ether() public {
        vm.deal(address(this), 1 ether);
        (bool success,) = address(oracle).call{value: 1 ether}("");
        assertFalse(success);
    }

    /// @dev Whoever lands an item gets its fee: two relayers with overlapping batches share.
    function test_overlapping_batches_pay_each_relayer_for_what_it_landed() public {
        Fulfillment memory all = _prepare(user);
        Fulfillment memory first = _batch(_groupOnHead(_list(enemys)));
        address fast = makeAddr("fast relayer");
        vm.prank(fast);
        assertEq(oracle.fulfill(first), 1);
        uint256 before = relayer.balance;
        assertEq(_fulfill(all), 2);
        assertEq(fast.balance, FEE);
        assertEq(relayer.balance - before, 2 * FEE);
        _assertBystandersServed();
        _assertEscrow(0);
    }
}
