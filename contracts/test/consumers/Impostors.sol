// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../../src/interfaces/ISubrosaConsumer.sol";

/// @notice Tells another consumer a result of its own making, out of the oracle's callback, when the
/// oracle is on the call stack but is not the caller.
contract ForgingConsumer is ISubrosaConsumer {
    ISubrosaConsumer private immutable victim;
    bool public forged;

    constructor(ISubrosaConsumer victim_) {
        victim = victim_;
    }

    function onSubrosaResult(bytes32 contractId, uint256 seq, uint8 status, bytes calldata) external {
        try victim.onSubrosaResult(contractId, seq, status, "forged") {
            forged = true;
        } catch {}
    }
}
