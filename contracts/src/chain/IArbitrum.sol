// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title The precompile at 0x64 of Arbitrum chains, as far as it is used here
/// @notice Source: https://docs.arbitrum.io/build-decentralized-apps/precompiles/reference, ArbSys.
interface ArbSys {
    /// @notice A block that is not one of the last 256.
    /// @custom:remedy Name one of them.
    error InvalidBlockNumber(uint256 requested, uint256 current);

    /// @notice The chain's own block number; `block.number` is the parent chain's.
    function arbBlockNumber() external view returns (uint256);

    /// @notice The hash of one of the chain's own last 256 blocks. Reverts for any other.
    function arbBlockHash(uint256 arbBlockNum) external view returns (bytes32);
}

/// @title The precompile at 0x6C of Arbitrum chains, as far as it is used here
/// @notice Source: as above, ArbGasInfo.
interface ArbGasInfo {
    /// @notice What a byte of a transaction's data costs on the parent chain, in wei, for 16 gas a byte.
    function getL1BaseFeeEstimate() external view returns (uint256);
}
