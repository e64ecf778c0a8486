// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {EntryKind, ExecutionWords} from "../libraries/EntryWords.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {Logs} from "./Logs.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title Entries that change what later entries mean
/// @notice Another epoch's keys, other code, another runtime: each is an entry of the log like any
/// other, so whoever proves an entry has proven every change before it.
abstract contract Changes is Logs {
    /// @inheritdoc ISubrosaOracle
    function advanceEpoch(bytes32 contractId, uint32 epoch) external payable returns (uint48 seq) {
        _checkOwner(contractId);
        LogSlot log = OracleStorage.load().logs[contractId];

        uint32 previous = log.keyEpoch();
        uint32 current = registry.currentEpoch(log.keyGroup());
        if (epoch != current) revert EpochNotCurrent(log.keyGroup(), current);
        if (epoch <= previous) revert EpochNotNewer(contractId, previous);
        log = log.withEpoch(epoch);

        bytes memory input = abi.encode(previous, epoch, registry.epochRecord(log.keyGroup(), epoch));
        return _appendChange(contractId, log, EntryKind.EPOCH, input);
    }

    /// @inheritdoc ISubrosaOracle
    function announceUpgrade(bytes32 contractId, bytes32 codeCommitment) external {
        _checkOwner(contractId);
        OracleStorage.Upgrade storage announced = OracleStorage.load().upgrades[contractId];
        if (announced.delay == 0) revert NotUpgradable(contractId);

        uint48 readyAt = uint48(block.timestamp) + announced.delay;
        announced.readyAt = readyAt;
        announced.codeCommitment = codeCommitment;
        emit UpgradeAnnounced(contractId, codeCommitment, readyAt);
    }

    /// @inheritdoc ISubrosaOracle
    function upgrade(bytes32 contractId, uint64 fuelLimit, uint48 deadline) external payable returns (uint48 seq) {
        _checkOwner(contractId);
        OracleStorage.Layout storage $ = OracleStorage.load();
        OracleStorage.Upgrade storage announced = $.upgrades[contractId];
        bytes32 codeCommitment = announced.codeCommitment;
        if (codeCommitment == 0) revert UpgradeNotAnnounced(contractId);
        if (block.timestamp < announced.readyAt) revert UpgradeNotReady(contractId, announced.readyAt);
        announced.codeCommitment = 0;
        announced.readyAt = 0;

        LogSlot log = $.logs[contractId];
        if (log.codeVersion() == type(uint16).max) revert CodeVersionsExhausted(contractId);
        log = log.withNextCode();
        return _append(
            contractId,
            log,
            0,
            codeCommitment,
            ExecutionWords.create(EntryKind.UPGRADE, 0, fuelLimit, log),
            _settlement(log, 0, 0, deadline),
            abi.encode(codeCommitment)
        );
    }

    /// @inheritdoc ISubrosaOracle
    function changeRuntime(bytes32 contractId, uint16 generation) external payable returns (uint48 seq) {
        LogSlot log = _existing(contractId);
        uint16 previous = log.runtimeGeneration();
        if (generation <= previous) revert GenerationNotNewer(contractId, previous);
        if (registry.runtimeSuccessor(previous) != generation) _checkOwner(contractId);
        _checkRuntime(generation);
        log = log.withRuntime(generation);

        // A stateless contract's head stays zero, and its entries wait in no order.
        bytes memory input = abi.encode(previous, generation, OracleStorage.load().heads[contractId].word.seq());
        return _appendChange(contractId, log, EntryKind.RUNTIME, input);
    }

    /// @inheritdoc ISubrosaOracle
    function upgradeOf(bytes32 contractId)
        external
        view
        returns (uint32 delay, bytes32 codeCommitment, uint48 readyAt)
    {
        OracleStorage.Upgrade storage announced = OracleStorage.load().upgrades[contractId];
        return (announced.delay, announced.codeCommitment, announced.readyAt);
    }

    /// @dev Appends an entry that runs no code; its deadline is the policy's minimum.
    function _appendChange(bytes32 contractId, LogSlot log, uint256 kind, bytes memory input)
        private
        returns (uint48 seq)
    {
        return _append(
            contractId,
            log,
            0,
            keccak256(input),
            ExecutionWords.create(kind, 0, 0, log),
            _settlement(log, 0, 0, block.timestamp + log.minimumDeadline()),
            input
        );
    }
}
