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
        uint256 delay = $.upgrades[contractId].delay;
        // Nor more: there would be no way back from what no enclaves can meet.
        if (delay == 0) revert ThresholdFixed(contractId);
        OracleStorage.Threshold memory threshold = _threshold(contractId);
        if (signers >= threshold.signers && kinds >= threshold.kinds) {
            // Whatever was announced is withdrawn by asking for as much or more.
            threshold = OracleStorage.Threshold(signers, kinds, 0, 0, 0);
            $.logs[contractId] = $.logs[contractId].withSigners(signers);
        } else {
            threshold.nextSigners = signers;
            threshold.nextKinds = kinds;
            threshold.from = uint48(block.timestamp + delay);
        }
        _setThreshold(contractId, threshold, signers, kinds);
    }

    /// @dev The threshold that counts now, and what is announced beyond.
    function _threshold(bytes32 contractId) internal view returns (OracleStorage.Threshold memory threshold) {
        threshold = OracleStorage.load().thresholds[contractId];
        if (threshold.from != 0 && block.timestamp >= threshold.from) {
            threshold = OracleStorage.Threshold(threshold.nextSigners, threshold.nextKinds, 0, 0, 0);
        }
    }

    /// @dev Keeps a threshold by which so many are asked for, from its time on or now.
    function _setThreshold(bytes32 contractId, OracleStorage.Threshold memory threshold, uint8 signers, uint8 kinds)
        internal
    {
        if (signers > MOST_SIGNERS || kinds > signers) revert ThresholdTooHigh(signers, kinds);
        OracleStorage.Layout storage $ = OracleStorage.load();
        $.thresholds[contractId] = threshold;
        OracleStorage.Head storage head = $.heads[contractId];
        uint48 from = threshold.from;
        if (from == 0) {
            head.word = head.word.withThreshold(signers, kinds);
            from = uint48(block.timestamp);
        } else {
            // What counts changes with time, so it is looked up.
            head.word = head.word.withThreshold(2, 2);
        }
        emit ThresholdChanged(contractId, signers, kinds, from);
    }
}
