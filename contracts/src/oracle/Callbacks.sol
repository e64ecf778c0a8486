// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Calls} from "../libraries/Calls.sol";
import {SettlementWord} from "../libraries/EntryWords.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title Calling requesters back
abstract contract Callbacks is ISubrosaOracle {
    /// @dev Gas for everything that may follow the check in `fulfill`, without the callback's own:
    /// moving a head or marking a slot (5,000), the refunded bit (2,100), the event (2,500), a cold
    /// callee (2,600), recording a failure (27,100 and an event), deferring the sender's payment (the
    /// push's 59,000 at worst, 22,100 and an event), the memory for it.
    uint256 private constant BOOKKEEPING_GAS = 140_000;

    /// @dev Gas per byte of an item's data: copied into an event (8 and 3/32) and a callback's input,
    /// in memory that may have to grow for both.
    uint256 private constant GAS_PER_BYTE = 16;

    /// @dev Gas for a retry around the callback itself.
    uint256 private constant RETRY_GAS = 10_000;

    /// @inheritdoc ISubrosaOracle
    function retryCallback(bytes32 contractId, uint256 seq, uint256 settlement, uint8 status, bytes calldata output)
        external
    {
        OracleStorage.Layout storage $ = OracleStorage.load();
        SettlementWord word = SettlementWord.wrap(settlement);
        bytes32 failed = $.failedCallbacks[contractId][seq];
        if (failed == 0 || failed != _callbackHash(word, status, output)) revert NoFailedCallback(contractId, seq);
        if (word.callbackExpires() && word.isLate()) revert CallbackExpired(contractId, seq);

        delete $.failedCallbacks[contractId][seq];
        $.entries[contractId][seq] &= ~OracleStorage.CALLBACK_FAILED;
        emit CallbackRetried(contractId, seq);

        uint256 required = _withReserve(word.callbackGasLimit()) + RETRY_GAS + GAS_PER_BYTE * output.length;
        if (gasleft() < required) revert InsufficientGas(gasleft(), required);
        if (!Calls.deliver(word.requester(), gasleft(), contractId, seq, status, output)) {
            revert CallbackReverted(contractId, seq);
        }
    }

    /// @dev Makes a callback with exactly the gas its request named, which the caller has checked is
    /// there, and records it if it fails. The callee may reenter.
    function _callBack(bytes32 contractId, uint256 seq, SettlementWord settlement, uint8 status, bytes calldata output)
        internal
    {
        address requester = settlement.requester();
        if (Calls.deliver(requester, settlement.callbackGasLimit(), contractId, seq, status, output)) return;

        OracleStorage.Layout storage $ = OracleStorage.load();
        $.failedCallbacks[contractId][seq] = _callbackHash(settlement, status, output);
        $.entries[contractId][seq] |= OracleStorage.CALLBACK_FAILED;
        emit CallbackFailed(contractId, seq, SettlementWord.unwrap(settlement), status);
    }

    /// @dev Gas that must be left for an item to be taken.
    function _requiredGas(SettlementWord settlement, uint256 dataLength) internal pure returns (uint256) {
        unchecked {
            return _withReserve(settlement.callbackGasLimit()) + BOOKKEEPING_GAS + GAS_PER_BYTE * dataLength;
        }
    }

    /// @dev A call is given at most 63/64 of the gas there is (EIP-150). A gas limit has 32 bits.
    function _withReserve(uint256 gasLimit) private pure returns (uint256) {
        unchecked {
            return gasLimit + gasLimit / 63 + 1;
        }
    }

    function _callbackHash(SettlementWord settlement, uint8 status, bytes calldata output)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(settlement, status, keccak256(output)));
    }
}
