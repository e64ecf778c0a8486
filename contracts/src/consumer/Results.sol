// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice How executing a request ended; see `Outcome.status`.
enum ResultStatus {
    /// Never reported.
    None,
    Succeeded,
    /// The confidential contract reverted, or ran out of fuel.
    Failed,
    /// The input did not open or decode under the key that the request names.
    Rejected
}

/// @title Reading what a callback brings
library Results {
    /// @notice The status is none that this version knows.
    /// @custom:remedy Update the library: the oracle is newer than it.
    error UnknownStatus(uint8 status);

    /// @notice A callback's status by name.
    function named(uint8 status) internal pure returns (ResultStatus) {
        if (status == 0 || status > uint8(type(ResultStatus).max)) revert UnknownStatus(status);
        return ResultStatus(status);
    }

    /// @notice Whether the confidential contract returned.
    function succeeded(uint8 status) internal pure returns (bool) {
        return status == uint8(ResultStatus.Succeeded);
    }
}
