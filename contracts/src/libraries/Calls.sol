// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../interfaces/ISubrosaConsumer.sol";

/// @title Calls to accounts that may be hostile
/// @notice Both copy nothing of what the callee returns, so a huge return value costs the callee only.
/// @dev Solidity's own low-level call always copies the return data; that is why this is assembly.
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
    function deliver(
        address to,
        uint256 gasLimit,
        bytes32 contractId,
        uint256 seq,
        uint8 status,
        bytes calldata output
    ) internal returns (bool success) {
        bytes memory message = abi.encodeCall(
            ISubrosaConsumer.onSubrosaResult, (contractId, seq, status, output)
        );
        assembly ("memory-safe") {
            success := call(gasLimit, to, 0, add(message, 0x20), mload(message), 0, 0)
        }
    }
}
