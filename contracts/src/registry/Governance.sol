// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {Digests} from "../libraries/Digests.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title What is trusted, and who says so
/// @notice Every change goes through the authority's roles (OpenZeppelin's AccessManager). What takes
/// trust away must work at once, so those functions should have no execution delay there; what gives
/// trust to verifiers should have one.
abstract contract Governance is AccessManaged, ISubrosaRegistry {
    /// @inheritdoc ISubrosaRegistry
    uint40 public immutable activationDelay;

    constructor(uint40 activationDelay_) {
        activationDelay = activationDelay_;
    }

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
        emit MeasurementAdded(measurementId, rootId, teeKind, measurementHash, activeFrom);
    }

    /// @inheritdoc ISubrosaRegistry
    function revokeMeasurement(bytes32 measurementId, bytes32 successor) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Measurement storage measurement = $.measurements[measurementId];
        if (measurement.activeFrom == 0) revert MeasurementUnknown(measurementId);
        if (measurement.revoked) revert MeasurementIsRevoked(measurementId);

        measurement.revoked = true;
        ++$.families[measurement.teeKind].generation;
        $.successors[measurementId] = successor;
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
        emit ConfigRemoved(configHash);
    }

    /// @inheritdoc ISubrosaRegistry
    function setVerifier(address verifier, bool trusted) external restricted {
        if (verifier == address(0)) revert ZeroSigner();
        RegistryStorage.load().verifiers[verifier] = trusted;
        emit VerifierChanged(verifier, trusted);
    }

    /// @inheritdoc ISubrosaRegistry
    function setVerifierThreshold(uint16 threshold) external restricted {
        _setVerifierThreshold(threshold);
    }

    /// @inheritdoc ISubrosaRegistry
    function setFamily(uint8 teeKind, uint32 minimumTcbEvaluation, bool stopped) external restricted {
        RegistryStorage.Family storage family = RegistryStorage.load().families[teeKind];
        family.minimumTcbEvaluation = minimumTcbEvaluation;
        family.stopped = stopped;
        emit FamilyChanged(teeKind, minimumTcbEvaluation, stopped);
    }

    /// @inheritdoc ISubrosaRegistry
    function setDcap(address dcap, uint16 acceptedTcbStatuses) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        $.dcap = dcap;
        $.acceptedTcbStatuses = acceptedTcbStatuses;
        emit DcapChanged(dcap, acceptedTcbStatuses);
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

    /// @inheritdoc ISubrosaRegistry
    function isVerifier(address verifier) external view returns (bool) {
        return RegistryStorage.load().verifiers[verifier];
    }

    /// @inheritdoc ISubrosaRegistry
    function verifierThreshold() external view returns (uint16) {
        return RegistryStorage.load().verifierThreshold;
    }

    /// @inheritdoc ISubrosaRegistry
    function dcapVerification() external view returns (address dcap, uint16 acceptedTcbStatuses) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        return ($.dcap, $.acceptedTcbStatuses);
    }

    function _setVerifierThreshold(uint16 threshold) internal {
        if (threshold == 0) revert ZeroThreshold();
        RegistryStorage.load().verifierThreshold = threshold;
        emit VerifierThresholdChanged(threshold);
    }

    function _activation() private view returns (uint40) {
        return uint40(block.timestamp) + activationDelay;
    }
}
