// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";

/// @title How long what is added waits before it counts
abstract contract Activation is ISubrosaRegistry {
    /// @inheritdoc ISubrosaRegistry
    uint40 public immutable activationDelay;

    constructor(uint40 activationDelay_) {
        activationDelay = activationDelay_;
    }

    /// @dev From when on what is added now counts, in Unix seconds.
    function _activation() internal view returns (uint40) {
        return uint40(block.timestamp) + activationDelay;
    }
}
