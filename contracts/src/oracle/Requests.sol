// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Call, ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Entry} from "../interfaces/SubrosaTypes.sol";
import {
    EntryKind,
    ExecutionWord,
    ExecutionWords,
    PaymentWord,
    SettlementWord,
    TermsWord
} from "../libraries/EntryWords.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {Logs} from "./Logs.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title Asking
abstract contract Requests is Logs {
    /// @notice Longest input, in bytes: what fits a transaction of 128 KiB, the limit of most nodes'
    /// pools, beside everything else.
    uint256 internal constant MAXIMUM_INPUT = 120 * 1024;

    /// @inheritdoc ISubrosaOracle
    function request(bytes32 contractId, bytes32 context, uint256 terms, address refundTo, bytes calldata input)
        external
        payable
        returns (uint48 seq)
    {
        LogSlot log = _open(contractId);
        seq = log.nextSeq();
        Entry memory entry;
        entry.contractId = contractId;
        entry.previousDigest = _previousDigest(contractId, log);
        entry.refundTo = refundTo;
        (, log,) = _ask(log, entry, context, TermsWord.wrap(terms), input, _valueInGwei(), true);
        OracleStorage.load().logs[contractId] = log;
    }

    /// @inheritdoc ISubrosaOracle
    function requestMany(bytes32 contractId, address refundTo, Call[] calldata calls)
        external
        payable
        returns (uint48 first)
    {
        if (calls.length == 0) revert NoRequests();
        LogSlot log = _open(contractId);
        first = log.nextSeq();
        uint256 available = _valueInGwei();
        Entry memory entry;
        entry.contractId = contractId;
        entry.previousDigest = _previousDigest(contractId, log);
        entry.refundTo = refundTo;
        for (uint256 i = 0; i < calls.length; ++i) {
            Call calldata call = calls[i];
            TermsWord terms = TermsWord.wrap(call.terms);
            bool last = i == calls.length - 1;
            bytes32 digest;
            (digest, log, available) = _ask(log, entry, call.context, terms, call.input, available, last);
            if (!log.isStateless()) entry.previousDigest = digest;
        }
        OracleStorage.load().logs[contractId] = log;
    }

    /// @inheritdoc ISubrosaOracle
    function quote(bytes32 contractId, uint256 inputLength, uint256 outputLength, uint256 callbackGas)
        external
        view
        returns (uint256 fee)
    {
        return _quote(_existing(contractId), inputLength, outputLength, callbackGas, 0);
    }

    /// @inheritdoc ISubrosaOracle
    function quote(
        bytes32 contractId,
        uint256 inputLength,
        uint256 outputLength,
        uint256 callbackGas,
        uint256 fuelLimit
    ) external view returns (uint256 fee) {
        return _quote(_existing(contractId), inputLength, outputLength, callbackGas, fuelLimit);
    }

    /// @dev Appends a request that is paid from `available` gwei: all of it, or what it costs.
    /// @param entry What does not change between requests, and room for the rest.
    /// @return digest The request's.
    /// @return The log with the request.
    /// @return What is left of `available`.
    function _ask(
        LogSlot log,
        Entry memory entry,
        bytes32 context,
        TermsWord terms,
        bytes calldata input,
        uint256 available,
        bool all
    ) private returns (bytes32 digest, LogSlot, uint256) {
        if (terms.hasUnknown()) revert UnknownTerms(TermsWord.unwrap(terms));
        if (terms.hasBounds()) _checkBounds(entry.contractId, log, terms);
        if (input.length > MAXIMUM_INPUT) revert InputTooLong(input.length, MAXIMUM_INPUT);

        uint256 callbackGas = terms.callbackGasLimit();
        entry.context = context;
        entry.execution = ExecutionWord.unwrap(
            ExecutionWords.create(
                EntryKind.CALL, terms.executionFlags(), terms.fuelLimit(), terms.outputLimit(), log, _blockNumber()
            )
        );
        entry.settlement =
            SettlementWord.unwrap(_settlement(log, callbackGas, terms.settlementFlags(), terms.deadline()));
        (uint256 landing, uint256 callback, uint256 charge) =
            _price(log, input.length, terms.outputLimit(), callbackGas, terms.fuelLimit());
        uint256 pays = all ? available : _min(available, landing + callback + charge);
        entry.payment = PaymentWord.unwrap(_pays(log, pays, landing, callback, charge));
        (digest, log) = _append(log, entry, input);
        unchecked {
            return (digest, log, available - pays);
        }
    }

    /// @dev The log of a contract to which the sender may append.
    function _open(bytes32 contractId) private view returns (LogSlot log) {
        log = _existing(contractId);
        if (!log.isGated()) return log;
        if (log.isPaused() || log.isAbandoned()) revert ContractPaused(contractId);
        if (!_isCaller(contractId, msg.sender)) revert CallerNotAllowed(contractId, msg.sender);
    }

    /// @dev Reverts unless the log still has the epoch, the code and the charge that the requester saw.
    function _checkBounds(bytes32 contractId, LogSlot log, TermsWord terms) private pure {
        uint32 epoch = terms.keyEpoch();
        if (epoch != 0 && epoch != log.keyEpoch()) revert OtherEpoch(contractId, log.keyEpoch());
        uint256 version = terms.codeVersion();
        if (version != 0 && version - 1 != log.codeVersion()) revert OtherCode(contractId, log.codeVersion());
        if (terms.hasMaximumCharge() && log.charge() > terms.maximumCharge()) {
            revert ChargeTooHigh(log.charge(), terms.maximumCharge());
        }
    }

    function _quote(LogSlot log, uint256 inputLength, uint256 outputLength, uint256 callbackGas, uint256 fuelLimit)
        private
        view
        returns (uint256)
    {
        (uint256 landing, uint256 callback, uint256 charge) =
            _price(log, inputLength, outputLength, callbackGas, fuelLimit);
        return (landing + callback + charge) * 1 gwei;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
