// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {OracleStorage} from "./OracleStorage.sol";
import {Ownership} from "./Ownership.sol";

/// @title How many enclaves must agree on a result
/// @notice A broken enclave can sign any result, and no honest one could continue the history that it makes.
/// A contract can ask for several signatures. More are asked for at once; fewer only after the time that its users
/// have for leaving.
abstract contract Thresholds is Ownership {
    uint8 private constant MOST_SIGNERS = 16;

    /// @inheritdoc ISubrosaOracle
    function setThreshold(bytes32 contractId, uint8 signers, uint8 kinds) external {
        _checkOwner(contractId);
        OracleStorage.Layout storage $ = OracleStorage.load();
        OracleStorage.Threshold memory threshold = _threshold(contractId);
        if (signers >= threshold.signers && kinds >= threshold.kinds) {
            _setThreshold(contractId, signers, kinds);
            return;
        }
        _checkThreshold(signers, kinds);
        uint256 delay = $.upgrades[contractId].delay;
        if (delay == 0) revert ThresholdFixed(contractId);
        threshold.nextSigners = signers;
        threshold.nextKinds = kinds;
        threshold.from = uint48(block.timestamp + delay);
        $.thresholds[contractId] = threshold;
        emit ThresholdChanged(contractId, signers, kinds, threshold.from);
    }

    /// @dev The threshold that counts now, and what is announced beyond.
    function _threshold(bytes32 contractId) internal view returns (OracleStorage.Threshold memory threshold) {
        threshold = OracleStorage.load().thresholds[contractId];
        if (threshold.from != 0 && block.timestamp >= threshold.from) {
            threshold = OracleStorage.Threshold(threshold.nextSigners, threshold.nextKinds, 0, 0, 0);
        }
    }

    /// @dev Whatever was announced is withdrawn by asking for as much or more.
    function _setThreshold(bytes32 contractId, uint8 signers, uint8 kinds) internal {
        _checkThreshold(signers, kinds);
        OracleStorage.Layout storage $ = OracleStorage.load();
        $.thresholds[contractId] = OracleStorage.Threshold(signers, kinds, 0, 0, 0);
        OracleStorage.Head storage head = $.heads[contractId];
        head.word = head.word.withThreshold(signers > 1);
        emit ThresholdChanged(contractId, signers, kinds, uint48(block.timestamp));
    }

    function _checkThreshold(uint8 signers, uint8 kinds) private pure {
        if (signers > MOST_SIGNERS || kinds > signers) revert ThresholdTooHigh(signers, kinds);
    }
}
