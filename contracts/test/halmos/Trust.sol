// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaRegistry} from "../../src/interfaces/ISubrosaRegistry.sol";
import {SignerSlot} from "../../src/libraries/SignerSlot.sol";
import {RegistryStorage} from "../../src/registry/RegistryStorage.sol";
import {Signers} from "../../src/registry/Signers.sol";
import {PermissiveAuthority, RegistryUnderProof} from "./RegistryUnderProof.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Who must not sign, may not: `checkSigner` reverts for a revoked signer, after the lease, for
/// a revoked measurement, a stopped family and an outdated one.
///
/// Bounds: one signer, one measurement and one configuration, all arbitrary; any storage whatever to
/// start from, but that a signer's generation is not of the future and its family is its measurement's,
/// which `check_an_admission_…` proves of every admission; then one call of governance, and any time
/// later. The authority lets everyone do everything. Admissions are taken up where their evidence has
/// passed (`Signers._enroll`), whoever appraised it: halmos 0.3.3 cannot execute BLOCKHASH of an
/// arbitrary block, with which they begin.
contract TrustProof is Symbolic {
    RegistryUnderProof private registry;

    function setUp() public {
        address authority = address(new PermissiveAuthority());
        registry = new RegistryUnderProof(authority, 2 days, 7 days);
        svm.enableSymbolicStorage(address(registry));
        registry.restoreAuthority(authority);
        vm.warp(1_800_000_000);
    }

    function check_who_passes_is_all_that_is_asked(address signer, bytes32 measurementId, bytes32 configHash)
        public
        view
    {
        uint32 keyGroup = registry.checkSigner(signer, measurementId, configHash);
        SignerSlot word = _word(signer);
        assert(!word.isRevoked());
        assert(word.leaseUntil() > block.timestamp);
        assert(word.isBoundTo(measurementId, configHash));
        assert(word.keyGroup() == keyGroup);
        (uint32 minimum, bool stopped) = registry.familyOf(word.teeKind());
        assert(!stopped);
        assert(word.tcbEvaluation() >= minimum);
        if (word.generation() != registry.family(word.teeKind()).generation) {
            assert(!registry.measurement(measurementId).revoked);
        }
    }

    function check_a_revoked_signer_never_passes(address signer, bytes32 measurementId, bytes32 configHash) public {
        registry.revokeSigner(signer);
        _later();
        assert(!_passes(signer, measurementId, configHash));
    }

    function check_a_revoked_signer_is_never_admitted_again(address signer) public {
        registry.revokeSigner(signer);
        _later();
        Signers.Enrollment memory admission = _anyAdmission(signer);
        assert(!_admits(admission));
    }

    function check_a_signer_is_admitted_once(address signer) public {
        vm.assume(_word(signer).leaseUntil() != 0);
        uint256 before = registry.signerWord(signer);
        _later();
        _admits(_anyAdmission(signer));
        assert(registry.signerWord(signer) == before);
    }

    function check_a_signer_passes_no_longer_than_its_lease(address signer, bytes32 measurementId, bytes32 configHash)
        public
    {
        uint256 until = _word(signer).leaseUntil();
        _later();
        vm.assume(block.timestamp >= until);
        assert(!_passes(signer, measurementId, configHash));
    }

    function check_a_signer_of_a_revoked_measurement_never_passes(
        address signer,
        bytes32 measurementId,
        bytes32 configHash,
        bytes32 successor
    ) public {
        SignerSlot word = _word(signer);
        RegistryStorage.Measurement memory m = registry.measurement(measurementId);
        vm.assume(word.teeKind() == m.teeKind);
        vm.assume(word.generation() <= registry.family(m.teeKind).generation);
        registry.revokeMeasurement(measurementId, successor);
        _later();
        assert(!_passes(signer, measurementId, configHash));
    }

    function check_no_signer_of_a_stopped_or_raised_family_passes(
        address signer,
        bytes32 measurementId,
        bytes32 configHash,
        uint32 minimum,
        bool stopped
    ) public {
        SignerSlot word = _word(signer);
        vm.assume(_either(stopped, word.tcbEvaluation() < minimum));
        registry.setFamily(word.teeKind(), minimum, stopped);
        _later();
        assert(!_passes(signer, measurementId, configHash));
    }

    function check_an_admission_is_of_its_measurements_family_and_generation(address signer) public {
        vm.assume(registry.signerWord(signer) == 0);
        Signers.Enrollment memory admission = _anyAdmission(signer);
        if (!_admits(admission)) return;

        SignerSlot word = _word(signer);
        RegistryStorage.Measurement memory m = registry.measurement(admission.measurementId);
        assert(word.teeKind() == m.teeKind);
        assert(word.generation() == registry.family(m.teeKind).generation);
        assert(word.isBoundTo(admission.measurementId, admission.configHash));
        assert(m.activeFrom != 0 && m.activeFrom <= block.timestamp && !m.revoked);
        assert(word.leaseUntil() > block.timestamp);
        assert(word.leaseUntil() <= admission.notAfter);
        assert(word.leaseUntil() <= block.timestamp + registry.maximumLease());
    }

    function check_a_signer_that_passes_is_reachable(address signer, bytes32 measurementId, bytes32 configHash)
        public
        view
    {
        assert(!_passes(signer, measurementId, configHash));
    }

    function check_an_admission_is_reachable(address signer) public {
        vm.assume(registry.signerWord(signer) == 0);
        assert(!_admits(_anyAdmission(signer)));
    }

    function check_a_signer_that_passed_until_its_measurement_was_revoked_is_reachable(
        address signer,
        bytes32 measurementId,
        bytes32 configHash
    ) public {
        vm.assume(_word(signer).teeKind() == registry.measurement(measurementId).teeKind);
        vm.assume(_passes(signer, measurementId, configHash));
        registry.revokeMeasurement(measurementId, 0);
        assert(_passes(signer, measurementId, configHash));
    }

    function _word(address signer) private view returns (SignerSlot) {
        return SignerSlot.wrap(registry.signerWord(signer));
    }

    function _passes(address signer, bytes32 measurementId, bytes32 configHash) private view returns (bool done) {
        (done,) = address(registry)
            .staticcall(abi.encodeCall(ISubrosaRegistry.checkSigner, (signer, measurementId, configHash)));
    }

    function _anyAdmission(address signer) private pure returns (Signers.Enrollment memory e) {
        e.signer = signer;
        e.transferKeyHash = svm.createBytes32("transferKeyHash");
        e.measurementId = svm.createBytes32("measurementId");
        e.configHash = svm.createBytes32("configHash");
        e.rootId = svm.createBytes32("rootId");
        e.teeKind = uint8(svm.createUint256("teeKind"));
        e.machineId = svm.createBytes32("machineId");
        e.tcbStatus = uint8(svm.createUint256("tcbStatus"));
        e.tcbEvaluation = uint32(svm.createUint256("tcbEvaluation"));
        e.policyHash = svm.createBytes32("policyHash");
        e.evidenceHash = svm.createBytes32("evidenceHash");
        e.notAfter = uint64(svm.createUint256("notAfter"));
    }

    function _admits(Signers.Enrollment memory admission) private returns (bool done) {
        (done,) = address(registry).call(abi.encodeCall(RegistryUnderProof.enroll, (admission)));
    }
}
