// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {OracleKit} from "./OracleKit.sol";
import {SignerWords} from "./SignerWords.sol";
import {StandInRegistry} from "./StandInRegistry.sol";

/// @notice The oracle by itself, with a registry that says what a test tells it to.
abstract contract OracleTest is OracleKit {
    StandInRegistry internal registry;

    function setUp() public virtual {
        _setUpChain();
        registry = new StandInRegistry();
        registry.openEpoch(KEY_GROUP);
        registry.addRuntime(1);
        registry.admit(vm.addr(signerKey), SignerWords.create(TEE_KIND, 1, 1));
        _setUpOracle(address(registry));
    }
}
