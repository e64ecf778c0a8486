// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, Registration} from "../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaGovernance} from "../src/interfaces/ISubrosaGovernance.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Reference} from "./support/Reference.sol";

contract ChangesTest is OracleTest {
    bytes32 private constant LOGS =
        bytes32(uint256(0x2e725a373a1b400ac80c7a46f974dc4393d9d2bdbdd7c27a84606fc2b36c8802));
    bytes32 private constant CODE = keccak256("other code");

    address private user = makeAddr("user");

    function test_advancing_the_epoch_is_an_entry_of_the_log() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.EpochNotNewer.selector, stateful, 1));
        oracle.advanceEpoch{value: FEE}(stateful, 1);
        vm.stopPrank();

        _openEpoch(2);
        vm.startPrank(owner);
        vm.recordLogs();
        assertEq(oracle.advanceEpoch{value: FEE}(stateful, 2), 1);
        Entry memory entry = _appended();
        assertEq(entry.inputHash, keccak256(abi.encode(1, 2, registry.epochRecord(KEY_GROUP, 2))));
        assertEq(entry.execution >> 248, 3);
        assertEq(uint32(entry.payment), 2, "the entry names the new epoch");
        assertEq(oracle.entryDigest(stateful, 1), _digest(entry));
        assertEq(uint32(oracle.logOf(stateful) >> 80), 2);
        vm.stopPrank();

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        vm.prank(user);
        oracle.advanceEpoch(stateful, 2);
    }

    function test_an_epoch_that_its_owner_has_not_named_is_not_entered() public {
        _openEpoch(2);
        _openEpoch(3);
        uint256 before = oracle.logOf(stateful);
        vm.startPrank(owner);
        for (uint32 named = 0; named < 5; ++named) {
            if (named == 3) continue;
            vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.EpochNotCurrent.selector, KEY_GROUP, 3));
            oracle.advanceEpoch{value: FEE}(stateful, named);
        }
        assertEq(oracle.logOf(stateful), before);
        oracle.advanceEpoch{value: FEE}(stateful, 3);
        vm.stopPrank();
    }

    function test_an_upgrade_is_announced_waits_and_is_an_entry_of_the_log() public {
        uint256 announced = vm.getBlockTimestamp();
        vm.prank(owner);
        vm.expectEmit(address(oracle));
        emit ISubrosaOracle.UpgradeAnnounced(stateful, CODE, uint48(announced + UPGRADE_DELAY));
        oracle.announceUpgrade(stateful, CODE);
        _checkUpgrade(stateful, UPGRADE_DELAY, CODE, announced + UPGRADE_DELAY);

        vm.warp(announced + UPGRADE_DELAY - 1);
        uint48 deadline = _deadline();
        vm.prank(owner);
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaOracle.UpgradeNotReady.selector, stateful, announced + UPGRADE_DELAY)
        );
        oracle.upgrade{value: FEE}(stateful, 2_000_000, deadline);

        vm.warp(announced + UPGRADE_DELAY);
        vm.recordLogs();
        vm.prank(owner);
        assertEq(oracle.upgrade{value: FEE}(stateful, 2_000_000, deadline), 1);
        Entry memory entry = _appended();
        assertEq(entry.inputHash, keccak256(abi.encode(CODE)), "the event carries the commitment");
        // As for entry 0 the input hash is the commitment itself.
        entry.inputHash = CODE;
        assertEq(entry.execution >> 248, 2);
        assertEq(uint64(entry.execution >> 168), 2_000_000);
        assertEq(uint16(entry.execution >> 152), 1, "the entry has the new code's version");
        assertEq(entry.settlement, uint256(uint160(owner)) << 96 | deadline);
        assertEq(entry.context, 0);
        assertEq(oracle.entryDigest(stateful, 1), _digest(entry));
        _checkUpgrade(stateful, UPGRADE_DELAY, 0, 0);
        _note(entry);

        Entry memory call = _request(stateful, user, 0);
        assertEq(uint16(call.execution >> 152), 1, "and so have the calls after it");
        _fulfill(_batch(_groupOnHead(_list(entry, call))));
        (uint48 seq,) = oracle.head(stateful);
        assertEq(seq, 3);
    }

    function test_an_upgrade_is_appended_once_and_not_when_it_was_withdrawn() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UpgradeNotAnnounced.selector, stateful));
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);

        oracle.announceUpgrade(stateful, CODE);
        skip(UPGRADE_DELAY);
        oracle.announceUpgrade(stateful, 0);
        skip(UPGRADE_DELAY);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UpgradeNotAnnounced.selector, stateful));
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);

        oracle.announceUpgrade(stateful, CODE);
        skip(UPGRADE_DELAY);
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UpgradeNotAnnounced.selector, stateful));
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
        vm.stopPrank();
    }

    function test_announcing_other_code_starts_the_delay_anew() public {
        vm.startPrank(owner);
        oracle.announceUpgrade(stateful, keccak256("harmless"));
        skip(UPGRADE_DELAY);
        oracle.announceUpgrade(stateful, CODE);
        uint256 readyAt = vm.getBlockTimestamp() + UPGRADE_DELAY;
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UpgradeNotReady.selector, stateful, readyAt));
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
        vm.stopPrank();
    }

    function test_code_registered_without_a_delay_never_changes() public {
        Registration memory registration = _registration(false);
        registration.upgradeDelay = 0;
        vm.startPrank(owner);
        bytes32 fixedForGood = oracle.register{value: FEE}(registration);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotUpgradable.selector, fixedForGood));
        oracle.announceUpgrade(fixedForGood, CODE);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotUpgradable.selector, stateless));
        oracle.announceUpgrade(stateless, CODE);

        registration = _registration(true);
        registration.upgradeDelay = 1;
        vm.expectRevert(ISubrosaOracle.StatelessUpgrade.selector);
        oracle.register{value: FEE}(registration);
        vm.stopPrank();
    }

    function test_only_the_owner_upgrades() public {
        vm.prank(owner);
        oracle.announceUpgrade(stateful, CODE);
        skip(UPGRADE_DELAY);
        vm.startPrank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.announceUpgrade(stateful, 0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.upgrade(stateful, 0, type(uint48).max);
        vm.stopPrank();
    }

    function test_versions_of_code_do_not_wrap_around() public {
        vm.prank(owner);
        oracle.announceUpgrade(stateful, CODE);
        skip(UPGRADE_DELAY);
        bytes32 slot = keccak256(abi.encode(stateful, LOGS));
        vm.store(address(oracle), slot, vm.load(address(oracle), slot) | bytes32(uint256(0xffff) << 112));
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CodeVersionsExhausted.selector, stateful));
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
    }

    function test_the_owner_moves_a_contract_to_a_later_runtime() public {
        registry.addRuntime(7);
        Entry memory pending = _request(stateful, user, 0);
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.changeRuntime(stateful, 7);

        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.GenerationNotNewer.selector, stateful, 1));
        oracle.changeRuntime{value: FEE}(stateful, 1);
        vm.recordLogs();
        assertEq(oracle.changeRuntime{value: FEE}(stateful, 7), 2);
        vm.stopPrank();
        Entry memory entry = _appended();
        assertEq(entry.inputHash, keccak256(abi.encode(1, 7, 1)), "the head awaits entry 1");
        assertEq(entry.execution >> 248, 4);
        assertEq(uint16(entry.execution >> 136), 7);
        assertEq(oracle.entryDigest(stateful, 2), _digest(entry));
        _note(entry);

        Entry memory later = _request(stateful, user, 0);
        assertEq(uint16(later.execution >> 136), 7);
        assertEq(uint16(pending.execution >> 136), 1);
        _fulfill(_batch(_groupOnHead(_list(pending, entry))));
        (uint48 seq,) = oracle.head(stateful);
        assertEq(seq, 3);
    }

    function test_anybody_moves_a_contract_whose_runtime_was_withdrawn_to_its_successor() public {
        registry.addRuntime(2);
        registry.addRuntime(3);
        registry.withdrawRuntime(1, 3);
        vm.deal(user, 1 ether);
        vm.startPrank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.changeRuntime{value: FEE}(stateful, 2);
        vm.recordLogs();
        assertEq(oracle.changeRuntime{value: FEE}(stateful, 3), 1);
        Entry memory entry = _appended();
        assertEq(address(uint160(entry.settlement >> 96)), user, "who paid is who gets a refund");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.GenerationNotNewer.selector, stateful, 3));
        oracle.changeRuntime{value: FEE}(stateful, 3);

        vm.recordLogs();
        oracle.changeRuntime{value: FEE}(stateless, 3);
        assertEq(_appended().inputHash, keccak256(abi.encode(1, 3, 0)));

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownContract.selector, bytes32("x")));
        oracle.changeRuntime("x", 3);
        vm.stopPrank();
    }

    function test_nobody_moves_a_contract_to_a_runtime_that_does_not_count() public {
        vm.deal(user, 1 ether);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaGovernance.RuntimeUnknown.selector, 65535));
        oracle.changeRuntime{value: FEE}(stateful, 65535);
        vm.stopPrank();

        registry.addRuntime(2);
        registry.addRuntime(3);
        registry.withdrawRuntime(2, 3);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaGovernance.RuntimeIsWithdrawn.selector, 2));
        oracle.changeRuntime{value: FEE}(stateful, 2);
        vm.stopPrank();

        // What takes over is what the chain of successors ends with.
        registry.addRuntime(4);
        registry.withdrawRuntime(1, 3);
        registry.withdrawRuntime(3, 4);
        vm.startPrank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.changeRuntime{value: FEE}(stateful, 3);
        assertEq(oracle.changeRuntime{value: FEE}(stateful, 4), 1);
        vm.stopPrank();
        assertEq(uint16(oracle.logOf(stateful) >> 128), 4);
    }

    function test_a_contract_is_registered_with_a_runtime_that_counts() public {
        Registration memory registration = _registration(false);
        registration.runtimeGeneration = 2;
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaGovernance.RuntimeUnknown.selector, 2));
        oracle.register{value: FEE}(registration);

        registry.addRuntime(2);
        registry.withdrawRuntime(1, 2);
        registration.runtimeGeneration = 1;
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaGovernance.RuntimeIsWithdrawn.selector, 1));
        oracle.register{value: FEE}(registration);
        registration.runtimeGeneration = 2;
        vm.prank(owner);
        bytes32 contractId = oracle.register{value: FEE}(registration);
        assertEq(uint16(oracle.logOf(contractId) >> 128), 2);
    }

    function test_changes_pay_the_execution_charge_and_are_refunded_like_requests() public {
        registry.addRuntime(2);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, CHARGE - 1, CHARGE));
        oracle.changeRuntime{value: CHARGE - 1}(stateful, 2);
        vm.recordLogs();
        oracle.changeRuntime{value: FEE}(stateful, 2);
        vm.stopPrank();
        Entry memory entry = _appended();
        skip(61);
        uint256 before = owner.balance;
        oracle.refund(entry);
        assertEq(owner.balance - before, FEE - CHARGE);
    }

    function test_a_session_needs_an_envelope_to_take_its_key_from() public {
        uint256 terms = Reference.terms(3, 0, 500_000, 0, _deadline());
        assertEq(uint16(_request(stateful, user, terms, FEE).execution >> 232), 3);

        terms = Reference.terms(2, 0, 500_000, 0, _deadline());
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownTerms.selector, terms));
        oracle.request{value: FEE}(stateful, 0, terms, "");
    }

    function _checkUpgrade(bytes32 contractId, uint256 delay, bytes32 commitment, uint256 readyAt) private view {
        (uint32 actualDelay, bytes32 actualCommitment, uint48 actualReadyAt) = oracle.upgradeOf(contractId);
        assertEq(actualDelay, delay);
        assertEq(actualCommitment, commitment);
        assertEq(actualReadyAt, readyAt);
    }
}
