// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, PriceTable} from "../interfaces/ISubrosaOracle.sol";
import {PaymentWord, PaymentWords} from "../libraries/EntryWords.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {Prices} from "../libraries/Prices.sol";
import {Chain} from "../chain/Chain.sol";

/// @title What entries cost
/// @notice The table is of immutables: gas prices of today and of one chain are nothing to write into code.
abstract contract Pricing is Chain, ISubrosaOracle {
    uint256 private constant LARGEST_PART = type(uint48).max;

    uint32 private immutable _landing;
    uint32 private immutable _record;
    uint32 private immutable _callback;
    uint16 private immutable _inputByte;
    uint16 private immutable _outputByte;
    uint64 private immutable _includedFuel;
    uint32 private immutable _fuelPerGas;
    uint32 private immutable _grace;

    constructor(PriceTable memory table) {
        if (table.fuelPerGas == 0) revert ZeroFuelPerGas();
        _landing = table.landing;
        _record = table.record;
        _callback = table.callback;
        _inputByte = table.inputByte;
        _outputByte = table.outputByte;
        _includedFuel = table.includedFuel;
        _fuelPerGas = table.fuelPerGas;
        _grace = table.grace;
    }

    /// @inheritdoc ISubrosaOracle
    function prices() public view returns (PriceTable memory) {
        return PriceTable({
            landing: _landing,
            record: _record,
            callback: _callback,
            inputByte: _inputByte,
            outputByte: _outputByte,
            includedFuel: _includedFuel,
            fuelPerGas: _fuelPerGas,
            grace: _grace
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
            return since + _grace;
        }
    }

    /// @dev Gas of a callback without its own.
    function _callbackOverhead() internal view returns (uint256) {
        return _callback;
    }
}
