// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../interfaces/ISubrosaConsumer.sol";

/// @title Calls to accounts that may be hostile
/// @notice Both copy nothing of what the callee returns, so a huge return value costs the callee only.
/// @dev Solidity's own low-level call always copies the return data; that is why this is assembly.
/// Encoding the callback's message there too saves 230 gas a callback.
library Calls {
    /// @notice Sends `amount` wei with at most `gasLimit` gas, 2,300 of it on top if there is value.
    /// @return success Whether the callee took it.
    function push(address to, uint256 amount, uint256 gasLimit) internal returns (bool success) {
        assembly ("memory-safe") {
            success := call(gasLimit, to, amount, 0, 0, 0, 0)
        }
    }

    /// @notice Calls `onSubrosaResult(contractId, seq, status, output)` with `gasLimit` gas; with less
    /// if no more than 64/63 of that is left, so the caller checks first.
    /// @param output The public output.
    /// @return success Whether the callee neither reverted nor ran out of gas. An account without
    /// code always succeeds.
    function deliver(address to, uint256 gasLimit, bytes32 contractId, uint256 seq, uint8 status, bytes calldata output)
        internal
        returns (bool success)
    {
        bytes4 selector = ISubrosaConsumer.onSubrosaResult.selector;
        assembly ("memory-safe") {
            let message := mload(0x40)
            mstore(message, selector)
            mstore(add(message, 0x04), contractId)
            mstore(add(message, 0x24), seq)
            mstore(add(message, 0x44), and(status, 0xff))
            mstore(add(message, 0x64), 0x80)
            mstore(add(message, 0x84), output.length)
            let padded := and(add(output.length, 0x1f), not(0x1f))
            // The padding may hold what was in memory before: make it zero, as the ABI wants it.
            mstore(add(message, add(0x84, padded)), 0)
            calldatacopy(add(message, 0xa4), output.offset, output.length)
            success := call(gasLimit, to, 0, message, add(0xa4, padded), 0, 0)
        }
    }
}
