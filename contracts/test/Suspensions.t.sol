// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaSuspensions} from "../src/interfaces/ISubrosaSuspensions.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {EpochAcknowledgement, EpochOpening, EpochSchedule, SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @notice What is suspended can do nothing and loses nothing, and whoever may only suspend destroys nothing.
contract SuspensionsTests is RegistryTest {
    struct Case {
        ISubrosaSuspensions.Subject subject;
        uint8 teeKind;
        bytes32 id;
        /// Of a signer admitted, and of one that is not yet.
        bytes acting;
        bytes entering;
    }

    uint256 private constant NEW = uint256(keccak256("new"));
    bytes32 private constant MACHINE = keccak256("machine");
    address private guardian = makeAddr("guardian");
    address private signer;

    function setUp() public override {
        super.setUp();
        signer = vm.addr(signerKey);
        bytes4[] memory functions = new bytes4[](1);
        functions[0] = ISubrosaSuspensions.suspend.selector;
        authority.setTargetFunctionRole(address(registry), functions, 1);
        authority.grantRole(1, guardian, 0);
    }

    function test_everything_a_signer_rests_on_can_be_suspended_and_lifted() public {
        Case[] memory cases = _cases();
        for (uint256 i = 0; i < cases.length; ++i) {
            Case memory c = cases[i];
            uint256 snapshot = vm.snapshotState();
            _suspend(c);
            (bool suspended, uint40 lifted) = registry.suspensionOf(c.subject, c.teeKind, c.id);
            assertTrue(suspended);
            assertEq(lifted, 0);
            vm.expectRevert(c.acting);
            registry.checkSigner(signer, KEY_GROUP, 1);
            if (c.entering.length != 0) _expectRefused(_admission(vm.addr(NEW)), c.entering);

            vm.expectEmit(true, true, true, true, address(registry));
            emit ISubrosaSuspensions.Lifted(c.subject, c.teeKind, c.id);
            registry.lift(c.subject, c.teeKind, c.id);
            (suspended, lifted) = registry.suspensionOf(c.subject, c.teeKind, c.id);
            assertFalse(suspended);
            assertEq(lifted, block.timestamp);
            assertEq(uint32(registry.checkSigner(signer, KEY_GROUP, 1)), KEY_GROUP);
            _admit(NEW);
            _openEpoch(2);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    /// @dev A lease that ran out meanwhile would take the enclave's secrets with it.
    function test_leases_are_renewed_meanwhile_without_being_of_use() public {
        Case[] memory cases = _cases();
        for (uint256 i = 0; i < cases.length; ++i) {
            Case memory c = cases[i];
            uint256 snapshot = vm.snapshotState();
            _suspend(c);
            for (uint256 renewal = 0; renewal < 3; ++renewal) {
                skip(3 days);
                _admit(signerKey);
                vm.expectRevert(c.acting);
                registry.checkSigner(signer, KEY_GROUP, 1);
            }
            registry.lift(c.subject, c.teeKind, c.id);
            assertEq(uint32(registry.checkSigner(signer, KEY_GROUP, 1)), KEY_GROUP);
            _admit(signerKey, 1);
            assertEq(uint32(registry.checkSigner(signer, KEY_GROUP, 1)), KEY_GROUP);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    /// @dev All that an admission says of a signer can be read on chain: a thief of a verifier's key needs no enclave.
    function test_a_suspended_verifier_captures_nobody() public {
        uint256 stolen = _secondVerifier();
        _suspended(ISubrosaSuspensions.Subject.Voucher, 0, _id(vm.addr(stolen)));
        SignerAdmission memory a = _admission(signer);
        a.notAfter = type(uint64).max;
        bytes[] memory by = _vouch(a, stolen);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersSuspended.selector, signer, 2));
        registry.admit(a, by);
        // Nor together with one that is sound.
        registry.setVerifierThreshold(2);
        by = _vouchBoth(a, stolen);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersSuspended.selector, signer, 2));
        registry.admit(a, by);
        registry.setVerifierThreshold(1);
        assertEq(uint32(registry.checkSigner(signer, KEY_GROUP, 1)), KEY_GROUP);
        skip(1 days);
        _admit(signerKey);
    }

    /// @dev The longest lease is what a thief gives; honest ones are shorter.
    function test_who_was_captured_is_freed_once_the_verifier_is_suspended_or_revoked() public {
        uint256 stolen = _secondVerifier();
        SignerAdmission memory a = _admission(signer);
        a.notAfter = type(uint64).max;
        registry.admit(a, _vouch(a, stolen));
        (uint40 captive,,,,,) = registry.signerOf(signer);
        assertEq(captive, block.timestamp + MAXIMUM_LEASE);
        _expectRefused(
            _admission(signer), abi.encodeWithSelector(ISubrosaTrust.LeaseNotRenewed.selector, signer, captive)
        );

        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            if (i == 0) _suspended(ISubrosaSuspensions.Subject.Voucher, 0, _id(vm.addr(stolen)));
            else registry.revokeVerifier(vm.addr(stolen));
            vm.expectRevert();
            registry.checkSigner(signer, KEY_GROUP, 1);
            _admit(signerKey);
            assertEq(uint32(registry.checkSigner(signer, KEY_GROUP, 1)), KEY_GROUP);
            (uint40 until,,,,,) = registry.signerOf(signer);
            assertEq(until, block.timestamp + 7 days);
            // From then on as ever: the same again brings nothing, and less is refused.
            a = _admission(signer);
            a.notAfter = until - 1;
            _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.LeaseNotRenewed.selector, signer, until));
            vm.revertToStateAndDelete(snapshot);
        }
    }

    /// @dev A lease that ends takes the enclave's secrets with it.
    function test_a_suspended_verifier_ends_no_lease_that_it_vouched_for() public {
        (uint40 until,,,,,) = registry.signerOf(signer);
        _suspended(ISubrosaSuspensions.Subject.Voucher, 0, _id(vm.addr(verifierKey)));
        SignerAdmission memory a = _admission(signer);
        a.notAfter = uint64(block.timestamp + 1);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaTrust.LeaseNotRenewed.selector, signer, until);
        _expectRefused(a, refusal);
        // Nor one of others' that it signs with.
        uint256 second = _secondVerifier();
        registry.setVerifierThreshold(2);
        bytes[] memory by = _vouchBoth(a, second);
        vm.expectRevert(refusal);
        registry.admit(a, by);
        a.notAfter = until + 1;
        by = _vouchBoth(a, second);
        registry.admit(a, by);
    }

    function test_what_was_lifted_is_not_suspended_again_at_once() public {
        Case[] memory cases = _cases();
        for (uint256 i = 0; i < cases.length; ++i) {
            Case memory c = cases[i];
            _suspend(c);
            registry.lift(c.subject, c.teeKind, c.id);
            uint256 until = block.timestamp + COOLDOWN;
            bytes memory lately =
                abi.encodeWithSelector(ISubrosaSuspensions.LiftedLately.selector, c.subject, c.teeKind, c.id, until);
            vm.prank(guardian);
            vm.expectRevert(lately);
            registry.suspend(c.subject, c.teeKind, c.id);
            vm.warp(until - 1);
            vm.prank(guardian);
            vm.expectRevert(lately);
            registry.suspend(c.subject, c.teeKind, c.id);
            vm.warp(until);
            _suspend(c);
        }
    }

    /// @dev With a second name for what was lifted, it would be suspended again at once.
    function test_each_subject_goes_by_one_name() public {
        bytes32 one = bytes32(uint256(1));
        _expectNoSubject(ISubrosaSuspensions.Subject.Measurement, 1, measurement);
        _expectNoSubject(ISubrosaSuspensions.Subject.Configuration, 1, CONFIG);
        _expectNoSubject(ISubrosaSuspensions.Subject.Voucher, 1, one);
        _expectNoSubject(ISubrosaSuspensions.Subject.Voucher, 0, 0);
        _expectNoSubject(ISubrosaSuspensions.Subject.Voucher, 0, bytes32(uint256(1) << 160));
        _expectNoSubject(ISubrosaSuspensions.Subject.Signer, 1, one);
        _expectNoSubject(ISubrosaSuspensions.Subject.Signer, 0, 0);
        _expectNoSubject(ISubrosaSuspensions.Subject.Signer, 0, bytes32(uint256(1) << 160 | 1));
        _expectNoSubject(ISubrosaSuspensions.Subject.Machine, 1, MACHINE);
        _expectNoSubject(ISubrosaSuspensions.Subject.Machine, 0, one);
        _expectNoSubject(ISubrosaSuspensions.Subject.Family, TEE_KIND, one);
        vm.startPrank(guardian);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementUnknown.selector, one));
        registry.suspend(ISubrosaSuspensions.Subject.Measurement, 0, one);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, one));
        registry.suspend(ISubrosaSuspensions.Subject.Configuration, 0, one);
        vm.stopPrank();

        // Ids of which the same bits count are one subject.
        registry.lift(_suspended(ISubrosaSuspensions.Subject.Machine, 0, MACHINE), 0, MACHINE ^ one);
        registry.lift(_suspended(ISubrosaSuspensions.Subject.Product, 1, PRODUCT), 1, PRODUCT ^ one);
        vm.startPrank(guardian);
        vm.expectPartialRevert(ISubrosaSuspensions.LiftedLately.selector);
        registry.suspend(ISubrosaSuspensions.Subject.Machine, 0, MACHINE ^ one);
        vm.expectPartialRevert(ISubrosaSuspensions.LiftedLately.selector);
        registry.suspend(ISubrosaSuspensions.Subject.Product, 1, PRODUCT ^ one);
        vm.stopPrank();
    }

    function test_suspending_and_lifting_twice_is_refused() public {
        Case memory c = _cases()[0];
        bytes memory none =
            abi.encodeWithSelector(ISubrosaSuspensions.NotSuspended.selector, c.subject, c.teeKind, c.id);
        vm.expectRevert(none);
        registry.lift(c.subject, c.teeKind, c.id);
        _suspend(c);
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaSuspensions.AlreadySuspended.selector, c.subject, c.teeKind, c.id)
        );
        vm.prank(guardian);
        registry.suspend(c.subject, c.teeKind, c.id);
        registry.lift(c.subject, c.teeKind, c.id);
        vm.expectRevert(none);
        registry.lift(c.subject, c.teeKind, c.id);
    }

    /// @dev A stolen key suspends all there is. Governance lifts it, and everything is as it was.
    function test_a_stolen_guardian_stops_everything_and_destroys_nothing() public {
        Case[] memory cases = _cases();
        for (uint256 i = 0; i < cases.length; ++i) {
            _suspend(cases[i]);
        }
        authority.revokeRole(1, guardian);
        skip(5 days);
        _admit(signerKey);
        for (uint256 i = 0; i < cases.length; ++i) {
            registry.lift(cases[i].subject, cases[i].teeKind, cases[i].id);
        }
        assertEq(uint32(registry.checkSigner(signer, KEY_GROUP, 1)), KEY_GROUP);
        _admit(NEW);
        _openEpoch(2);
        assertEq(uint32(registry.checkSigner(vm.addr(NEW), KEY_GROUP, 2)), KEY_GROUP);
    }

    function test_what_is_revoked_stays_so_when_its_suspension_is_lifted() public {
        Case memory c = _cases()[0];
        _suspend(c);
        registry.revokeMeasurement(measurement, 0);
        registry.lift(c.subject, c.teeKind, c.id);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, measurement));
        registry.checkSigner(signer, KEY_GROUP, 1);
        c = _cases()[3];
        _suspend(c);
        registry.revokeSigner(signer);
        registry.lift(c.subject, c.teeKind, c.id);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, signer));
        registry.checkSigner(signer, KEY_GROUP, 1);
    }

    function test_a_signer_can_be_suspended_before_it_is_admitted() public {
        bytes32 id = _id(vm.addr(NEW));
        _suspended(ISubrosaSuspensions.Subject.Signer, 0, id);
        (uint40 leaseUntil,,,,, bool suspended) = registry.signerOf(vm.addr(NEW));
        assertEq(leaseUntil, 0);
        assertTrue(suspended);
        _expectRefused(
            _admission(vm.addr(NEW)), abi.encodeWithSelector(ISubrosaTrust.SignerIsSuspended.selector, vm.addr(NEW))
        );
        registry.lift(ISubrosaSuspensions.Subject.Signer, 0, id);
        _admit(NEW);
    }

    function test_a_verifier_suspended_before_it_is_trusted_is_so_when_it_is() public {
        address verifier = vm.addr(NEW);
        _suspended(ISubrosaSuspensions.Subject.Voucher, 0, _id(verifier));
        assertEq(uint32(registry.checkSigner(signer, KEY_GROUP, 1)), KEY_GROUP, "who has its place is not concerned");
        registry.setVerifier(verifier, true);
        (,,,, bool suspended) = registry.voucherOf(verifier);
        assertTrue(suspended);
        SignerAdmission memory a = _admission(address(99));
        bytes[] memory signatures = _vouch(a, NEW);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersSuspended.selector, a.signer, 2));
        registry.admit(a, signatures);
        // Nor does it renew what rests on others before it is lifted.
        skip(1 days);
        a = _admission(signer);
        signatures = _vouch(a, NEW);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersSuspended.selector, signer, 2));
        registry.admit(a, signatures);
        registry.lift(ISubrosaSuspensions.Subject.Voucher, 0, _id(verifier));
        registry.admit(a, signatures);
        assertEq(uint32(registry.checkSigner(signer, KEY_GROUP, 1)), KEY_GROUP);
    }

    function test_a_suspended_verifier_leaves_no_mark_on_the_next_holder_of_its_place() public {
        address verifier = vm.addr(verifierKey);
        registry.setVerifier(verifier, false);
        _suspended(ISubrosaSuspensions.Subject.Voucher, 0, _id(verifier));
        skip(MAXIMUM_LEASE);
        registry.setVerifier(vm.addr(NEW), true);
        SignerAdmission memory a = _admission(address(99));
        registry.admit(a, _vouch(a, NEW));
        assertEq(uint32(registry.checkSigner(address(99), KEY_GROUP, 1)), KEY_GROUP);
        registry.lift(ISubrosaSuspensions.Subject.Voucher, 0, _id(verifier));
        assertEq(uint32(registry.checkSigner(address(99), KEY_GROUP, 1)), KEY_GROUP);
    }

    function test_members_that_are_suspended_are_not_scheduled() public {
        EpochSchedule memory s = _schedule(2);
        Case[] memory cases = _cases();
        for (uint256 i = 0; i < 2; ++i) {
            _suspend(cases[i]);
            vm.expectRevert(cases[i].acting);
            registry.scheduleEpoch(s);
            registry.lift(cases[i].subject, 0, cases[i].id);
        }
    }

    function test_a_suspended_signer_neither_opens_nor_acknowledges() public {
        Case[] memory cases = _cases();
        EpochSchedule memory s = _schedule(2);
        s.recovery = 1 << 248 | 2 << 240;
        registry.scheduleEpoch(s);
        EpochOpening memory opening = _opening(2);
        opening.recovery = s.recovery;
        bytes memory signature = _signOpening(opening, signerKey);
        for (uint256 i = 0; i < cases.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            _suspend(cases[i]);
            vm.expectRevert(cases[i].acting);
            registry.openEpoch(opening, signer, signature);
            vm.revertToState(snapshot);

            registry.openEpoch(opening, signer, signature);
            _suspend(cases[i]);
            (bytes32 record,,,) = registry.openingOf(KEY_GROUP, 2);
            EpochAcknowledgement memory a = EpochAcknowledgement(KEY_GROUP, 2, record, true);
            bytes32 typeHash =
                keccak256("EpochAcknowledgement(uint32 keyGroup,uint32 keyEpoch,bytes32 record,bool holdsPrevious)");
            bytes memory by = _sign(signerKey, _registryMessage(keccak256(abi.encode(typeHash, a))));
            vm.expectRevert(cases[i].acting);
            registry.acknowledgeEpoch(a, signer, by);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    /// @dev By subject.
    function _cases() private view returns (Case[] memory cases) {
        cases = new Case[](7);
        bytes memory why = abi.encodeWithSelector(ISubrosaTrust.MeasurementIsSuspended.selector, measurement);
        cases[0] = Case(ISubrosaSuspensions.Subject.Measurement, 0, measurement, why, why);
        why = abi.encodeWithSelector(ISubrosaTrust.ConfigIsSuspended.selector, CONFIG);
        cases[1] = Case(ISubrosaSuspensions.Subject.Configuration, 0, CONFIG, why, why);
        why = abi.encodeWithSelector(ISubrosaTrust.VouchersSuspended.selector, signer, 1);
        bytes memory entering = abi.encodeWithSelector(ISubrosaTrust.VouchersSuspended.selector, vm.addr(NEW), 1);
        cases[2] = Case(ISubrosaSuspensions.Subject.Voucher, 0, _id(vm.addr(verifierKey)), why, entering);
        why = abi.encodeWithSelector(ISubrosaTrust.SignerIsSuspended.selector, signer);
        cases[3] = Case(ISubrosaSuspensions.Subject.Signer, 0, _id(signer), why, "");
        why = abi.encodeWithSelector(ISubrosaTrust.MachineIsSuspended.selector, bytes32(bytes7(MACHINE)));
        entering = abi.encodeWithSelector(ISubrosaTrust.MachineIsSuspended.selector, MACHINE);
        cases[4] = Case(ISubrosaSuspensions.Subject.Machine, 0, MACHINE, why, entering);
        why = abi.encodeWithSelector(ISubrosaTrust.ProductIsSuspended.selector, TEE_KIND, bytes32(bytes2(PRODUCT)));
        entering = abi.encodeWithSelector(ISubrosaTrust.ProductIsSuspended.selector, TEE_KIND, PRODUCT);
        cases[5] = Case(ISubrosaSuspensions.Subject.Product, TEE_KIND, PRODUCT, why, entering);
        why = abi.encodeWithSelector(ISubrosaTrust.FamilyIsSuspended.selector, TEE_KIND);
        cases[6] = Case(ISubrosaSuspensions.Subject.Family, TEE_KIND, 0, why, why);
    }

    function _suspend(Case memory c) private {
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaSuspensions.Suspended(c.subject, c.teeKind, c.id);
        _suspended(c.subject, c.teeKind, c.id);
    }

    function _suspended(ISubrosaSuspensions.Subject subject, uint8 teeKind, bytes32 id)
        private
        returns (ISubrosaSuspensions.Subject)
    {
        vm.prank(guardian);
        registry.suspend(subject, teeKind, id);
        return subject;
    }

    function _expectNoSubject(ISubrosaSuspensions.Subject subject, uint8 teeKind, bytes32 id) private {
        vm.prank(guardian);
        vm.expectPartialRevert(ISubrosaSuspensions.NoSuchSubject.selector);
        registry.suspend(subject, teeKind, id);
    }

    /// @dev The key of one more verifier, with index 1.
    function _secondVerifier() private returns (uint256 key) {
        key = uint256(keccak256("second verifier"));
        registry.setVerifier(vm.addr(key), true);
    }

    /// @dev By the first verifier and another.
    function _vouchBoth(SignerAdmission memory a, uint256 other) private view returns (bytes[] memory signatures) {
        signatures = new bytes[](2);
        (uint256 low, uint256 high) =
            vm.addr(verifierKey) < vm.addr(other) ? (verifierKey, other) : (other, verifierKey);
        (signatures[0], signatures[1]) = (_vouchOne(a, low), _vouchOne(a, high));
    }

    function _admit(uint256 key, uint256 later) private {
        skip(later);
        _admit(key);
    }

    function _expectRefused(SignerAdmission memory a, bytes memory why) private {
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.expectRevert(why);
        registry.admit(a, signatures);
    }
}
