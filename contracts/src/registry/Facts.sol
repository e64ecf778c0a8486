// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaEpochs} from "../interfaces/ISubrosaEpochs.sol";
import {ISubrosaGovernance} from "../interfaces/ISubrosaGovernance.sol";
import {ISubrosaSuspensions} from "../interfaces/ISubrosaSuspensions.sol";
import {SignerSlot} from "../libraries/SignerSlot.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Terms} from "./Terms.sol";

/// @title What is known of builds, configurations, families and signers
abstract contract Facts is ISubrosaGovernance, Terms {
    /// @inheritdoc ISubrosaGovernance
    function measurementOf(bytes32 measurementId)
        external
        view
        returns (uint40 activeFrom, uint8 teeKind, bool revoked, bytes32 successor, bool suspended, uint16 index)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Measurement storage m = $.measurements[measurementId];
        return (m.activeFrom, m.teeKind, m.revoked, $.successors[measurementId], m.suspended, m.index);
    }

    /// @inheritdoc ISubrosaGovernance
    function measurementAt(uint16 index) external view returns (bytes32 measurementId) {
        return RegistryStorage.load().measurementIds[index];
    }

    /// @inheritdoc ISubrosaGovernance
    function configOf(bytes32 configHash)
        external
        view
        returns (uint40 activeFrom, uint32 keyGroup, bool removed, bool suspended, uint16 index)
    {
        RegistryStorage.Config storage c = RegistryStorage.load().configs[configHash];
        return (c.activeFrom, c.keyGroup, c.removed, c.suspended, c.index);
    }

    /// @inheritdoc ISubrosaGovernance
    function configAt(uint16 index) external view returns (bytes32 configHash) {
        return RegistryStorage.load().configHashes[index];
    }

    /// @inheritdoc ISubrosaGovernance
    function familyOf(uint8 teeKind) external view returns (uint32 minimumTcbEvaluation, bool stopped, bool suspended) {
        RegistryStorage.Family storage f = RegistryStorage.load().families[teeKind];
        return (f.minimumTcbEvaluation, f.stopped, f.suspended);
    }

    /// @inheritdoc ISubrosaGovernance
    function signerOf(address signer)
        external
        view
        returns (uint40 leaseUntil, uint32 tcbEvaluation, uint8 teeKind, uint32 keyGroup, bool revoked, bool suspended)
    {
        SignerSlot slot = RegistryStorage.load().signers[signer];
        return (
            slot.leaseUntil(),
            slot.tcbEvaluation(),
            slot.teeKind(),
            slot.keyGroup(),
            slot.isRevoked(),
            slot.isSuspended()
        );
    }

    /// @inheritdoc ISubrosaGovernance
    function foundationOf(address signer)
        external
        view
        returns (bytes32 measurementId, bytes32 configHash, uint16 vouchers, uint16 product, uint56 machine)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        SignerSlot slot = $.signers[signer];
        return (
            $.measurementIds[slot.measurementIndex()],
            $.configHashes[slot.configIndex()],
            slot.vouchers(),
            slot.product(),
            slot.machine()
        );
    }

    /// @inheritdoc ISubrosaGovernance
    function activationDelay() external view returns (uint40) {
        return _activationDelay;
    }

    /// @inheritdoc ISubrosaGovernance
    function maximumLease() external view returns (uint40) {
        return _maximumLease;
    }

    /// @inheritdoc ISubrosaEpochs
    function openingTimeout() external view returns (uint40) {
        return _openingTimeout;
    }

    /// @inheritdoc ISubrosaSuspensions
    function suspensionCooldown() external view returns (uint40) {
        return _suspensionCooldown;
    }
}
