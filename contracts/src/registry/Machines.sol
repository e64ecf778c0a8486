// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaMachines} from "../interfaces/ISubrosaMachines.sol";
import {ISubrosaGovernance} from "../interfaces/ISubrosaGovernance.sol";
import {SignerSlots} from "../libraries/SignerSlot.sol";
import {Generations} from "./Generations.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Which machines may be used
/// @notice One that was tampered with is denied; a family that can be tampered with is restricted to
/// machines that stand where they should. Both hold for either way in and for leases that run. Machines
/// are known by what signers keep of their ids.
abstract contract Machines is AccessManaged, ISubrosaGovernance {
    /// @inheritdoc ISubrosaMachines
    function denyMachine(bytes32 machineId, bool denied) external restricted {
        RegistryStorage.Machine storage machine = RegistryStorage.load().machines[_named(machineId)];
        machine.denied = denied;
        if (denied) Generations.takeMachine();
        emit MachineDenied(machineId, denied);
    }

    /// @inheritdoc ISubrosaMachines
    function allowMachine(uint8 teeKind, bytes32 machineId, bool allowed) external restricted {
        RegistryStorage.load().allowedMachines[teeKind][_named(machineId)] = allowed;
        if (!allowed) Generations.take(teeKind);
        emit MachineAllowed(teeKind, machineId, allowed);
    }

    /// @inheritdoc ISubrosaMachines
    function restrictMachines(uint8 teeKind, bool restrict) external restricted {
        RegistryStorage.load().families[teeKind].restricted = restrict;
        if (restrict) Generations.take(teeKind);
        emit MachinesRestricted(teeKind, restrict);
    }

    /// @inheritdoc ISubrosaMachines
    function isMachineDenied(bytes32 machineId) external view returns (bool) {
        return RegistryStorage.load().machines[SignerSlots.machineOf(machineId)].denied;
    }

    /// @inheritdoc ISubrosaMachines
    function isMachineAllowed(uint8 teeKind, bytes32 machineId) external view returns (bool) {
        return RegistryStorage.load().allowedMachines[teeKind][SignerSlots.machineOf(machineId)];
    }

    /// @inheritdoc ISubrosaMachines
    function isRestrictedToMachines(uint8 teeKind) external view returns (bool) {
        return RegistryStorage.load().families[teeKind].restricted;
    }

    /// @dev A platform that gives no identity is no machine: denying it would deny every such platform,
    /// and allowing it allow every one.
    function _named(bytes32 machineId) private pure returns (uint256 machine) {
        machine = SignerSlots.machineOf(machineId);
        if (machine == 0) revert MachineUnidentified();
    }
}
