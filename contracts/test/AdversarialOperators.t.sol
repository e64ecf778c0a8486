// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaEpochs} from "../src/interfaces/ISubrosaEpochs.sol";
import {ISubrosaSuspensions} from "../src/interfaces/ISubrosaSuspensions.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {Entry, EpochOpening, EpochSchedule, Outstanding, SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {Fulfillment} from "./support/Batches.sol";
import {Moody} from "./support/Consumers.sol";
import {EnclaveTest} from "./support/EnclaveTest.sol";

/// @notice What who runs an admitted enclave can do with its host, its chain access and its machine. It has the
/// enclave's signatures for what the enclave executed, and for nothing else.
contract AdversarialOperatorsTest is EnclaveTest {
    address private user = makeAddr("user");
    address private operator = makeAddr("operator");
    bytes32 private constant MACHINE = keccak256("machine");

    // Answers.

    /// @dev A batch cut into single ones earns the same, entry by entry, and costs more gas.
    function test_splitting_a_batch_earns_what_the_batch_does() public {
        Entry[] memory all = new Entry[](4);
        uint256 sum;
        for (uint256 i = 0; i < 4; ++i) {
            all[i] = _request(stateful, user, i % 2 == 0 ? 0 : 100_000);
            sum += _earned(all[i]);
        }
        uint256 before = vm.snapshotState();
        uint256 had = oracle.balanceOf(relayer);
        assertEq(_execute(all), 4);
        assertEq(oracle.balanceOf(relayer) - had, sum);
        vm.revertToState(before);
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(_execute(_list(all[i])), 1);
        }
        assertEq(oracle.balanceOf(relayer) - had, sum);
    }

    /// @dev What pays little cannot be passed over for what pays more.
    function test_picking_the_dearer_entry_lands_nothing_on_a_log_with_an_order() public {
        Entry memory cheap = _request(stateful, user, 0);
        Entry memory dear = _request(stateful, user, _terms(0), 1 ether);
        _expectSkip(stateful, _seq(dear), 2);
        assertEq(_fulfill(_batch(_groupInPlace(_list(dear)))), 0);
        assertEq(_execute(_list(cheap, dear)), 2);
    }

    function test_answering_late_on_purpose_forgoes_callback_part_and_charge() public {
        Entry memory entry = _request(stateful, user, 100_000);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        uint256 had = oracle.balanceOf(relayer);
        uint256 owners = oracle.balanceOf(owner);
        skip(1 hours + 1);
        assertEq(_fulfill(f), 1);
        assertEq(oracle.balanceOf(relayer) - had, _landing(entry));
        assertEq(oracle.balanceOf(owner), owners);
        uint256 before = user.balance;
        oracle.refundExecuted(entry, _left(entry, _callbackPart(entry) + CHARGE));
        assertEq(user.balance - before, _callbackPart(entry) + CHARGE);
    }

    /// @dev Nobody is forced to offer more, and what was offered to who did not come goes back.
    function test_holding_out_for_a_top_up_ends_with_nothing() public {
        Entry memory entry = _request(stateful, user, 100_000);
        hoax(user, 1 ether);
        oracle.addFee{value: 1 ether}(entry);
        skip(1 hours + 30 days + 1);
        uint256 before = user.balance;
        oracle.reclaim(entry);
        assertEq(user.balance - before, _paid(entry) + 1 ether);
        _freshSigner();
        uint256 had = oracle.balanceOf(relayer);
        assertEq(_execute(_list(entry)), 1, "the log goes on");
        assertEq(oracle.balanceOf(relayer), had);
    }

    /// @dev Consumer, callback, lander and caller of the retry at once: it pays itself, less what is the owner's.
    function test_asking_oneself_and_answering_draws_on_nobody() public {
        for (uint256 way = 0; way < 5; ++way) {
            uint256 snapshot = vm.snapshotState();
            Moody own = new Moody();
            if (way == 1) own.cheerUp();
            vm.deal(operator, 0);
            Entry memory entry = _request(stateful, address(own), 300_000);
            uint256 escrow = address(oracle).balance - _paid(entry);
            if (way == 2) {
                vm.prank(address(own));
                oracle.cancel(entry);
            }
            if (way >= 3) skip(1 hours + 1);
            if (way == 4) oracle.refund(entry);
            Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
            f.payee = operator;
            _signBatch(f, signerKey);
            vm.recordLogs();
            assertEq(_fulfill(f), 1);
            if (way == 0) {
                Outstanding memory left = _lastOutstanding();
                own.cheerUp();
                uint256 had = oracle.balanceOf(operator);
                vm.prank(operator);
                oracle.retryCallback(entry, left, _output(entry));
                left.held -= uint48((oracle.balanceOf(operator) - had) / 1 gwei);
                if (_outstandingFlags(entry) != 0) oracle.refundExecuted(entry, left);
            }
            if (way == 3) oracle.refundExecuted(entry, _left(entry, _callbackPart(entry) + CHARGE));
            uint256 back = oracle.balanceOf(operator) + address(own).balance;
            assertEq(back, _paid(entry) - (way < 3 ? CHARGE : 0), "what it paid, less the charge of an answer in time");
            assertEq(address(oracle).balance, escrow + oracle.balanceOf(operator) + (way < 3 ? CHARGE : 0));
            vm.revertToStateAndDelete(snapshot);
        }
    }

    /// @dev A host that shows its enclave another branch has signatures that fit no entry.
    function test_a_result_of_a_branch_that_vanished_is_no_result_of_the_log() public {
        uint256 snapshot = vm.snapshotState();
        Entry memory lost = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(lost)));
        vm.revertToState(snapshot);
        skip(12);
        Entry memory kept = _request(stateful, user, 0);
        _expectSkip(stateful, _seq(kept), 3);
        assertEq(_fulfill(f), 0);
        assertEq(_execute(_list(kept)), 1);
    }

    // Signers.

    /// @dev Whoever shows it: it is the machine's that the verifiers saw, and of use to that machine alone.
    function test_showing_anothers_admission_admits_the_other() public {
        uint256 victim = uint256(keccak256("victim"));
        SignerAdmission memory a = _admission(vm.addr(victim));
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.prank(operator);
        registry.admit(a, signatures);
        assertTrue(_mayAct(victim));
        // The victim's own transaction comes too late, for nothing but its gas.
        vm.expectPartialRevert(ISubrosaTrust.LeaseNotRenewed.selector);
        registry.admit(a, signatures);
        // Nothing in it can be made the operator's.
        a.signer = operator;
        vm.expectPartialRevert(ISubrosaTrust.VerifierUnknown.selector);
        registry.admit(a, signatures);
        a.signer = vm.addr(victim);
        a.registrant = operator;
        vm.expectPartialRevert(ISubrosaTrust.VerifierUnknown.selector);
        registry.admit(a, signatures);
    }

    function test_naming_anothers_machine_is_not_what_verifiers_signed() public {
        SignerAdmission memory a = _admission(vm.addr(uint256(keccak256("new"))));
        bytes[] memory signatures = _vouch(a, verifierKey);
        a.machineId = keccak256("another's machine");
        vm.expectPartialRevert(ISubrosaTrust.VerifierUnknown.selector);
        registry.admit(a, signatures);
    }

    /// @dev With as many keys as it likes.
    function test_a_machine_that_was_denied_comes_back_with_no_key() public {
        registry.denyMachine(MACHINE, true);
        bytes memory denied = abi.encodeWithSelector(ISubrosaTrust.MachineIsDenied.selector, bytes32(bytes7(MACHINE)));
        for (uint256 i = 1; i < 5; ++i) {
            SignerAdmission memory a = _admission(vm.addr(i));
            bytes[] memory signatures = _vouch(a, verifierKey);
            vm.expectRevert(denied);
            registry.admit(a, signatures);
        }
        assertFalse(_mayAct(signerKey));
    }

    /// @dev A platform that hides which machine it is has what machines without identity have: it is no second word,
    /// and none at all where machines are named.
    function test_hiding_a_machines_identity_makes_it_nobody() public {
        uint256 hidden = _enclave("hidden", 0);
        uint256 another = _enclave("another hidden", 0);
        bytes32 guarded = _guarded(2);
        Entry memory entry = _request(guarded, user, 0);
        assertEq(_fulfill(_cosigned(entry, hidden, another)), 0);
        bytes32 record = _openReplicated(2);
        this.acknowledge(hidden, 2, record, false);
        this.acknowledge(another, 2, record, false);
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        registry.allowMachine(TEE_KIND, MACHINE, true);
        registry.restrictMachines(TEE_KIND, true);
        assertFalse(_mayAct(hidden));
        assertTrue(_mayAct(signerKey));
    }

    function test_an_old_admission_restores_no_lease() public {
        SignerAdmission memory a = _admission(vm.addr(signerKey));
        a.notAfter += 1;
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.roll(block.number + 300);
        vm.expectPartialRevert(ISubrosaTrust.ChallengeStale.selector);
        registry.admit(a, signatures);
        skip(8 days);
        a = _admission(vm.addr(signerKey));
        signatures = _vouch(a, verifierKey);
        vm.expectPartialRevert(ISubrosaTrust.LeaseEnded.selector);
        registry.admit(a, signatures);
    }

    // Thresholds.

    /// @dev Several enclaves on one machine, by the registry that ships.
    function test_one_machine_counted_twice_is_one() public {
        bytes32 guarded = _guarded(2);
        Entry memory entry = _request(guarded, user, 0);
        uint256 twin = _enclave("twin", MACHINE);
        _expectSkip(guarded, _seq(entry), 4);
        assertEq(_fulfill(_cosigned(entry, signerKey, twin)), 0);
        // A machine whose id agrees in what is kept of it.
        uint256 alike = _enclave("alike", bytes32(bytes7(MACHINE)) | bytes32(uint256(1)));
        assertEq(_fulfill(_cosigned(entry, signerKey, alike)), 0);
        uint256 second = _enclave("second", keccak256("second machine"));
        assertEq(_fulfill(_cosigned(entry, signerKey, second)), 1);
    }

    function test_two_kinds_let_in_by_one_verifier_are_one_route() public {
        bytes32 guarded = _guarded(2);
        vm.prank(owner);
        oracle.setThreshold(guarded, 2, 2);
        Entry memory entry = _request(guarded, user, 0);
        uint256 second = _enclave("second", keccak256("second machine"));
        assertEq(_fulfill(_cosigned(entry, signerKey, second)), 0);
        assertEq(_headSeq(guarded), 1);
    }

    // Epochs.

    function test_one_machine_acknowledges_once_with_however_many_signers() public {
        bytes32 record = _openReplicated(3);
        for (uint256 i = 0; i < 6; ++i) {
            uint256 key = _enclave(string.concat("enclave ", vm.toString(i)), MACHINE);
            this.acknowledge(key, 2, record, false);
            this.acknowledge(key, 2, record, false);
        }
        (,, uint8 holders,) = registry.openingOf(KEY_GROUP, 2);
        assertEq(holders, 1);
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
    }

    function test_an_acknowledgement_of_another_opening_counts_for_none() public {
        bytes32 first = _openReplicated(2);
        uint256 second = _enclave("second", keccak256("second machine"));
        skip(OPENING_TIMEOUT);
        bytes32 mine = _openAs(second, REPLICAS | 2 << 240, "another key");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.OpeningUnknown.selector, KEY_GROUP, 2, first));
        this.acknowledge(signerKey, 2, first, false);
        assertEq(registry.epochRecord(KEY_GROUP, 2), 0);
        this.acknowledge(signerKey, 2, mine, false);
        assertEq(registry.epochRecord(KEY_GROUP, 2), mine);
    }

    /// @dev It opens whenever it can and has nobody acknowledge: for as long as it is let.
    function test_opening_again_and_again_blocks_until_the_signer_is_suspended() public {
        _openReplicated(2);
        uint256 squatter = _enclave("squatter", keccak256("its machine"));
        for (uint256 i = 0; i < 3; ++i) {
            skip(OPENING_TIMEOUT);
            _openAs(squatter, REPLICAS | 2 << 240, string.concat("never shown ", vm.toString(i)));
            assertEq(registry.currentEpoch(KEY_GROUP), 1);
        }
        registry.suspend(ISubrosaSuspensions.Subject.Signer, 0, _id(vm.addr(squatter)));
        skip(OPENING_TIMEOUT);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerIsSuspended.selector, vm.addr(squatter)));
        this.open(squatter, "once more");
        bytes32 record = _openAs(signerKey, REPLICAS | 2 << 240, "honest");
        this.acknowledge(_enclave("second", keccak256("second machine")), 2, record, false);
        assertEq(registry.epochRecord(KEY_GROUP, 2), record);
    }

    function test_opening_an_epoch_that_nobody_scheduled_opens_nothing() public {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.EpochNotScheduled.selector, KEY_GROUP, 2));
        this.open(signerKey, "its own");
        EpochSchedule memory s = _schedule(2);
        s.recovery = REPLICAS | 2 << 240;
        registry.scheduleEpoch(s);
        EpochOpening memory o = _opening(2);
        // Recoverable by itself alone.
        o.recovery = REPLICAS | 1 << 240;
        bytes memory signature = _signOpening(o, signerKey);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.EpochMismatch.selector, KEY_GROUP, 2));
        registry.openEpoch(o, vm.addr(signerKey), signature);
    }

    function open(uint256 key, string memory publicKey) external {
        _openAs(key, REPLICAS | 2 << 240, publicKey);
    }

    /// @dev A contract whose results need so many signatures.
    function _guarded(uint8 signers) private returns (bytes32 id) {
        id = _registered(_registration(false));
        vm.prank(owner);
        oracle.setThreshold(id, signers, 0);
    }

    function _cosigned(Entry memory entry, uint256 first, uint256 second) private view returns (Fulfillment memory f) {
        f = _batch(_groupOnHead(_list(entry)));
        uint256[] memory keys = new uint256[](2);
        (keys[0], keys[1]) = (first, second);
        _signAll(f, keys);
    }
}
