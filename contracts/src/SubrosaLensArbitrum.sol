// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaLens} from "./SubrosaLens.sol";
import {ArbitrumChain} from "./chain/ArbitrumChain.sol";
import {ISubrosaOracle} from "./interfaces/ISubrosaOracle.sol";

/// @title SubrosaLens for Arbitrum chains
/// @notice Transactions pay for their data there. Everything else is `SubrosaLens`.
contract SubrosaLensArbitrum is SubrosaLens {
    /// @param oracle_ The oracle to look at.
    constructor(ISubrosaOracle oracle_) SubrosaLens(oracle_) {}

    function _dataFee(uint256 outputLimit) internal view override returns (uint256) {
        return ArbitrumChain.dataFee(outputLimit);
    }
}
