// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, PriceTable} from "../interfaces/ISubrosaOracle.sol";
import {PaymentWord, PaymentWords} from "../libraries/EntryWords.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {PriceSlot, PriceSlots} from "../libraries/PriceSlot.sol";
import {Prices} from "../libraries/Prices.sol";
import {Chain} from "../chain/Chain.sol";

/// @title What entries cost
/// @notice The table is immutable: gas prices of today and of one chain are nothing to write into code.
abstract contract Pricing is Chain, ISubrosaOracle {
    uint256 private constant LARGEST_PART = type(uint48).max;

    /// @dev In one word, as each use of an immutable has all of it in the code.
    PriceSlot private immutable _table;

    constructor(PriceTable memory table) {
        if (table.fuelPerGas == 0) revert ZeroFuelPerGas();
        _table = PriceSlots.pack(table);
    }

    /// @inheritdoc ISubrosaOracle
    function prices() external view returns (uint256 packed) {
        return PriceSlot.unwrap(_table);
    }

    /// @dev The three parts of a fee at this block, in gwei.
    function _price(LogSlot log, uint256 inputLength, uint256 outputLimit, uint256 callbackGas, uint256 fuel)
        internal
        view
        returns (uint256 landing, uint256 callback, uint256 charge)
    {
        uint256 dataFee = _dataFee(Prices.dataLength(log, outputLimit));
        return Prices.parts(_table, log, block.basefee, dataFee, inputLength, outputLimit, callbackGas, fuel);
    }

    /// @dev The payment word of an entry that brings `available` gwei, of which `landing` is the least that is not
    /// for `callback` and `charge`.
    function _pays(LogSlot log, uint256 available, uint256 landing, uint256 callback, uint256 charge)
        internal
        pure
        returns (PaymentWord)
    {
        // What is outstanding holds both.
        uint256 others = callback + charge;
        unchecked {
            if (available < others + landing) revert FeeTooLow(available * 1 gwei, (others + landing) * 1 gwei);
            landing = available - others;
        }
        if (landing > LARGEST_PART || others > LARGEST_PART) {
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
            return since + _table.grace();
        }
    }

    /// @dev Gas of a callback without its own.
    function _callbackOverhead() internal view returns (uint256) {
        return _table.callback();
    }

    /// @dev What making a callback anew costs, in gwei, at the block's base fee: nobody earns by having had it fail.
    function _costOfRetry(uint256 used) internal view returns (uint256) {
        PriceSlot table = _table;
        unchecked {
            return (used + table.callback() + table.record()) * block.basefee / 1 gwei;
        }
    }
}
