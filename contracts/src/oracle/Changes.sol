// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {EntryKind, ExecutionWord, ExecutionWords, SettlementWords} from "../libraries/EntryWords.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {Logs} from "./Logs.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title Entries that change what later entries mean
/// @notice Another epoch's keys, other code, another runtime: each is an entry of the log like any
/// other, so whoever proves an entry has proven every change before it.
abstract contract Changes is Logs {
    /// @dev For how long an announced upgrade can be appended once it is ready.
    uint256 private constant UPGRADE_WINDOW = 30 days;

    /// @inheritdoc ISubrosaOracle
    function advanceEpoch(bytes32 contractId, uint32 epoch) external payable returns (uint48 seq) {
        OracleStorage.Layout storage $ = OracleStorage.load();
        LogSlot log = _existing(contractId);
        uint32 previous = log.keyEpoch();
        bool anyone = !log.isAbandonable() && registry.isRetired(log.keyGroup(), previous);
        if (!anyone) _checkOwner(contractId);

        uint32 current = registry.currentEpoch(log.keyGroup());
        if (epoch != current) revert EpochNotCurrent(log.keyGroup(), current);
        if (epoch <= previous) revert EpochNotNewer(contractId, previous);
        if (log.isStateless()) {
            OracleStorage.Head storage head = $.heads[contractId];
            $.waiting[contractId][log.keys()] = head.word.pending();
            head.word = head.word.inEpoch(epoch);
        }
        log = log.withEpoch(epoch);
        ++$.contracts[log.keys()];

        bytes memory input = abi.encode(previous, epoch, registry.epochRecord(log.keyGroup(), epoch));
        return _change(contractId, log, EntryKind.EPOCH, previous, SettlementWords.LEAVING, input);
    }

    /// @inheritdoc ISubrosaOracle
    function abandon(bytes32 contractId) external {
        OracleStorage.Layout storage $ = OracleStorage.load();
        LogSlot log = _existing(contractId);
        bool can = log.isAbandonable() && !log.isAbandoned() && registry.isRetired(log.keyGroup(), log.keyEpoch());
        if (!can) revert NotAbandonable(contractId);
        $.logs[contractId] = log.abandoned();
        --$.contracts[log.keys()];
        emit Abandoned(contractId, log.keyGroup(), log.keyEpoch());
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
        uint256 readyAt = announced.readyAt;
        if (block.timestamp < readyAt) revert UpgradeNotReady(contractId, readyAt);
        if (block.timestamp > readyAt + UPGRADE_WINDOW) revert UpgradeExpired(contractId, readyAt + UPGRADE_WINDOW);
        announced.codeCommitment = 0;
        announced.readyAt = 0;

        LogSlot log = $.logs[contractId];
        if (log.codeVersion() == type(uint16).max) revert CodeVersionsExhausted(contractId);
        log = log.withNextCode();
        return _appendOwn(
            contractId,
            log,
            0,
            ExecutionWord.unwrap(ExecutionWords.create(EntryKind.UPGRADE, 0, fuelLimit, 0, log, _blockNumber())),
            _settlement(log, 0, 0, deadline),
            fuelLimit,
            codeCommitment,
            abi.encode(codeCommitment)
        );
    }

    /// @inheritdoc ISubrosaOracle
    function changeRuntime(bytes32 contractId, uint16 generation) external payable returns (uint48 seq) {
        LogSlot log = _existing(contractId);
        uint16 previous = log.runtimeGeneration();
        if (generation <= previous) revert GenerationNotNewer(contractId, previous);
        if (registry.runtimeSuccessor(previous) != generation) _checkOwner(contractId);
        registry.checkRuntime(generation);
        log = log.withRuntime(generation);

        // A stateless contract's head stays zero, and its entries wait in no order.
        bytes memory input = abi.encode(previous, generation, OracleStorage.load().heads[contractId].word.seq());
        return _change(contractId, log, EntryKind.RUNTIME, 0, 0, input);
    }

    /// @dev Appends an entry that runs no code; its deadline is the policy's minimum.
    /// @param left The epoch that is left, if that is what the flags say.
    function _change(bytes32 contractId, LogSlot log, uint256 kind, uint256 left, uint256 flags, bytes memory input)
        private
        returns (uint48 seq)
    {
        uint256 deadline = block.timestamp + log.minimumDeadline();
        return _appendOwn(
            contractId,
            log,
            0,
            ExecutionWord.unwrap(ExecutionWords.create(kind, 0, 0, 0, log, _blockNumber())),
            SettlementWords.create(msg.sender, left, flags, deadline),
            0,
            keccak256(input),
            input
        );
    }
}
