// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../SubrosaConsumer.sol";
import {Decimal} from "../libraries/Decimal.sol";

/// @title Packing the terms of a request
library Terms {
    uint256 private constant CHARGE_DIGITS = 0x7fff;

    /// @notice The last version that code can have cannot be named.
    /// @custom:remedy Pin no version: after this one there is no other.
    error LastVersion();

    /// @notice The word that `ISubrosaOracle.request` takes.
    function pack(SubrosaConsumer.Ask memory ask) internal pure returns (uint256 terms) {
        terms = (ask.sealedInput ? 1 << 248 : 0) | (ask.opensSession ? 2 << 248 : 0)
            | (ask.callbackExpires ? 1 << 240 : 0) | uint256(ask.fuelLimit) << 176 | uint256(ask.callbackGasLimit)
            << 144 | uint256(ask.deadline) << 96 | uint256(ask.outputLimit) << 72 | uint256(ask.keyEpoch) << 40;
        if (ask.pinsCode) {
            if (ask.codeVersion == type(uint16).max) revert LastVersion();
            terms |= (uint256(ask.codeVersion) + 1) << 24;
        }
        // Nothing at all is zero times ten: the word zero stands for anything.
        if (ask.boundsCharge) {
            terms |= (ask.maximumChargeGwei == 0 ? 1 : Decimal.pack(ask.maximumChargeGwei, CHARGE_DIGITS)) << 4;
        }
    }
}
