// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaTrust} from "./ISubrosaTrust.sol";

/// @title The registry's word on single machines
/// @notice A machine's id is the one in `SignerAdmission`, and of another kind of TEE the same machine has
/// another. Of ids the first 56 bits are compared. Platforms that give no identity have the id zero.
interface ISubrosaMachines is ISubrosaTrust {
    /// @notice A machine was denied, or is not denied any more.
    event MachineDenied(bytes32 indexed machineId, bool denied);

    /// @notice A machine was put on its family's list, or taken off it.
    event MachineAllowed(uint8 indexed teeKind, bytes32 indexed machineId, bool allowed);

    /// @notice A family was restricted to the machines on its list, or is not any more.
    event MachinesRestricted(uint8 indexed teeKind, bool restricted);

    /// @notice Zero names no machine.
    /// @custom:remedy Pass the machine id of an admission whose platform gives one.
    error MachineUnidentified();

    /// @notice Denies a machine, by either way in and for leases that run, at once; or allows it again.
    /// Governance only; the delay is the authority's to impose.
    function denyMachine(bytes32 machineId, bool denied) external;

    /// @notice Puts a machine on its family's list, or takes it off it. Governance only; the delay is the
    /// authority's to impose.
    function allowMachine(uint8 teeKind, bytes32 machineId, bool allowed) external;

    /// @notice Restricts a family to the machines on its list, by either way in and for leases that run, at
    /// once; or does not any more. Governance only; the delay is the authority's to impose.
    function restrictMachines(uint8 teeKind, bool restrict) external;

    /// @notice Whether a machine is denied.
    function isMachineDenied(bytes32 machineId) external view returns (bool);

    /// @notice Whether a machine is on its family's list.
    function isMachineAllowed(uint8 teeKind, bytes32 machineId) external view returns (bool);

    /// @notice Whether only machines on the list may be used of a family.
    function isRestrictedToMachines(uint8 teeKind) external view returns (bool);
}
