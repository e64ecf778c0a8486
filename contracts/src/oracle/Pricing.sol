// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, PriceTable} from "../interfaces/ISubrosaOracle.sol";
import {PaymentWord, PaymentWords} from "../libraries/EntryWords.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {Prices} from "../libraries/Prices.sol";
import {Chain} from "../chain/Chain.sol";

/// @title What entries cost
/// @notice The table is immutable: gas prices of today and of one chain are nothing to write into code.
abstract contract Pricing is Chain, ISubrosaOracle {
    uint256 private constant LARGEST_PART = type(uint48).max;

    /// @dev landing 32 ‖ record 32 ‖ callback 32 ‖ inputByte 16 ‖ outputByte 16 ‖ includedFuel 64 ‖ fuelPerGas 32 ‖
    /// grace 32. In one word, as each use of an immutable has all of it in the code.
    uint256 private immutable _table;

    constructor(PriceTable memory table) {
        if (table.fuelPerGas == 0) revert ZeroFuelPerGas();
        _table = uint256(table.landing) << 224 | uint256(table.record) << 192 | uint256(table.callback) << 160
            | uint256(table.inputByte) << 144 | uint256(table.outputByte) << 128 | uint256(table.includedFuel) << 64
            | uint256(table.fuelPerGas) << 32 | table.grace;
    }

    /// @inheritdoc ISubrosaOracle
    function prices() public view returns (PriceTable memory) {
        uint256 table = _table;
        return PriceTable({
            landing: uint32(table >> 224),
            record: uint32(table >> 192),
            callback: uint32(table >> 160),
            inputByte: uint16(table >> 144),
            outputByte: uint16(table >> 128),
            includedFuel: uint64(table >> 64),
            fuelPerGas: uint32(table >> 32),
            grace: uint32(table)
        });
    }

    /// @dev The three parts of a fee at this block, in gwei.
    function _price(LogSlot log, uint256 inputLength, uint256 outputLimit, uint256 callbackGas, uint256 fuel)
        internal
        view
        returns (uint256 landing, uint256 callback, uint256 charge)
    {
        return Prices.parts(
            prices(), log, block.basefee, _dataFee(outputLimit), inputLength, outputLimit, callbackGas, fuel
        );
    }

    /// @dev The payment word of an entry that brings `available` gwei, of which `landing` is the least that is not
    /// for `callback` and `charge`.
    function _pays(LogSlot log, uint256 available, uint256 landing, uint256 callback, uint256 charge)
        internal
        pure
        returns (PaymentWord)
    {
        unchecked {
            uint256 others = callback + charge;
            if (available < others + landing) revert FeeTooLow(available * 1 gwei, (others + landing) * 1 gwei);
            landing = available - others;
        }
        if (landing > LARGEST_PART || callback > LARGEST_PART || charge > LARGEST_PART) {
            revert FeeTooHigh(available * 1 gwei);
        }
        return PaymentWords.create(landing, callback, charge, log);
    }

    /// @dev The value sent, in gwei.
    function _valueInGwei() internal view returns (uint256 gweis) {
        if (msg.value % 1 gwei != 0) revert FeeNotInGwei(msg.value);
        return msg.value / 1 gwei;
    }

    /// @dev Seconds for which a failed callback's rest is held.
    function _graceOf(uint256 since) internal view returns (uint256 until) {
        unchecked {
            return since + uint32(_table);
        }
    }

    /// @dev Gas of a callback without its own.
    function _callbackOverhead() internal view returns (uint256) {
        return uint32(_table >> 160);
    }
}
