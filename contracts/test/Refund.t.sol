// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Burner, Refuser} from "./support/Consumers.sol";

/// @notice Deadlines, refunds and late execution, in every order.
contract RefundTest is OracleTest {
    address private user = makeAddr("user");

    function test_before_the_deadline_there_is_no_refund() public {
        Entry memory entry = _request(stateful, user, 0);
        uint256 deadline = uint48(entry.settlement);
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.DeadlineNotPassed.selector, deadline));
        oracle.refund(entry);
        vm.warp(deadline + 1);
        oracle.refund(entry);
    }

    function test_anyone_can_have_the_requester_refunded_once() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, user, 0);
            uint256 before = user.balance;
            skip(2 hours);
            vm.expectEmit(true, true, true, true, address(oracle));
            emit ISubrosaOracle.Refunded(entry.contractId, entry.seq, user, FEE - CHARGE);
            vm.prank(makeAddr("anyone"));
            oracle.refund(entry);
            assertEq(user.balance - before, FEE - CHARGE);
            assertEq(_status(entry), 1);

            vm.expectRevert(
                abi.encodeWithSelector(ISubrosaOracle.AlreadyRefunded.selector, entry.contractId, entry.seq)
            );
            oracle.refund(entry);
        }
    }

    function test_a_refunded_entry_is_still_executed_for_the_charge() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, user, 0);
            skip(2 hours);
            oracle.refund(entry);
            uint256 before = relayer.balance;
            assertEq(_execute(_list(entry)), 1);
            assertEq(relayer.balance - before, CHARGE);
        }
        assertEq(address(oracle).balance, 0, "nothing is left over");
    }

    function test_a_late_entry_without_refund_earns_the_whole_fee() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, user, 0);
            skip(2 hours);
            uint256 before = relayer.balance;
            assertEq(_execute(_list(entry)), 1);
            assertEq(relayer.balance - before, FEE);
        }
    }

    function test_an_executed_entry_is_not_refunded() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, user, 0);
            _execute(_list(entry));
            skip(2 hours);
            vm.expectRevert(
                abi.encodeWithSelector(ISubrosaOracle.AlreadyExecuted.selector, entry.contractId, entry.seq)
            );
            oracle.refund(entry);
        }
    }

    function test_a_refunded_entry_executed_later_is_not_refunded_again() public {
        Entry memory entry = _request(stateful, user, 0);
        skip(2 hours);
        oracle.refund(entry);
        _execute(_list(entry));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.AlreadyRefunded.selector, stateful, 1));
        oracle.refund(entry);
    }

    function test_a_batch_pays_refunded_and_open_entries_each_their_own() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        Entry memory c = _request(stateful, user, 0);
        skip(2 hours);
        oracle.refund(b);
        uint256 before = relayer.balance;
        assertEq(_execute(_list(a, b, c)), 3);
        assertEq(relayer.balance - before, 2 * FEE + CHARGE);
    }

    function testFuzz_only_the_very_entry_is_refunded(uint8 field, uint8 bit) public {
        Entry memory entry = _request(stateful, user, 0);
        skip(2 hours);
        bytes32 mask = bytes32(1 << uint256(bit));
        field %= 7;
        if (field == 0) entry.contractId ^= mask;
        if (field == 1) entry.seq ^= uint48(1 << (bit % 48));
        if (field == 2) entry.previousDigest ^= mask;
        if (field == 3) entry.context ^= mask;
        if (field == 4) entry.inputHash ^= mask;
        if (field == 5) entry.settlement ^= uint256(mask);
        if (field == 6) entry.payment ^= uint256(mask);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.EntryMismatch.selector, entry.contractId, entry.seq));
        oracle.refund(entry);
    }

    function test_a_fee_that_is_all_charge_has_nothing_to_refund() public {
        Entry memory entry = _request(stateful, user, _terms(0), CHARGE);
        skip(2 hours);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToRefund.selector, stateful, 1));
        oracle.refund(entry);
    }

    function test_a_deployment_that_nobody_executes_is_refunded() public {
        (, Entry memory entry) = _register(false);
        uint256 before = owner.balance;
        skip(2 hours);
        oracle.refund(entry);
        assertEq(owner.balance - before, FEE - CHARGE);
    }

    function test_a_refund_that_is_refused_waits_for_its_owner() public {
        address[2] memory requesters = [address(new Refuser()), address(new Burner())];
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(stateful, requesters[i], 0);
            skip(2 hours);
            vm.expectEmit(true, true, true, true, address(oracle));
            emit ISubrosaOracle.PaymentDeferred(requesters[i], FEE - CHARGE);
            oracle.refund{gas: 200_000}(entry);

            address payable recipient = payable(makeAddr("recipient"));
            uint256 before = recipient.balance;
            vm.prank(requesters[i]);
            oracle.withdraw(recipient);
            assertEq(recipient.balance - before, FEE - CHARGE);
        }
    }
}
