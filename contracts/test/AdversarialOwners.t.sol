// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, Policy} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Reference} from "./support/Reference.sol";

/// @notice What owners can do to those who ask their contracts: stop their own log, and earn nothing by it.
contract AdversarialOwnersTest is OracleTest {
    address private user = makeAddr("user");

    function test_asking_for_signers_there_are_not_stops_the_log_and_earns_nothing() public {
        Entry memory entry = _request(stateful, user, 100_000);
        uint256 owners = oracle.balanceOf(owner);
        vm.prank(owner);
        oracle.setThreshold(stateful, 16, 0);
        assertEq(_execute(_list(entry)), 0);
        skip(1 hours + 1);
        oracle.refund(entry);
        skip(30 days);
        oracle.reclaim(entry);
        assertEq(user.balance, _paid(entry), "users have all of it back");
        assertEq(oracle.balanceOf(owner), owners);
    }

    function test_a_price_raised_in_the_same_block_refuses_and_takes_no_more() public {
        uint256 fee = oracle.quote(stateful, 10, 64, 0, 1);
        Policy memory policy = _policy();
        (policy.chargeGwei, policy.gasPriceFloor) = (1_000_000_000, 1000 gwei);
        vm.prank(owner);
        oracle.setPolicy(stateful, policy);
        uint256 terms = Reference.terms(0, 0, 1, 0, _deadline());
        hoax(user, fee);
        vm.expectPartialRevert(ISubrosaOracle.FeeTooLow.selector);
        oracle.request{value: fee}(stateful, 0, terms, address(0), "some input");
        assertEq(user.balance, fee);
    }

    /// @dev Who brings more than it costs says how much of that may be the owner's.
    function test_a_charge_raised_in_the_same_block_is_no_more_than_was_agreed() public {
        uint256 terms = Reference.terms(0, 0, 1, 0, _deadline()) | _agreed(CHARGE / 1 gwei);
        Policy memory policy = _policy();
        policy.chargeGwei *= 2;
        vm.prank(owner);
        oracle.setPolicy(stateful, policy);
        hoax(user, 1 ether);
        vm.expectPartialRevert(ISubrosaOracle.ChargeTooHigh.selector);
        oracle.request{value: 1 ether}(stateful, 0, terms, address(0), "some input");
    }

    function test_pausing_takes_nobodys_answer() public {
        Entry memory entry = _request(stateful, user, 100_000);
        Policy memory policy = _policy();
        policy.paused = true;
        vm.prank(owner);
        oracle.setPolicy(stateful, policy);
        uint256 before = oracle.balanceOf(relayer);
        assertEq(_execute(_list(entry)), 1);
        assertEq(oracle.balanceOf(relayer) - before, _earned(entry));
    }

    /// @dev Whose sum is zero: it pays the same as everyone, its own charge excepted.
    function test_filling_ones_own_log_costs_its_price() public {
        uint256 before = owner.balance + oracle.balanceOf(owner);
        uint256 paid;
        for (uint256 i = 0; i < 70; ++i) {
            Entry memory entry = _request(stateful, owner, 0);
            paid += _landing(entry);
            before += _paid(entry);
            _execute(_list(entry));
        }
        assertEq(owner.balance + oracle.balanceOf(owner), before - paid);
    }

    function test_code_changed_while_a_request_was_on_its_way_is_not_what_it_named() public {
        uint256 terms = Reference.terms(0, 0, 1, 0, _deadline()) | Reference.bounds(0, 1, 0);
        bytes32 code = keccak256("other code");
        vm.startPrank(owner);
        oracle.announceUpgrade(stateful, code);
        skip(UPGRADE_DELAY);
        oracle.upgrade{value: FEE}(stateful, 500_000, _deadline());
        vm.stopPrank();
        hoax(user, FEE);
        vm.expectPartialRevert(ISubrosaOracle.OtherCode.selector);
        oracle.request{value: FEE}(stateful, 0, terms, address(0), "some input");
    }

    /// @dev As terms have it.
    function _agreed(uint256 gweis) private pure returns (uint256) {
        uint256 exponent;
        while (gweis > 0x7fff) (gweis, exponent) = (gweis / 10, exponent + 1);
        return Reference.bounds(0, 0, uint24(gweis << 5 | exponent));
    }
}
