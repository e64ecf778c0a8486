// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {ISubrosaRegistry} from "../src/interfaces/ISubrosaRegistry.sol";
import {EpochOpening, SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
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
        emit ISubrosaRegistry.SignerAdmitted(
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

        assertEq(registry.checkSigner(a.signer, measurement, CONFIG), KEY_GROUP);
        (uint40 leaseUntil, uint32 tcb, uint8 kind, uint32 keyGroup, bool revoked) = registry.signerOf(a.signer);
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
        (uint40 leaseUntil,,,,) = registry.signerOf(a.signer);
        assertEq(leaseUntil, block.timestamp + MAXIMUM_LEASE);
    }

    function test_an_evaluation_number_that_cannot_be_kept_is_refused() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.tcbEvaluation = 1 << 24;
        _expectRefused(a, abi.encodeWithSelector(ISubrosaRegistry.TcbEvaluationTooLarge.selector, 1 << 24));
        a.tcbEvaluation = (1 << 24) - 1;
        registry.admit(a, _vouch(a, verifierKey));
        (, uint32 tcb,,,) = registry.signerOf(a.signer);
        assertEq(tcb, (1 << 24) - 1);
    }

    function test_revocation_holds_before_and_after_admission() public {
        bytes memory refusal = abi.encodeWithSelector(ISubrosaRegistry.SignerIsRevoked.selector, vm.addr(NEW));
        registry.revokeSigner(vm.addr(NEW));
        _expectRefused(_admission(vm.addr(NEW)), refusal);

        registry.revokeSigner(vm.addr(signerKey));
        refusal = abi.encodeWithSelector(ISubrosaRegistry.SignerIsRevoked.selector, vm.addr(signerKey));
        _expectRefused(_admission(vm.addr(signerKey)), refusal);
        vm.expectRevert(refusal);
        registry.checkSigner(vm.addr(signerKey), measurement, CONFIG);
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
        vm.expectPartialRevert(ISubrosaRegistry.VerifierUnknown.selector);
        registry.admit(a, signatures);
    }

    function test_an_admission_for_another_chain_or_registry_is_refused() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(ISubrosaRegistry.VerifierUnknown.selector);
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
        _expectRefused(a, abi.encodeWithSelector(ISubrosaRegistry.AdmissionExpired.selector, a.notAfter));
    }

    function test_the_zero_address_is_refused() public {
        _expectRefused(_admission(address(0)), abi.encodeWithSelector(ISubrosaRegistry.ZeroSigner.selector));
    }

    function test_a_measurement_counts_from_its_activation_until_its_revocation() public {
        bytes32 id = registry.addMeasurement(ROOT, TEE_KIND, keccak256("next build"));
        assertEq(id, keccak256(abi.encode(Reference.domain("measurement"), ROOT, TEE_KIND, keccak256("next build"))));
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.measurementId = id;
        _expectRefused(
            a, abi.encodeWithSelector(ISubrosaRegistry.MeasurementNotActive.selector, id, block.timestamp + DELAY)
        );
        skip(DELAY);
        a.notAfter = uint64(block.timestamp + 1 days);
        registry.admit(a, _vouch(a, verifierKey));

        registry.revokeMeasurement(id, measurement);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.MeasurementIsRevoked.selector, id));
        registry.checkSigner(a.signer, id, CONFIG);
        a.signer = address(99);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaRegistry.MeasurementIsRevoked.selector, id));
        (,, bool revoked, bytes32 successor) = registry.measurementOf(id);
        assertTrue(revoked);
        assertEq(successor, measurement);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.MeasurementExists.selector, id));
        registry.addMeasurement(ROOT, TEE_KIND, keccak256("next build"));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.MeasurementIsRevoked.selector, id));
        registry.revokeMeasurement(id, 0);
    }

    function test_revoking_one_measurement_leaves_the_familys_others_alone() public {
        bytes32 id = registry.addMeasurement(ROOT, TEE_KIND, keccak256("next build"));
        registry.revokeMeasurement(id, 0);
        assertEq(registry.checkSigner(vm.addr(signerKey), measurement, CONFIG), KEY_GROUP);
    }

    function test_a_measurement_belongs_to_its_root_and_kind() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.rootId = keccak256("development root");
        _expectRefused(
            a, abi.encodeWithSelector(ISubrosaRegistry.MeasurementMismatch.selector, measurement, a.rootId, TEE_KIND)
        );
        a = _admission(vm.addr(NEW));
        a.teeKind = 2;
        _expectRefused(a, abi.encodeWithSelector(ISubrosaRegistry.MeasurementMismatch.selector, measurement, ROOT, 2));
        a = _admission(vm.addr(NEW));
        a.measurementId = keccak256("never added");
        _expectRefused(a, abi.encodeWithSelector(ISubrosaRegistry.MeasurementUnknown.selector, a.measurementId));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.MeasurementUnknown.selector, a.measurementId));
        registry.revokeMeasurement(a.measurementId, 0);
    }

    function test_a_measurements_successor_is_another_one_that_is_not_revoked() public {
        bytes32 unknown = keccak256("never added");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.MeasurementUnknown.selector, unknown));
        registry.revokeMeasurement(measurement, unknown);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.MeasurementIsRevoked.selector, measurement));
        registry.revokeMeasurement(measurement, measurement);
        bytes32 broken = registry.addMeasurement(ROOT, TEE_KIND, keccak256("broken"));
        registry.revokeMeasurement(broken, 0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.MeasurementIsRevoked.selector, broken));
        registry.revokeMeasurement(measurement, broken);
        assertEq(registry.checkSigner(vm.addr(signerKey), measurement, CONFIG), KEY_GROUP, "nothing was revoked");

        // One that counts only later will do, and may be of another family.
        bytes32 next = registry.addMeasurement(ROOT, TEE_KIND + 1, keccak256("next"));
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaRegistry.MeasurementRevoked(measurement, next);
        registry.revokeMeasurement(measurement, next);
        (,, bool revoked, bytes32 successor) = registry.measurementOf(measurement);
        assertTrue(revoked);
        assertEq(successor, next);
    }

    function test_a_configuration_counts_from_its_activation_until_its_removal() public {
        bytes32 config = keccak256("next config");
        SignerAdmission memory a = _admission(vm.addr(NEW));
        a.configHash = config;
        bytes memory unknown = abi.encodeWithSelector(ISubrosaRegistry.ConfigUnknown.selector, config);
        _expectRefused(a, unknown);

        registry.addConfig(config, 9);
        _expectRefused(
            a, abi.encodeWithSelector(ISubrosaRegistry.ConfigNotActive.selector, config, block.timestamp + DELAY)
        );
        skip(DELAY);
        registry.admit(a, _vouch(a, verifierKey));
        assertEq(registry.checkSigner(a.signer, measurement, config), 9);

        registry.removeConfig(config);
        vm.expectRevert(unknown);
        registry.checkSigner(a.signer, measurement, config);
        a.signer = address(99);
        _expectRefused(a, unknown);
        vm.expectRevert(unknown);
        registry.removeConfig(config);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.ConfigExists.selector, config));
        registry.addConfig(config, 9);
    }

    function test_only_a_trusted_configuration_is_removed_and_once() public {
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.ConfigUnknown.selector, unknown));
        registry.removeConfig(unknown);
        registry.removeConfig(CONFIG);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.ConfigUnknown.selector, CONFIG));
        registry.removeConfig(CONFIG);
        (,, bool removed) = registry.configOf(CONFIG);
        assertTrue(removed);
    }

    function test_what_is_asked_of_families_and_verifiers_can_be_read() public {
        registry.setFamily(TEE_KIND, 21, true);
        (uint32 minimum, bool stopped) = registry.familyOf(TEE_KIND);
        assertEq(minimum, 21);
        assertTrue(stopped);
        address verifier = vm.addr(verifierKey);
        assertTrue(registry.isVerifier(verifier));
        vm.expectRevert(ISubrosaRegistry.ZeroSigner.selector);
        registry.setVerifier(address(0), true);
        registry.setVerifier(verifier, false);
        assertFalse(registry.isVerifier(verifier));
        assertEq(registry.verifierThreshold(), 1);
    }

    function test_a_familys_floor_and_stop_hold_for_admission() public {
        registry.setFamily(TEE_KIND, 18, false);
        SignerAdmission memory a = _admission(vm.addr(NEW));
        _expectRefused(a, abi.encodeWithSelector(ISubrosaRegistry.TcbTooOld.selector, TEE_KIND, 17, 18));
        registry.setFamily(TEE_KIND, 0, true);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaRegistry.FamilyIsStopped.selector, TEE_KIND));
    }

    function testFuzz_restricting_a_family_never_asks_less_of_it(
        uint32 before,
        bool wasStopped,
        uint32 minimum,
        bool stop
    ) public {
        registry.setFamily(TEE_KIND, before, wasStopped);
        if (minimum < before) {
            vm.expectRevert(
                abi.encodeWithSelector(ISubrosaRegistry.FamilyNotRestricted.selector, TEE_KIND, minimum, before)
            );
        } else {
            vm.expectEmit(true, true, true, true, address(registry));
            emit ISubrosaRegistry.FamilyChanged(TEE_KIND, minimum, wasStopped || stop);
        }
        registry.restrictFamily(TEE_KIND, minimum, stop);
        (uint32 newMinimum, bool stopped) = registry.familyOf(TEE_KIND);
        assertEq(newMinimum, minimum < before ? before : minimum);
        assertEq(stopped, wasStopped || (stop && minimum >= before));
    }

    function test_restricting_a_family_stops_signers_already_admitted_and_lifts_no_stop() public {
        address signer = vm.addr(signerKey);
        registry.restrictFamily(TEE_KIND, 17, false);
        assertEq(registry.checkSigner(signer, measurement, CONFIG), KEY_GROUP, "as much as the signer has");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.FamilyNotRestricted.selector, TEE_KIND, 16, 17));
        registry.restrictFamily(TEE_KIND, 16, true);
        assertEq(registry.checkSigner(signer, measurement, CONFIG), KEY_GROUP, "nothing was changed");

        registry.restrictFamily(TEE_KIND, 17, true);
        bytes memory stopped = abi.encodeWithSelector(ISubrosaRegistry.FamilyIsStopped.selector, TEE_KIND);
        vm.expectRevert(stopped);
        registry.checkSigner(signer, measurement, CONFIG);
        registry.restrictFamily(TEE_KIND, 18, false);
        vm.expectRevert(stopped);
        registry.checkSigner(signer, measurement, CONFIG);

        registry.setFamily(TEE_KIND, 18, false);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.TcbTooOld.selector, TEE_KIND, 17, 18));
        registry.checkSigner(signer, measurement, CONFIG);
        registry.setFamily(TEE_KIND, 0, false);
        assertEq(registry.checkSigner(signer, measurement, CONFIG), KEY_GROUP);
    }

    // Verifiers.

    function test_as_many_distinct_verifiers_as_the_threshold_must_sign() public {
        uint256 second = uint256(keccak256("second verifier"));
        registry.setVerifier(vm.addr(second), true);
        registry.setVerifierThreshold(2);
        SignerAdmission memory a = _admission(vm.addr(NEW));
        _expectRefused(a, abi.encodeWithSelector(ISubrosaRegistry.WrongSignatureCount.selector, 1, 2));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaRegistry.WrongSignatureCount.selector, 0, 2));
        registry.admit(a, new bytes[](0));

        (uint256 low, uint256 high) =
            vm.addr(verifierKey) < vm.addr(second) ? (verifierKey, second) : (second, verifierKey);
        _expectRefused(a, high, low, _notAscending(low));
        _expectRefused(a, high, high, _notAscending(high));
        registry.admit(a, _vouchTwo(a, low, high));
        assertEq(registry.checkSigner(a.signer, measurement, CONFIG), KEY_GROUP);
    }

    function test_a_verifier_that_was_removed_vouches_for_nobody() public {
        registry.setVerifier(vm.addr(verifierKey), false);
        assertFalse(registry.isVerifier(vm.addr(verifierKey)));
        _expectRefused(
            _admission(vm.addr(NEW)),
            abi.encodeWithSelector(ISubrosaRegistry.VerifierUnknown.selector, vm.addr(verifierKey))
        );
    }

    function test_a_malformed_or_malleable_signature_is_refused() public {
        SignerAdmission memory a = _admission(vm.addr(NEW));
        bytes[] memory signatures = _vouch(a, verifierKey);
        bytes memory good = signatures[0];
        vm.expectRevert(ISubrosaRegistry.InvalidSignature.selector);
        signatures[0] = hex"00";
        registry.admit(a, signatures);

        (bytes32 r, bytes32 s) = abi.decode(good, (bytes32, bytes32));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint8 v = uint8(good[64]) == 27 ? 28 : 27;
        signatures[0] = abi.encodePacked(r, order - uint256(s), v);
        vm.expectRevert(ISubrosaRegistry.InvalidSignature.selector);
        registry.admit(a, signatures);
    }

    function test_the_threshold_is_never_zero() public {
        vm.expectRevert(ISubrosaRegistry.ZeroThreshold.selector);
        registry.setVerifierThreshold(0);
        assertEq(registry.verifierThreshold(), 1);
    }

    // Governance.

    function test_only_the_authority_governs() public {
        registry.addRuntime(2);
        skip(DELAY);
        bytes[] memory calls = new bytes[](17);
        calls[0] = abi.encodeCall(ISubrosaRegistry.addMeasurement, (ROOT, TEE_KIND, 0));
        calls[1] = abi.encodeCall(ISubrosaRegistry.revokeMeasurement, (measurement, 0));
        calls[2] = abi.encodeCall(ISubrosaRegistry.addConfig, (keccak256("x"), 1));
        calls[3] = abi.encodeCall(ISubrosaRegistry.removeConfig, (CONFIG));
        calls[4] = abi.encodeCall(ISubrosaRegistry.setVerifier, (address(1), true));
        calls[5] = abi.encodeCall(ISubrosaRegistry.setVerifierThreshold, (1));
        calls[6] = abi.encodeCall(ISubrosaRegistry.setFamily, (TEE_KIND, 0, true));
        calls[7] = abi.encodeCall(ISubrosaRegistry.revokeSigner, (address(1)));
        calls[8] = abi.encodeCall(ISubrosaRegistry.withdrawRuntime, (1, 2));
        calls[9] = abi.encodeCall(ISubrosaRegistry.revokeVerifier, (address(2)));
        calls[10] = abi.encodeCall(ISubrosaRegistry.setDcap, (address(3), 2));
        calls[11] = abi.encodeCall(ISubrosaRegistry.revokeDcap, (address(3)));
        calls[12] = abi.encodeCall(ISubrosaRegistry.denyProduct, (TEE_KIND, PRODUCT));
        calls[13] = abi.encodeCall(ISubrosaRegistry.allowProduct, (TEE_KIND, PRODUCT));
        calls[14] = abi.encodeCall(ISubrosaRegistry.addRuntime, (3));
        calls[15] = abi.encodeCall(ISubrosaRegistry.restrictFamily, (TEE_KIND, 1, true));
        calls[16] = abi.encodeCall(ISubrosaRegistry.refuseTcbStatuses, (2));
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

    // Epochs.

    function test_an_admitted_signer_opens_epochs_one_after_the_other() public {
        assertEq(registry.currentEpoch(KEY_GROUP), 0);
        for (uint32 epoch = 1; epoch <= 3; ++epoch) {
            EpochOpening memory o = _opening(epoch);
            vm.expectEmit(true, true, true, true, address(registry));
            emit ISubrosaRegistry.EpochOpened(
                KEY_GROUP, epoch, vm.addr(signerKey), o.publicKeyHash, CONFIG, o.measurementSetHash, o.recovery
            );
            _openEpoch(epoch);
            bytes32 record = keccak256(abi.encode(Reference.domain("epoch"), o));
            assertEq(registry.currentEpoch(KEY_GROUP), epoch);
            assertEq(registry.epochRecord(KEY_GROUP, epoch), record);
            assertEq(vm.load(address(registry), _epochSlot(epoch)), record, "where enclaves prove it");
        }
    }

    function test_an_epoch_is_opened_in_order_and_once() public {
        _openEpoch(1);
        uint32[3] memory wrong = [uint32(0), 1, 3];
        for (uint256 i = 0; i < wrong.length; ++i) {
            EpochOpening memory opening = _opening(wrong[i]);
            _expectNotOpened(
                opening, abi.encodeWithSelector(ISubrosaRegistry.EpochNotNext.selector, KEY_GROUP, wrong[i], 1)
            );
        }
    }

    function test_an_epoch_of_another_group_is_not_the_signers_to_open() public {
        EpochOpening memory opening = _opening(1);
        opening.keyGroup = 8;
        _expectNotOpened(opening, abi.encodeWithSelector(ISubrosaRegistry.WrongKeyGroup.selector, 8, KEY_GROUP));
    }

    function test_an_epoch_has_its_openers_configuration() public {
        EpochOpening memory opening = _opening(1);
        opening.configHash = keccak256("another");
        _expectNotOpened(
            opening,
            abi.encodeWithSelector(
                ISubrosaRegistry.BindingMismatch.selector, vm.addr(signerKey), measurement, opening.configHash
            )
        );
    }

    function test_a_revoked_signer_opens_nothing() public {
        registry.revokeSigner(vm.addr(signerKey));
        _expectNotOpened(
            _opening(1), abi.encodeWithSelector(ISubrosaRegistry.SignerIsRevoked.selector, vm.addr(signerKey))
        );
    }

    function testFuzz_every_field_of_an_opening_is_signed(uint8 field) public {
        EpochOpening memory o = _opening(1);
        bytes memory signature = _signOpening(o, signerKey);
        field %= 6;
        if (field == 0) o.keyGroup ^= 1;
        if (field == 1) o.keyEpoch ^= 1;
        if (field == 2) o.publicKeyHash ^= bytes32(uint256(1));
        if (field == 3) o.configHash ^= bytes32(uint256(1));
        if (field == 4) o.measurementSetHash ^= bytes32(uint256(1));
        if (field == 5) o.recovery ^= 1;
        address signer = vm.addr(signerKey);
        vm.expectRevert(ISubrosaRegistry.InvalidSignature.selector);
        registry.openEpoch(o, measurement, signer, signature);
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

    function _expectNotOpened(EpochOpening memory opening, bytes memory why) private {
        bytes memory signature = _signOpening(opening, signerKey);
        address signer = vm.addr(signerKey);
        vm.expectRevert(why);
        registry.openEpoch(opening, measurement, signer, signature);
    }

    function _stale(SignerAdmission memory a) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaRegistry.ChallengeStale.selector, a.challengeBlock, a.challengeBlockHash);
    }

    function _notAscending(uint256 key) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaRegistry.VerifiersNotAscending.selector, vm.addr(key));
    }

    function _epochSlot(uint32 epoch) private pure returns (bytes32) {
        uint256 base = uint256(keccak256("subrosa.storage.Registry")) - 1;
        bytes32 epochs = keccak256(abi.encode(base)) & ~bytes32(uint256(0xff));
        return keccak256(abi.encode(uint256(epoch), keccak256(abi.encode(uint256(KEY_GROUP), epochs))));
    }
}
