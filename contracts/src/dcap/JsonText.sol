// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {Dates} from "./Dates.sol";

/// @title A reader of JSON as Intel serializes it
/// @notice No general JSON: no white space, no escapes, members in Intel's order. What is read is
/// signed over these very bytes, so a reader needs to know one serialization only, and anything else
/// is refused. The reader of a whole document must end exactly at the document's length.
library JsonText {
    using CalldataBytes for bytes;

    /// @notice Steps over these very characters, `length` of them, at most 32.
    function expect(bytes calldata json, uint256 offset, bytes32 text, uint256 length) internal pure returns (uint256) {
        if (!json.has(offset, text, length)) revert ISubrosaDcap.JsonUnexpected(offset);
        unchecked {
            return offset + length;
        }
    }

    /// @notice Reads a whole number of at most `maximum` (which has at most ten digits).
    function integer(bytes calldata json, uint256 offset, uint256 maximum)
        internal
        pure
        returns (uint256 value, uint256 next)
    {
        unchecked {
            uint256 text = json.word(offset);
            next = offset;
            while (true) {
                uint256 digit = (text >> 248) ^ 0x30;
                if (digit > 9) break;
                value = value * 10 + digit;
                text <<= 8;
                ++next;
                if (value > maximum) revert ISubrosaDcap.JsonUnexpected(offset);
            }
            if (next == offset || (next - offset > 1 && json.has(offset, "0", 1))) {
                revert ISubrosaDcap.JsonUnexpected(offset);
            }
        }
    }

    /// @notice Reads `length` hexadecimal digits, at most 32, of either case.
    function hexadecimal(bytes calldata json, uint256 offset, uint256 length)
        internal
        pure
        returns (uint256 value, uint256 next)
    {
        unchecked {
            // On the right, with zeros before.
            uint256 text = json.number(offset, length);
            if (length < 32) text |= ZEROS << (8 * length);
            // Bit 6 tells letters from digits, bit 5 lower case from upper.
            uint256 letters = (text >> 6) & ONES;
            uint256 low = text & (ONES * 0x0f);
            uint256 values = low + letters * 9;
            uint256 high = (text | (letters << 5)) & (ONES * 0xf0);
            uint256 wrong = high ^ (ONES * 0x30) ^ (letters * 0x50);
            // Letters from A to F have a value from 10 to 15; digits one from 0 to 9.
            wrong |= (values & (ONES * 0xf0)) | (((values + ONES * 6) ^ (letters << 4)) & (ONES * 0x10));
            if (wrong != 0) revert ISubrosaDcap.JsonUnexpected(offset);
            value = _nibbles(values);
            next = offset + length;
        }
    }

    /// @notice Reads `YYYY-MM-DDTHH:MM:SSZ` as Unix seconds.
    function date(bytes calldata json, uint256 offset) internal pure returns (uint256 unix, uint256 next) {
        unix = Dates.iso8601(json.word(offset));
        unchecked {
            next = offset + 20;
        }
    }

    /// @notice The place of the first `character` from `offset` on.
    function find(bytes calldata json, uint256 offset, uint256 character) internal pure returns (uint256) {
        unchecked {
            uint256 pattern = ONES * character;
            while (offset < json.length) {
                uint256 other = json.word(offset) ^ pattern;
                // The highest bit of every byte that is zero in `other`, and no other bit.
                uint256 equal = ~(((other & LOW_BITS) + LOW_BITS) | other | LOW_BITS);
                if (equal != 0) return offset + _leadingBytes(equal);
                offset += 32;
            }
            revert ISubrosaDcap.JsonUnexpected(offset);
        }
    }

    /// @dev How many bytes are zero before the first that is not.
    function _leadingBytes(uint256 value) private pure returns (uint256 count) {
        unchecked {
            if (value >> 128 == 0) {
                count = 16;
                value <<= 128;
            }
            if (value >> 192 == 0) {
                count += 8;
                value <<= 64;
            }
            if (value >> 224 == 0) {
                count += 4;
                value <<= 32;
            }
            if (value >> 240 == 0) {
                count += 2;
                value <<= 16;
            }
            if (value >> 248 == 0) ++count;
        }
    }

    /// @dev Packs 32 bytes below 16 into 16 bytes.
    function _nibbles(uint256 values) private pure returns (uint256 packed) {
        packed = (values | (values >> 4)) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
        packed = (packed | (packed >> 8)) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
        packed = (packed | (packed >> 16)) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
        packed = (packed | (packed >> 32)) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
        packed = (packed | (packed >> 64)) & 0xffffffffffffffffffffffffffffffff;
    }

    uint256 private constant ONES = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint256 private constant ZEROS = 0x3030303030303030303030303030303030303030303030303030303030303030;
    uint256 private constant LOW_BITS = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;
}
