// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaOracle} from "./SubrosaOracle.sol";
import {ArbitrumChain} from "./chain/ArbitrumChain.sol";
import {PriceTable} from "./interfaces/ISubrosaOracle.sol";
import {ISubrosaRegistry} from "./interfaces/ISubrosaRegistry.sol";

/// @title SubrosaOracle for Arbitrum chains
contract SubrosaOracleArbitrum is SubrosaOracle {
    /// @param registry_ The registry that says who may sign.
    /// @param prices_ How much gas is what, on this chain and today.
    constructor(ISubrosaRegistry registry_, PriceTable memory prices_) SubrosaOracle(registry_, prices_) {}

    function _blockNumber() internal view override returns (uint256) {
        return ArbitrumChain.blockNumber();
    }

    function _blockHash(uint256 number) internal view override returns (bytes32) {
        return ArbitrumChain.blockHash(number);
    }

    function _dataFee(uint256 outputLimit) internal view override returns (uint256) {
        return ArbitrumChain.dataFee(outputLimit);
    }
}
