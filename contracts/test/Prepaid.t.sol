// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../src/SubrosaConsumer.sol";
import {SubrosaPrepaid} from "../src/SubrosaPrepaid.sol";
import {Asks} from "../src/consumer/Asks.sol";
import {PrepaidConsumer} from "../src/consumer/PrepaidConsumer.sol";
import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaPrepaid} from "../src/interfaces/ISubrosaPrepaid.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";

/// @notice Anyone asks, at the account's expense.
contract Asker is PrepaidConsumer {
    using Asks for SubrosaConsumer.Ask;

    ISubrosaPrepaid private _account;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function use(ISubrosaPrepaid account) external {
        _account = account;
    }

    function ask(bytes32 contractId) external returns (uint48 seq) {
        return
            _requestPrepaid(Asks.inTheClear(contractId).fuel(500_000).output(64).callback(60_000).within(1 hours), "?");
    }

    function _prepaid() internal view override returns (ISubrosaPrepaid) {
        return _account;
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata) internal override {}
}

contract PrepaidTest is OracleTest {
    Asker private asker;
    SubrosaPrepaid private account;
    address private treasurer = makeAddr("treasurer");
    address private user = makeAddr("a user without ether");

    function setUp() public override {
        super.setUp();
        asker = new Asker(oracle);
        account = new SubrosaPrepaid(oracle, address(asker), treasurer, 0.01 ether, 0.02 ether);
        asker.use(account);
        hoax(makeAddr("sponsor"), 1 ether);
        (bool taken,) = address(account).call{value: 1 ether}("");
        assertTrue(taken);
    }

    function test_usersAskWithoutEther() public {
        Entry memory entry = _ask();
        assertEq(address(account).balance, 1 ether - _paid(entry));
        assertEq(address(asker).balance, 0);
        assertEq(address(uint160(entry.settlement >> 96)), address(asker), "the consumer stays the requester");
        assertEq(address(uint160(uint256(entry.context) >> 96)), user);
    }

    function test_refundsReturnToTheAccount() public {
        Entry memory entry = _ask();
        assertEq(entry.refundTo, address(account));
        vm.warp(vm.getBlockTimestamp() + 2 hours);
        oracle.refund(entry);
        assertEq(address(account).balance, 1 ether - _landing(entry));
    }

    function test_nobodyElseDraws() public {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotConsumer.selector, treasurer));
        vm.prank(treasurer);
        account.draw(1);
    }

    function test_limitsHoldPerRequestAndPerDay() public {
        _limit(1, type(uint128).max);
        vm.expectPartialRevert(ISubrosaPrepaid.OverRequestLimit.selector);
        asker.ask(stateful);

        uint256 fee = _paid(_unlimited());
        _limit(type(uint128).max, uint128(fee * 5 / 2));
        // One was drawn today.
        _ask();
        (,, uint256 left) = account.limits();
        assertEq(left, fee * 5 / 2 - 2 * fee);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.OverDayLimit.selector, fee, left));
        asker.ask(stateful);

        vm.warp((vm.getBlockTimestamp() / 1 days + 1) * 1 days);
        (,, left) = account.limits();
        assertEq(left, fee * 5 / 2);
        _ask();
    }

    function test_loweredLimitsLeaveNothingForToday() public {
        uint256 fee = _paid(_unlimited());
        _limit(type(uint128).max, uint128(fee / 2));
        (,, uint256 left) = account.limits();
        assertEq(left, 0);
        vm.expectPartialRevert(ISubrosaPrepaid.OverDayLimit.selector);
        asker.ask(stateful);
    }

    function test_anEmptyAccountAsksNothing() public {
        _unlimited();
        vm.startPrank(treasurer);
        account.withdraw(payable(treasurer), address(account).balance);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotCovered.selector, 1, 0));
        account.withdraw(payable(treasurer), 1);
        vm.stopPrank();
        vm.expectPartialRevert(ISubrosaPrepaid.NotCovered.selector);
        asker.ask(stateful);
    }

    function test_onlyTheOwnerTakesBackAndSetsLimits() public {
        bytes memory refused = abi.encodeWithSelector(ISubrosaPrepaid.NotOwner.selector, user);
        vm.startPrank(user);
        vm.expectRevert(refused);
        account.withdraw(payable(user), 1);
        vm.expectRevert(refused);
        account.setLimits(1, 1);
        vm.expectRevert(refused);
        account.transferOwnership(user);
        vm.expectRevert(refused);
        account.acceptOwnership();
        vm.stopPrank();

        vm.prank(treasurer);
        account.transferOwnership(user);
        vm.prank(user);
        account.acceptOwnership();
        assertEq(account.owner(), user);
        assertEq(account.candidate(), address(0));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.PaymentRefused.selector, address(oracle)));
        vm.prank(user);
        account.withdraw(payable(address(oracle)), 1);
    }

    function test_onlyTheAccountSendsTheConsumerEther() public {
        hoax(user, 1);
        (bool taken,) = address(asker).call{value: 1}("");
        assertFalse(taken);
    }

    function test_thereIsNoAccountForNobody() public {
        vm.expectRevert(ISubrosaPrepaid.ZeroAddress.selector);
        new SubrosaPrepaid(oracle, address(0), treasurer, 1, 1);
        vm.expectRevert(ISubrosaPrepaid.ZeroAddress.selector);
        new SubrosaPrepaid(oracle, address(asker), address(0), 1, 1);
        vm.expectRevert(ISubrosaPrepaid.ZeroAddress.selector);
        new SubrosaPrepaid(ISubrosaOracle(address(0)), address(asker), treasurer, 1, 1);
    }

    /// @dev Whoever calls the oracle names whom refunds go to, so others' can come here as well.
    function test_whatTheOracleKeepsIsCollected() public {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToWithdraw.selector, address(account)));
        account.collect();
    }

    function _unlimited() private returns (Entry memory) {
        _limit(type(uint128).max, type(uint128).max);
        return _ask();
    }

    function _limit(uint128 perRequest, uint128 perDay) private {
        vm.prank(treasurer);
        account.setLimits(perRequest, perDay);
    }

    function _ask() private returns (Entry memory entry) {
        vm.recordLogs();
        vm.prank(user);
        asker.ask(stateful);
        entry = _appended();
        _note(entry);
    }
}
