// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaGovernance} from "../src/interfaces/ISubrosaGovernance.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @notice A runtime generation counts from its activation until it is withdrawn, and then leads to one that
/// counts.
contract RuntimesTest is RegistryTest {
    uint40 private constant DELAY = 2 days;

    function _activationDelay() internal pure override returns (uint40) {
        return DELAY;
    }

    function test_a_generation_counts_from_its_activation_on() public {
        _expectCheck(5, _unknown(5));
        uint40 activeFrom = uint40(block.timestamp) + DELAY;
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.RuntimeAdded(5, activeFrom);
        registry.addRuntime(5);
        _checkRuntime(5, activeFrom, false, 0);

        vm.warp(activeFrom - 1);
        _expectCheck(5, _notActive(5, activeFrom));
        vm.warp(activeFrom);
        registry.checkRuntime(5);
        registry.checkRuntime(1);
        _expectCheck(4, _unknown(4));
    }

    function test_a_generation_is_added_once_and_not_again_when_it_was_withdrawn() public {
        bytes memory exists = abi.encodeWithSelector(ISubrosaGovernance.RuntimeExists.selector, 1);
        vm.expectRevert(exists);
        registry.addRuntime(1);
        _add(2);
        registry.withdrawRuntime(1, 2);
        vm.expectRevert(exists);
        registry.addRuntime(1);
        _expectCheck(1, _withdrawn(1));
    }

    function test_the_highest_and_the_lowest_number_are_generations_like_any_other() public {
        _add(0);
        _add(65535);
        registry.checkRuntime(0);
        registry.withdrawRuntime(0, 65535);
        registry.checkRuntime(65535);
        assertEq(registry.runtimeSuccessor(0), 65535);
        vm.expectRevert(_notLater(65535, 0));
        registry.withdrawRuntime(65535, 0);
        vm.expectRevert(_notLater(65535, 65535));
        registry.withdrawRuntime(65535, 65535);
    }

    function test_a_withdrawn_generation_leads_to_an_active_one() public {
        _add(3);
        _checkRuntime(3, uint40(block.timestamp), false, 0);
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.RuntimeWithdrawn(1, 3);
        registry.withdrawRuntime(1, 3);
        _checkRuntime(1, uint40(block.timestamp) - DELAY, true, 3);
        _expectCheck(1, _withdrawn(1));
        registry.checkRuntime(3);
        assertEq(registry.runtimeSuccessor(1), 3);
        assertEq(registry.runtimeSuccessor(3), 0);
        vm.expectRevert(_withdrawn(1));
        registry.withdrawRuntime(1, 3);
    }

    function test_a_successor_nobody_vetted_is_refused() public {
        vm.expectRevert(_unknown(65535));
        registry.withdrawRuntime(1, 65535);
        registry.addRuntime(2);
        uint256 activeFrom = block.timestamp + DELAY;
        skip(DELAY - 1);
        vm.expectRevert(_notActive(2, activeFrom));
        registry.withdrawRuntime(1, 2);
        registry.checkRuntime(1);
        assertEq(registry.runtimeSuccessor(1), 0, "nothing was withdrawn");
        skip(1);
        registry.withdrawRuntime(1, 2);
    }

    function test_a_generation_nobody_added_is_not_withdrawn() public {
        _add(3);
        vm.expectRevert(_unknown(2));
        registry.withdrawRuntime(2, 3);
        vm.expectRevert(_unknown(2));
        registry.withdrawRuntime(2, 0);
    }

    function test_a_successor_that_was_withdrawn_is_refused_and_a_chain_is_followed_to_its_end() public {
        _add(3);
        _add(5);
        _add(9);
        registry.withdrawRuntime(3, 5);
        vm.expectRevert(_withdrawn(3));
        registry.withdrawRuntime(1, 3);
        registry.withdrawRuntime(1, 5);
        registry.withdrawRuntime(5, 9);
        (,, uint16 successor) = registry.runtimeOf(1);
        assertEq(successor, 5, "a chain, whose links stay as they were");
        assertEq(registry.runtimeSuccessor(1), 9);
        assertEq(registry.runtimeSuccessor(3), 9);
        assertEq(registry.runtimeSuccessor(5), 9);
        assertEq(registry.runtimeSuccessor(9), 0);
    }

    function test_a_generation_is_withdrawn_without_a_successor_only_before_it_counts() public {
        registry.addRuntime(7);
        registry.addRuntime(8);
        uint40 activeFrom = uint40(block.timestamp) + DELAY;
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.RuntimeWithdrawn(7, 0);
        registry.withdrawRuntime(7, 0);
        _checkRuntime(7, activeFrom, true, 0);
        assertEq(registry.runtimeSuccessor(7), 0);
        vm.expectRevert(_withdrawn(7));
        registry.withdrawRuntime(7, 0);

        skip(DELAY);
        _expectCheck(7, _withdrawn(7));
        vm.expectRevert(_withdrawn(7));
        registry.withdrawRuntime(1, 7);
        vm.expectRevert(_notLater(8, 0));
        registry.withdrawRuntime(8, 0);
        registry.checkRuntime(8);
    }

    function test_a_generation_that_does_not_count_yet_can_have_a_successor() public {
        _add(9);
        registry.addRuntime(7);
        vm.expectRevert(_notLater(7, 1));
        registry.withdrawRuntime(7, 1);
        registry.withdrawRuntime(7, 9);
        assertEq(registry.runtimeSuccessor(7), 9);
    }

    function testFuzz_a_successor_is_later(uint16 generation, uint16 successor) public {
        if (generation != 1) _add(generation);
        if (successor != 1 && successor != generation) _add(successor);
        bool later = successor > generation;
        if (!later) vm.expectRevert(_notLater(generation, successor));
        registry.withdrawRuntime(generation, successor);
        assertEq(registry.runtimeSuccessor(generation), later ? successor : 0);
    }

    function _add(uint16 generation) private {
        registry.addRuntime(generation);
        skip(DELAY);
    }

    function _checkRuntime(uint16 generation, uint40 activeFrom, bool withdrawn, uint16 successor) private view {
        (uint40 actualActiveFrom, bool actualWithdrawn, uint16 actualSuccessor) = registry.runtimeOf(generation);
        assertEq(actualActiveFrom, activeFrom);
        assertEq(actualWithdrawn, withdrawn);
        assertEq(actualSuccessor, successor);
    }

    function _expectCheck(uint16 generation, bytes memory why) private {
        vm.expectRevert(why);
        registry.checkRuntime(generation);
    }

    function _unknown(uint16 generation) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaGovernance.RuntimeUnknown.selector, generation);
    }

    function _withdrawn(uint16 generation) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaGovernance.RuntimeIsWithdrawn.selector, generation);
    }

    function _notActive(uint16 generation, uint256 activeFrom) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaGovernance.RuntimeNotActive.selector, generation, activeFrom);
    }

    function _notLater(uint16 generation, uint16 successor) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaGovernance.RuntimeNotLater.selector, generation, successor);
    }
}
