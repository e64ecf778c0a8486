// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaSigners} from "../../src/interfaces/ISubrosaSigners.sol";
import {ISubrosaSuspensions} from "../../src/interfaces/ISubrosaSuspensions.sol";
import {SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
import {SignerSlot} from "../../src/libraries/SignerSlot.sol";
import {RegistryStorage} from "../../src/registry/RegistryStorage.sol";
import {PermissiveAuthority, RegistryUnderProof} from "./RegistryUnderProof.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Who must not sign, may not: `checkSigner` reverts for a revoked signer, after the lease, for
/// a revoked or suspended measurement, a denied machine, a stopped family and an outdated one.
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

    function check_who_passes_is_all_that_is_asked(address signer, uint32 keyGroup, uint32 keyEpoch) public view {
        assert(registry.checkSigner(signer, keyGroup, keyEpoch) == registry.signerWord(signer));
        SignerSlot word = _word(signer);
        assert(!word.isRevoked() && !word.isSuspended());
        assert(word.leaseUntil() > block.timestamp);
        assert(word.keyGroup() == keyGroup);
        assert(word.isOf(registry.set(keyGroup, keyEpoch)));
        RegistryStorage.Family memory family = registry.family(word.teeKind());
        assert(!family.stopped && !family.suspended);
        assert(word.tcbEvaluation() >= family.minimumTcbEvaluation);
        if (word.generation() != family.generation) {
            RegistryStorage.Measurement memory m = registry.measurement(registry.measurementAt(word.measurementIndex()));
            assert(!m.revoked && !m.suspended);
            RegistryStorage.Config memory c = registry.config(registry.configAt(word.configIndex()));
            assert(!c.removed && !c.suspended);
            RegistryStorage.ProductTag memory tag = registry.productTag(word.teeKind(), word.product());
            assert(tag.denials == 0 && !tag.suspended);
            RegistryStorage.Machine memory machine = registry.machine(word.machine());
            assert(!machine.denied && !machine.suspended);
            assert(word.vouchers() & (registry.revokedVouchers() | registry.suspendedVouchers()) == 0);
        }
    }

    function check_a_revoked_signer_never_passes(address signer, uint32 keyGroup, uint32 keyEpoch) public {
        registry.revokeSigner(signer);
        _later();
        assert(!_passes(signer, keyGroup, keyEpoch));
    }

    function check_a_revoked_signer_is_never_admitted_again(address signer) public {
        registry.revokeSigner(signer);
        _later();
        SignerAdmission memory admission = _anyAdmission(signer);
        assert(!_admits(admission));
    }

    /// @dev Admitted again, a signer is the same enclave, before its lease has ended, for no shorter lease unless it
    /// rested on a voucher that was taken away, and on none that is suspended which it did not rest on.
    function check_a_signer_is_admitted_once_and_then_renewed(address signer) public {
        SignerSlot before = _word(signer);
        vm.assume(before.leaseUntil() != 0);
        _later();
        if (!_admits(_anyAdmission(signer))) return;

        SignerSlot word = _word(signer);
        assert(!before.isRevoked() && !word.isRevoked());
        assert(block.timestamp < before.leaseUntil());
        uint16 taken = registry.revokedVouchers() | registry.suspendedVouchers();
        assert(word.leaseUntil() >= before.leaseUntil() || before.vouchers() & taken != 0);
        assert(word.isOfSameEnclave(before));
    }

    function check_a_signer_of_a_denied_product_never_passes(
        address signer,
        uint32 keyGroup,
        uint32 keyEpoch,
        bytes32 product
    ) public {
        SignerSlot word = _word(signer);
        vm.assume(word.product() == uint16(bytes2(product)));
        vm.assume(word.generation() <= registry.family(word.teeKind()).generation);
        vm.assume(registry.productTag(word.teeKind(), word.product()).denials < type(uint32).max);
        registry.denyProduct(word.teeKind(), product);
        _later();
        assert(!_passes(signer, keyGroup, keyEpoch));
    }

    function check_a_signer_passes_no_longer_than_its_lease(address signer, uint32 keyGroup, uint32 keyEpoch) public {
        uint256 until = _word(signer).leaseUntil();
        _later();
        vm.assume(block.timestamp >= until);
        assert(!_passes(signer, keyGroup, keyEpoch));
    }

    function check_a_signer_of_a_revoked_measurement_never_passes(
        address signer,
        uint32 keyGroup,
        uint32 keyEpoch,
        bytes32 successor
    ) public {
        SignerSlot word = _word(signer);
        bytes32 measurementId = registry.measurementAt(word.measurementIndex());
        RegistryStorage.Measurement memory m = registry.measurement(measurementId);
        vm.assume(word.teeKind() == m.teeKind);
        vm.assume(word.generation() <= registry.family(m.teeKind).generation);
        registry.revokeMeasurement(measurementId, successor);
        _later();
        assert(!_passes(signer, keyGroup, keyEpoch));
    }

    function check_no_signer_of_a_stopped_or_raised_family_passes(
        address signer,
        uint32 keyGroup,
        uint32 keyEpoch,
        uint32 minimum,
        bool stopped
    ) public {
        SignerSlot word = _word(signer);
        vm.assume(_either(stopped, word.tcbEvaluation() < minimum));
        registry.setFamily(word.teeKind(), minimum, stopped);
        _later();
        assert(!_passes(signer, keyGroup, keyEpoch));
    }

    /// @dev Whatever is suspended that it rests on, by whoever may.
    function check_a_signer_of_a_suspended_measurement_or_machine_never_passes(
        address signer,
        uint32 keyGroup,
        uint32 keyEpoch,
        bool machine
    ) public {
        SignerSlot word = _word(signer);
        bytes32 measurementId = registry.measurementAt(word.measurementIndex());
        vm.assume(word.teeKind() == registry.measurement(measurementId).teeKind);
        vm.assume(word.generation() <= registry.family(word.teeKind()).generation);
        if (machine) registry.denyMachine(bytes32(bytes7(word.machine())), true);
        else registry.suspend(ISubrosaSuspensions.Subject.Measurement, 0, measurementId);
        // Machines begin a generation of every family that has a measurement, as a signer's has.
        if (machine) vm.assume(word.generation() != registry.family(word.teeKind()).generation);
        _later();
        assert(!_passes(signer, keyGroup, keyEpoch));
    }

    function check_a_suspended_signer_never_passes(address signer, uint32 keyGroup, uint32 keyEpoch) public {
        registry.suspend(ISubrosaSuspensions.Subject.Signer, 0, bytes32(uint256(uint160(signer))));
        _later();
        assert(!_passes(signer, keyGroup, keyEpoch));
    }

    function check_an_admission_is_of_its_measurements_family_and_generation(address signer) public {
        vm.assume(registry.signerWord(signer) == 0);
        SignerAdmission memory admission = _anyAdmission(signer);
        if (!_admits(admission)) return;

        SignerSlot word = _word(signer);
        RegistryStorage.Measurement memory m = registry.measurement(admission.measurementId);
        assert(word.teeKind() == m.teeKind);
        assert(word.generation() == registry.family(m.teeKind).generation);
        assert(word.measurementIndex() == m.index);
        assert(word.configIndex() == registry.config(admission.configHash).index);
        assert(word.machine() == uint56(bytes7(admission.machineId)));
        assert(m.activeFrom != 0 && m.activeFrom <= block.timestamp && !m.revoked);
        assert(word.leaseUntil() > block.timestamp);
        assert(word.leaseUntil() <= admission.notAfter);
        assert(word.leaseUntil() <= block.timestamp + registry.maximumLease());
    }

    function check_a_signer_that_passes_is_reachable(address signer, uint32 keyGroup, uint32 keyEpoch) public view {
        assert(!_passes(signer, keyGroup, keyEpoch));
    }

    function check_an_admission_is_reachable(address signer) public {
        vm.assume(registry.signerWord(signer) == 0);
        assert(!_admits(_anyAdmission(signer)));
    }

    function check_a_signer_that_passed_until_its_measurement_was_revoked_is_reachable(
        address signer,
        uint32 keyGroup,
        uint32 keyEpoch
    ) public {
        bytes32 measurementId = registry.measurementAt(_word(signer).measurementIndex());
        vm.assume(_word(signer).teeKind() == registry.measurement(measurementId).teeKind);
        vm.assume(_passes(signer, keyGroup, keyEpoch));
        registry.revokeMeasurement(measurementId, 0);
        assert(_passes(signer, keyGroup, keyEpoch));
    }

    function _word(address signer) private view returns (SignerSlot) {
        return SignerSlot.wrap(registry.signerWord(signer));
    }

    function _passes(address signer, uint32 keyGroup, uint32 keyEpoch) private view returns (bool done) {
        (done,) =
            address(registry).staticcall(abi.encodeCall(ISubrosaSigners.checkSigner, (signer, keyGroup, keyEpoch)));
    }

    function _anyAdmission(address signer) private pure returns (SignerAdmission memory a) {
        a.signer = signer;
        a.transferKeyHash = svm.createBytes32("transferKeyHash");
        a.measurementId = svm.createBytes32("measurementId");
        a.configHash = svm.createBytes32("configHash");
        a.startHash = svm.createBytes32("startHash");
        a.rootId = svm.createBytes32("rootId");
        a.teeKind = uint8(svm.createUint256("teeKind"));
        a.product = svm.createBytes32("product");
        a.machineId = svm.createBytes32("machineId");
        a.tcbStatus = uint8(svm.createUint256("tcbStatus"));
        a.tcbEvaluation = uint32(svm.createUint256("tcbEvaluation"));
        a.policyHash = svm.createBytes32("policyHash");
        a.evidenceHash = svm.createBytes32("evidenceHash");
        a.challengeBlock = uint64(svm.createUint256("challengeBlock"));
        a.challengeBlockHash = svm.createBytes32("challengeBlockHash");
        a.registrant = svm.createAddress("registrant");
        a.notAfter = uint64(svm.createUint256("notAfter"));
    }

    function _admits(SignerAdmission memory admission) private returns (bool done) {
        uint16 vouchers = uint16(svm.createUint256("vouchers"));
        uint16 suspended = uint16(svm.createUint256("suspended"));
        (done,) = address(registry).call(abi.encodeCall(RegistryUnderProof.enroll, (admission, vouchers, suspended)));
    }
}
