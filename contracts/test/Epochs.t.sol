// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaEpochs} from "../src/interfaces/ISubrosaEpochs.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {
    EpochAcknowledgement,
    EpochMember,
    EpochOpening,
    EpochSchedule,
    SignerAdmission
} from "../src/interfaces/SubrosaTypes.sol";
import {Reference} from "./support/Reference.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @notice An epoch is scheduled, opened, acknowledged, and at last retired.
contract EpochsTests is RegistryTest {
    uint40 private constant DELAY = 1 days;

    EpochMember[] private members;
    uint256 private recovery = SEALED;

    function _activationDelay() internal pure override returns (uint40) {
        return DELAY;
    }

    function _members() internal view override returns (EpochMember[] memory) {
        return members.length == 0 ? super._members() : members;
    }

    // Opening.

    function test_epochs_become_current_one_after_the_other_where_enclaves_prove_them() public {
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        for (uint32 epoch = 2; epoch <= 4; ++epoch) {
            registry.scheduleEpoch(_schedule(epoch));
            EpochOpening memory o = _opening(epoch);
            bytes32 record = keccak256(abi.encode(Reference.domain("epoch"), o));
            vm.expectEmit(true, true, true, true, address(registry));
            emit ISubrosaEpochs.EpochOpened(
                KEY_GROUP, epoch, vm.addr(signerKey), o.publicKeyHash, CONFIG, o.setHash, o.recovery
            );
            vm.expectEmit(true, true, true, true, address(registry));
            emit ISubrosaEpochs.EpochBecameCurrent(KEY_GROUP, epoch, record);
            _openEpoch(epoch);
            assertEq(registry.currentEpoch(KEY_GROUP), epoch);
            assertEq(registry.epochRecord(KEY_GROUP, epoch), record);
            assertEq(vm.load(address(registry), _epochSlot(epoch)), record, "where enclaves prove it");
        }
    }

    function test_nobody_opens_what_was_not_scheduled() public {
        _expectNotOpened(_opening(2), abi.encodeWithSelector(ISubrosaEpochs.EpochNotScheduled.selector, KEY_GROUP, 2));
        // Not even the only signer there is, with whatever set.
        EpochOpening memory own = _opening(2);
        own.setHash = keccak256("own");
        _expectNotOpened(own, abi.encodeWithSelector(ISubrosaEpochs.EpochNotScheduled.selector, KEY_GROUP, 2));
    }

    function test_an_epoch_is_opened_in_order_and_once() public {
        uint32[3] memory wrong = [uint32(0), 1, 3];
        for (uint256 i = 0; i < wrong.length; ++i) {
            bytes memory why = abi.encodeWithSelector(ISubrosaEpochs.EpochNotNext.selector, KEY_GROUP, wrong[i], 1);
            _expectNotOpened(_opening(wrong[i]), why);
            EpochSchedule memory schedule = _schedule(wrong[i]);
            vm.expectRevert(why);
            registry.scheduleEpoch(schedule);
        }
    }

    function test_an_epoch_is_not_opened_before_its_time() public {
        EpochSchedule memory schedule = _schedule(2);
        schedule.notBefore = uint40(block.timestamp + 1 hours);
        registry.scheduleEpoch(schedule);
        _expectNotOpened(
            _opening(2), abi.encodeWithSelector(ISubrosaEpochs.EpochNotDue.selector, KEY_GROUP, 2, schedule.notBefore)
        );
        skip(1 hours);
        _openEpoch(2);
    }

    function test_an_opening_is_what_was_scheduled() public {
        registry.scheduleEpoch(_schedule(2));
        bytes memory why = abi.encodeWithSelector(ISubrosaEpochs.EpochMismatch.selector, KEY_GROUP, 2);
        EpochOpening memory o = _opening(2);
        o.setHash = keccak256("another set");
        _expectNotOpened(o, why);
        o = _opening(2);
        o.recovery = 1 << 248 | 1 << 240;
        _expectNotOpened(o, why);
        o = _opening(2);
        o.configHash = keccak256("another");
        _expectNotOpened(o, why);
    }

    function test_a_signer_opens_what_its_pair_is_a_member_of() public {
        (EpochMember memory other, uint256 key) = _another("other");
        members.push(other);
        registry.scheduleEpoch(_schedule(2));
        _expectNotOpened(
            _opening(2),
            abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, vm.addr(signerKey), KEY_GROUP, 2)
        );
        EpochOpening memory o = _opening(2);
        o.configHash = other.configHash;
        registry.openEpoch(o, vm.addr(key), _signOpening(o, key));
        assertEq(uint32(registry.checkSigner(vm.addr(key), KEY_GROUP, 2)), KEY_GROUP);
        // The set of one epoch is no other's.
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, vm.addr(key), KEY_GROUP, 1));
        registry.checkSigner(vm.addr(key), KEY_GROUP, 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, vm.addr(signerKey), KEY_GROUP, 2)
        );
        registry.checkSigner(vm.addr(signerKey), KEY_GROUP, 2);
    }

    function test_a_revoked_signer_opens_nothing() public {
        registry.scheduleEpoch(_schedule(2));
        registry.revokeSigner(vm.addr(signerKey));
        _expectNotOpened(
            _opening(2), abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, vm.addr(signerKey))
        );
    }

    function test_no_secret_is_drawn_for_a_member_that_was_revoked_meanwhile() public {
        (EpochMember memory other,) = _another("other");
        _memberToo(other);
        registry.scheduleEpoch(_schedule(2));
        registry.revokeMeasurement(other.measurementId, 0);
        _expectNotOpened(
            _opening(2), abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, other.measurementId)
        );
        // Another schedule in its place.
        delete members;
        registry.scheduleEpoch(_schedule(2));
        _openEpoch(2);
    }

    function test_nor_for_one_that_does_not_count_yet() public {
        bytes32 soon = registry.addMeasurement(ROOT, TEE_KIND, keccak256("soon"));
        uint256 activeFrom = block.timestamp + DELAY;
        _memberToo(EpochMember(soon, CONFIG));
        registry.scheduleEpoch(_schedule(2));
        _expectNotOpened(
            _opening(2), abi.encodeWithSelector(ISubrosaTrust.MeasurementNotActive.selector, soon, activeFrom)
        );
        skip(DELAY);
        registry.addConfig(keccak256("soon"), KEY_GROUP);
        delete members;
        _memberToo(EpochMember(measurement, keccak256("soon")));
        registry.scheduleEpoch(_schedule(2));
        _expectNotOpened(
            _opening(2),
            abi.encodeWithSelector(ISubrosaTrust.ConfigNotActive.selector, keccak256("soon"), activeFrom + DELAY)
        );
        skip(DELAY);
        _openEpoch(2);
    }

    function testFuzz_every_field_of_an_opening_is_signed(uint8 field) public {
        EpochOpening memory o = _opening(2);
        bytes memory signature = _signOpening(o, signerKey);
        field %= 6;
        if (field == 0) o.keyGroup ^= 1;
        if (field == 1) o.keyEpoch ^= 1;
        if (field == 2) o.publicKeyHash ^= bytes32(uint256(1));
        if (field == 3) o.configHash ^= bytes32(uint256(1));
        if (field == 4) o.setHash ^= bytes32(uint256(1));
        if (field == 5) o.recovery ^= 1;
        address signer = vm.addr(signerKey);
        vm.expectRevert(ISubrosaTrust.InvalidSignature.selector);
        registry.openEpoch(o, signer, signature);
    }

    // Scheduling.

    function test_a_schedule_can_be_read() public {
        (EpochMember memory other,) = _another("other");
        _memberToo(other);
        EpochSchedule memory s = _schedule(2);
        (s.notBefore, s.continues) = (uint40(block.timestamp + 5), true);
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaEpochs.EpochScheduled(
            KEY_GROUP, 2, s.members, _setHash(s.members), SEALED, s.custodians, true, s.notBefore
        );
        registry.scheduleEpoch(s);
        EpochMember[] memory found = registry.membersOf(KEY_GROUP, 2);
        assertEq(abi.encode(found), abi.encode(s.members));
        (bytes32 setHash, uint256 policy, bytes32 custodians, uint40 notBefore, bool continues) =
            registry.scheduleOf(KEY_GROUP, 2);
        assertEq(setHash, _setHash(s.members));
        assertEq(policy, SEALED);
        assertEq(custodians, 0);
        assertEq(notBefore, s.notBefore);
        assertTrue(continues);
        assertEq(registry.membersOf(KEY_GROUP, 3).length, 0);
    }

    function test_members_are_one_to_eight_in_order_and_trusted() public {
        EpochSchedule memory s = _schedule(2);
        s.members = new EpochMember[](0);
        bytes memory malformed = abi.encodeWithSelector(ISubrosaEpochs.EpochSetMalformed.selector, KEY_GROUP, 2);
        _expectNotScheduled(s, malformed);
        for (uint256 i = 0; i < 9; ++i) {
            registry.addConfig(bytes32(i + 1), KEY_GROUP);
            members.push(EpochMember(measurement, bytes32(i + 1)));
            if (i < 8) registry.scheduleEpoch(_schedule(2));
        }
        _expectNotScheduled(_schedule(2), malformed);
        members.pop();
        EpochMember memory moved = members[3];
        members[3] = members[4];
        members[4] = moved;
        _expectNotScheduled(_schedule(2), malformed);
        members[3] = members[4];
        _expectNotScheduled(_schedule(2), malformed);

        delete members;
        members.push(EpochMember(keccak256("never added"), CONFIG));
        _expectNotScheduled(
            _schedule(2), abi.encodeWithSelector(ISubrosaTrust.MeasurementUnknown.selector, members[0].measurementId)
        );
        members[0] = EpochMember(measurement, keccak256("never added"));
        _expectNotScheduled(
            _schedule(2), abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, members[0].configHash)
        );
        registry.addConfig(keccak256("another group's"), 9);
        members[0] = EpochMember(measurement, keccak256("another group's"));
        _expectNotScheduled(_schedule(2), abi.encodeWithSelector(ISubrosaTrust.WrongKeyGroup.selector, KEY_GROUP, 9));
        members[0] = EpochMember(measurement, CONFIG);
        registry.removeConfig(CONFIG);
        _expectNotScheduled(_schedule(2), abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, CONFIG));
        registry.revokeMeasurement(measurement, 0);
        _expectNotScheduled(
            _schedule(2), abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, measurement)
        );
    }

    function testFuzz_only_recovery_policies_that_exist_are_scheduled(uint256 word, uint8 kind) public {
        word = word % 2 == 0 ? word >> 232 << 232 : word;
        word = word << 8 >> 8 | uint256(kind % 6) << 248;
        if ((word >> 8) % 2 == 0) word = word >> 240 << 240;
        EpochSchedule memory s = _schedule(2);
        s.recovery = word;
        (uint256 threshold, uint256 shares) = (uint8(word >> 240), uint8(word >> 232));
        s.custodians = new address[](shares);
        for (uint256 i = 0; i < shares; ++i) {
            s.custodians[i] = address(uint160(i + 1));
        }
        kind = uint8(word >> 248);
        bool known = uint232(word) == 0;
        if (kind == 1) known = known && threshold > 0 && shares == 0;
        else if (kind == 3) known = known && threshold > 0 && threshold <= shares;
        else known = known && (kind == 2 || kind == 4) && threshold == 0 && shares == 0;
        if (!known) vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.RecoveryUnknown.selector, word));
        registry.scheduleEpoch(s);
    }

    function test_the_first_epoch_continues_none() public {
        EpochSchedule memory s = _schedule(1);
        s.keyGroup = 9;
        s.continues = true;
        _expectNotScheduled(s, abi.encodeWithSelector(ISubrosaEpochs.NothingToContinue.selector, 9, 1));
    }

    // Replicas.

    function test_replicas_on_distinct_machines_make_an_epoch_current() public {
        recovery = 1 << 248 | 3 << 240;
        bytes32 record = _openAs(recovery);
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        assertEq(registry.epochRecord(KEY_GROUP, 2), 0, "nothing to prove yet");
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, vm.addr(signerKey), KEY_GROUP, 2)
        );
        registry.checkSigner(vm.addr(signerKey), KEY_GROUP, 2);

        // The opener again, another on its machine, one whose machine is unknown: none of them counts.
        _acknowledge(signerKey, record, false);
        _acknowledge(_replica(1, keccak256("machine")), record, false);
        _acknowledge(_replica(2, 0), record, false);
        (, uint40 openedAt, uint8 holders, bool continued) = registry.openingOf(KEY_GROUP, 2);
        assertEq(openedAt, block.timestamp);
        assertEq(holders, 1);
        assertFalse(continued);
        uint256 second = _replica(3, keccak256("second machine"));
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaEpochs.EpochAcknowledged(KEY_GROUP, 2, vm.addr(second), false, 2);
        _acknowledge(second, record, false);
        _acknowledge(second, record, false);
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        _acknowledge(_replica(4, keccak256("third machine")), record, false);
        assertEq(registry.currentEpoch(KEY_GROUP), 2);
        assertEq(registry.epochRecord(KEY_GROUP, 2), record);
    }

    function test_machines_without_identity_are_never_replicas_of_each_other() public {
        registry.revokeSigner(vm.addr(signerKey));
        signerKey = _replica(9, 0);
        bytes32 record = _openAs(1 << 248 | 2 << 240);
        for (uint256 i = 0; i < 5; ++i) {
            _acknowledge(_replica(10 + i, 0), record, false);
        }
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        // One of them and another machine might be the same.
        _acknowledge(_replica(20, keccak256("a")), record, false);
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        _acknowledge(_replica(21, keccak256("b")), record, false);
        assertEq(registry.currentEpoch(KEY_GROUP), 2);
    }

    function test_one_replica_is_the_one_that_opens() public {
        registry.revokeSigner(vm.addr(signerKey));
        signerKey = _replica(9, 0);
        _openAs(1 << 248 | 1 << 240);
        assertEq(registry.currentEpoch(KEY_GROUP), 2);
    }

    function test_an_opening_nobody_acknowledged_can_be_replaced() public {
        bytes32 record = _openAs(1 << 248 | 2 << 240);
        uint256 thief = _replica(1, keccak256("second machine"));
        EpochOpening memory o = _opening(2);
        (o.publicKeyHash, o.recovery) = (keccak256("another key"), 1 << 248 | 2 << 240);
        uint256 from = block.timestamp + OPENING_TIMEOUT;
        bytes memory why = abi.encodeWithSelector(ISubrosaEpochs.EpochIsOpen.selector, KEY_GROUP, 2, from);
        skip(OPENING_TIMEOUT - 1);
        vm.expectRevert(why);
        registry.openEpoch(o, vm.addr(thief), _signOpening(o, thief));
        EpochSchedule memory s = _schedule(2);
        vm.expectRevert(why);
        registry.scheduleEpoch(s);

        skip(1);
        registry.openEpoch(o, vm.addr(thief), _signOpening(o, thief));
        // Who acknowledged the former one has not acknowledged this one.
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.OpeningUnknown.selector, KEY_GROUP, 2, record));
        this.acknowledge(signerKey, record, false);
        (bytes32 second,,,) = registry.openingOf(KEY_GROUP, 2);
        _acknowledge(signerKey, second, false);
        assertEq(registry.epochRecord(KEY_GROUP, 2), second);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.OpeningUnknown.selector, KEY_GROUP, 2, second));
        this.acknowledge(signerKey, second, false);
    }

    /// @dev Its signature lies open, and its enclave may be gone: it would stand in everyone's way until its signer's
    /// lease ends.
    function test_an_opening_that_ran_out_is_made_again_only_if_scheduled_again() public {
        uint256 policy = 1 << 248 | 3 << 240;
        uint256 second = _replica(1, keccak256("second machine"));
        bytes32 record = _openAs(policy);
        EpochOpening memory o = _opening(2);
        o.recovery = policy;
        EpochOpening memory other = _opening(2);
        (other.publicKeyHash, other.recovery) = (keccak256("another key"), policy);
        bytes memory why = abi.encodeWithSelector(ISubrosaEpochs.OpeningRepeated.selector, KEY_GROUP, 2, record);
        skip(OPENING_TIMEOUT);
        _expectNotOpened(o, why);
        // Late, it can still be acknowledged.
        _acknowledge(second, record, false);
        // Nor is it made again in turns with another one.
        registry.openEpoch(other, vm.addr(second), _signOpening(other, second));
        skip(OPENING_TIMEOUT);
        _expectNotOpened(o, why);
        // Scheduled again, it counts from the start.
        assertEq(_openAs(policy), record);
        (,, uint8 holders,) = registry.openingOf(KEY_GROUP, 2);
        assertEq(holders, 1);
        _acknowledge(second, record, false);
        (,, holders,) = registry.openingOf(KEY_GROUP, 2);
        assertEq(holders, 2);
    }

    function test_who_may_not_act_acknowledges_nothing() public {
        bytes32 record = _openAs(1 << 248 | 2 << 240);
        uint256 second = _replica(1, keccak256("second machine"));
        registry.revokeSigner(vm.addr(second));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, vm.addr(second)));
        this.acknowledge(second, record, false);
        (, uint256 outsider) = _another("outsider");
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, vm.addr(outsider), KEY_GROUP, 2)
        );
        this.acknowledge(outsider, record, false);
        EpochAcknowledgement memory a = EpochAcknowledgement(KEY_GROUP, 2, record, false);
        bytes memory signature = _signAcknowledgement(a, signerKey);
        a.holdsPrevious = true;
        vm.expectRevert(ISubrosaTrust.InvalidSignature.selector);
        registry.acknowledgeEpoch(a, vm.addr(signerKey), signature);
    }

    // Continuing.

    function test_an_epoch_that_continues_waits_for_one_that_holds_both_secrets() public {
        (EpochMember memory other, uint256 key) = _another("other");
        _memberToo(other);
        EpochSchedule memory s = _schedule(2);
        s.continues = true;
        registry.scheduleEpoch(s);
        EpochOpening memory o = _opening(2);
        o.configHash = other.configHash;
        registry.openEpoch(o, vm.addr(key), _signOpening(o, key));
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        (bytes32 record,,,) = registry.openingOf(KEY_GROUP, 2);
        _acknowledge(key, record, false);
        _acknowledge(signerKey, record, false);
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        // The newcomer cannot have been given the former secret.
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, vm.addr(key), KEY_GROUP, 1));
        this.acknowledge(key, record, true);
        _acknowledge(signerKey, record, true);
        assertEq(registry.currentEpoch(KEY_GROUP), 2);
    }

    // Custodians.

    function test_custodians_make_an_epoch_current() public {
        (uint256[] memory keys, address[] memory custodians) = _custodians(3);
        EpochSchedule memory s = _schedule(2);
        (s.recovery, s.custodians) = (3 << 248 | 2 << 240 | 3 << 232, custodians);
        registry.scheduleEpoch(s);
        EpochOpening memory o = _opening(2);
        o.recovery = s.recovery;
        registry.openEpoch(o, vm.addr(signerKey), _signOpening(o, signerKey));
        (bytes32 record,,,) = registry.openingOf(KEY_GROUP, 2);
        EpochAcknowledgement memory a = EpochAcknowledgement(KEY_GROUP, 2, record, false);
        bytes[] memory signatures = new bytes[](3);
        signatures[2] = _signAcknowledgement(a, keys[2]);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.WrongCustodianCount.selector, 1, 2));
        registry.entrustEpoch(a, custodians, signatures);
        signatures[0] = signatures[2];
        vm.expectRevert(ISubrosaTrust.InvalidSignature.selector);
        registry.entrustEpoch(a, custodians, signatures);
        signatures[0] = _signAcknowledgement(a, keys[0]);
        bytes memory mismatch = abi.encodeWithSelector(ISubrosaEpochs.CustodiansMismatch.selector, KEY_GROUP, 2);
        a.holdsPrevious = true;
        vm.expectRevert(mismatch);
        registry.entrustEpoch(a, custodians, signatures);
        a.holdsPrevious = false;
        custodians[1] = address(uint160(custodians[1]) + 1);
        vm.expectRevert(mismatch);
        registry.entrustEpoch(a, custodians, signatures);
        custodians[1] = address(uint160(custodians[1]) - 1);

        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaEpochs.EpochEntrusted(KEY_GROUP, 2, 2);
        registry.entrustEpoch(a, custodians, signatures);
        assertEq(registry.currentEpoch(KEY_GROUP), 2);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.OpeningUnknown.selector, KEY_GROUP, 2, record));
        registry.entrustEpoch(a, custodians, signatures);
    }

    function test_custodians_are_as_many_as_shares_and_in_order() public {
        (, address[] memory custodians) = _custodians(3);
        bytes memory mismatch = abi.encodeWithSelector(ISubrosaEpochs.CustodiansMismatch.selector, KEY_GROUP, 2);
        EpochSchedule memory s = _schedule(2);
        s.custodians = custodians;
        _expectNotScheduled(s, mismatch);
        s.recovery = 3 << 248 | 2 << 240 | 4 << 232;
        _expectNotScheduled(s, mismatch);
        s.recovery = 3 << 248 | 2 << 240 | 3 << 232;
        (custodians[0], custodians[1]) = (custodians[1], custodians[0]);
        _expectNotScheduled(s, mismatch);
        custodians[0] = custodians[1];
        _expectNotScheduled(s, mismatch);
    }

    // Retiring.

    function test_a_past_epoch_is_retired_after_the_notice() public {
        bytes memory notPast = abi.encodeWithSelector(ISubrosaEpochs.EpochNotPast.selector, KEY_GROUP, 1, 1);
        vm.expectRevert(notPast);
        registry.retireEpoch(KEY_GROUP, 1, DELAY);
        _openEpoch(2);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.EpochNotPast.selector, KEY_GROUP, 0, 2));
        registry.retireEpoch(KEY_GROUP, 0, DELAY);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.NoticeTooShort.selector, DELAY - 1, DELAY));
        registry.retireEpoch(KEY_GROUP, 1, DELAY - 1);

        uint40 from = uint40(block.timestamp) + DELAY;
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaEpochs.EpochRetired(KEY_GROUP, 1, from);
        registry.retireEpoch(KEY_GROUP, 1, DELAY);
        assertEq(registry.retiredFrom(KEY_GROUP, 1), from);
        assertFalse(registry.isRetired(KEY_GROUP, 1));
        vm.warp(from - 1);
        assertFalse(registry.isRetired(KEY_GROUP, 1));
        vm.warp(from);
        assertTrue(registry.isRetired(KEY_GROUP, 1));
        assertFalse(registry.isRetired(KEY_GROUP, 2));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.EpochIsRetired.selector, KEY_GROUP, 1));
        registry.retireEpoch(KEY_GROUP, 1, 30 days);
        // What is in it can still be executed.
        assertEq(_groupOf(vm.addr(signerKey)), KEY_GROUP);
    }

    function test_the_terms_can_be_read() public view {
        assertEq(registry.openingTimeout(), OPENING_TIMEOUT);
        assertEq(registry.activationDelay(), DELAY);
        assertEq(registry.maximumLease(), MAXIMUM_LEASE);
        assertEq(registry.suspensionCooldown(), COOLDOWN);
    }

    /// @dev External, so that what reverts is one call.
    function acknowledge(uint256 key, bytes32 record, bool holdsPrevious) external {
        EpochAcknowledgement memory a = EpochAcknowledgement(KEY_GROUP, 2, record, holdsPrevious);
        registry.acknowledgeEpoch(a, vm.addr(key), _signAcknowledgement(a, key));
    }

    function _acknowledge(uint256 key, bytes32 record, bool holdsPrevious) private {
        EpochAcknowledgement memory a = EpochAcknowledgement(KEY_GROUP, 2, record, holdsPrevious);
        registry.acknowledgeEpoch(a, vm.addr(key), _signAcknowledgement(a, key));
    }

    function _signAcknowledgement(EpochAcknowledgement memory a, uint256 key) private view returns (bytes memory) {
        bytes32 typeHash =
            keccak256("EpochAcknowledgement(uint32 keyGroup,uint32 keyEpoch,bytes32 record,bool holdsPrevious)");
        return _sign(key, _registryMessage(keccak256(abi.encode(typeHash, a))));
    }

    /// @dev Schedules and opens the second epoch with a recovery policy. Gives what is to be acknowledged.
    function _openAs(uint256 policy) private returns (bytes32 record) {
        EpochSchedule memory s = _schedule(2);
        s.recovery = policy;
        registry.scheduleEpoch(s);
        EpochOpening memory o = _opening(2);
        o.recovery = policy;
        registry.openEpoch(o, vm.addr(signerKey), _signOpening(o, signerKey));
        (record,,,) = registry.openingOf(KEY_GROUP, 2);
        assertEq(record, keccak256(abi.encode(Reference.domain("epoch"), o)));
    }

    /// @dev Another enclave of the same build and configuration.
    function _replica(uint256 which, bytes32 machine) private returns (uint256 key) {
        key = uint256(keccak256(abi.encode("replica", which)));
        SignerAdmission memory a = _admission(vm.addr(key));
        a.machineId = machine;
        registry.admit(a, _vouch(a, verifierKey));
    }

    /// @dev A signer of a build and configuration of its own.
    function _another(string memory name) private returns (EpochMember memory member, uint256 key) {
        member.measurementId = registry.addMeasurement(ROOT, TEE_KIND, keccak256(bytes(name)));
        member.configHash = keccak256(bytes(name));
        registry.addConfig(member.configHash, KEY_GROUP);
        skip(DELAY);
        key = uint256(keccak256(bytes(name)));
        SignerAdmission memory a = _admission(vm.addr(key));
        (a.measurementId, a.configHash) = (member.measurementId, member.configHash);
        a.machineId = keccak256(abi.encode(name, "machine"));
        registry.admit(a, _vouch(a, verifierKey));
    }

    /// @dev The first signer's pair and another.
    function _memberToo(EpochMember memory other) private {
        EpochMember memory own = EpochMember(measurement, CONFIG);
        bool first = own.measurementId < other.measurementId
            || (own.measurementId == other.measurementId && own.configHash < other.configHash);
        members.push(first ? own : other);
        members.push(first ? other : own);
    }

    function _custodians(uint256 count) private pure returns (uint256[] memory keys, address[] memory custodians) {
        keys = new uint256[](count);
        custodians = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            keys[i] = uint256(keccak256(abi.encode("custodian", i)));
            custodians[i] = vm.addr(keys[i]);
            for (uint256 k = i; k > 0 && custodians[k] < custodians[k - 1]; --k) {
                (custodians[k], custodians[k - 1]) = (custodians[k - 1], custodians[k]);
                (keys[k], keys[k - 1]) = (keys[k - 1], keys[k]);
            }
        }
    }

    function _expectNotOpened(EpochOpening memory opening, bytes memory why) private {
        bytes memory signature = _signOpening(opening, signerKey);
        address signer = vm.addr(signerKey);
        vm.expectRevert(why);
        registry.openEpoch(opening, signer, signature);
    }

    function _expectNotScheduled(EpochSchedule memory schedule, bytes memory why) private {
        vm.expectRevert(why);
        registry.scheduleEpoch(schedule);
    }

    function _epochSlot(uint32 epoch) private pure returns (bytes32) {
        uint256 base = uint256(keccak256("subrosa.storage.Registry")) - 1;
        bytes32 epochs = keccak256(abi.encode(base)) & ~bytes32(uint256(0xff));
        return keccak256(abi.encode(uint256(epoch), keccak256(abi.encode(uint256(KEY_GROUP), epochs))));
    }
}
