// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EpochAcknowledgement, EpochMember, EpochOpening, EpochSchedule} from "../../src/interfaces/SubrosaTypes.sol";
import {SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
import {DuoTest} from "./DuoTest.sol";

/// @notice Oracle and registry with more enclaves than one: of the same build, of another kind, on any machine.
abstract contract EnclaveTest is DuoTest {
    uint256 internal constant REPLICAS = 1 << 248;

    /// @dev Another enclave of the build and configuration there is; its key.
    function _enclave(string memory name, bytes32 machine) internal returns (uint256 key) {
        key = uint256(keccak256(bytes(name)));
        SignerAdmission memory a = _admission(vm.addr(key));
        a.machineId = machine;
        registry.admit(a, _vouch(a, verifierKey));
    }

    /// @dev One of another kind, of a build and in an epoch of its own, which becomes current; its key.
    function _foreign(string memory name, uint8 kind, bytes32 machine) internal returns (uint256 key) {
        key = uint256(keccak256(bytes(name)));
        bytes32 id = registry.addMeasurement(ROOT, kind, keccak256(bytes(name)));
        EpochSchedule memory s = _schedule(2);
        s.members = new EpochMember[](1);
        s.members[0] = EpochMember(id, CONFIG);
        registry.scheduleEpoch(s);
        SignerAdmission memory a = _admission(vm.addr(key));
        (a.measurementId, a.teeKind, a.machineId) = (id, kind, machine);
        registry.admit(a, _vouch(a, verifierKey));
        EpochOpening memory o = _opening(2);
        o.setHash = _setHash(s.members);
        registry.openEpoch(o, vm.addr(key), _signOpening(o, key));
    }

    /// @dev Schedules the second epoch with so many replicas and opens it; its record.
    function _openReplicated(uint256 replicas) internal returns (bytes32 record) {
        EpochSchedule memory s = _schedule(2);
        s.recovery = REPLICAS | replicas << 240;
        registry.scheduleEpoch(s);
        return _openAs(signerKey, s.recovery, "public key");
    }

    function _openAs(uint256 key, uint256 recovery, string memory publicKey) internal returns (bytes32 record) {
        EpochOpening memory o = _opening(2);
        (o.recovery, o.publicKeyHash) = (recovery, keccak256(bytes(publicKey)));
        registry.openEpoch(o, vm.addr(key), _signOpening(o, key));
        (record,,,) = registry.openingOf(KEY_GROUP, 2);
    }

    /// @dev External, so that what reverts is one call.
    function acknowledge(uint256 key, uint32 epoch, bytes32 record, bool holdsPrevious) external {
        EpochAcknowledgement memory a = EpochAcknowledgement(KEY_GROUP, epoch, record, holdsPrevious);
        bytes32 typeHash =
            keccak256("EpochAcknowledgement(uint32 keyGroup,uint32 keyEpoch,bytes32 record,bool holdsPrevious)");
        bytes memory signature = _sign(key, _registryMessage(keccak256(abi.encode(typeHash, a))));
        registry.acknowledgeEpoch(a, vm.addr(key), signature);
    }

    /// @dev An enclave with a lease that has just begun signs from now on.
    function _freshSigner() internal {
        signerKey = _enclave("fresh", keccak256("machine"));
    }

    function _mayAct(uint256 key) internal view returns (bool) {
        try registry.checkSigner(vm.addr(key), KEY_GROUP, 1) {
            return true;
        } catch {
            return false;
        }
    }

    function _groupOfAny(address signer, uint32 epoch) internal view returns (uint32) {
        return uint32(registry.checkSigner(signer, KEY_GROUP, epoch));
    }
}
