// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {ISubrosaEpochs} from "../src/interfaces/ISubrosaEpochs.sol";
import {ISubrosaGovernance} from "../src/interfaces/ISubrosaGovernance.sol";
import {ISubrosaMachines} from "../src/interfaces/ISubrosaMachines.sol";
import {ISubrosaSigners} from "../src/interfaces/ISubrosaSigners.sol";
import {ISubrosaSuspensions} from "../src/interfaces/ISubrosaSuspensions.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {EpochMember, EpochSchedule, SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {History} from "./support/History.sol";
import {Reference} from "./support/Reference.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @notice Who is admitted, for how long, and who decides.
contract RegistryTests is RegistryTest {
    uint40 private constant DELAY = 2 days;
    uint256 private constant NEW = uint256(keccak256("new signer"));

    function _activationDelay() internal pure override returns (uint40) {
        return DELAY;
    }

    // Admission.

    function test_an_admitted_signer_serves_its_configurations_key_group() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaSigners.SignerAdmitted(
            a.signer,
            measurement,
            a.machineId,
            PRODUCT,
            CONFIG,
            a.startHash,
            a.transferKeyHash,
            a.evidenceHash,
            a.policyHash,
            a.tcbStatus,
            a.tcbEvaluation,
            uint40(a.notAfter)
        );
        vm.prank(makeAddr("anyone"));
        registry.admit(a, _vouch(a, verifierKey));

        assertEq(_groupOf(a.signer), KEY_GROUP);
        (uint40 leaseUntil, uint32 tcb, uint8 kind, uint32 keyGroup, bool revoked,) = registry.signerOf(a.signer);
        assertEq(leaseUntil, a.notAfter);
        assertEq(tcb, 17);
        assertEq(kind, TEE_KIND);
        assertEq(keyGroup, KEY_GROUP);
        assertFalse(revoked);
    }

    function test_a_lease_is_never_longer_than_the_maximum() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.notAfter = type(uint64).max;
        registry.admit(a, _vouch(a, verifierKey));
        (uint40 leaseUntil,,,,,) = registry.signerOf(a.signer);
        assertEq(leaseUntil, block.timestamp + MAXIMUM_LEASE);
    }

    function test_an_evaluation_number_that_cannot_be_kept_is_refused() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.tcbEvaluation = 1 << 24;
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.TcbEvaluationTooLarge.selector, 1 << 24));
        a.tcbEvaluation = (1 << 24) - 1;
        registry.admit(a, _vouch(a, verifierKey));
        (, uint32 tcb,,,,) = registry.signerOf(a.signer);
        assertEq(tcb, (1 << 24) - 1);
    }

    function test_revocation_holds_before_and_after_admission() public {
        bytes memory refusal = abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, vm.addr(NEW));
        registry.revokeSigner(vm.addr(NEW));
        _expectRefused(_admission(vm.addr(NEW)), refusal);

        registry.revokeSigner(vm.addr(signerKey));
        refusal = abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, vm.addr(signerKey));
        _expectRefused(_admission(vm.addr(signerKey)), refusal);
        vm.expectRevert(refusal);
        registry.checkSigner(vm.addr(signerKey), KEY_GROUP, 1);
    }

    function testFuzz_every_field_of_an_admission_is_signed(uint8 field) public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        bytes[] memory signatures = _vouch(a, verifierKey);
        field %= 17;
        if (field == 0) a.signer = address(1);
        if (field == 1) a.transferKeyHash ^= bytes32(uint256(1));
        if (field == 2) a.measurementId ^= bytes32(uint256(1));
        if (field == 3) a.configHash ^= bytes32(uint256(1));
        if (field == 4) a.rootId ^= bytes32(uint256(1));
        if (field == 5) a.teeKind ^= 1;
        if (field == 6) a.machineId ^= bytes32(uint256(1));
        if (field == 7) a.tcbStatus ^= 1;
        if (field == 8) a.tcbEvaluation ^= 1;
        if (field == 9) a.policyHash ^= bytes32(uint256(1));
        if (field == 10) a.evidenceHash ^= bytes32(uint256(1));
        if (field == 11) a.challengeBlock ^= 1;
        if (field == 12) a.challengeBlockHash ^= bytes32(uint256(1));
        if (field == 13) a.registrant = address(1);
        if (field == 14) a.notAfter += 1;
        if (field == 15) a.product ^= bytes32(uint256(1));
        if (field == 16) a.startHash ^= bytes32(uint256(1));
        vm.expectPartialRevert(ISubrosaTrust.VerifierUnknown.selector);
        registry.admit(a, signatures);
    }

    function test_an_admission_for_another_chain_or_registry_is_refused() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(ISubrosaTrust.VerifierUnknown.selector);
        registry.admit(a, signatures);
    }

    function test_a_stale_or_foreign_challenge_is_refused() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        vm.roll(block.number + 256);
        _expectRefused(a, _stale(a));

        a = _admission(vm.addr(NEW));
        a.challengeBlockHash = keccak256("another chain's");
        _expectRefused(a, _stale(a));

        a.challengeBlock = uint64(block.number);
        a.challengeBlockHash = 0;
        _expectRefused(a, _stale(a));
    }

    function test_the_oldest_challenge_that_is_still_known_is_taken() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.challengeBlock = uint64(block.number - 256);
        a.challengeBlockHash = blockhash(block.number - 256);
        registry.admit(a, _vouch(a, verifierKey));
    }

    function test_where_the_chain_keeps_more_hashes_older_challenges_are_taken() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        vm.roll(block.number + 8190);
        _expectRefused(a, _stale(a));

        History.keep(a.challengeBlock, a.challengeBlockHash);
        a.challengeBlockHash ^= bytes32(uint256(1));
        _expectRefused(a, _stale(a));
        a.challengeBlockHash ^= bytes32(uint256(1));
        uint256 snapshot = vm.snapshotState();
        registry.admit(a, _vouch(a, verifierKey));

        vm.revertToState(snapshot);
        vm.roll(block.number + 1);
        _expectRefused(a, _stale(a));
    }

    function test_an_expired_admission_is_refused() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.notAfter = uint64(block.timestamp);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.AdmissionExpired.selector, a.notAfter));
    }

    function test_the_zero_address_is_refused() public {
        _expectRefused(_admission(address(0)), abi.encodeWithSelector(ISubrosaTrust.ZeroSigner.selector));
    }

    function test_a_measurement_counts_from_its_activation_until_its_revocation() public {
        bytes32 id = registry.addMeasurement(ROOT, TEE_KIND, keccak256("next build"));
        assertEq(id, keccak256(abi.encode(Reference.domain("measurement"), ROOT, TEE_KIND, keccak256("next build"))));
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.measurementId = id;
        _expectRefused(
            a, abi.encodeWithSelector(ISubrosaTrust.MeasurementNotActive.selector, id, block.timestamp + DELAY)
        );
        skip(DELAY);
        a.notAfter = uint64(block.timestamp + 1 days);
        registry.admit(a, _vouch(a, verifierKey));

        registry.revokeMeasurement(id, measurement);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, id));
        registry.checkSigner(a.signer, KEY_GROUP, 1);
        a.signer = address(99);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, id));
        (,, bool revoked, bytes32 successor,,) = registry.measurementOf(id);
        assertTrue(revoked);
        assertEq(successor, measurement);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaGovernance.MeasurementExists.selector, id));
        registry.addMeasurement(ROOT, TEE_KIND, keccak256("next build"));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, id));
        registry.revokeMeasurement(id, 0);
    }

    function test_revoking_one_measurement_leaves_the_familys_others_alone() public {
        bytes32 id = registry.addMeasurement(ROOT, TEE_KIND, keccak256("next build"));
        registry.revokeMeasurement(id, 0);
        assertEq(_groupOf(vm.addr(signerKey)), KEY_GROUP);
    }

    function test_a_measurement_belongs_to_its_root_and_kind() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.rootId = keccak256("development root");
        _expectRefused(
            a, abi.encodeWithSelector(ISubrosaTrust.MeasurementMismatch.selector, measurement, a.rootId, TEE_KIND)
        );
        a = _admission(vm.addr(NEW));
        a.teeKind = 2;
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.MeasurementMismatch.selector, measurement, ROOT, 2));
        a = _admission(vm.addr(NEW));
        a.measurementId = keccak256("never added");
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.MeasurementUnknown.selector, a.measurementId));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementUnknown.selector, a.measurementId));
        registry.revokeMeasurement(a.measurementId, 0);
    }

    function test_a_measurements_successor_is_another_one_that_is_not_revoked() public {
        bytes32 unknown = keccak256("never added");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementUnknown.selector, unknown));
        registry.revokeMeasurement(measurement, unknown);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, measurement));
        registry.revokeMeasurement(measurement, measurement);
        bytes32 broken = registry.addMeasurement(ROOT, TEE_KIND, keccak256("broken"));
        registry.revokeMeasurement(broken, 0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, broken));
        registry.revokeMeasurement(measurement, broken);
        assertEq(_groupOf(vm.addr(signerKey)), KEY_GROUP, "nothing was revoked");

        // One that counts only later will do, and may be of another family.
        bytes32 next = registry.addMeasurement(ROOT, TEE_KIND + 1, keccak256("next"));
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.MeasurementRevoked(measurement, next);
        registry.revokeMeasurement(measurement, next);
        (,, bool revoked, bytes32 successor,,) = registry.measurementOf(measurement);
        assertTrue(revoked);
        assertEq(successor, next);
    }

    function test_a_configuration_counts_from_its_activation_until_its_removal() public {
        bytes32 config = keccak256("next config");
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.configHash = config;
        bytes memory unknown = abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, config);
        _expectRefused(a, unknown);

        registry.addConfig(config, 9);
        _expectRefused(
            a, abi.encodeWithSelector(ISubrosaTrust.ConfigNotActive.selector, config, block.timestamp + DELAY)
        );
        skip(DELAY);
        registry.admit(a, _vouch(a, verifierKey));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, a.signer, 9, 1));
        registry.checkSigner(a.signer, 9, 1);

        registry.removeConfig(config);
        vm.expectRevert(unknown);
        registry.checkSigner(a.signer, 9, 1);
        a.signer = address(99);
        _expectRefused(a, unknown);
        vm.expectRevert(unknown);
        registry.removeConfig(config);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaGovernance.ConfigExists.selector, config));
        registry.addConfig(config, 9);
    }

    function test_only_a_trusted_configuration_is_removed_and_once() public {
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, unknown));
        registry.removeConfig(unknown);
        registry.removeConfig(CONFIG);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, CONFIG));
        registry.removeConfig(CONFIG);
        (,, bool removed,,) = registry.configOf(CONFIG);
        assertTrue(removed);
    }

    function test_what_is_asked_of_families_and_verifiers_can_be_read() public {
        registry.setFamily(TEE_KIND, 21, true);
        (uint32 minimum, bool stopped,) = registry.familyOf(TEE_KIND);
        assertEq(minimum, 21);
        assertTrue(stopped);
        address verifier = vm.addr(verifierKey);
        assertTrue(registry.isVerifier(verifier));
        vm.expectRevert(ISubrosaTrust.ZeroSigner.selector);
        registry.setVerifier(address(0), true);
        registry.setVerifier(verifier, false);
        assertFalse(registry.isVerifier(verifier));
        assertEq(registry.verifierThreshold(), 1);
    }

    function test_a_familys_floor_and_stop_hold_for_admission() public {
        registry.setFamily(TEE_KIND, 18, false);
        SignerAdmission memory a = _admission(vm.addr(NEW));
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.TcbTooOld.selector, TEE_KIND, 17, 18));
        registry.setFamily(TEE_KIND, 0, true);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.FamilyIsStopped.selector, TEE_KIND));
    }

    function test_what_is_asked_of_a_family_counts_for_signers_already_admitted() public {
        address signer = vm.addr(signerKey);
        registry.setFamily(TEE_KIND, 17, false);
        assertEq(_groupOf(signer), KEY_GROUP, "as much as the signer has");
        registry.setFamily(TEE_KIND, 18, true);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.FamilyIsStopped.selector, TEE_KIND));
        registry.checkSigner(signer, KEY_GROUP, 1);
        registry.setFamily(TEE_KIND, 18, false);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.TcbTooOld.selector, TEE_KIND, 17, 18));
        registry.checkSigner(signer, KEY_GROUP, 1);
        registry.setFamily(TEE_KIND, 0, false);
        assertEq(_groupOf(signer), KEY_GROUP);
    }

    // Records.

    function test_a_record_is_packed_as_documented() public view {
        address signer = vm.addr(signerKey);
        uint256 word = registry.checkSigner(signer, KEY_GROUP, 1);
        (uint40 leaseUntil,,,,,) = registry.signerOf(signer);
        assertEq(word >> 216, leaseUntil);
        assertEq(uint24(word >> 192), 17);
        assertEq(uint24(word >> 168), 0, "generation");
        assertEq(uint8(word >> 160), TEE_KIND);
        assertEq(uint8(word >> 152), 0, "flags");
        assertEq(uint16(word >> 136), 1, "vouchers");
        assertEq(bytes2(uint16(word >> 120)), bytes2(PRODUCT));
        assertEq(uint16(word >> 104), 1, "measurement");
        assertEq(uint16(word >> 88), 1, "configuration");
        assertEq(bytes7(uint56(word >> 32)), bytes7(keccak256("machine")));
        assertEq(uint32(word), KEY_GROUP);
        (bytes32 id, bytes32 config, uint16 vouchers, uint16 product, uint56 machine) = registry.foundationOf(signer);
        assertEq(id, measurement);
        assertEq(config, CONFIG);
        assertEq(vouchers, 1);
        assertEq(bytes2(product), bytes2(PRODUCT));
        assertEq(bytes7(machine), bytes7(keccak256("machine")));
    }

    function test_indices_are_given_out_in_order_and_lead_back() public {
        bytes32 second = registry.addMeasurement(ROOT, TEE_KIND + 1, keccak256("second"));
        registry.addConfig(keccak256("second"), 9);
        (,,,,, uint16 index) = registry.measurementOf(second);
        assertEq(index, 2);
        (,,,, index) = registry.configOf(keccak256("second"));
        assertEq(index, 2);
        assertEq(registry.measurementAt(1), measurement);
        assertEq(registry.measurementAt(2), second);
        assertEq(registry.configAt(1), CONFIG);
        assertEq(registry.configAt(2), keccak256("second"));
        assertEq(registry.measurementAt(0), 0);
        assertEq(registry.configAt(3), 0);
    }

    /// @dev Signers' words have 16 bits for each.
    function test_there_is_no_index_after_the_last() public {
        bytes32 counts = bytes32(Reference.location("subrosa.storage.Registry") + 20);
        bytes32 others = vm.load(address(registry), counts) >> 32 << 32;
        vm.store(address(registry), counts, others | bytes32(uint256(0xfffe_ffff)));
        vm.expectRevert(ISubrosaGovernance.NoIndexLeft.selector);
        registry.addMeasurement(ROOT, TEE_KIND, keccak256("one too many"));
        registry.addConfig(keccak256("the last"), KEY_GROUP);
        vm.expectRevert(ISubrosaGovernance.NoIndexLeft.selector);
        registry.addConfig(keccak256("one too many"), KEY_GROUP);
        (,,,, uint16 index) = registry.configOf(keccak256("the last"));
        assertEq(index, type(uint16).max);
    }

    function test_a_measurement_or_configuration_never_added_has_no_index_and_admits_nobody() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.configHash = keccak256("never added");
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, a.configHash));
        a = _admission(vm.addr(NEW));
        a.measurementId = keccak256("never added");
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.MeasurementUnknown.selector, a.measurementId));
        (,,,,, uint16 index) = registry.measurementOf(a.measurementId);
        assertEq(index, 0);
    }

    function test_a_signer_of_another_group_or_epoch_is_refused() public {
        address signer = vm.addr(signerKey);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.WrongKeyGroup.selector, 8, KEY_GROUP));
        registry.checkSigner(signer, 8, 1);
        for (uint32 epoch = 0; epoch < 4; epoch += 2) {
            vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, signer, KEY_GROUP, epoch));
            registry.checkSigner(signer, KEY_GROUP, epoch);
        }
    }

    // Verifiers.

    function test_as_many_distinct_verifiers_as_the_threshold_must_sign() public {
        uint256 second = uint256(keccak256("second verifier"));
        registry.setVerifier(vm.addr(second), true);
        registry.setVerifierThreshold(2);
        SignerAdmission memory a = _admission(vm.addr(NEW));
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.WrongSignatureCount.selector, 1, 2));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.WrongSignatureCount.selector, 0, 2));
        registry.admit(a, new bytes[](0));

        (uint256 low, uint256 high) =
            vm.addr(verifierKey) < vm.addr(second) ? (verifierKey, second) : (second, verifierKey);
        _expectRefused(a, high, low, _notAscending(low));
        _expectRefused(a, high, high, _notAscending(high));
        registry.admit(a, _vouchTwo(a, low, high));
        assertEq(_groupOf(a.signer), KEY_GROUP);
    }

    function test_a_verifier_that_was_removed_vouches_for_nobody() public {
        registry.setVerifier(vm.addr(verifierKey), false);
        assertFalse(registry.isVerifier(vm.addr(verifierKey)));
        _expectRefused(
            _admission(vm.addr(NEW)),
            abi.encodeWithSelector(ISubrosaTrust.VerifierUnknown.selector, vm.addr(verifierKey))
        );
    }

    function test_a_malformed_or_malleable_signature_is_refused() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        bytes[] memory signatures = _vouch(a, verifierKey);
        bytes memory good = signatures[0];
        vm.expectRevert(ISubrosaTrust.InvalidSignature.selector);
        signatures[0] = hex"00";
        registry.admit(a, signatures);

        (bytes32 r, bytes32 s) = abi.decode(good, (bytes32, bytes32));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint8 v = uint8(good[64]) == 27 ? 28 : 27;
        signatures[0] = abi.encodePacked(r, order - uint256(s), v);
        vm.expectRevert(ISubrosaTrust.InvalidSignature.selector);
        registry.admit(a, signatures);
    }

    function test_the_threshold_is_never_zero() public {
        vm.expectRevert(ISubrosaGovernance.ZeroThreshold.selector);
        registry.setVerifierThreshold(0);
        assertEq(registry.verifierThreshold(), 1);
    }

    // Governance.

    function test_only_the_authority_governs() public {
        registry.addRuntime(2);
        skip(DELAY);
        bytes[] memory calls = new bytes[](22);
        calls[0] = abi.encodeCall(ISubrosaGovernance.addMeasurement, (ROOT, TEE_KIND, 0));
        calls[1] = abi.encodeCall(ISubrosaGovernance.revokeMeasurement, (measurement, 0));
        calls[2] = abi.encodeCall(ISubrosaGovernance.addConfig, (keccak256("x"), 1));
        calls[3] = abi.encodeCall(ISubrosaGovernance.removeConfig, (CONFIG));
        calls[4] = abi.encodeCall(ISubrosaGovernance.setVerifier, (address(1), true));
        calls[5] = abi.encodeCall(ISubrosaGovernance.setVerifierThreshold, (1));
        calls[6] = abi.encodeCall(ISubrosaGovernance.setFamily, (TEE_KIND, 0, true));
        calls[7] = abi.encodeCall(ISubrosaGovernance.revokeSigner, (address(1)));
        calls[8] = abi.encodeCall(ISubrosaGovernance.withdrawRuntime, (1, 2));
        calls[9] = abi.encodeCall(ISubrosaGovernance.revokeVerifier, (address(2)));
        calls[10] = abi.encodeCall(ISubrosaGovernance.setDcap, (address(3), 2));
        calls[11] = abi.encodeCall(ISubrosaGovernance.revokeDcap, (address(3)));
        calls[12] = abi.encodeCall(ISubrosaGovernance.denyProduct, (TEE_KIND, PRODUCT));
        calls[13] = abi.encodeCall(ISubrosaGovernance.allowProduct, (TEE_KIND, PRODUCT));
        calls[14] = abi.encodeCall(ISubrosaGovernance.addRuntime, (3));
        calls[15] =
            abi.encodeCall(ISubrosaSuspensions.suspend, (ISubrosaSuspensions.Subject.Signer, 0, bytes32(uint256(5))));
        calls[16] =
            abi.encodeCall(ISubrosaSuspensions.lift, (ISubrosaSuspensions.Subject.Signer, 0, bytes32(uint256(5))));
        calls[17] = abi.encodeCall(ISubrosaMachines.denyMachine, (keccak256("machine"), true));
        calls[18] = abi.encodeCall(ISubrosaMachines.allowMachine, (TEE_KIND, keccak256("machine"), true));
        calls[19] = abi.encodeCall(ISubrosaMachines.restrictMachines, (TEE_KIND, true));
        _openEpoch(2);
        calls[20] = abi.encodeCall(ISubrosaEpochs.retireEpoch, (KEY_GROUP, 1, DELAY));
        bytes32 other = registry.addMeasurement(ROOT, TEE_KIND, keccak256("other"));
        registry.addConfig(keccak256("other"), KEY_GROUP);
        EpochSchedule memory schedule = _schedule(3);
        schedule.members[0] = EpochMember(other, keccak256("other"));
        calls[21] = abi.encodeCall(ISubrosaEpochs.scheduleEpoch, (schedule));
        address stranger = makeAddr("stranger");
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory why) = address(registry).call(calls[i]);
            assertFalse(success);
            assertEq(why, abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        }
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success,) = address(registry).call(calls[i]);
            assertTrue(success, "the same calls work for the authority's administrator");
        }
    }

    function _expectRefused(SignerAdmission memory a, bytes memory why) private {
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.expectRevert(why);
        registry.admit(a, signatures);
    }

    function _expectRefused(SignerAdmission memory a, uint256 first, uint256 second, bytes memory why) private {
        bytes[] memory signatures = _vouchTwo(a, first, second);
        vm.expectRevert(why);
        registry.admit(a, signatures);
    }

    function _vouchTwo(SignerAdmission memory a, uint256 first, uint256 second)
        private
        view
        returns (bytes[] memory signatures)
    {
        signatures = new bytes[](2);
        signatures[0] = _vouchOne(a, first);
        signatures[1] = _vouchOne(a, second);
    }

    function _stale(SignerAdmission memory a) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaTrust.ChallengeStale.selector, a.challengeBlock, a.challengeBlockHash);
    }

    function _notAscending(uint256 key) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaTrust.VerifiersNotAscending.selector, vm.addr(key));
    }
}
