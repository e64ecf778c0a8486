// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Amounts with few digits and a decimal exponent, as people write prices
/// @notice A mantissa of some bits ‖ exponent 5: mantissa * 10^exponent.
library Decimal {
    uint256 private constant EXPONENT_BITS = 5;

    /// @notice The smallest such number that is not below `value`, with a mantissa of at most `largest`.
    /// `value` must be below `largest` * 10^31.
    function pack(uint256 value, uint256 largest) internal pure returns (uint256) {
        uint256 exponent = 0;
        unchecked {
            while (value > largest) {
                value = value / 10 + (value % 10 == 0 ? 0 : 1);
                ++exponent;
            }
        }
        return value << EXPONENT_BITS | exponent;
    }

    function unpack(uint256 packed) internal pure returns (uint256) {
        unchecked {
            return (packed >> EXPONENT_BITS) * 10 ** (packed & ((1 << EXPONENT_BITS) - 1));
        }
    }
}
