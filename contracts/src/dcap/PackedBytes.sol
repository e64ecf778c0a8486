// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Fields packed into bytes in memory, without padding
/// @dev Places are memory addresses. The caller keeps them inside what it allocated.
library PackedBytes {
    /// @notice Bytes to write `capacity` bytes of fields into, and where to write the first. A field's
    /// word may reach 31 bytes past its end, for which there is room.
    function allocate(uint256 capacity) internal pure returns (bytes memory data, uint256 place) {
        data = new bytes(capacity + 32);
        place = start(data);
    }

    /// @notice Writes the low `length` bytes (1 to 32) of `value`.
    /// @return next The place after them.
    function put(uint256 place, uint256 value, uint256 length) internal pure returns (uint256 next) {
        assembly ("memory-safe") {
            mstore(place, shl(sub(256, shl(3, length)), value))
            next := add(place, length)
        }
    }

    /// @notice The same, leaving what follows as it is.
    function replace(uint256 place, uint256 value, uint256 length) internal pure {
        unchecked {
            uint256 after_ = length == 32 ? 0 : take(place, 32) & (type(uint256).max >> (8 * length));
            put(place, value << (256 - 8 * length) | after_, 32);
        }
    }

    /// @notice Sets the one byte at a place.
    function set(uint256 place, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore8(place, value)
        }
    }

    /// @notice The `length` bytes (1 to 32) at a place, as a number.
    function take(uint256 place, uint256 length) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, length)), mload(place))
        }
    }

    /// @notice Cuts the bytes off at a place.
    function finish(bytes memory data, uint256 place) internal pure {
        assembly ("memory-safe") {
            mstore(data, sub(place, add(data, 0x20)))
        }
    }

    /// @notice The place of the first byte.
    function start(bytes memory data) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(data, 0x20)
        }
    }

    /// @notice Moves `length` bytes from one place to another; they may overlap.
    function move(uint256 from, uint256 to, uint256 length) internal pure {
        assembly ("memory-safe") {
            mcopy(to, from, length)
        }
    }
}
