// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, Registration} from "../interfaces/ISubrosaOracle.sol";
import {Digests} from "../libraries/Digests.sol";
import {EntryKind, ExecutionWord, ExecutionWords} from "../libraries/EntryWords.sol";
import {HeadSlots} from "../libraries/HeadSlot.sol";
import {LogSlot, LogSlots} from "../libraries/LogSlot.sol";
import {Logs} from "./Logs.sol";
import {OracleStorage} from "./OracleStorage.sol";
import {Thresholds} from "./Thresholds.sol";

/// @title Registering contracts
abstract contract Registrations is Logs, Thresholds {
    uint8 private constant PROFILES = 2;

    uint256 private constant WORLD = 1 << 2;
    uint256 private constant PROFILE = 8;

    /// @inheritdoc ISubrosaOracle
    function register(Registration calldata registration) external payable returns (bytes32 contractId) {
        if (registration.codeCommitment == 0) revert ZeroCodeCommitment();
        if (registration.profile >= PROFILES) revert UnknownProfile(registration.profile);
        _checkPolicy(registration.policy);
        OracleStorage.Layout storage $ = OracleStorage.load();

        uint32 epoch = registry.currentEpoch(registration.keyGroup);
        if (epoch == 0) revert NoEpoch(registration.keyGroup);
        if (epoch != registration.keyEpoch) revert EpochNotCurrent(registration.keyGroup, epoch);
        registry.checkRuntime(registration.runtimeGeneration);

        contractId = Digests.contractId(address(this), msg.sender, $.nonces[msg.sender]++);
        $.owners[contractId] = msg.sender;
        if (registration.upgradeDelay != 0) {
            if (registration.stateless) revert StatelessUpgrade();
            $.upgrades[contractId].delay = registration.upgradeDelay;
        }
        if (registration.stateless) $.heads[contractId].word = HeadSlots.createStateless(epoch);
        LogSlot log = LogSlots.create(registration);
        if (registration.signers > 1 || registration.kinds > 1) {
            _setThreshold(
                contractId,
                OracleStorage.Threshold(registration.signers, registration.kinds, 0, 0, 0),
                registration.signers,
                registration.kinds
            );
            log = log.withSigners(registration.signers);
        }
        ++$.contracts[log.keys()];
        emit Registered(contractId, msg.sender, registration.codeCommitment);

        uint256 flags = (registration.world ? WORLD : 0) | uint256(registration.profile) << PROFILE;
        _appendOwn(
            contractId,
            log,
            registration.context,
            ExecutionWord.unwrap(
                ExecutionWords.create(EntryKind.DEPLOY, flags, registration.fuelLimit, 0, log, _blockNumber())
            ),
            _settlement(log, 0, 0, registration.deadline),
            registration.fuelLimit,
            registration.codeCommitment,
            abi.encode(registration.codeCommitment)
        );
    }
}
