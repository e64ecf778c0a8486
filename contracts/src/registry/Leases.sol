// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";

/// @title How long a lease can be
abstract contract Leases is ISubrosaRegistry {
    /// @inheritdoc ISubrosaRegistry
    uint40 public immutable maximumLease;

    constructor(uint40 maximumLease_) {
        maximumLease = maximumLease_;
    }
}
