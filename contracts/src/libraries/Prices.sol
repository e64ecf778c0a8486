// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LogSlot} from "./LogSlot.sol";
import {PriceSlot} from "./PriceSlot.sol";

/// @title The three parts of a fee
library Prices {
    /// @dev Of a batch, for each signature.
    uint256 private constant SIGNATURE_BYTES = 64;

    /// @notice In gwei, each rounded up. For any arguments whose lengths and gas limits have 64 bits nothing
    /// overflows.
    /// @param baseFee The block's, in wei.
    /// @param dataFee What the chain asks for the data of the transaction that lands the result, in wei.
    function parts(
        PriceSlot table,
        LogSlot log,
        uint256 baseFee,
        uint256 dataFee,
        uint256 inputLength,
        uint256 outputLimit,
        uint256 callbackGas,
        uint256 fuel
    ) internal pure returns (uint256 landing, uint256 callback, uint256 charge) {
        uint256 price = log.gasPrice(baseFee);
        charge = log.charge();
        unchecked {
            uint256 gas_ = table.landing() + inputLength * table.inputByte() + outputLimit * table.outputByte();
            if (fuel > table.includedFuel()) gas_ += _ceil(fuel - table.includedFuel(), table.fuelPerGas());
            if (callbackGas != 0) callback = _ceil((withReserve(callbackGas) + table.callback()) * price, 1 gwei);
            if (callbackGas | charge != 0) gas_ += table.record();
            gas_ += log.furtherSigners() * table.signature();
            landing = _ceil(gas_ * price + dataFee, 1 gwei);
        }
    }

    /// @notice Bytes of the transaction that lands a result that vary: output, and signatures beyond the first.
    function dataLength(LogSlot log, uint256 outputLimit) internal pure returns (uint256) {
        unchecked {
            return outputLimit + SIGNATURE_BYTES * log.furtherSigners();
        }
    }

    /// @notice The gas there must be for a call with `gasLimit` gas: it is given at most 63/64 of what there is
    /// (EIP-150).
    function withReserve(uint256 gasLimit) internal pure returns (uint256) {
        unchecked {
            return gasLimit + gasLimit / 63 + 1;
        }
    }

    function _ceil(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return (a + b - 1) / b;
        }
    }
}
