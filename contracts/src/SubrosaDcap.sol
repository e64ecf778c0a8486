// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Collateral} from "./dcap/Collateral.sol";
import {ConfigRegisters} from "./dcap/ConfigRegisters.sol";
import {QuoteVerification} from "./dcap/QuoteVerification.sol";

/// @title SubrosaDcap
/// @notice See `ISubrosaDcap`. It cannot be upgraded and nobody governs it.
contract SubrosaDcap is QuoteVerification, ConfigRegisters {
    /// @param rootIds SHA-256 of the SubjectPublicKeyInfo (DER) of every root to pin. Intel's SGX Root
    /// CA is 0xa0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e. Claims name their
    /// root, and measurements are trusted under one root each: pinning a development root here lets
    /// nobody pass for hardware.
    constructor(bytes32[] memory rootIds) Collateral(rootIds) {}
}
