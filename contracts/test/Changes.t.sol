// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, Registration} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {Fulfillment} from "./support/Batches.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {StandInRegistry} from "./support/StandInRegistry.sol";

/// @notice Entries that change what later entries mean: epochs, code, runtimes.
contract ChangesTest is OracleTest {
    bytes32 private constant CODE = keccak256("other code");

    address private user = makeAddr("user");

    // Epochs.

    function test_advancing_the_epoch_is_an_entry_of_the_log() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.EpochNotNewer.selector, stateful, 1));
        oracle.advanceEpoch{value: FEE}(stateful, 1);
        vm.stopPrank();

        registry.openEpoch(KEY_GROUP);
        Entry memory entry = _advance(stateful, owner, 2);
        assertEq(_seq(entry), 1);
        assertEq(entry.inputHash, keccak256(abi.encode(1, 2, registry.epochRecord(KEY_GROUP, 2))));
        assertEq(entry.execution >> 248, 3);
        assertEq(uint32(entry.payment >> 48), 2, "the entry names the new epoch");
        // The epoch that is left, where others have a gas limit, and the flag that says so.
        assertEq(uint96(entry.settlement), uint256(1) << 64 | 2 << 48 | (block.timestamp + 60));
        assertEq(_slotAt(stateful, 1), _digest(entry));
        assertEq(uint32(oracle.logOf(stateful) >> 80), 2);

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        vm.prank(user);
        oracle.advanceEpoch(stateful, 2);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownContract.selector, bytes32("x")));
        oracle.advanceEpoch("x", 2);
    }

    function test_an_epoch_that_its_owner_has_not_named_is_not_entered() public {
        registry.openEpoch(KEY_GROUP);
        registry.openEpoch(KEY_GROUP);
        uint256 before = oracle.logOf(stateful);
        vm.startPrank(owner);
        for (uint32 named = 0; named < 5; ++named) {
            if (named == 3) continue;
            vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.EpochNotCurrent.selector, KEY_GROUP, 3));
            oracle.advanceEpoch{value: FEE}(stateful, named);
        }
        vm.stopPrank();
        assertEq(oracle.logOf(stateful), before);
        _advance(stateful, owner, 3);
    }

    function test_an_epoch_counts_the_contracts_that_need_its_keys() public {
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
        registry.openEpoch(KEY_GROUP);
        Entry memory pending = _request(stateful, user, 0);
        Entry memory entry = _advance(stateful, owner, 2);
        // Until the entry is executed the contract needs both.
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
        assertEq(_contractsIn(KEY_GROUP, 2), 1);
        _execute(_list(pending));
        assertEq(_contractsIn(KEY_GROUP, 1), 2);

        assertEq(_fulfill(_ofEpoch(_list(entry), 2)), 1);
        assertEq(_contractsIn(KEY_GROUP, 1), 1);
        assertEq(_contractsIn(KEY_GROUP, 2), 1);
        assertEq(_fulfill(_ofEpoch(_list(entry), 2)), 0);
        assertEq(_contractsIn(KEY_GROUP, 1), 1, "once");
        _assertNothingOutstanding(entry);

        _fulfill(_ofEpoch(_list(_advance(stateless, owner, 2)), 2));
        assertEq(_contractsIn(KEY_GROUP, 1), 0);
        assertEq(_contractsIn(KEY_GROUP, 2), 2);
    }

    function test_a_stateless_contract_needs_an_epoch_until_none_of_its_entries_is_pending() public {
        Entry[3] memory old = [_request(stateless, user, 0), _request(stateless, user, 0), _request(stateless, user, 0)];
        _assertPending(stateless, 1, 3);
        registry.openEpoch(KEY_GROUP);
        Entry memory change = _advance(stateless, owner, 2);
        Entry memory young = _request(stateless, user, 0);
        _assertPending(stateless, 2, 2);
        // Its state is sealed under the old keys until the entry is executed that says it left.
        _fulfill(_ofEpoch(_list(young), 2));
        _fulfill(_ofEpoch(_list(change), 2));
        _assertPending(stateless, 2, 0);
        assertEq(_contractsIn(KEY_GROUP, 1), 2, "older entries are pending");
        _execute(_list(old[2]));
        _execute(_list(old[0]));
        assertEq(_execute(_list(old[0])), 0);
        assertEq(_contractsIn(KEY_GROUP, 1), 2, "one is");
        // However late.
        skip(1000 days);
        _execute(_list(old[1]));
        assertEq(_contractsIn(KEY_GROUP, 1), 1);
        assertEq(_execute(_list(old[1])), 0);
        assertEq(_contractsIn(KEY_GROUP, 1), 1, "once");
        assertEq(_contractsIn(KEY_GROUP, 2), 1);
        _assertPending(stateless, 2, 0);
    }

    function test_the_entry_by_which_a_stateless_contract_leaves_may_be_the_last() public {
        Entry memory old = _request(stateless, user, 0);
        registry.openEpoch(KEY_GROUP);
        Entry memory change = _advance(stateless, owner, 2);
        _execute(_list(old));
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
        _fulfill(_ofEpoch(_list(change), 2));
        assertEq(_contractsIn(KEY_GROUP, 1), 1);
    }

    function test_a_stateless_contract_leaves_several_epochs_in_any_order() public {
        Entry memory first = _request(stateless, user, 0);
        registry.openEpoch(KEY_GROUP);
        Entry memory change = _advance(stateless, owner, 2);
        Entry memory second = _request(stateless, user, 0);
        registry.openEpoch(KEY_GROUP);
        Entry memory again = _advance(stateless, owner, 3);
        for (uint32 epoch = 1; epoch < 4; ++epoch) {
            assertEq(_contractsIn(KEY_GROUP, epoch), epoch == 1 ? 2 : 1);
        }
        // Of epoch 2 are the first change and a request; the second change leaves it.
        _fulfill(_ofEpoch(_list(again), 3));
        _fulfill(_ofEpoch(_list(second), 2));
        assertEq(_contractsIn(KEY_GROUP, 2), 1);
        _fulfill(_ofEpoch(_list(change), 2));
        assertEq(_contractsIn(KEY_GROUP, 2), 0, "the first change was the last of it");
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
        _execute(_list(first));
        assertEq(_contractsIn(KEY_GROUP, 1), 1);
        assertEq(_contractsIn(KEY_GROUP, 3), 1);
    }

    /// @dev In one batch, with another stateless contract beside, each group is counted for itself.
    function test_groups_of_stateless_contracts_are_counted_each() public {
        (bytes32 beside, Entry memory deployment) = _register(true);
        Entry memory a = _request(stateless, user, 0);
        Entry memory b = _request(beside, user, 0);
        registry.openEpoch(KEY_GROUP);
        Entry memory left = _advance(stateless, owner, 2);
        _fulfill(_ofEpoch(_list(left), 2));
        assertEq(_contractsIn(KEY_GROUP, 1), 3);
        assertEq(_fulfill(_batch(_groupOnHead(_list(a)), _groupOnHead(_list(b)))), 2);
        assertEq(_contractsIn(KEY_GROUP, 1), 2, "the one that left");
        _assertPending(beside, 1, 1);
        _execute(_list(deployment));
        _assertPending(beside, 1, 0);
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
    }

    function test_a_threshold_and_what_is_pending_share_a_stateless_head() public {
        Registration memory r = _registration(true);
        (r.signers, r.kinds) = (2, 1);
        (bytes32 id, Entry memory old) = _register(r);
        assertEq(_headFlags(id), 4 | 2 << 3);
        _assertPending(id, 1, 1);
        uint256 counted = _contractsIn(KEY_GROUP, 1);
        registry.openEpoch(KEY_GROUP);
        _advance(id, owner, 2);
        assertEq(_headFlags(id), 4 | 2 << 3);
        _assertPending(id, 2, 1);
        assertEq(_execute(_list(old)), 0, "one signer is too few");
        assertEq(_contractsIn(KEY_GROUP, 1), counted);
    }

    /// @dev What is executed of it later counts no epoch down again.
    function test_a_stateless_contract_that_was_abandoned_is_counted_down_once() public {
        Registration memory r = _registration(true);
        r.abandonedOnRetirement = true;
        (bytes32 id, Entry memory deployment) = _register(r);
        Entry memory entry = _request(id, user, 0);
        registry.openEpoch(KEY_GROUP);
        registry.retire(KEY_GROUP, 1);
        oracle.abandon(id);
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
        assertEq(_execute(_list(deployment)), 1);
        assertEq(_execute(_list(entry)), 1);
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
    }

    /// @dev In whatever order entries are executed and epochs left, an epoch counts the contract for as long as
    /// something is pending that needs its keys.
    function testFuzz_a_stateless_contract_counts_while_something_needs_it(uint256 seed) public {
        Entry[] memory all = new Entry[](12);
        uint32[] memory epochs = new uint32[](12);
        bool[] memory done = new bool[](12);
        uint32 current = 1;
        // The epoch that an entry says is left; zero for most.
        uint32[] memory leaves = new uint32[](12);
        for (uint256 i = 0; i < 12; ++i) {
            if (uint256(keccak256(abi.encode(seed, i))) % 3 == 0) {
                registry.openEpoch(KEY_GROUP);
                leaves[i] = current;
                all[i] = _advance(stateless, owner, ++current);
            } else {
                all[i] = _request(stateless, user, 0);
            }
            epochs[i] = current;
        }
        for (uint256 left = 12; left != 0; --left) {
            uint256 i = uint256(keccak256(abi.encode(seed, "order", left))) % 12;
            while (done[i]) i = (i + 1) % 12;
            done[i] = true;
            assertEq(_fulfill(_ofEpoch(_list(all[i]), epochs[i])), 1);
            for (uint32 epoch = 1; epoch <= current; ++epoch) {
                bool needed = epoch == current;
                for (uint256 j = 0; j < 12; ++j) {
                    if (!done[j] && (epochs[j] == epoch || leaves[j] == epoch)) needed = true;
                }
                // Beside it there is the stateful one, in the first.
                assertEq(_contractsIn(KEY_GROUP, epoch), (needed ? 1 : 0) + (epoch == 1 ? 1 : 0));
            }
        }
    }

    function _assertPending(bytes32 id, uint32 epoch, uint256 count) private view {
        uint256 word = oracle.head(id);
        assertEq(uint32(word >> 48), epoch);
        assertEq(word >> 80, count);
    }

    function test_an_epoch_is_left_late_too() public {
        registry.openEpoch(KEY_GROUP);
        Entry memory entry = _advance(stateful, owner, 2);
        skip(61);
        assertEq(_fulfill(_ofEpoch(_list(entry), 2)), 1);
        assertEq(_contractsIn(KEY_GROUP, 1), 1);
        _assertNothingOutstanding(entry);
    }

    function test_anyone_moves_a_contract_on_whose_epoch_is_retired() public {
        registry.openEpoch(KEY_GROUP);
        vm.deal(user, 1 ether);
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.advanceEpoch{value: FEE}(stateful, 2);
        registry.retire(KEY_GROUP, 1);
        Entry memory entry = _advance(stateful, user, 2);
        assertEq(address(uint160(entry.settlement >> 96)), user, "who paid is who gets it back");
    }

    // Giving up.

    function test_a_contract_to_be_abandoned_is_so_once_its_epoch_is_retired() public {
        bytes32 id = _abandonable();
        assertEq(_contractsIn(KEY_GROUP, 1), 3);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaOracle.NotAbandonable.selector, id);
        vm.expectRevert(refusal);
        oracle.abandon(id);
        registry.openEpoch(KEY_GROUP);
        registry.retire(KEY_GROUP, 1);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotAbandonable.selector, stateful));
        oracle.abandon(stateful);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownContract.selector, bytes32("x")));
        oracle.abandon("x");

        // Nobody but its owner moves it on.
        vm.deal(user, FEE);
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, id, user));
        oracle.advanceEpoch{value: FEE}(id, 2);

        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.Abandoned(id, KEY_GROUP, 1);
        vm.prank(user);
        oracle.abandon(id);
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
        vm.expectRevert(refusal);
        oracle.abandon(id);
        assertEq(_contractsIn(KEY_GROUP, 1), 2, "once");

        uint256 terms = _terms(0);
        hoax(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ContractPaused.selector, id));
        oracle.request{value: FEE}(id, 0, terms, address(0), "");
    }

    /// @dev Each contract that did would count an epoch down twice, until the keys of all others are erased.
    function test_an_abandoned_contract_goes_nowhere() public {
        bytes32 id = _abandonable();
        registry.openEpoch(KEY_GROUP);
        registry.retire(KEY_GROUP, 1);
        oracle.abandon(id);
        registry.addRuntime(2);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaOracle.ContractPaused.selector, id);
        vm.startPrank(owner);
        vm.expectRevert(refusal);
        oracle.advanceEpoch{value: FEE}(id, 2);
        vm.stopPrank();
        assertEq(_contractsIn(KEY_GROUP, 1), 2);
        assertEq(_contractsIn(KEY_GROUP, 2), 0);
    }

    function test_fees_of_an_abandoned_contracts_entries_are_taken_back() public {
        bytes32 id = _abandonable();
        Entry memory entry = _request(id, user, 100_000);
        registry.openEpoch(KEY_GROUP);
        registry.retire(KEY_GROUP, 1);
        oracle.abandon(id);
        skip(31 days);
        oracle.reclaim(entry);
        assertEq(user.balance, FEE);
    }

    // Upgrades.

    function test_an_upgrade_is_announced_waits_and_is_an_entry_of_the_log() public {
        uint256 announced = vm.getBlockTimestamp();
        vm.prank(owner);
        vm.expectEmit(address(oracle));
        emit ISubrosaOracle.UpgradeAnnounced(stateful, CODE, uint48(announced + UPGRADE_DELAY));
        oracle.announceUpgrade(stateful, CODE);

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
        assertEq(_landing(entry), FEE, "an owner owes itself no charge");
        assertEq(_slotAt(stateful, 1), _digest(entry));
        _note(entry);

        Entry memory call = _request(stateful, user, 0);
        assertEq(uint16(call.execution >> 152), 1, "and so have the calls after it");
        _execute(_list(entry, call));
        assertEq(_headSeq(stateful), 3);
    }

    function test_an_upgrade_is_appended_once_and_not_when_it_was_withdrawn() public {
        vm.startPrank(owner);
        bytes memory none = abi.encodeWithSelector(ISubrosaOracle.UpgradeNotAnnounced.selector, stateful);
        vm.expectRevert(none);
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);

        oracle.announceUpgrade(stateful, CODE);
        skip(UPGRADE_DELAY);
        oracle.announceUpgrade(stateful, 0);
        skip(UPGRADE_DELAY);
        vm.expectRevert(none);
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);

        oracle.announceUpgrade(stateful, CODE);
        skip(UPGRADE_DELAY);
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
        vm.expectRevert(none);
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
        vm.stopPrank();
    }

    function test_an_announcement_expires_thirty_days_after_it_was_ready() public {
        vm.startPrank(owner);
        oracle.announceUpgrade(stateful, CODE);
        uint256 ready = vm.getBlockTimestamp() + UPGRADE_DELAY;
        vm.warp(ready + 30 days + 1);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UpgradeExpired.selector, stateful, ready + 30 days));
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
        vm.warp(ready + 30 days);
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
        (bytes32 fixedForGood,) = _register(registration);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotUpgradable.selector, fixedForGood));
        oracle.announceUpgrade(fixedForGood, CODE);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotUpgradable.selector, stateless));
        oracle.announceUpgrade(stateless, CODE);
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
        bytes32 slot = keccak256(abi.encode(stateful, _oracleStorage() + 2));
        vm.store(address(oracle), slot, vm.load(address(oracle), slot) | bytes32(uint256(0xffff) << 112));
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CodeVersionsExhausted.selector, stateful));
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
    }

    // Runtimes.

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
        assertEq(_slotAt(stateful, 2), _digest(entry));
        _note(entry);

        Entry memory later = _request(stateful, user, 0);
        assertEq(uint16(later.execution >> 136), 7);
        assertEq(uint16(pending.execution >> 136), 1);
        _execute(_list(pending, entry));
        assertEq(_headSeq(stateful), 3);
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
        assertEq(_appended().inputHash, keccak256(abi.encode(1, 3, 0)), "no head, and none of its flags");

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownContract.selector, bytes32("x")));
        oracle.changeRuntime("x", 3);
        vm.stopPrank();
    }

    function test_nobody_moves_a_contract_to_a_runtime_that_does_not_count() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(StandInRegistry.RuntimeUnknown.selector, 65535));
        oracle.changeRuntime{value: FEE}(stateful, 65535);
    }

    function test_a_change_is_paid_like_a_request_without_output_and_taken_back_like_one() public {
        registry.addRuntime(2);
        // 96 bytes of input, at one and a half times the base fee, and nothing for failing or being late.
        uint256 price = (68_000 + 96 * 12) * 1.5 gwei;
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, price - 1 gwei, price));
        oracle.changeRuntime{value: price - 1 gwei}(stateful, 2);
        vm.recordLogs();
        oracle.changeRuntime{value: price}(stateful, 2);
        vm.stopPrank();
        Entry memory entry = _appended();
        assertEq(_landing(entry), price);
        skip(61);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToRefund.selector, stateful, 1));
        oracle.refund(entry);
        skip(30 days);
        uint256 before = owner.balance;
        oracle.reclaim(entry);
        assertEq(owner.balance - before, price);
    }

    function _abandonable() private returns (bytes32) {
        Registration memory r = _registration(false);
        r.abandonedOnRetirement = true;
        return _registered(r);
    }

    function _advance(bytes32 id, address by, uint32 epoch) private returns (Entry memory entry) {
        vm.recordLogs();
        vm.deal(by, by.balance + FEE);
        vm.prank(by);
        oracle.advanceEpoch{value: FEE}(id, epoch);
        entry = _appended();
        _note(entry);
    }

    function _ofEpoch(Entry[] memory entries, uint32 epoch) private view returns (Fulfillment memory f) {
        f = _batch(_groupInPlace(entries));
        f.keyEpoch = epoch;
        _signBatch(f, signerKey);
    }
}
