// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Reading words out of bytes in calldata
/// @dev In assembly, as a checked slice costs about 150 gas a read and there are thousands. Nothing
/// is checked: what lies past the end is other calldata, chosen by the caller. Every reader built on
/// this one therefore compares where it ended with the length of what it read.
library CalldataBytes {
    /// @notice The 32 bytes from `offset` on.
    function word(bytes calldata data, uint256 offset) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(data.offset, offset))
        }
    }

    /// @notice The `length` bytes (1 to 32) from `offset` on, as a number.
    function number(bytes calldata data, uint256 offset, uint256 length) internal pure returns (uint256) {
        unchecked {
            return word(data, offset) >> (256 - 8 * length);
        }
    }

    /// @notice Whether the `length` bytes (1 to 32) from `offset` on are the first bytes of `expected`.
    function has(bytes calldata data, uint256 offset, bytes32 expected, uint256 length) internal pure returns (bool) {
        unchecked {
            return (word(data, offset) ^ uint256(expected)) >> (256 - 8 * length) == 0;
        }
    }

    /// @notice Two bytes, the least significant first.
    function le16(bytes calldata data, uint256 offset) internal pure returns (uint256) {
        uint256 value = word(data, offset) >> 240;
        return (value >> 8) | ((value & 0xff) << 8);
    }

    /// @notice Four bytes, the least significant first.
    function le32(bytes calldata data, uint256 offset) internal pure returns (uint256) {
        unchecked {
            return le16(data, offset) | (le16(data, offset + 2) << 16);
        }
    }
}
