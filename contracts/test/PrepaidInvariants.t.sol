// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {PrepaidHandler} from "./support/PrepaidHandler.sol";

/// @notice A prepaid account after any sequence of deposits, draws, draws within draws, requests, refunds,
/// withdrawals, changed limits, other owners, thefts and days.
contract PrepaidInvariantsTest is Test {
    PrepaidHandler private handler;

    function setUp() public {
        handler = new PrepaidHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = PrepaidHandler.deposit.selector;
        selectors[1] = PrepaidHandler.draw.selector;
        selectors[2] = PrepaidHandler.steal.selector;
        selectors[3] = PrepaidHandler.ask.selector;
        selectors[4] = PrepaidHandler.refund.selector;
        selectors[5] = PrepaidHandler.withdraw.selector;
        selectors[6] = PrepaidHandler.limit.selector;
        selectors[7] = PrepaidHandler.succeed.selector;
        selectors[8] = PrepaidHandler.wait.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// @dev The balance is deposits and refunds less draws and withdrawals, and no limit is ever exceeded.
    /// forge-config: default.invariant.runs = 30
    function invariant_a_prepaid_account_holds_what_it_was_given_and_limits_hold() public {
        handler.inspect();
        assertEq(handler.fault(), "");
    }

    function test_the_handler_meets_every_situation() public {
        uint256 seed = 3;
        for (uint256 i = 0; i < 3000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed % 11, seed >> 16);
            invariant_a_prepaid_account_holds_what_it_was_given_and_limits_hold();
        }
        assertGt(handler.draws(), 100, "draws");
        assertGt(handler.nestedDraws(), 5, "nestedDraws");
        assertGt(handler.refusals(), 100, "refusals");
        assertGt(handler.asks(), 50, "asks");
        assertGt(handler.refunds(), 50, "refunds");
        assertGt(handler.withdrawals(), 50, "withdrawals");
        assertGt(handler.lowerings(), 50, "lowerings");
        assertGt(handler.days_(), 20, "days");
        assertGt(handler.thefts(), 50, "thefts");
        assertGt(handler.successions(), 50, "successions");
    }

    function _step(uint256 which, uint256 seed) private {
        if (which == 0) handler.deposit(seed);
        if (which == 1 || which > 8) handler.draw(seed);
        if (which == 2) handler.steal(seed);
        if (which == 3) handler.ask(seed);
        if (which == 4) handler.refund(seed);
        if (which == 5) handler.withdraw(seed);
        if (which == 6) handler.limit(seed);
        if (which == 7) handler.succeed(seed);
        if (which == 8) handler.wait(seed);
    }
}
