// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Up to eight pairs of a measurement and a configuration, in one word: eight times
/// measurementIndex 16 ‖ configIndex 16. Indices count from one, so a place that is zero is empty.
type EpochSet is uint256;

using EpochSets for EpochSet global;

/// @title Reading and making an epoch's set
library EpochSets {
    /// @notice How many pairs there is room for.
    uint256 internal constant PLACES = 8;
    uint256 private constant WIDTH = 32;
    uint256 private constant EACH = 0x0000000100000001000000010000000100000001000000010000000100000001;
    uint256 private constant TOP_OF_EACH = EACH << 31;

    /// @notice The pair at a place; zero if there is none.
    function pairAt(EpochSet set, uint256 place) internal pure returns (uint32) {
        return uint32(EpochSet.unwrap(set) >> place * WIDTH);
    }

    /// @notice The set with a pair at a place that was empty.
    function put(EpochSet set, uint256 place, uint32 pair) internal pure returns (EpochSet) {
        return EpochSet.wrap(EpochSet.unwrap(set) | uint256(pair) << place * WIDTH);
    }

    function isEmpty(EpochSet set) internal pure returns (bool) {
        return EpochSet.unwrap(set) == 0;
    }

    /// @notice Whether the pair, which is not zero, is at one of the places.
    /// @dev Places that hold it become zero, and subtracting one from each finds whether any is: the lowest
    /// that is zero borrows into its top bit, which it did not have, and where none is zero nothing borrows.
    function contains(EpochSet set, uint32 pair) internal pure returns (bool) {
        unchecked {
            uint256 difference = EpochSet.unwrap(set) ^ EACH * pair;
            return (difference - EACH) & ~difference & TOP_OF_EACH != 0;
        }
    }
}
