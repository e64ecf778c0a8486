// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Where a piece of collateral is kept and how long it serves, in one word, high to low:
/// evaluation 16 ‖ expires 40 ‖ issued 40 ‖ blob 160. Zero if there is none.
type CollateralRecord is uint256;

using CollateralRecords for CollateralRecord global;

/// @title Reading and making a record
library CollateralRecords {
    /// @notice The record of what an account keeps.
    function create(address account, uint256 from, uint256 until, uint256 number)
        internal
        pure
        returns (CollateralRecord)
    {
        return CollateralRecord.wrap(
            number << 240 | uint256(uint40(until)) << 200 | uint256(uint40(from)) << 160 | uint256(uint160(account))
        );
    }

    /// @notice The account that keeps it; zero if there is nothing to keep.
    function blob(CollateralRecord record) internal pure returns (address) {
        return address(uint160(CollateralRecord.unwrap(record)));
    }

    /// @notice Unix seconds; zero if there is none.
    function issued(CollateralRecord record) internal pure returns (uint256) {
        return uint40(CollateralRecord.unwrap(record) >> 160);
    }

    /// @notice Unix seconds; the last at which it serves.
    function expires(CollateralRecord record) internal pure returns (uint256) {
        return uint40(CollateralRecord.unwrap(record) >> 200);
    }

    /// @notice TCB evaluation number; zero for revocation lists.
    function evaluation(CollateralRecord record) internal pure returns (uint256) {
        return CollateralRecord.unwrap(record) >> 240;
    }
}
