// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Arrays of words in memory
library Words {
    /// @notice `words[index] = value` without the bounds check, which costs a batch 480 gas an item.
    /// The caller keeps `index` below the length.
    function put(bytes32[] memory words, uint256 index, bytes32 value) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(words, 0x20), shl(5, index)), value)
        }
    }

    /// @notice `words[index]` without the bounds check. The caller keeps `index` below the length.
    function nth(bytes32[] memory words, uint256 index) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(add(words, 0x20), shl(5, index)))
        }
    }

    /// @notice keccak256 of the concatenated words: how EIP-712 hashes an array.
    function hash(bytes32[] memory words) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(add(words, 0x20), shl(5, mload(words)))
        }
    }
}
