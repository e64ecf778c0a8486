// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaTrust} from "../interfaces/ISubrosaTrust.sol";
import {EpochSet} from "../libraries/EpochSet.sol";
import {SignerSlot} from "../libraries/SignerSlot.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Whether an admitted signer may act now
abstract contract Standing is ISubrosaTrust {
    /// @dev The word of a signer that may act now for one of the set's pairs.
    function _checkMember(address signer, uint32 keyGroup, uint32 keyEpoch, EpochSet set)
        internal
        view
        returns (SignerSlot slot)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        slot = $.signers[signer];
        if (slot.isRevoked()) revert SignerIsRevoked(signer);
        if (slot.isSuspended()) revert SignerIsSuspended(signer);
        if (slot.leaseUntil() == 0) revert SignerUnknown(signer);
        if (block.timestamp >= slot.leaseUntil()) revert LeaseEnded(signer, slot.leaseUntil());
        if (slot.keyGroup() != keyGroup) revert WrongKeyGroup(keyGroup, slot.keyGroup());
        RegistryStorage.Family storage family = $.families[slot.teeKind()];
        if (!_isUntouched(family, slot)) _checkNothingTaken(family, slot, signer);
        if (!slot.isOf(set)) revert SignerNotOfEpoch(signer, keyGroup, keyEpoch);
    }

    /// @dev That the family does not exclude the signer for good.
    function _checkFamily(RegistryStorage.Family storage family, uint8 teeKind, uint32 tcbEvaluation) internal view {
        if (family.stopped) revert FamilyIsStopped(teeKind);
        if (tcbEvaluation < family.minimumTcbEvaluation) {
            revert TcbTooOld(teeKind, tcbEvaluation, family.minimumTcbEvaluation);
        }
    }

    /// @dev Whether one look at the family's word shows that nothing was taken that the signer may rest on.
    function _isUntouched(RegistryStorage.Family storage family, SignerSlot slot) private view returns (bool) {
        uint256 word;
        assembly ("memory-safe") {
            word := sload(family.slot)
        }
        // As `Family` is packed, from the low end: minimumTcbEvaluation 32, generation 24, stopped 8, suspended 8.
        return
            uint32(word) <= slot.tcbEvaluation() && uint24(word >> 32) == slot.generation() && uint16(word >> 56) == 0;
    }

    /// @dev Looks up everything a signer rests on that can be taken away from under it.
    function _checkNothingTaken(RegistryStorage.Family storage family, SignerSlot slot, address signer) private view {
        _checkFamily(family, slot.teeKind(), slot.tcbEvaluation());
        if (family.suspended) revert FamilyIsSuspended(slot.teeKind());
        if (family.generation == slot.generation()) return;
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        bytes32 measurementId = $.measurementIds[slot.measurementIndex()];
        RegistryStorage.Measurement storage measurement = $.measurements[measurementId];
        if (measurement.revoked) revert MeasurementIsRevoked(measurementId);
        if (measurement.suspended) revert MeasurementIsSuspended(measurementId);

        bytes32 configHash = $.configHashes[slot.configIndex()];
        RegistryStorage.Config storage config = $.configs[configHash];
        if (config.removed) revert ConfigUnknown(configHash);
        if (config.suspended) revert ConfigIsSuspended(configHash);

        (uint8 teeKind, uint16 tag) = (slot.teeKind(), slot.product());
        RegistryStorage.ProductTag storage product = $.productTags[teeKind][tag];
        if (product.denials != 0) revert ProductIsDenied(teeKind, bytes32(bytes2(tag)));
        if (product.suspended) revert ProductIsSuspended(teeKind, bytes32(bytes2(tag)));

        uint56 machine = slot.machine();
        _checkMachine(teeKind, machine, family.restricted);
        if ($.machines[machine].suspended) revert MachineIsSuspended(bytes32(bytes7(machine)));

        uint16 void = slot.vouchers() & $.revokedVouchers;
        if (void != 0) revert VouchersRevoked(signer, void);
        void = slot.vouchers() & $.suspendedVouchers;
        if (void != 0) revert VouchersSuspended(signer, void);
    }

    /// @dev That the machine is not excluded for good.
    function _checkMachine(uint8 teeKind, uint56 machine, bool restricted) internal view {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        if ($.machines[machine].denied) revert MachineIsDenied(bytes32(bytes7(machine)));
        if (restricted && !$.allowedMachines[teeKind][machine]) {
            revert MachineNotAllowed(teeKind, bytes32(bytes7(machine)));
        }
    }
}
