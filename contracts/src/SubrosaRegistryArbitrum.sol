// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaRegistry} from "./SubrosaRegistry.sol";
import {ArbitrumChain} from "./chain/ArbitrumChain.sol";

/// @title SubrosaRegistry for Arbitrum chains
/// @notice Challenges name one of the chain's own blocks there. Everything else is `SubrosaRegistry`.
contract SubrosaRegistryArbitrum is SubrosaRegistry {
    /// @dev As the registry's.
    constructor(
        address authority_,
        uint40 activationDelay_,
        uint40 maximumLease_,
        uint40 openingTimeout_,
        uint40 suspensionCooldown_
    ) SubrosaRegistry(authority_, activationDelay_, maximumLease_, openingTimeout_, suspensionCooldown_) {}

    function _blockNumber() internal view override returns (uint256) {
        return ArbitrumChain.blockNumber();
    }

    function _blockHash(uint256 number) internal view override returns (bytes32) {
        return ArbitrumChain.blockHash(number);
    }
}
