// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {OracleKit} from "./OracleKit.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @notice Oracle and registry together.
abstract contract DuoTest is RegistryTest, OracleKit {
    function setUp() public virtual override {
        super.setUp();
        _setUpOracle(address(registry));
    }
}
