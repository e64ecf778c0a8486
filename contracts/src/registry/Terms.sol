// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What is fixed when the registry is deployed
abstract contract Terms {
    /// @dev Seconds between adding something and trusting it.
    uint40 internal immutable _activationDelay;
    /// @dev The longest lease, in seconds.
    uint40 internal immutable _maximumLease;
    /// @dev Seconds for which an epoch's opening cannot be replaced.
    uint40 internal immutable _openingTimeout;
    /// @dev Seconds for which what was lifted cannot be suspended again.
    uint40 internal immutable _suspensionCooldown;

    constructor(uint40 activationDelay_, uint40 maximumLease_, uint40 openingTimeout_, uint40 suspensionCooldown_) {
        _activationDelay = activationDelay_;
        _maximumLease = maximumLease_;
        _openingTimeout = openingTimeout_;
        _suspensionCooldown = suspensionCooldown_;
    }

    /// @dev From when on what is added now counts, in Unix seconds.
    function _activation() internal view returns (uint40) {
        return uint40(block.timestamp) + _activationDelay;
    }
}
