// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {LogHandler} from "./support/LogHandler.sol";

/// @notice What holds after any sequence of requests, batches, repetitions, refunds and waiting.
contract InvariantsTest is Test {
    LogHandler private handler;

    function setUp() public {
        handler = new LogHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = LogHandler.request.selector;
        selectors[1] = LogHandler.fulfillStateful.selector;
        selectors[2] = LogHandler.fulfillStateless.selector;
        selectors[3] = LogHandler.fulfillAgain.selector;
        selectors[4] = LogHandler.refund.selector;
        selectors[5] = LogHandler.retry.selector;
        selectors[6] = LogHandler.wait.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    function invariant_the_oracle_holds_exactly_what_it_owes() public view {
        assertEq(handler.balance(), handler.owed());
    }

    function invariant_heads_only_move_forward() public view {
        assertFalse(handler.headWentBack());
    }

    function invariant_an_entry_is_executed_paid_and_refunded_at_most_once() public view {
        assertTrue(handler.sound());
    }

    /// @dev The handler does reach the interesting states: otherwise the invariants hold for nothing.
    function test_the_handler_executes_and_refunds() public {
        handler.request(true, true, 0, false);
        handler.request(true, false, 1 ether, false);
        handler.request(false, true, 0.5 ether, true);
        handler.fulfillStateful(0, 1, type(uint32).max);
        assertEq(handler.executed(), 1);
        handler.fulfillAgain(0);
        assertEq(handler.executed(), 1);
        handler.wait(7200);
        uint256 before = handler.balance();
        handler.refund(true, 2);
        assertLt(handler.balance(), before);
        handler.fulfillStateful(1, 2, type(uint32).max);
        handler.fulfillStateless(1);
        assertEq(handler.executed(), 3);
        assertEq(handler.balance(), 0);
        assertTrue(handler.sound());
    }
}
