// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {ISubrosaGovernance} from "../src/interfaces/ISubrosaGovernance.sol";
import {ISubrosaSuspensions} from "../src/interfaces/ISubrosaSuspensions.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {EpochOpening, EpochSchedule, Entry} from "../src/interfaces/SubrosaTypes.sol";
import {Fulfillment} from "./support/Batches.sol";
import {EnclaveTest} from "./support/EnclaveTest.sol";

/// @notice What whoever stole a guardian's key can do: stop things, each once in a cooldown, until governance takes
/// the role away. Users lose time, and nothing that was escrowed.
contract AdversarialGuardiansTest is EnclaveTest {
    address private thief = makeAddr("guardian whose key was stolen");
    address private user = makeAddr("user");
    bytes32 private constant MACHINE = keccak256("machine");

    function setUp() public override {
        super.setUp();
        bytes4[] memory functions = new bytes4[](1);
        functions[0] = ISubrosaSuspensions.suspend.selector;
        authority.setTargetFunctionRole(address(registry), functions, 1);
        authority.grantRole(1, thief, 0);
    }

    function test_suspending_again_and_again_stops_each_thing_once_in_a_cooldown() public {
        for (uint256 i = 0; i < 7; ++i) {
            _suspend(i);
            _lift(i);
        }
        // It may try in any order and whenever: nothing is left for it to stop.
        for (uint256 day = 0; day < COOLDOWN / 1 days; ++day) {
            for (uint256 i = 0; i < 7; ++i) {
                _expectLiftedLately(i);
            }
            assertEq(_groupOf(vm.addr(signerKey)), KEY_GROUP);
            skip(1 days - 1);
            _admit(signerKey);
        }
        authority.revokeRole(1, thief);
        skip(1 days);
        for (uint256 i = 0; i < 7; ++i) {
            _expectUnauthorized(_call(ISubrosaSuspensions.suspend.selector, i));
        }
        assertEq(_execute(_list(_request(stateful, user, 0))), 1);
    }

    function test_suspending_for_longer_than_leases_run_takes_no_enclave_its_secrets() public {
        for (uint256 i = 0; i < 7; ++i) {
            _suspend(i);
        }
        for (uint256 week = 0; week < 6; ++week) {
            skip(6 days);
            _admit(signerKey);
        }
        assertFalse(_mayAct(signerKey));
        for (uint256 i = 0; i < 7; ++i) {
            _lift(i);
        }
        assertTrue(_mayAct(signerKey), "the same signer, whose lease never ended");
    }

    function test_suspending_before_a_result_lands_costs_users_time_and_relays_one_transaction() public {
        Entry memory entry = _request(stateful, user, 100_000);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        uint256 relayerBefore = oracle.balanceOf(relayer);
        uint256 escrow = address(oracle).balance;
        _suspend(0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsSuspended.selector, measurement));
        _fulfill(f);
        assertEq(address(oracle).balance, escrow);
        _lift(0);
        assertEq(_fulfill(f), 1, "the very same batch");
        assertEq(oracle.balanceOf(relayer) - relayerBefore, _earned(entry));
    }

    /// @dev It asks, has the enclave work, and stops the answer until its own deadline.
    function test_stopping_ones_own_answer_until_the_deadline_returns_what_every_late_answer_does() public {
        Entry memory entry = _request(stateful, thief, 100_000);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        _suspend(3);
        uint256 before = thief.balance;
        skip(1 hours + 1);
        oracle.refund(entry);
        assertEq(thief.balance - before, _callbackPart(entry) + CHARGE);
        _lift(3);
        uint256 relayerBefore = oracle.balanceOf(relayer);
        assertEq(_fulfill(f), 1);
        assertEq(oracle.balanceOf(relayer) - relayerBefore, _landing(entry), "landing it was paid for all the same");
        assertEq(_headSeq(stateful), _seq(entry) + 1);
    }

    function test_suspending_in_the_middle_of_an_opening_neither_replaces_nor_loses_it() public {
        bytes32 record = _openReplicated(2);
        uint256 second = _enclave("second", keccak256("second machine"));
        _suspend(0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsSuspended.selector, measurement));
        this.acknowledge(second, 2, record, false);
        // Nobody else opens meanwhile, and nobody's secret is taken for the one that was drawn.
        skip(OPENING_TIMEOUT - 1);
        (bytes32 kept,, uint8 holders,) = registry.openingOf(KEY_GROUP, 2);
        assertEq(kept, record);
        assertEq(holders, 1);
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        _lift(0);
        this.acknowledge(second, 2, record, false);
        assertEq(registry.epochRecord(KEY_GROUP, 2), record);
    }

    function test_suspending_between_schedule_and_opening_has_no_secret_drawn_for_what_is_suspended() public {
        registry.scheduleEpoch(_schedule(2));
        EpochOpening memory o = _opening(2);
        bytes memory signature = _signOpening(o, signerKey);
        for (uint256 i = 0; i < 7; ++i) {
            _suspend(i);
            vm.expectRevert();
            registry.openEpoch(o, vm.addr(signerKey), signature);
            _lift(i);
        }
        registry.openEpoch(o, vm.addr(signerKey), signature);
        assertEq(registry.currentEpoch(KEY_GROUP), 2);
    }

    function test_suspending_an_epochs_only_member_leaves_contracts_where_they_are() public {
        Entry memory entry = _request(stateful, user, 0);
        _suspend(1);
        skip(30 days);
        // Nothing was retired, moved on or withdrawn by that; what is on the log waits.
        assertEq(registry.currentEpoch(KEY_GROUP), 1);
        assertFalse(registry.isRetired(KEY_GROUP, 1));
        registry.lift(ISubrosaSuspensions.Subject.Configuration, 0, CONFIG);
        _freshSigner();
        assertEq(_execute(_list(entry)), 1);
    }

    function test_suspending_whom_governance_will_trust_is_lifted_like_anything_else() public {
        uint256 key = uint256(keccak256("the next verifier"));
        vm.prank(thief);
        registry.suspend(ISubrosaSuspensions.Subject.Voucher, 0, _id(vm.addr(key)));
        registry.setVerifier(vm.addr(key), true);
        registry.lift(ISubrosaSuspensions.Subject.Voucher, 0, _id(vm.addr(key)));
        vm.expectPartialRevert(ISubrosaSuspensions.LiftedLately.selector);
        vm.prank(thief);
        registry.suspend(ISubrosaSuspensions.Subject.Voucher, 0, _id(vm.addr(key)));
        uint256 signer = uint256(keccak256("its enclave"));
        registry.admit(_admission(vm.addr(signer)), _vouch(_admission(vm.addr(signer)), key));
        assertTrue(_mayAct(signer));
    }

    /// @dev What it lifts it could suspend again; what it revokes is gone for good.
    function test_a_guardian_does_nothing_but_suspend() public {
        bytes[] memory calls = new bytes[](18);
        calls[0] = _call(ISubrosaSuspensions.lift.selector, 0);
        calls[1] = abi.encodeCall(ISubrosaGovernance.revokeSigner, (vm.addr(signerKey)));
        calls[2] = abi.encodeWithSignature("revokeMeasurement(bytes32,bytes32)", measurement, bytes32(0));
        calls[3] = abi.encodeWithSignature("removeConfig(bytes32)", CONFIG);
        calls[4] = abi.encodeWithSignature("revokeVerifier(address)", vm.addr(verifierKey));
        calls[5] = abi.encodeWithSignature("revokeDcap(address)", address(1));
        calls[6] = abi.encodeWithSignature("denyProduct(uint8,bytes32)", TEE_KIND, PRODUCT);
        calls[7] = abi.encodeWithSignature("allowProduct(uint8,bytes32)", TEE_KIND, PRODUCT);
        calls[8] = abi.encodeWithSignature("denyMachine(bytes32,bool)", MACHINE, true);
        calls[9] = abi.encodeWithSignature("allowMachine(uint8,bytes32,bool)", TEE_KIND, MACHINE, true);
        calls[10] = abi.encodeWithSignature("restrictMachines(uint8,bool)", TEE_KIND, true);
        calls[11] = abi.encodeWithSignature("setFamily(uint8,uint32,bool)", TEE_KIND, 99, true);
        calls[12] = abi.encodeWithSignature("setVerifier(address,bool)", thief, true);
        calls[13] = abi.encodeWithSignature("setVerifierThreshold(uint16)", 1);
        calls[14] = abi.encodeWithSignature("addConfig(bytes32,uint32)", keccak256("its own"), KEY_GROUP);
        calls[15] = abi.encodeWithSignature("withdrawRuntime(uint16,uint16)", 1, 2);
        calls[16] = abi.encodeWithSignature("retireEpoch(uint32,uint32,uint40)", KEY_GROUP, 1, 0);
        calls[17] = abi.encodeWithSignature("setDcap(address,uint16)", thief, 2);
        for (uint256 i = 0; i < calls.length; ++i) {
            _expectUnauthorized(calls[i]);
        }
        EpochSchedule memory s = _schedule(2);
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, thief));
        registry.scheduleEpoch(s);
        assertTrue(_mayAct(signerKey));
    }

    function test_suspending_one_kind_leaves_what_several_kinds_can_sign() public {
        uint8 other = TEE_KIND + 1;
        uint256 a = _foreign("a", other, keccak256("its machine"));
        _suspend(6);
        assertFalse(_mayAct(signerKey));
        assertEq(_groupOfAny(vm.addr(a), 2), KEY_GROUP, "whose enclaves go on");
    }

    function _suspend(uint256 which) private {
        (ISubrosaSuspensions.Subject subject, uint8 kind, bytes32 id) = _subject(which);
        vm.prank(thief);
        registry.suspend(subject, kind, id);
    }

    function _lift(uint256 which) private {
        (ISubrosaSuspensions.Subject subject, uint8 kind, bytes32 id) = _subject(which);
        registry.lift(subject, kind, id);
    }

    function _expectLiftedLately(uint256 which) private {
        (ISubrosaSuspensions.Subject subject, uint8 kind, bytes32 id) = _subject(which);
        vm.prank(thief);
        vm.expectPartialRevert(ISubrosaSuspensions.LiftedLately.selector);
        registry.suspend(subject, kind, id);
    }

    function _expectUnauthorized(bytes memory data) private {
        vm.prank(thief);
        (bool success, bytes memory why) = address(registry).call(data);
        assertFalse(success);
        assertEq(why, abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, thief));
    }

    function _call(bytes4 selector, uint256 which) private view returns (bytes memory) {
        (ISubrosaSuspensions.Subject subject, uint8 kind, bytes32 id) = _subject(which);
        return abi.encodeWithSelector(selector, subject, kind, id);
    }

    /// @dev Everything that the signer rests on.
    function _subject(uint256 which) private view returns (ISubrosaSuspensions.Subject, uint8, bytes32) {
        if (which == 0) return (ISubrosaSuspensions.Subject.Measurement, 0, measurement);
        if (which == 1) return (ISubrosaSuspensions.Subject.Configuration, 0, CONFIG);
        if (which == 2) return (ISubrosaSuspensions.Subject.Voucher, 0, _id(vm.addr(verifierKey)));
        if (which == 3) return (ISubrosaSuspensions.Subject.Signer, 0, _id(vm.addr(signerKey)));
        if (which == 4) return (ISubrosaSuspensions.Subject.Machine, 0, MACHINE);
        if (which == 5) return (ISubrosaSuspensions.Subject.Product, TEE_KIND, PRODUCT);
        return (ISubrosaSuspensions.Subject.Family, TEE_KIND, 0);
    }
}
