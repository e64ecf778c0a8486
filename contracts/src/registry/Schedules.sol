// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaEpochs} from "../interfaces/ISubrosaEpochs.sol";
import {ISubrosaGovernance} from "../interfaces/ISubrosaGovernance.sol";
import {EpochMember, EpochSchedule} from "../interfaces/SubrosaTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {EpochSet, EpochSets} from "../libraries/EpochSet.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Terms} from "./Terms.sol";

/// @title Scheduling and retiring epochs
/// @notice Who may hold an epoch's secret is decided before anyone draws it, and never after.
abstract contract Schedules is AccessManaged, ISubrosaGovernance, Terms {
    uint256 internal constant REPLICAS = 1;
    uint256 private constant SEALED = 2;
    uint256 internal constant CUSTODIANS = 3;
    uint256 private constant SEALED_DEVELOPMENT = 4;

    /// @inheritdoc ISubrosaEpochs
    function scheduleEpoch(EpochSchedule calldata schedule) external restricted {
        (uint32 keyGroup, uint32 keyEpoch) = (schedule.keyGroup, schedule.keyEpoch);
        _checkNext(keyGroup, keyEpoch);
        RegistryStorage.Epoch storage epoch = RegistryStorage.load().schedules[keyGroup][keyEpoch];
        _checkReplaceable(epoch, keyGroup, keyEpoch);
        if (schedule.continues && keyEpoch == 1) revert NothingToContinue(keyGroup, keyEpoch);

        bytes32 setHash;
        (epoch.set, setHash) = _setOf(schedule);
        epoch.setHash = setHash;
        epoch.recovery = schedule.recovery;
        epoch.custodiansHash = _custodiansOf(schedule);
        (epoch.opening, epoch.openedAt) = (0, 0);
        ++epoch.schedules;
        (epoch.notBefore, epoch.continues) = (schedule.notBefore, schedule.continues);
        emit EpochScheduled(
            keyGroup,
            keyEpoch,
            schedule.members,
            setHash,
            schedule.recovery,
            schedule.custodians,
            schedule.continues,
            schedule.notBefore
        );
    }

    /// @inheritdoc ISubrosaEpochs
    function retireEpoch(uint32 keyGroup, uint32 keyEpoch, uint40 notice) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        uint32 current = $.currentEpochs[keyGroup];
        if (keyEpoch == 0 || keyEpoch >= current) revert EpochNotPast(keyGroup, keyEpoch, current);
        RegistryStorage.Epoch storage epoch = $.schedules[keyGroup][keyEpoch];
        if (epoch.retiredFrom != 0) revert EpochIsRetired(keyGroup, keyEpoch);
        if (notice < _activationDelay) revert NoticeTooShort(notice, _activationDelay);
        epoch.retiredFrom = uint40(block.timestamp) + notice;
        emit EpochRetired(keyGroup, keyEpoch, epoch.retiredFrom);
    }

    /// @inheritdoc ISubrosaEpochs
    function isRetired(uint32 keyGroup, uint32 keyEpoch) external view returns (bool) {
        uint40 from = retiredFrom(keyGroup, keyEpoch);
        return from != 0 && block.timestamp >= from;
    }

    /// @inheritdoc ISubrosaEpochs
    function retiredFrom(uint32 keyGroup, uint32 keyEpoch) public view returns (uint40) {
        return RegistryStorage.load().schedules[keyGroup][keyEpoch].retiredFrom;
    }

    /// @inheritdoc ISubrosaEpochs
    function membersOf(uint32 keyGroup, uint32 keyEpoch) external view returns (EpochMember[] memory members) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        EpochSet set = $.schedules[keyGroup][keyEpoch].set;
        uint256 count;
        while (count < EpochSets.PLACES && set.pairAt(count) != 0) ++count;
        members = new EpochMember[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint32 pair = set.pairAt(i);
            members[i] = EpochMember($.measurementIds[pair >> 16], $.configHashes[uint16(pair)]);
        }
    }

    /// @inheritdoc ISubrosaEpochs
    function scheduleOf(uint32 keyGroup, uint32 keyEpoch)
        external
        view
        returns (bytes32 setHash, uint256 recovery, bytes32 custodiansHash, uint40 notBefore, bool continues)
    {
        RegistryStorage.Epoch storage epoch = RegistryStorage.load().schedules[keyGroup][keyEpoch];
        return (epoch.setHash, epoch.recovery, epoch.custodiansHash, epoch.notBefore, epoch.continues);
    }

    /// @dev Reverts while an opening can still be acknowledged.
    function _checkReplaceable(RegistryStorage.Epoch storage epoch, uint32 keyGroup, uint32 keyEpoch) internal view {
        uint256 openedAt = epoch.openedAt;
        if (openedAt != 0 && block.timestamp < openedAt + _openingTimeout) {
            revert EpochIsOpen(keyGroup, keyEpoch, openedAt + _openingTimeout);
        }
    }

    function _checkNext(uint32 keyGroup, uint32 keyEpoch) internal view {
        uint32 current = RegistryStorage.load().currentEpochs[keyGroup];
        if (keyEpoch == 0 || keyEpoch - 1 != current) revert EpochNotNext(keyGroup, keyEpoch, current);
    }

    /// @dev That every member can be used now.
    function _checkMembers(EpochSet set, uint32 keyGroup) internal view {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        for (uint256 i = 0; i < EpochSets.PLACES && set.pairAt(i) != 0; ++i) {
            uint32 pair = set.pairAt(i);
            (bytes32 measurementId, bytes32 configHash) = ($.measurementIds[pair >> 16], $.configHashes[uint16(pair)]);
            _indicesOf(EpochMember(measurementId, configHash), keyGroup);
            uint256 activeFrom = $.measurements[measurementId].activeFrom;
            if (block.timestamp < activeFrom) revert MeasurementNotActive(measurementId, activeFrom);
            activeFrom = $.configs[configHash].activeFrom;
            if (block.timestamp < activeFrom) revert ConfigNotActive(configHash, activeFrom);
        }
    }

    function _threshold(uint256 recovery) internal pure returns (uint8) {
        return uint8(recovery >> 240);
    }

    /// @dev The set, and the hash of its ids. Members may be waiting for their activation.
    function _setOf(EpochSchedule calldata schedule) private view returns (EpochSet set, bytes32 setHash) {
        EpochMember[] calldata members = schedule.members;
        bool sound = members.length != 0 && members.length <= EpochSets.PLACES;
        for (uint256 i = 0; sound && i < members.length; ++i) {
            set = set.put(i, _indicesOf(members[i], schedule.keyGroup));
            if (i != 0) sound = _precedes(members[i - 1], members[i]);
        }
        if (!sound) revert EpochSetMalformed(schedule.keyGroup, schedule.keyEpoch);
        setHash = Digests.epochSet(keccak256(abi.encode(members)));
    }

    /// @dev The indices of a member that governance trusts, now or soon.
    function _indicesOf(EpochMember memory member, uint32 keyGroup) private view returns (uint32) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Measurement storage m = $.measurements[member.measurementId];
        if (m.activeFrom == 0) revert MeasurementUnknown(member.measurementId);
        if (m.revoked) revert MeasurementIsRevoked(member.measurementId);
        if (m.suspended) revert MeasurementIsSuspended(member.measurementId);
        RegistryStorage.Config storage c = $.configs[member.configHash];
        if (c.activeFrom == 0 || c.removed) revert ConfigUnknown(member.configHash);
        if (c.suspended) revert ConfigIsSuspended(member.configHash);
        if (c.keyGroup != keyGroup) revert WrongKeyGroup(keyGroup, c.keyGroup);
        return uint32(m.index) << 16 | c.index;
    }

    /// @dev What identifies the custodians, of whom there are as many as the recovery policy says.
    function _custodiansOf(EpochSchedule calldata schedule) private pure returns (bytes32) {
        uint256 recovery = schedule.recovery;
        uint256 kind = recovery >> 248;
        uint256 threshold = _threshold(recovery);
        uint256 shares = uint8(recovery >> 232);
        bool known = uint232(recovery) == 0;
        if (kind == REPLICAS) known = known && threshold != 0 && shares == 0;
        else if (kind == CUSTODIANS) known = known && threshold != 0 && threshold <= shares;
        else known = known && (kind == SEALED || kind == SEALED_DEVELOPMENT) && threshold == 0 && shares == 0;
        if (!known) revert RecoveryUnknown(recovery);

        address[] calldata custodians = schedule.custodians;
        bool matches = custodians.length == shares;
        address last;
        for (uint256 i = 0; matches && i < custodians.length; ++i) {
            matches = custodians[i] > last;
            last = custodians[i];
        }
        if (!matches) revert CustodiansMismatch(schedule.keyGroup, schedule.keyEpoch);
        return shares == 0 ? bytes32(0) : keccak256(abi.encode(custodians));
    }

    function _precedes(EpochMember calldata a, EpochMember calldata b) private pure returns (bool) {
        return a.measurementId < b.measurementId || (a.measurementId == b.measurementId && a.configHash < b.configHash);
    }
}
