// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PriceTable} from "../interfaces/ISubrosaOracle.sol";

/// @notice A `PriceTable` in one word, high to low: landing 32 ‖ record 32 ‖ callback 32 ‖ signature 16 ‖ inputByte 16 ‖
/// outputByte 16 ‖ includedFuel 48 ‖ fuelPerGas 32 ‖ grace 32.
type PriceSlot is uint256;

using PriceSlots for PriceSlot global;

/// @title Reading a table of prices
library PriceSlots {
    /// @notice The word of a table.
    function pack(PriceTable memory t) internal pure returns (PriceSlot) {
        uint256 gas_ = uint256(t.landing) << 224 | uint256(t.record) << 192 | uint256(t.callback) << 160;
        uint256 each = uint256(t.signature) << 144 | uint256(t.inputByte) << 128 | uint256(t.outputByte) << 112;
        return PriceSlot.wrap(gas_ | each | uint256(t.includedFuel) << 64 | uint256(t.fuelPerGas) << 32 | t.grace);
    }

    function landing(PriceSlot slot) internal pure returns (uint256) {
        return PriceSlot.unwrap(slot) >> 224;
    }

    function record(PriceSlot slot) internal pure returns (uint256) {
        return uint32(PriceSlot.unwrap(slot) >> 192);
    }

    function callback(PriceSlot slot) internal pure returns (uint256) {
        return uint32(PriceSlot.unwrap(slot) >> 160);
    }

    function signature(PriceSlot slot) internal pure returns (uint256) {
        return uint16(PriceSlot.unwrap(slot) >> 144);
    }

    function inputByte(PriceSlot slot) internal pure returns (uint256) {
        return uint16(PriceSlot.unwrap(slot) >> 128);
    }

    function outputByte(PriceSlot slot) internal pure returns (uint256) {
        return uint16(PriceSlot.unwrap(slot) >> 112);
    }

    function includedFuel(PriceSlot slot) internal pure returns (uint256) {
        return uint48(PriceSlot.unwrap(slot) >> 64);
    }

    function fuelPerGas(PriceSlot slot) internal pure returns (uint256) {
        return uint32(PriceSlot.unwrap(slot) >> 32);
    }

    function grace(PriceSlot slot) internal pure returns (uint256) {
        return uint32(PriceSlot.unwrap(slot));
    }
}
