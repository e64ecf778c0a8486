// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaGovernance} from "../interfaces/ISubrosaGovernance.sol";
import {Digests} from "../libraries/Digests.sol";
import {Generations} from "./Generations.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Terms} from "./Terms.sol";

/// @title Which builds, configurations and families are trusted
/// @notice Every change goes through the authority's roles (OpenZeppelin's AccessManager). What cannot be
/// undone should have an execution delay there, and what gives trust to verifiers too; suspending, which
/// has to work at once, should have none.
abstract contract Governance is AccessManaged, ISubrosaGovernance, Terms {
    /// @inheritdoc ISubrosaGovernance
    function addMeasurement(bytes32 rootId, uint8 teeKind, bytes32 measurementHash)
        external
        restricted
        returns (bytes32 measurementId)
    {
        measurementId = Digests.measurement(rootId, teeKind, measurementHash);
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Measurement storage measurement = $.measurements[measurementId];
        if (measurement.activeFrom != 0) revert MeasurementExists(measurementId);
        uint16 index = _after($.measurementCount);
        $.measurementCount = index;
        $.measurementIds[index] = measurementId;

        uint40 activeFrom = _activation();
        measurement.activeFrom = activeFrom;
        measurement.teeKind = teeKind;
        measurement.index = index;
        measurement.root = bytes22(rootId);
        $.kinds |= 1 << teeKind;
        if ($.machinesBarred) $.families[teeKind].machinesBarred = true;
        emit MeasurementAdded(measurementId, rootId, teeKind, measurementHash, activeFrom);
    }

    /// @inheritdoc ISubrosaGovernance
    function revokeMeasurement(bytes32 measurementId, bytes32 successor) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Measurement storage measurement = $.measurements[measurementId];
        if (measurement.activeFrom == 0) revert MeasurementUnknown(measurementId);
        if (measurement.revoked) revert MeasurementIsRevoked(measurementId);

        measurement.revoked = true;
        if (successor != 0) {
            // Itself is no successor either: it is revoked by now.
            if ($.measurements[successor].activeFrom == 0) revert MeasurementUnknown(successor);
            if ($.measurements[successor].revoked) revert MeasurementIsRevoked(successor);
            $.successors[measurementId] = successor;
        }
        Generations.take(measurement.teeKind);
        emit MeasurementRevoked(measurementId, successor);
    }

    /// @inheritdoc ISubrosaGovernance
    function addConfig(bytes32 configHash, uint32 keyGroup) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Config storage config = $.configs[configHash];
        if (config.activeFrom != 0) revert ConfigExists(configHash);
        uint16 index = _after($.configCount);
        $.configCount = index;
        $.configHashes[index] = configHash;

        uint40 activeFrom = _activation();
        config.activeFrom = activeFrom;
        config.keyGroup = keyGroup;
        config.index = index;
        emit ConfigAdded(configHash, keyGroup, activeFrom);
    }

    /// @inheritdoc ISubrosaGovernance
    function removeConfig(bytes32 configHash) external restricted {
        RegistryStorage.Config storage config = RegistryStorage.load().configs[configHash];
        if (config.activeFrom == 0 || config.removed) revert ConfigUnknown(configHash);
        config.removed = true;
        Generations.takeFromAll();
        emit ConfigRemoved(configHash);
    }

    /// @inheritdoc ISubrosaGovernance
    function setFamily(uint8 teeKind, uint32 minimumTcbEvaluation, bool stopped) external restricted {
        RegistryStorage.Family storage family = RegistryStorage.load().families[teeKind];
        family.minimumTcbEvaluation = minimumTcbEvaluation;
        family.stopped = stopped;
        emit FamilyChanged(teeKind, minimumTcbEvaluation, stopped);
    }

    /// @inheritdoc ISubrosaGovernance
    function revokeSigner(address signer) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        $.signers[signer] = $.signers[signer].revoke();
        emit SignerRevoked(signer);
    }

    /// @dev The index after the last one given out; zero is nobody's.
    function _after(uint16 count) private pure returns (uint16) {
        if (count == type(uint16).max) revert NoIndexLeft();
        return count + 1;
    }
}
