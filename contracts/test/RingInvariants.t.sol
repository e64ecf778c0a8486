// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {RingHandler} from "./support/RingHandler.sol";

/// @notice The ring against plain lists, what entries bring against what they cost, and who has what of it, after any
/// sequence of requests, batches, callbacks that append, top-ups, cancellations, refunds, retries, changes of prices
/// and waiting.
contract RingInvariantsTest is Test {
    RingHandler private handler;

    function setUp() public {
        handler = new RingHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = RingHandler.request.selector;
        selectors[1] = RingHandler.fulfill.selector;
        selectors[2] = RingHandler.addFee.selector;
        selectors[3] = RingHandler.cancel.selector;
        selectors[4] = RingHandler.refund.selector;
        selectors[5] = RingHandler.reclaim.selector;
        selectors[6] = RingHandler.settle.selector;
        selectors[7] = RingHandler.wait.selector;
        selectors[8] = RingHandler.requestMany.selector;
        selectors[9] = RingHandler.reprice.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    function invariant_the_ring_is_a_log_without_one() public {
        handler.inspect();
        assertEq(handler.fault(), "");
    }

    /// @dev What an entry has escrowed covers its landing and its callback at its contract's prices, and nothing less
    /// is taken.
    /// forge-config: default.invariant.runs = 20
    function invariant_every_entry_brings_what_it_costs() public view {
        assertEq(handler.uncovered(), "");
    }

    /// @dev Over all entries what went out and what is held is what came in; nobody has more for being late, for
    /// withholding, failing or cancelling.
    /// forge-config: default.invariant.runs = 20
    function invariant_nobody_gains_by_late_withheld_failed_or_cancelled_answers() public view {
        assertEq(handler.gained(), "");
        assertEq(handler.balance(), handler.owed());
    }

    function afterInvariant() public {
        handler.inspectAll();
        assertEq(handler.fault(), "");
        assertEq(handler.uncovered(), "");
        assertEq(handler.gained(), "");
    }

    /// @dev The handler does reach the interesting states: otherwise the invariants hold for nothing.
    function test_the_handler_meets_every_situation() public {
        uint256 seed = 7;
        for (uint256 i = 0; i < 3000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed % 12, seed >> 16);
            if (i % 200 == 0) afterInvariant();
        }
        afterInvariant();
        assertGt(handler.requests(), 500, "requests");
        assertGt(handler.lists(), 50, "lists");
        assertGt(handler.refusedFees(), 50, "refusedFees");
        assertGt(handler.repricings(), 50, "repricings");
        assertGt(handler.executions(), 500, "executions");
        assertGt(handler.apart(), 50, "apart");
        assertGt(handler.appendsWithin(), 20, "appendsWithin");
        assertGt(handler.lates(), 50, "lates");
        assertGt(handler.failures(), 20, "failures");
        assertGt(handler.topUps(), 50, "topUps");
        assertGt(handler.cancellations(), 10, "cancellations");
        assertGt(handler.refunds(), 20, "refunds");
        assertGt(handler.reclaims(), 5, "reclaims");
        assertGt(handler.retries(), 10, "retries");
        assertGt(handler.returns_(), 10, "returns");
    }

    function _step(uint256 which, uint256 seed) private {
        if (which == 0) handler.request(seed);
        if (which == 1 || which == 10 || which == 11) handler.fulfill(seed);
        if (which == 2) handler.addFee(seed);
        if (which == 3) handler.cancel(seed);
        if (which == 4) handler.refund(seed);
        if (which == 5) handler.reclaim(seed);
        if (which == 6) handler.settle(seed);
        if (which == 7) handler.wait(seed);
        if (which == 8) handler.requestMany(seed);
        if (which == 9) handler.reprice(seed);
    }
}
