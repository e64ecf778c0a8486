// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {ThresholdHandler} from "./support/ThresholdHandler.sol";

/// @notice Thresholds after any sequence of requests, demands for more or for fewer signatures, batches that any
/// enclaves signed, enclaves that come and go, and waiting.
contract ThresholdInvariantsTest is Test {
    ThresholdHandler private handler;

    function setUp() public {
        handler = new ThresholdHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = ThresholdHandler.request.selector;
        selectors[1] = ThresholdHandler.ask.selector;
        selectors[2] = ThresholdHandler.fulfill.selector;
        selectors[3] = ThresholdHandler.dismiss.selector;
        selectors[4] = ThresholdHandler.wait.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// @dev A log moves if, and only if, as many signed as its owner asks for: on distinct machines, of kinds let in
    /// by separate routes. What was asked for falls no sooner than announced.
    /// forge-config: default.invariant.runs = 30
    function invariant_a_guarded_log_moves_by_as_many_as_it_asks_for() public {
        handler.inspect();
        assertEq(handler.fault(), "");
    }

    function test_the_handler_meets_every_situation() public {
        uint256 seed = 5;
        for (uint256 i = 0; i < 4000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed % 8, seed >> 16);
            invariant_a_guarded_log_moves_by_as_many_as_it_asks_for();
        }
        assertGt(handler.landed(), 100, "landed");
        assertGt(handler.tooFew(), 100, "tooFew");
        assertGt(handler.sameMachine(), 20, "sameMachine");
        assertGt(handler.sameRoute(), 20, "sameRoute");
        assertGt(handler.raised(), 50, "raised");
        assertGt(handler.announced(), 50, "announced");
        assertGt(handler.fallen(), 5, "fallen");
        assertGt(handler.neverLower(), 20, "neverLower");
        assertGt(handler.strangers(), 20, "strangers");
        assertGt(handler.doubles(), 5, "doubles");
    }

    function _step(uint256 which, uint256 seed) private {
        if (which == 0) handler.request(seed);
        if (which == 1) handler.ask(seed);
        if (which == 2 || which > 4) handler.fulfill(seed);
        if (which == 3) handler.dismiss(seed);
        if (which == 4) handler.wait(seed);
    }
}
