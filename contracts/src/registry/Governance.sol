// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {Digests} from "../libraries/Digests.sol";
import {Activation} from "./Activation.sol";
import {Generations} from "./Generations.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Which builds, configurations and families are trusted
/// @notice Every change goes through the authority's roles (OpenZeppelin's AccessManager). What takes
/// trust away must work at once, so those functions should have no execution delay there; what gives
/// trust to verifiers should have one.
abstract contract Governance is AccessManaged, Activation {
    /// @inheritdoc ISubrosaRegistry
    function addMeasurement(bytes32 rootId, uint8 teeKind, bytes32 measurementHash)
        external
        restricted
        returns (bytes32 measurementId)
    {
        measurementId = Digests.measurement(rootId, teeKind, measurementHash);
        RegistryStorage.Measurement storage measurement = RegistryStorage.load().measurements[measurementId];
        if (measurement.activeFrom != 0) revert MeasurementExists(measurementId);

        uint40 activeFrom = _activation();
        measurement.activeFrom = activeFrom;
        measurement.teeKind = teeKind;
        measurement.root = bytes25(rootId);
        RegistryStorage.load().kinds |= 1 << teeKind;
        emit MeasurementAdded(measurementId, rootId, teeKind, measurementHash, activeFrom);
    }

    /// @inheritdoc ISubrosaRegistry
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

    /// @inheritdoc ISubrosaRegistry
    function addConfig(bytes32 configHash, uint32 keyGroup) external restricted {
        RegistryStorage.Config storage config = RegistryStorage.load().configs[configHash];
        if (config.activeFrom != 0) revert ConfigExists(configHash);

        uint40 activeFrom = _activation();
        config.activeFrom = activeFrom;
        config.keyGroup = keyGroup;
        emit ConfigAdded(configHash, keyGroup, activeFrom);
    }

    /// @inheritdoc ISubrosaRegistry
    function removeConfig(bytes32 configHash) external restricted {
        RegistryStorage.Config storage config = RegistryStorage.load().configs[configHash];
        if (config.activeFrom == 0 || config.removed) revert ConfigUnknown(configHash);
        config.removed = true;
        Generations.takeFromAll();
        emit ConfigRemoved(configHash);
    }

    /// @inheritdoc ISubrosaRegistry
    function setFamily(uint8 teeKind, uint32 minimumTcbEvaluation, bool stopped) external restricted {
        RegistryStorage.Family storage family = RegistryStorage.load().families[teeKind];
        family.minimumTcbEvaluation = minimumTcbEvaluation;
        family.stopped = stopped;
        emit FamilyChanged(teeKind, minimumTcbEvaluation, stopped);
    }

    /// @inheritdoc ISubrosaRegistry
    function restrictFamily(uint8 teeKind, uint32 minimumTcbEvaluation, bool stop) external restricted {
        RegistryStorage.Family storage family = RegistryStorage.load().families[teeKind];
        uint32 current = family.minimumTcbEvaluation;
        if (minimumTcbEvaluation < current) revert FamilyNotRestricted(teeKind, minimumTcbEvaluation, current);
        family.minimumTcbEvaluation = minimumTcbEvaluation;
        bool stopped = family.stopped || stop;
        family.stopped = stopped;
        emit FamilyChanged(teeKind, minimumTcbEvaluation, stopped);
    }

    /// @inheritdoc ISubrosaRegistry
    function revokeSigner(address signer) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        $.signers[signer] = $.signers[signer].revoke();
        emit SignerRevoked(signer);
    }

    /// @inheritdoc ISubrosaRegistry
    function measurementOf(bytes32 measurementId)
        external
        view
        returns (uint40 activeFrom, uint8 teeKind, bool revoked, bytes32 successor)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Measurement storage m = $.measurements[measurementId];
        return (m.activeFrom, m.teeKind, m.revoked, $.successors[measurementId]);
    }

    /// @inheritdoc ISubrosaRegistry
    function configOf(bytes32 configHash) external view returns (uint40 activeFrom, uint32 keyGroup, bool removed) {
        RegistryStorage.Config storage c = RegistryStorage.load().configs[configHash];
        return (c.activeFrom, c.keyGroup, c.removed);
    }

    /// @inheritdoc ISubrosaRegistry
    function familyOf(uint8 teeKind) external view returns (uint32 minimumTcbEvaluation, bool stopped) {
        RegistryStorage.Family storage f = RegistryStorage.load().families[teeKind];
        return (f.minimumTcbEvaluation, f.stopped);
    }
}
