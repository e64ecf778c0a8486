// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What the oracle calls back
/// @notice A requester that asks for a callback implements this. `SubrosaConsumer` is a base that
/// does.
interface ISubrosaConsumer {
    /// @notice Receives the result of a request. The oracle gives it exactly the gas that the
    /// request named, ignores what it returns, and carries on if it reverts: the call can then be
    /// made again by anyone through `ISubrosaOracle.retryCallback`.
    /// @param contractId The confidential contract that was asked.
    /// @param seq The request's position in that contract's log, as returned by `request`.
    /// @param status 1 succeeded, 2 failed, 3 rejected; see `Outcome`.
    /// @param output The public output; empty if the output was sealed or the call failed.
    function onSubrosaResult(bytes32 contractId, uint256 seq, uint8 status, bytes calldata output) external;
}
