// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../src/interfaces/SubrosaTypes.sol";
import {Burner, Recorder, Refuser} from "./support/Consumers.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Reference} from "./support/Reference.sol";

/// @notice What goes back of a fee, when, to whom, and once: deadlines, late execution, cancelling, top-ups and
/// taking back, in every order.
contract RefundTest is OracleTest {
    uint32 private constant GAS = 200_000;

    address private user = makeAddr("user");
    address private refundee = makeAddr("refundee");
    Recorder private recorder = new Recorder();

    // Refunds of what is not executed.

    function test_before_the_deadline_there_is_no_refund() public {
        Entry memory entry = _request(stateful, user, GAS);
        uint256 deadline = uint48(entry.settlement);
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.DeadlineNotPassed.selector, deadline));
        oracle.refund(entry);
        vm.warp(deadline + 1);
        oracle.refund(entry);
    }

    function test_anyone_can_have_callback_part_and_charge_returned_once() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, user, GAS);
            uint256 due = _callbackPart(entry) + _charge(entry);
            uint256 before = user.balance;
            skip(2 hours);
            vm.expectEmit(true, true, true, true, address(oracle));
            emit ISubrosaOracle.Refunded(entry.contractId, _seq(entry), user, due);
            vm.prank(makeAddr("anyone"));
            oracle.refund(entry);
            assertEq(user.balance - before, due);
            assertEq(_status(entry), REFUNDED);

            vm.expectRevert(
                abi.encodeWithSelector(ISubrosaOracle.AlreadyRefunded.selector, entry.contractId, _seq(entry))
            );
            oracle.refund(entry);
        }
    }

    function test_refunds_go_to_whom_the_request_named() public {
        Entry memory entry = _request(stateful, address(recorder), _terms(GAS), FEE, refundee);
        skip(2 hours);
        oracle.refund(entry);
        assertEq(refundee.balance, _callbackPart(entry) + _charge(entry));
        skip(31 days);
        oracle.reclaim(entry);
        assertEq(refundee.balance, FEE);
        assertEq(address(recorder).balance, 0);
    }

    function test_a_refunded_entry_is_still_executed_for_its_landing_part() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, address(recorder), GAS);
            skip(2 hours);
            oracle.refund(entry);
            uint256 before = oracle.balanceOf(relayer);
            uint256 owners = oracle.balanceOf(owner);
            assertEq(_execute(_list(entry)), 1);
            assertEq(oracle.balanceOf(relayer) - before, _landing(entry));
            assertEq(oracle.balanceOf(owner), owners, "no charge for what is late");
            // The callback is still to be made, at its maker's cost.
            _assertOutstanding(entry, _left(entry, 0), CALLBACK_DUE);
        }
        assertEq(recorder.count(), 0);
        _assertEscrow(0);
    }

    function test_an_executed_entry_is_not_refunded() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, user, 0);
            _execute(_list(entry));
            skip(2 hours);
            bytes memory refusal =
                abi.encodeWithSelector(ISubrosaOracle.AlreadyExecuted.selector, entry.contractId, _seq(entry));
            vm.expectRevert(refusal);
            oracle.refund(entry);
            skip(31 days);
            vm.expectRevert(refusal);
            oracle.reclaim(entry);
            vm.prank(user);
            vm.expectRevert(refusal);
            oracle.cancel(entry);
            vm.expectRevert(refusal);
            oracle.addFee{value: 1 gwei}(entry);
        }
    }

    function test_a_batch_pays_refunded_and_open_entries_each_their_own() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        Entry memory c = _request(stateful, user, 0);
        skip(2 hours);
        oracle.refund(b);
        uint256 before = oracle.balanceOf(relayer);
        assertEq(_execute(_list(a, b, c)), 3);
        assertEq(oracle.balanceOf(relayer) - before, _landing(a) + _landing(b) + _landing(c));
        _assertOutstanding(a, _left(a, CHARGE), FOR_REQUESTER);
        _assertNothingOutstanding(b);
        _assertOutstanding(c, _left(c, CHARGE), FOR_REQUESTER);
        _assertEscrow(2 * CHARGE);
    }

    function testFuzz_only_the_very_entry_is_refunded_reclaimed_cancelled_or_topped_up(uint8 field, uint8 bit) public {
        Entry memory entry = _request(stateful, user, GAS);
        skip(40 days);
        bytes32 mask = bytes32(1 << uint256(bit));
        field %= 8;
        if (field == 0) entry.contractId ^= mask;
        if (field == 1) entry.previousDigest ^= mask;
        if (field == 2) entry.context ^= mask;
        if (field == 3) entry.inputHash ^= mask;
        if (field == 4) entry.execution ^= uint256(mask);
        if (field == 5) entry.settlement ^= uint256(mask);
        // Not to a position that was executed.
        if (field == 6) entry.payment ^= bit == 0 ? 2 : uint256(mask);
        if (field == 7) entry.refundTo = address(uint160(entry.refundTo) ^ uint160(1 << (bit % 160)));
        bytes memory mismatch =
            abi.encodeWithSelector(ISubrosaOracle.EntryMismatch.selector, entry.contractId, _seq(entry));
        vm.expectRevert(mismatch);
        oracle.refund(entry);
        vm.expectRevert(mismatch);
        oracle.reclaim(entry);
        vm.prank(user);
        vm.expectRevert(mismatch);
        oracle.cancel(entry);
        vm.expectRevert(mismatch);
        oracle.addFee{value: 1 gwei}(entry);
    }

    function test_a_fee_that_is_all_for_landing_has_nothing_to_refund() public {
        (, Entry memory entry) = _register(false);
        skip(2 hours);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToRefund.selector, entry.contractId, 0));
        oracle.refund(entry);
    }

    function test_a_refund_that_is_refused_waits_for_its_owner() public {
        address[2] memory requesters = [address(new Refuser()), address(new Burner())];
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(stateful, requesters[i], 0);
            skip(2 hours);
            vm.expectEmit(true, true, true, true, address(oracle));
            emit ISubrosaOracle.PaymentDeferred(requesters[i], CHARGE);
            oracle.refund{gas: 250_000}(entry);

            address payable recipient = payable(makeAddr("recipient"));
            uint256 before = recipient.balance;
            vm.prank(requesters[i]);
            oracle.withdraw(recipient);
            assertEq(recipient.balance - before, CHARGE);
        }
    }

    // Late ones.

    function test_a_late_entry_pays_its_landing_part_and_keeps_the_rest_for_the_requester() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, address(recorder), GAS);
            skip(2 hours);
            uint256 before = oracle.balanceOf(relayer);
            assertEq(_execute(_list(entry)), 1);
            assertEq(oracle.balanceOf(relayer) - before, _landing(entry));
            uint256 held = _callbackPart(entry) + _charge(entry);
            Outstanding memory left = _left(entry, held);
            _assertOutstanding(entry, left, CALLBACK_DUE | FOR_REQUESTER);

            before = address(recorder).balance;
            oracle.refundExecuted(entry, left);
            assertEq(address(recorder).balance - before, held);
            left.held = 0;
            _assertOutstanding(entry, left, CALLBACK_DUE);
            vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.HeldForCallback.selector, left.since + GRACE));
            oracle.refundExecuted(entry, left);
            skip(GRACE + 1);
            vm.expectRevert(
                abi.encodeWithSelector(ISubrosaOracle.NothingToRefund.selector, entry.contractId, _seq(entry))
            );
            oracle.refundExecuted(entry, left);
            oracle.retryCallback(entry, left, _output(entry));
            _assertNothingOutstanding(entry);
        }
        assertEq(recorder.count(), 2);
        _assertEscrow(0);
    }

    function test_a_late_callback_that_was_to_expire_is_not_made_but_its_part_is_returned() public {
        uint256 terms = Reference.terms(0, EXPIRES, 1, GAS, _deadline());
        Entry memory entry = _request(stateful, address(recorder), terms, FEE);
        skip(2 hours);
        _execute(_list(entry));
        Outstanding memory left = _left(entry, _callbackPart(entry) + CHARGE);
        _assertOutstanding(entry, left, FOR_REQUESTER);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingOutstanding.selector, stateful, 1));
        oracle.retryCallback(entry, left, _output(entry));
        oracle.refundExecuted(entry, left);
        _assertNothingOutstanding(entry);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingOutstanding.selector, stateful, 1));
        oracle.refundExecuted(entry, left);
        assertEq(address(recorder).balance, _callbackPart(entry) + CHARGE);
        _assertEscrow(0);
    }

    function test_a_late_callback_that_is_made_first_leaves_the_refund() public {
        Entry memory entry = _request(stateful, address(recorder), GAS);
        skip(2 hours);
        _execute(_list(entry));
        Outstanding memory left = _left(entry, _callbackPart(entry) + CHARGE);
        uint256 mine = oracle.balanceOf(address(this));
        oracle.retryCallback(entry, left, _output(entry));
        assertEq(oracle.balanceOf(address(this)), mine, "nothing is held for whoever makes it");
        assertEq(recorder.count(), 1);
        _assertOutstanding(entry, left, FOR_REQUESTER);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingOutstanding.selector, stateful, 1));
        oracle.retryCallback(entry, left, _output(entry));
        oracle.refundExecuted(entry, left);
        _assertNothingOutstanding(entry);
        _assertEscrow(0);
    }

    // Cancelling.

    function test_a_cancelled_callback_is_returned_at_once_and_not_made() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(i == 0 ? stateful : stateless, address(recorder), GAS);
            uint256 before = address(recorder).balance;
            vm.expectEmit(true, true, true, true, address(oracle));
            emit ISubrosaOracle.Cancelled(entry.contractId, _seq(entry));
            vm.prank(address(recorder));
            oracle.cancel(entry);
            assertEq(address(recorder).balance - before, _callbackPart(entry));
            assertEq(_status(entry), CANCELLED);

            uint256 owners = oracle.balanceOf(owner);
            uint256 relayers = oracle.balanceOf(relayer);
            assertEq(_execute(_list(entry)), 1);
            assertEq(oracle.balanceOf(owner) - owners, CHARGE, "the charge stays owed");
            assertEq(oracle.balanceOf(relayer) - relayers, _landing(entry));
            _assertNothingOutstanding(entry);
        }
        assertEq(recorder.count(), 0);
        _assertEscrow(0);
    }

    function test_only_the_requester_cancels_and_once_and_what_there_is() public {
        Entry memory entry = _request(stateful, address(recorder), _terms(GAS), FEE, refundee);
        vm.prank(refundee);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotRequester.selector, stateful, 1));
        oracle.cancel(entry);
        vm.startPrank(address(recorder));
        oracle.cancel(entry);
        assertEq(refundee.balance, _callbackPart(entry));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToCancel.selector, stateful, 1));
        oracle.cancel(entry);
        vm.stopPrank();

        Entry memory plain = _request(stateful, address(recorder), 0);
        vm.prank(address(recorder));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToCancel.selector, stateful, 2));
        oracle.cancel(plain);

        // An entry that leaves an epoch has that epoch's number where others have a gas limit.
        registry.openEpoch(KEY_GROUP);
        vm.recordLogs();
        vm.prank(owner);
        oracle.advanceEpoch{value: FEE}(stateful, 2);
        Entry memory leaving = _appended();
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToCancel.selector, stateful, 3));
        oracle.cancel(leaving);
    }

    function test_cancelled_and_late_only_the_charge_is_left_to_return() public {
        Entry memory a = _request(stateful, address(recorder), GAS);
        Entry memory b = _request(stateful, address(recorder), GAS);
        vm.startPrank(address(recorder));
        oracle.cancel(a);
        oracle.cancel(b);
        vm.stopPrank();
        skip(2 hours);
        uint256 before = address(recorder).balance;
        oracle.refund(a);
        assertEq(address(recorder).balance - before, CHARGE);
        assertEq(_status(a), CANCELLED | REFUNDED);
        _execute(_list(a, b));
        _assertNothingOutstanding(a);
        _assertOutstanding(b, _left(b, CHARGE), FOR_REQUESTER);
        oracle.refundExecuted(b, _left(b, CHARGE));
        assertEq(recorder.count(), 0);
        _assertEscrow(0);
    }

    function test_cancelling_what_was_refunded_returns_nothing_twice() public {
        Entry memory entry = _request(stateful, address(recorder), GAS);
        skip(2 hours);
        oracle.refund(entry);
        uint256 before = address(recorder).balance;
        vm.prank(address(recorder));
        oracle.cancel(entry);
        assertEq(address(recorder).balance, before);
        _execute(_list(entry));
        _assertNothingOutstanding(entry);
        _assertEscrow(0);
    }

    // Top-ups.

    function test_anyone_tops_the_landing_part_up_for_whoever_lands_it() public {
        for (uint256 i = 0; i < 4; ++i) {
            Entry memory entry = _request(i % 2 == 0 ? stateful : stateless, user, 0);
            address payer = makeAddr("payer");
            vm.deal(payer, 3 gwei);
            vm.expectEmit(true, true, true, true, address(oracle));
            emit ISubrosaOracle.FeeAdded(entry.contractId, _seq(entry), payer, 1 gwei);
            vm.startPrank(payer);
            oracle.addFee{value: 1 gwei}(entry);
            oracle.addFee{value: 2 gwei}(entry);
            vm.stopPrank();
            assertEq(_status(entry), TOPPED_UP);
            assertEq(_addedTo(entry), 3);
            if (i > 1) skip(2 hours);
            uint256 before = oracle.balanceOf(relayer);
            _execute(_list(entry));
            assertEq(oracle.balanceOf(relayer) - before, _landing(entry) + 3 gwei, "in time or late");
            assertEq(_addedTo(entry), 0);
        }
        _assertEscrow(2 * CHARGE);
    }

    /// @dev It would have `fulfill` look at every entry's slot, for nothing.
    function test_a_top_up_by_nothing_marks_nothing() public {
        Entry memory entry = _request(stateful, user, 0);
        vm.expectRevert(ISubrosaOracle.ZeroFee.selector);
        oracle.addFee(entry);
        assertEq(_headFlags(stateful), 0);
        assertEq(_status(entry), 0);
    }

    function test_a_top_up_is_of_whole_gwei_and_fits() public {
        Entry memory entry = _request(stateful, user, 0);
        vm.deal(address(this), type(uint128).max);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeNotInGwei.selector, 1 gwei + 1));
        oracle.addFee{value: 1 gwei + 1}(entry);
        oracle.addFee{value: uint256(type(uint48).max) * 1 gwei}(entry);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooHigh.selector, 1 gwei));
        oracle.addFee{value: 1 gwei}(entry);
    }

    /// @dev A digest says nothing of a position: a slot was found for every position of its ring place.
    function test_a_top_up_is_of_the_entry_and_not_of_a_position() public {
        Entry memory entry = _request(stateful, user, 0);
        vm.deal(address(this), 10 gwei);
        entry.payment += 64;
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.EntryMismatch.selector, stateful, 65));
        oracle.addFee{value: 1 gwei}(entry);
        entry.payment -= 64;
        _execute(_list(entry));
        entry.payment |= 1 << 47;
        vm.expectRevert();
        oracle.addFee{value: 1 gwei}(entry);
        assertEq(_headFlags(stateful), 0);
    }

    // Taking back.

    function test_nothing_is_taken_back_within_thirty_days_of_the_deadline() public {
        Entry memory entry = _request(stateful, user, GAS);
        uint256 from = uint48(entry.settlement) + 30 days;
        vm.warp(from);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.DeadlineNotPassed.selector, from));
        oracle.reclaim(entry);
        vm.warp(from + 1);
        oracle.reclaim(entry);
        assertEq(user.balance, FEE);
        assertEq(_status(entry), REFUNDED | RECLAIMED);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaOracle.AlreadyRefunded.selector, stateful, 1);
        vm.expectRevert(refusal);
        oracle.reclaim(entry);
        vm.expectRevert(refusal);
        oracle.refund(entry);
        vm.expectRevert(refusal);
        oracle.addFee{value: 1 gwei}(entry);
        _assertEscrow(0);
    }

    /// @dev Refunded or not, cancelled or not, topped up or not: all of it goes back, once, and whoever lands the entry
    /// then earns nothing.
    function testFuzz_whatever_went_before_all_of_a_fee_is_taken_back_once(uint8 before, bool isStateless) public {
        Entry memory entry = _request(isStateless ? stateless : stateful, address(recorder), GAS);
        uint256 paid = FEE;
        if (before & 1 != 0) {
            vm.deal(address(this), 5 gwei);
            oracle.addFee{value: 5 gwei}(entry);
            paid += 5 gwei;
        }
        if (before & 2 != 0) {
            vm.prank(address(recorder));
            oracle.cancel(entry);
        }
        skip(2 hours);
        if (before & 4 != 0) oracle.refund(entry);
        skip(30 days);
        oracle.reclaim(entry);
        assertEq(address(recorder).balance, paid);
        _assertEscrow(0);

        uint256 relayers = oracle.balanceOf(relayer);
        assertEq(_execute(_list(entry)), 1);
        assertEq(oracle.balanceOf(relayer), relayers, "a later lander gets none");
        assertEq(_outstandingFlags(entry), before & 2 != 0 ? 0 : CALLBACK_DUE);
        _assertEscrow(0);
    }

    /// @dev The oracle holds this, and what waits for the accounts that earn.
    function _assertEscrow(uint256 open) private view {
        assertEq(address(oracle).balance, open + oracle.balanceOf(relayer) + oracle.balanceOf(owner), "escrow");
    }
}
