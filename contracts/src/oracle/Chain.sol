// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What the oracle takes from its chain
/// @notice As Ethereum counts. Chains that count otherwise have an oracle of their own that overrides this.
abstract contract Chain {
    /// @dev The number of the block whose header commits to what is stored now.
    function _blockNumber() internal view virtual returns (uint256) {
        return block.number;
    }

    /// @dev What the chain asks for `length` bytes of a transaction's data beside gas, in wei.
    function _dataFee(uint256) internal view virtual returns (uint256) {
        return 0;
    }
}
