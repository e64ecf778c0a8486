// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../src/interfaces/SubrosaTypes.sol";
import {DoubleSubmitter, GreedyWithdrawer, ReentrantRelayer, Saboteur, StarvingRelayer} from "./relayers/Relayers.sol";
import {AdversaryTest} from "./support/AdversaryTest.sol";
import {Batches, Fulfillment, FulfillmentGroup} from "./support/Batches.sol";
import {Recorder} from "./support/Consumers.sol";

/// @notice Pays out, and is locked while it does: what it is told meanwhile it refuses.
contract LockedConsumer is Recorder {
    bool private locked;

    error Locked();

    function payOut(address payable to) external {
        locked = true;
        (bool taken,) = to.call{value: 1}("");
        require(taken);
        locked = false;
    }

    function onSubrosaResult(bytes32 contractId, uint256 seq, uint8 status, bytes calldata output) external override {
        if (locked) revert Locked();
        calls.push(Call(contractId, seq, status, output, gasleft()));
    }
}

/// @notice What hostile relayers can do to requesters, to each other and to the escrow: nothing.
contract AdversarialRelayersTest is AdversaryTest {
    address private user = makeAddr("user");

    function _all() private view returns (uint256) {
        return _earned(enemys) + _earned(behind) + _earned(beside);
    }

    function test_a_batch_submitted_twice_in_one_transaction_is_paid_once() public {
        DoubleSubmitter enemy = new DoubleSubmitter();
        uint256[] memory executed = enemy.submit(oracle, Batches.pack(_prepare(user)), 3);
        assertEq(executed[0], 3);
        assertEq(executed[1], 0);
        assertEq(executed[2], 0);
        assertEq(oracle.balanceOf(address(enemy)), _all());
        _assertBystandersServed();
        _assertEscrow(0, address(enemy), address(0));
    }

    function test_a_batch_submitted_in_two_transactions_is_paid_once() public {
        Fulfillment memory f = _prepare(user);
        assertEq(_fulfill(f), 3);
        address second = makeAddr("second relayer");
        vm.roll(block.number + 1);
        skip(12);
        bytes memory batch = Batches.pack(f);
        vm.prank(second);
        assertEq(oracle.fulfill(batch), 0);
        assertEq(oracle.balanceOf(second), 0);
        assertEq(oracle.balanceOf(relayer), _all());
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_groups_repeated_within_one_batch_are_paid_once() public {
        Fulfillment memory once = _prepare(user);
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](5);
        for (uint256 i = 0; i < 5; ++i) {
            groups[i] = once.groups[i % 2];
        }
        assertEq(_fulfill(_batch(groups)), 3);
        assertEq(oracle.balanceOf(relayer), _all());
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_an_item_repeated_within_its_group_is_not_on_the_log() public {
        Entry memory a = _request(stateful, user, 0);
        _expectSkip(stateful, _seq(a) + 1, 3);
        assertEq(_execute(_list(a, a)), 1);
        assertEq(oracle.balanceOf(relayer), _earned(a));
        _assertEscrow(0);
    }

    function test_a_batch_cut_into_other_groups_is_the_same_batch() public {
        Fulfillment memory f = _prepare(user);
        // The signature is over results in order; where one group ends is not part of it.
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](3);
        groups[0] = _groupOnHead(_list(enemys));
        groups[1] = _groupInPlace(_list(behind));
        groups[2] = f.groups[1];
        f.groups = groups;
        assertEq(_fulfill(f), 3);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_a_batch_cut_short_is_refused() public {
        Fulfillment memory f = _prepare(user);
        f.groups = _groups(f.groups[0]);
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
        assertEq(enemy.submit(Batches.pack(_prepare(user))), 3);
        assertEq(enemy.collect(payable(address(enemy))), _all());
        assertEq(enemy.executedAgain(), 0);
        assertFalse(enemy.withdrew());
        assertEq(address(enemy).balance, _all());
        _assertBystandersServed();
        _assertEscrow(0, address(enemy), address(0));
    }

    function test_a_relayer_that_withdraws_on_being_paid_withdraws_once() public {
        GreedyWithdrawer enemy = new GreedyWithdrawer(oracle);
        // What it could steal: a payment that waits for somebody else.
        _execute(_list(_request(stateful, user, 0)));
        uint256 others = oracle.balanceOf(relayer);
        assertEq(enemy.submit(Batches.pack(_prepare(user))), 3);
        assertEq(enemy.collect(), _all());
        assertEq(enemy.refusals(), 1);
        assertEq(address(enemy).balance, _all());
        assertEq(oracle.balanceOf(relayer), others);
        _assertEscrow(0, address(enemy), address(0));
    }

    function test_a_relayer_just_below_the_promise_gets_and_does_nothing() public {
        StarvingRelayer enemy = new StarvingRelayer();
        bytes memory batch = Batches.pack(_prepare(user));
        // The largest gas limit at which the batch ends before its first item, to the unit.
        (uint256 low, uint256 high) = (100_000, 2_000_000);
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            uint256 snapshot = vm.snapshotState();
            (, uint256 executed) = enemy.submit(oracle, batch, middle);
            (low, high) = executed == 0 ? (middle, high) : (low, middle);
            vm.revertToStateAndDelete(snapshot);
        }
        uint256 head = oracle.head(stateful);
        uint256 cold = vm.snapshotState();
        vm.expectEmit(true, true, false, false, address(oracle));
        emit ISubrosaOracle.BatchEnded(stateful, _seq(enemys), 0);
        (bool success, uint256 none) = enemy.submit(oracle, batch, low);
        assertTrue(success);
        assertEq(none, 0);
        assertEq(oracle.head(stateful), head);
        assertEq(oracle.balanceOf(address(enemy)), 0);
        _assertEscrow(3 * FEE);
        // What the batch looked up would cost less now.
        vm.revertToStateAndDelete(cold);

        (, uint256 some) = enemy.submit(oracle, batch, high);
        assertEq(some, 1, "one unit more, and the first item is taken");
        assertEq(oracle.balanceOf(address(enemy)), _earned(enemys));
        // Somebody honest lands the rest of the same batch.
        vm.prank(relayer);
        assertEq(oracle.fulfill(batch), 2);
        _assertBystandersServed();
        _assertEscrow(0, address(enemy), address(0));
    }

    function test_force_fed_ether_is_paid_to_nobody() public {
        vm.deal(address(oracle), address(oracle).balance + 10 ether);
        assertEq(_fulfill(_prepare(user)), 3);
        assertEq(oracle.balanceOf(relayer), _all());
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
        bytes memory first = Batches.pack(_batch(_groupOnHead(_list(enemys))));
        address fast = makeAddr("fast relayer");
        vm.prank(fast);
        assertEq(oracle.fulfill(first), 1);
        assertEq(_fulfill(all), 2);
        assertEq(oracle.balanceOf(fast), _earned(enemys));
        assertEq(oracle.balanceOf(relayer), _earned(behind) + _earned(beside));
        _assertBystandersServed();
        _assertEscrow(0, fast, address(0));
    }

    // Copies.

    function test_a_copied_transaction_earns_its_copier_nothing() public {
        Fulfillment memory f = _prepare(user);
        f.payee = makeAddr("payee");
        _signBatch(f, signerKey);
        bytes memory batch = Batches.pack(f);
        vm.prank(makeAddr("copier"));
        assertEq(oracle.fulfill(batch), 3);
        assertEq(oracle.balanceOf(makeAddr("copier")), 0);
        assertEq(oracle.balanceOf(f.payee), _all());
        _assertBystandersServed();
        _assertEscrow(0, f.payee, address(0));
    }

    function test_a_copier_names_no_other_payee() public {
        Fulfillment memory f = _prepare(user);
        address[2] memory payees = [address(0), makeAddr("copier")];
        f.payee = makeAddr("payee");
        _signBatch(f, signerKey);
        for (uint256 i = 0; i < 2; ++i) {
            f.payee = payees[i];
            vm.expectRevert();
            _fulfill(f);
        }
        _assertEscrow(3 * FEE);
    }

    function test_a_batch_without_a_payee_is_whoevers_sends_it() public {
        bytes memory batch = Batches.pack(_prepare(user));
        vm.prank(makeAddr("anyone"));
        oracle.fulfill(batch);
        assertEq(oracle.balanceOf(makeAddr("anyone")), _all());
    }

    // Sabotage.

    /// @dev The callback fails in the consumer's own call; it is due for the grace period, and whoever makes it is paid
    /// its gas at the base fee, so that a saboteur has less than by landing it plainly.
    function test_a_saboteur_gains_nothing_and_the_callback_is_not_lost() public {
        _sabotage(address(0));
    }

    /// @dev Nor by a copied batch, whose landing pays the payee that is signed.
    function test_a_saboteur_gains_nothing_by_a_batch_that_it_copied() public {
        _sabotage(relayer);
    }

    function _sabotage(address payee) private {
        Saboteur enemy = new Saboteur(oracle);
        LockedConsumer victim = new LockedConsumer();
        vm.deal(address(victim), 1);
        Entry memory entry = _request(stateful, address(victim), 1_000_000);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        f.payee = payee;
        _signBatch(f, signerKey);
        enemy.arm(Batches.pack(f));

        vm.recordLogs();
        vm.cool(address(oracle));
        uint256 spent = gasleft();
        victim.payOut(payable(address(enemy)));
        spent -= gasleft();
        Outstanding memory left = _lastOutstanding();
        assertEq(victim.count(), 0);
        _assertOutstanding(entry, left, CALLBACK_DUE);
        uint256 early = oracle.balanceOf(payee == address(0) ? address(enemy) : payee);
        assertLt(early, _earned(entry));

        uint256 snapshot = vm.snapshotState();
        oracle.retryCallback(entry, left, _output(entry));
        assertEq(victim.count(), 1, "anyone makes it, and is paid for it");
        assertGt(oracle.balanceOf(address(this)), 0);
        vm.revertToStateAndDelete(snapshot);

        vm.cool(address(oracle));
        uint256 again = gasleft();
        enemy.makeAnew(entry, left, _output(entry));
        again -= gasleft();
        assertEq(victim.count(), 1);
        uint256 earned = oracle.balanceOf(address(enemy));
        assertLt(earned, _earned(entry), "less than by landing it plainly");
        // Without what two transactions cost beyond execution.
        uint256 landing = payee == address(0) ? _landing(entry) : 0;
        assertLt(earned, landing + (spent + again) * BASE_FEE, "sabotage pays nothing");
        left.held -= uint48((earned - (payee == address(0) ? early : 0)) / 1 gwei);
        _assertOutstanding(entry, left, FOR_REQUESTER);
        oracle.refundExecuted(entry, left);
        assertEq(address(victim).balance, uint256(left.held) * 1 gwei, "the rest is the requester's");
    }

    /// @dev An answer kept back until after the deadline is worth its landing part.
    function test_withholding_gains_nothing() public {
        Fulfillment memory f = _prepare(user);
        skip(2 hours);
        assertEq(_fulfill(f), 3);
        assertEq(oracle.balanceOf(relayer), _landing(enemys) + _landing(behind) + _landing(beside));
        assertEq(oracle.balanceOf(owner), 0, "nor does the owner");
        for (uint256 i = 0; i < 3; ++i) {
            Entry memory entry = i == 0 ? enemys : i == 1 ? behind : beside;
            _assertOutstanding(entry, _left(entry, _callbackPart(entry) + CHARGE), CALLBACK_DUE | FOR_REQUESTER);
            oracle.refundExecuted(entry, _left(entry, _callbackPart(entry) + CHARGE));
        }
        _assertEscrow(0);
    }
}
