// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, Registration} from "../interfaces/ISubrosaOracle.sol";
import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {Digests} from "../libraries/Digests.sol";
import {
    EntryKind,
    ExecutionWord,
    ExecutionWords,
    PaymentWord,
    PaymentWords,
    SettlementWord,
    SettlementWords,
    TermsWord
} from "../libraries/EntryWords.sol";
import {LogSlot, LogSlots} from "../libraries/LogSlot.sol";
import {OracleStorage} from "./OracleStorage.sol";
import {Ownership} from "./Ownership.sol";

/// @title Appending to logs
abstract contract Logs is Ownership {
    /// @notice Longest input, in bytes: what fits a transaction of 128 KiB, the limit of most nodes'
    /// pools, beside everything else.
    uint256 internal constant MAXIMUM_INPUT = 120 * 1024;

    /// @inheritdoc ISubrosaOracle
    ISubrosaRegistry public immutable registry;

    constructor(ISubrosaRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc ISubrosaOracle
    function register(Registration calldata registration) external payable returns (bytes32 contractId) {
        if (registration.codeCommitment == 0) revert ZeroCodeCommitment();
        _checkMaximumCallbackGas(registration.maximumCallbackGas);
        OracleStorage.Layout storage $ = OracleStorage.load();

        uint32 epoch = registry.currentEpoch(registration.keyGroup);
        if (epoch == 0) revert NoEpoch(registration.keyGroup);
        _checkRuntime(registration.runtimeGeneration);

        contractId = Digests.contractId(address(this), msg.sender, $.nonces[msg.sender]++);
        $.owners[contractId] = msg.sender;
        if (registration.upgradeDelay != 0) {
            if (registration.stateless) revert StatelessUpgrade();
            $.upgrades[contractId].delay = registration.upgradeDelay;
        }
        emit Registered(contractId, msg.sender, registration.codeCommitment);

        LogSlot log = LogSlots.create(registration, epoch);
        _append(
            contractId,
            log,
            registration.context,
            registration.codeCommitment,
            ExecutionWords.create(EntryKind.DEPLOY, 0, registration.fuelLimit, log),
            _settlement(log, 0, 0, registration.deadline),
            abi.encode(registration.codeCommitment)
        );
    }

    /// @inheritdoc ISubrosaOracle
    function request(bytes32 contractId, bytes32 context, uint256 terms, bytes calldata input)
        external
        payable
        returns (uint48 seq)
    {
        LogSlot log = _existing(contractId);
        if (log.isGated()) _checkGates(contractId, log);

        TermsWord chosen = TermsWord.wrap(terms);
        if (chosen.hasUnknown()) revert UnknownTerms(terms);
        if (chosen.hasBounds()) _checkBounds(contractId, log, chosen);
        if (input.length > MAXIMUM_INPUT) revert InputTooLong(input.length, MAXIMUM_INPUT);

        return _append(
            contractId,
            log,
            context,
            keccak256(input),
            ExecutionWords.create(EntryKind.CALL, chosen.executionFlags(), chosen.fuelLimit(), log),
            _settlement(log, chosen.callbackGasLimit(), chosen.settlementFlags(), chosen.deadline()),
            input
        );
    }

    /// @dev Stores the digest of the log's next entry, whose keys `log` names, and escrows the value
    /// sent as its fee.
    function _append(
        bytes32 contractId,
        LogSlot log,
        bytes32 context,
        bytes32 inputHash,
        ExecutionWord execution,
        SettlementWord settlement,
        bytes memory input
    ) internal returns (uint48 seq) {
        OracleStorage.Layout storage $ = OracleStorage.load();
        PaymentWord payment = _payment(log);
        if (log.isFull()) revert LogFull(contractId);
        seq = log.nextSeq();

        bytes32 previousDigest;
        if (seq != 0 && !log.isStateless()) {
            unchecked {
                previousDigest = OracleStorage.digestOf($.entries[contractId][seq - 1]);
            }
        }
        $.entries[contractId][seq] = Digests.entry(
            contractId,
            seq,
            previousDigest,
            Digests.execution(context, inputHash, ExecutionWord.unwrap(execution)),
            SettlementWord.unwrap(settlement),
            PaymentWord.unwrap(payment)
        );
        $.logs[contractId] = log.withEntry();

        emit EntryAppended(
            contractId,
            seq,
            context,
            ExecutionWord.unwrap(execution),
            SettlementWord.unwrap(settlement),
            PaymentWord.unwrap(payment),
            input
        );
    }

    /// @dev Reverts unless the sender may append requests to a contract that is not open to everybody.
    function _checkGates(bytes32 contractId, LogSlot log) private view {
        if (log.isPaused()) revert ContractPaused(contractId);
        if (!isCaller(contractId, msg.sender)) revert CallerNotAllowed(contractId, msg.sender);
    }

    /// @dev Reverts unless the log still has the charge and the epoch that the requester saw.
    function _checkBounds(bytes32 contractId, LogSlot log, TermsWord terms) private pure {
        uint256 maximum = terms.maximumCharge();
        if (maximum != 0 && log.executionCharge() > maximum) revert ChargeTooHigh(log.executionCharge(), maximum);
        uint32 epoch = terms.keyEpoch();
        if (epoch != 0 && epoch != log.keyEpoch()) revert OtherEpoch(contractId, log.keyEpoch());
    }

    /// @dev Reverts unless contracts can be in this runtime generation now.
    function _checkRuntime(uint16 generation) internal view {
        registry.checkRuntime(generation);
    }

    /// @dev The settlement word of an entry by the sender, within the log's policy.
    function _settlement(LogSlot log, uint256 callbackGasLimit, uint256 flags, uint256 deadline)
        internal
        view
        returns (SettlementWord)
    {
        if (callbackGasLimit > log.maximumCallbackGas()) {
            revert CallbackGasTooHigh(callbackGasLimit, log.maximumCallbackGas());
        }
        uint256 earliest = block.timestamp + log.minimumDeadline();
        if (deadline < earliest) revert DeadlineTooEarly(deadline, earliest);
        return SettlementWords.create(msg.sender, callbackGasLimit, flags, deadline);
    }

    /// @dev The payment word of an entry for which the value sent is the fee.
    function _payment(LogSlot log) private view returns (PaymentWord) {
        uint256 charge = log.executionCharge();
        if (msg.value < charge) revert FeeTooLow(msg.value, charge);
        if (msg.value > type(uint96).max) revert FeeTooHigh(msg.value);
        return PaymentWords.create(msg.value, charge, log);
    }
}
