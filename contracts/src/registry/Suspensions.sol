// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaGovernance} from "../interfaces/ISubrosaGovernance.sol";
import {ISubrosaSuspensions} from "../interfaces/ISubrosaSuspensions.sol";
import {SignerSlots} from "../libraries/SignerSlot.sol";
import {Generations} from "./Generations.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Terms} from "./Terms.sol";

/// @title Stopping at once what may turn out to be sound
/// @notice Whoever may suspend may act on a suspicion, alone and at once, and so must not be able to do
/// what cannot be undone. Others lift it, or revoke.
abstract contract Suspensions is AccessManaged, ISubrosaGovernance, Terms {
    /// @inheritdoc ISubrosaSuspensions
    function suspend(Subject subject, uint8 teeKind, bytes32 id) external restricted {
        RegistryStorage.Suspension storage suspension = _suspension(subject, teeKind, id);
        if (suspension.suspended) revert AlreadySuspended(subject, teeKind, id);
        if (suspension.lifted != 0) {
            uint256 until = uint256(suspension.lifted) + _suspensionCooldown;
            if (block.timestamp < until) revert LiftedLately(subject, teeKind, id, until);
        }
        suspension.suspended = true;
        _set(subject, teeKind, id, true);
        emit Suspended(subject, teeKind, id);
    }

    /// @inheritdoc ISubrosaSuspensions
    function lift(Subject subject, uint8 teeKind, bytes32 id) external restricted {
        RegistryStorage.Suspension storage suspension = _suspension(subject, teeKind, id);
        if (!suspension.suspended) revert NotSuspended(subject, teeKind, id);
        suspension.suspended = false;
        suspension.lifted = uint40(block.timestamp);
        _set(subject, teeKind, id, false);
        emit Lifted(subject, teeKind, id);
    }

    /// @inheritdoc ISubrosaSuspensions
    function suspensionOf(Subject subject, uint8 teeKind, bytes32 id)
        external
        view
        returns (bool suspended, uint40 lifted)
    {
        RegistryStorage.Suspension storage suspension = _suspension(subject, teeKind, id);
        return (suspension.suspended, suspension.lifted);
    }

    /// @dev Whatever two names have the same effect is one subject: with a second name for it, what was
    /// lifted could be suspended again at once.
    function _suspension(Subject subject, uint8 teeKind, bytes32 id)
        private
        view
        returns (RegistryStorage.Suspension storage)
    {
        bool named = teeKind == 0;
        if (subject == Subject.Machine) {
            id = bytes7(id);
            named = named && id != 0;
        } else if (subject == Subject.Product) {
            id = bytes2(id);
            named = true;
        } else if (subject == Subject.Family) {
            named = id == 0;
        } else if (subject != Subject.Measurement && subject != Subject.Configuration) {
            named = named && id != 0 && uint256(id) >> 160 == 0;
        }
        if (!named) revert NoSuchSubject(subject, teeKind, id);
        return RegistryStorage.load().suspensions[keccak256(abi.encode(subject, teeKind, id))];
    }

    function _set(Subject subject, uint8 teeKind, bytes32 id, bool on) private {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        if (subject == Subject.Measurement) {
            RegistryStorage.Measurement storage measurement = $.measurements[id];
            if (measurement.activeFrom == 0) revert MeasurementUnknown(id);
            measurement.suspended = on;
            if (on) Generations.take(measurement.teeKind);
        } else if (subject == Subject.Configuration) {
            if ($.configs[id].activeFrom == 0) revert ConfigUnknown(id);
            $.configs[id].suspended = on;
            if (on) Generations.takeFromAll();
        } else if (subject == Subject.Voucher) {
            _setVoucher(address(uint160(uint256(id))), on);
        } else if (subject == Subject.Signer) {
            address signer = address(uint160(uint256(id)));
            $.signers[signer] = $.signers[signer].suspend(on);
        } else if (subject == Subject.Machine) {
            $.machines[SignerSlots.machineOf(id)].suspended = on;
            if (on) Generations.takeMachine();
        } else if (subject == Subject.Product) {
            $.productTags[teeKind][SignerSlots.tagOf(id)].suspended = on;
            RegistryStorage.Family storage family = $.families[teeKind];
            family.denials = on ? family.denials + 1 : family.denials - 1;
            if (on) Generations.take(teeKind);
        } else {
            $.families[teeKind].suspended = on;
        }
    }

    /// @dev One that has no index has it suspended when it gets one.
    function _setVoucher(address account, bool on) private {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Voucher storage voucher = $.vouchers[account];
        voucher.suspended = on;
        if ($.seats[voucher.index].holder != account) return;
        uint16 bit = uint16(1) << voucher.index;
        $.suspendedVouchers = on ? $.suspendedVouchers | bit : $.suspendedVouchers & ~bit;
        if (on) Generations.takeFromAll();
    }
}
