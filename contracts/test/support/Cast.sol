// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

/// @notice Who signs, and for which keys.
abstract contract Cast is Test {
    uint8 internal constant TEE_KIND = 1;
    uint32 internal constant KEY_GROUP = 7;

    uint256 internal signerKey = uint256(keccak256("signer"));

    /// @dev The code of the oracle that ships. That of Arbitrum compiles it too, with fewer runs of the optimizer, so
    /// that its name alone would be two artifacts; when coverage is measured there is one.
    function _oracleArtifact() internal view virtual returns (string memory) {
        bool one = keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", string("default")))) == keccak256("coverage");
        return one ? "SubrosaOracle.sol:SubrosaOracle" : "out/SubrosaOracle.sol/SubrosaOracle.json";
    }

    /// @dev Not the chain id that tests have by default, and not the first block.
    function _setUpChain() internal {
        vm.chainId(8_453_000);
        vm.roll(1000);
        vm.warp(1_800_000_000);
    }
}
