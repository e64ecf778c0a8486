// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaLens} from "../src/interfaces/ISubrosaLens.sol";
import {ISubrosaOracle, Registration} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {Quorum, Quorums} from "../src/libraries/Quorum.sol";
import {SignerSlot} from "../src/libraries/SignerSlot.sol";
import {Batches, Fulfillment} from "./support/Batches.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {SignerWords} from "./support/SignerWords.sol";
import {StandInRegistry} from "./support/StandInRegistry.sol";

/// @notice More than one enclave's word: who counts, from when on, and what a broken enclave alone can do: nothing.
contract ThresholdsTest is OracleTest {
    address private user = makeAddr("user");
    bytes32 private guarded;

    function setUp() public override {
        super.setUp();
        Registration memory r = _registration(false);
        (bytes32 id, Entry memory deployment) = _register(r);
        _execute(_list(deployment));
        guarded = id;
        vm.prank(owner);
        oracle.setThreshold(guarded, 2, 0);
    }

    // Signers that count.

    function test_one_signature_is_too_few() public {
        Entry memory entry = _request(guarded, user, 0);
        _expectSkip(guarded, _seq(entry), 4);
        assertEq(_execute(_list(entry)), 0);
        assertEq(_headSeq(guarded), 1);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(1, 2, 2)))), 1);
        assertEq(_headSeq(guarded), 2);
        assertEq(_headFlags(guarded), 2 << 3, "it asks for more still");
    }

    function test_other_contracts_of_the_batch_are_not_concerned() public {
        Entry memory entry = _request(guarded, user, 0);
        Entry memory other = _request(stateful, user, 0);
        assertEq(_fulfill(_batch(_groupOnHead(_list(entry)), _groupOnHead(_list(other)))), 1);
        assertEq(_headSeq(stateful), 2);
    }

    function test_two_signers_on_one_machine_are_one() public {
        Entry memory entry = _request(guarded, user, 0);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(TEE_KIND, 1, 2)))), 0);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(TEE_KIND, 2, 2)))), 1);
    }

    /// @dev Whoever reads or writes a machine's memory has all its kinds of TEE.
    function test_one_machine_of_two_kinds_is_one() public {
        vm.prank(owner);
        oracle.setThreshold(guarded, 2, 2);
        Entry memory entry = _request(guarded, user, 0);
        // The first signer is on machine 1.
        uint256 other = _signer(2, 1, 2);
        assertEq(_fulfill(_cosigned(entry, _keys(other))), 0);
        vm.prank(owner);
        oracle.setThreshold(stateful, 2, 0);
        assertEq(_fulfill(_cosigned(_request(stateful, user, 0), _keys(other))), 0);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(2, 2, 2)))), 1);
    }

    function test_signers_of_a_platform_that_names_no_machine_are_one() public {
        Entry memory entry = _request(guarded, user, 0);
        uint256 a = _signer(5, 0, 2);
        uint256 b = _signer(5, 0, 4);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        uint256[] memory keys = new uint256[](2);
        (keys[0], keys[1]) = (a, b);
        _signAll(f, keys);
        assertEq(_fulfill(f), 0);
        keys = new uint256[](3);
        (keys[0], keys[1], keys[2]) = (signerKey, a, b);
        _signAll(f, keys);
        assertEq(_fulfill(f), 1, "with one on a machine they are two");
    }

    function test_kinds_count_once_and_by_separate_routes() public {
        vm.prank(owner);
        oracle.setThreshold(guarded, 2, 2);
        Entry memory entry = _request(guarded, user, 0);
        // The first signer is of kind 1, admitted by voucher 0.
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(TEE_KIND, 2, 2)))), 0, "of the same kind");
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(2, 3, 1)))), 0, "by the same voucher");
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(2, 4, 3)))), 0, "by the same voucher among others");
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(2, 5, 2)))), 1);
    }

    function test_sixteen_signers_can_be_asked_for_and_no_more() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ThresholdTooHigh.selector, 17, 0));
        oracle.setThreshold(guarded, 17, 0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ThresholdTooHigh.selector, 2, 3));
        oracle.setThreshold(guarded, 2, 3);
        oracle.setThreshold(guarded, 16, 1);
        vm.stopPrank();
        Entry memory entry = _request(guarded, user, 0);
        uint256[] memory keys = new uint256[](16);
        keys[0] = signerKey;
        for (uint256 i = 1; i < 16; ++i) {
            keys[i] = _signer(TEE_KIND, i + 1, 1);
        }
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        uint256[] memory fifteen = abi.decode(abi.encode(keys), (uint256[]));
        assembly ("memory-safe") {
            mstore(fifteen, 15)
        }
        _signAll(f, fifteen);
        assertEq(_fulfill(f), 0);
        _signAll(f, keys);
        assertEq(_fulfill(f), 1);
    }

    function testFuzz_machines_and_kinds_are_counted_as_thresholds_say(uint256[6] memory seeds, uint8 count)
        public
        pure
    {
        count %= 7;
        uint256[] memory records = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            // Few, so that one meets another.
            records[i] =
                SignerWords.create(uint8(seeds[i] % 3 + 1), (seeds[i] >> 8) % 3, uint16(1 << ((seeds[i] >> 16) % 3)));
        }
        uint256 machines;
        uint256 kinds;
        uint256 counted;
        uint256 routes;
        for (uint256 i = 0; i < count; ++i) {
            SignerSlot slot = SignerSlot.wrap(records[i]);
            bool seen;
            for (uint256 k = 0; k < i; ++k) {
                SignerSlot other = SignerSlot.wrap(records[k]);
                bool known = slot.machine() != 0 || other.teeKind() == slot.teeKind();
                if (known && other.machine() == slot.machine()) seen = true;
            }
            if (seen) continue;
            ++machines;
            if (counted >> slot.teeKind() & 1 == 1 || routes & slot.vouchers() != 0) continue;
            counted |= 1 << slot.teeKind();
            routes |= slot.vouchers();
            ++kinds;
        }
        Quorum quorum = Quorums.count(records);
        assertTrue(quorum.suffices(machines, kinds));
        assertFalse(quorum.suffices(machines + 1, kinds));
        assertFalse(quorum.suffices(machines, kinds + 1));
        assertLe(kinds, 3, "no more kinds than there are");
    }

    // Signatures.

    function test_further_signers_are_in_ascending_order_and_sign_once() public {
        Entry memory entry = _request(guarded, user, 0);
        uint256[] memory keys = new uint256[](3);
        (keys[0], keys[1], keys[2]) = (signerKey, _signer(1, 2, 1), _signer(1, 3, 1));
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        _signAll(f, keys);
        (f.signatures[1], f.signatures[2]) = (f.signatures[2], f.signatures[1]);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.SignersNotAscending.selector, vm.addr(keys[1])));
        _fulfill(f);
        f.signatures[1] = f.signatures[2];
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.SignersNotAscending.selector, vm.addr(keys[1])));
        _fulfill(f);
        // The first signer is none of the further ones.
        f.signatures[1] = _compact(signerKey, Batches.comessage(f, block.chainid, address(oracle)));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.SignersNotAscending.selector, vm.addr(signerKey)));
        _fulfill(f);
    }

    /// @dev A copier would put a further signer first, whose signature names no payee.
    function test_a_further_signers_signature_cannot_be_put_first() public {
        Entry memory entry = _request(guarded, user, 0);
        uint256 other = _signer(1, 2, 1);
        Fulfillment memory f = _cosigned(entry, _keys(other));
        address[2] memory payees = [address(0), makeAddr("copier")];
        (f.signatures[0], f.signatures[1]) = (f.signatures[1], f.signatures[0]);
        for (uint256 i = 0; i < 2; ++i) {
            f.payee = payees[i];
            vm.expectPartialRevert(StandInRegistry.SignerUnknown.selector);
            _fulfill(f);
        }
        // Nor the first's behind another's.
        f.payee = address(0);
        _signBatch(f, other);
        bytes[] memory both = new bytes[](2);
        both[0] = f.signatures[0];
        both[1] = _compact(signerKey, Batches.message(f, block.chainid, address(oracle)));
        f.signatures = both;
        vm.expectRevert();
        _fulfill(f);
    }

    function test_every_signer_may_sign_for_the_epoch() public {
        Entry memory entry = _request(guarded, user, 0);
        uint256 other = _signer(1, 2, 1);
        Fulfillment memory f = _cosigned(entry, _keys(other));
        registry.dismiss(vm.addr(other));
        vm.expectRevert(abi.encodeWithSelector(StandInRegistry.SignerUnknown.selector, vm.addr(other)));
        _fulfill(f);
    }

    /// @dev Whoever takes signatures away from a batch has it do less, and pays nobody else.
    function test_a_batch_robbed_of_its_further_signatures_pays_its_payee() public {
        Entry memory entry = _request(guarded, user, 0);
        Entry memory other = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)), _groupOnHead(_list(other)));
        f.payee = makeAddr("payee");
        uint256[] memory keys = _keys(_signer(1, 2, 1));
        _signAll(f, keys);
        bytes[] memory all = f.signatures;
        f.signatures = new bytes[](1);
        f.signatures[0] = all[0];
        assertEq(_fulfill(f), 1);
        assertEq(oracle.balanceOf(f.payee), _earned(other));
        f.signatures = all;
        assertEq(_fulfill(f), 1);
        assertEq(oracle.balanceOf(f.payee), _earned(other) + _earned(entry));
    }

    // Changing it.

    function test_more_signers_count_at_once_also_for_what_is_pending() public {
        Entry memory entry = _request(stateful, user, 0);
        vm.prank(owner);
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.ThresholdChanged(stateful, 2, 1, uint48(block.timestamp));
        oracle.setThreshold(stateful, 2, 1);
        assertEq(_fulfill(_batch(_groupOnHead(_list(entry)))), 0);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(1, 2, 1)))), 1);
    }

    function test_a_stateless_contract_has_the_threshold_of_its_registration() public {
        Registration memory r = _registration(true);
        (r.signers, r.kinds) = (2, 1);
        (bytes32 id, Entry memory deployment) = _register(r);
        assertEq(_fulfill(_batch(_groupOnHead(_list(deployment)))), 0);
        assertEq(_fulfill(_cosigned(deployment, _keys(_signer(1, 2, 1)))), 1);
        Entry memory entry = _request(id, user, 0);
        assertEq(_fulfill(_batch(_groupOnHead(_list(entry)))), 0);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(1, 2, 1)))), 1);
    }

    function test_whoever_asks_pays_for_every_signature() public {
        uint256 one = oracle.quote(stateful, 32, 32, 0);
        uint256 each = uint256(_table().signature) * BASE_FEE * 3 / 2;
        Registration memory r = _registration(false);
        ISubrosaLens lens = ISubrosaLens(deployCode("SubrosaLens.sol:SubrosaLens", abi.encode(oracle)));
        uint256 registration = lens.quoteRegistration(BASE_FEE, r);
        for (uint8 signers = 1; signers <= 16; ++signers) {
            vm.prank(owner);
            oracle.setThreshold(stateful, signers, 1);
            assertEq(oracle.quote(stateful, 32, 32, 0), one + (signers - 1) * each);
            r.signers = signers;
            assertEq(lens.quoteRegistration(BASE_FEE, r), registration + (signers - 1) * each);
            vm.prank(owner);
            oracle.setPolicy(stateful, _policy());
            assertEq(oracle.quote(stateful, 32, 32, 0), one + (signers - 1) * each, "kept by a new policy");
        }
        (bytes32 id,) = _register(r);
        assertEq(oracle.quote(id, 32, 32, 0), one + 15 * each);
    }

    function test_fewer_signatures_are_priced_once_they_are_asked_for_again() public {
        vm.startPrank(owner);
        uint256 one = oracle.quote(stateful, 32, 32, 0);
        oracle.setThreshold(stateful, 3, 1);
        uint256 three = oracle.quote(stateful, 32, 32, 0);
        oracle.setThreshold(stateful, 1, 1);
        assertEq(oracle.quote(stateful, 32, 32, 0), three);
        skip(UPGRADE_DELAY);
        oracle.setThreshold(stateful, 1, 1);
        assertEq(oracle.quote(stateful, 32, 32, 0), one);
        vm.stopPrank();
    }

    function test_fewer_signers_count_once_the_upgrade_delay_is_over() public {
        Entry memory entry = _request(guarded, user, 0);
        uint48 from = uint48(block.timestamp + UPGRADE_DELAY);
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.ThresholdChanged(guarded, 1, 0, from);
        vm.prank(owner);
        oracle.setThreshold(guarded, 1, 0);
        vm.warp(from - 1);
        assertEq(_execute(_list(entry)), 0);
        vm.warp(from);
        assertEq(_execute(_list(entry)), 1);
    }

    function test_an_announced_lower_threshold_is_withdrawn_by_asking_for_as_much() public {
        Entry memory entry = _request(guarded, user, 0);
        vm.prank(owner);
        oracle.setThreshold(guarded, 1, 0);
        vm.prank(owner);
        oracle.setThreshold(guarded, 2, 0);
        skip(UPGRADE_DELAY);
        assertEq(_execute(_list(entry)), 0);
    }

    function test_announcing_anew_starts_the_delay_anew() public {
        Entry memory entry = _request(guarded, user, 0);
        vm.prank(owner);
        oracle.setThreshold(guarded, 1, 0);
        skip(UPGRADE_DELAY - 1);
        vm.prank(owner);
        oracle.setThreshold(guarded, 0, 0);
        skip(1);
        assertEq(_execute(_list(entry)), 0);
        skip(UPGRADE_DELAY - 1);
        assertEq(_execute(_list(entry)), 1);
    }

    /// @dev What one signature more costs depends on it: the head says how many, and nothing has to be looked up.
    function test_the_head_says_a_threshold_that_is_of_signers_alone() public {
        assertEq(_headFlags(guarded), 2 << 3);
        _set(16, 1);
        assertEq(_headFlags(guarded), 16 << 3);
        _set(16, 2);
        assertEq(_headFlags(guarded), 2, "kinds are looked up");
        _set(3, 1);
        assertEq(_headFlags(guarded), 2, "so is what changes with time");
        skip(UPGRADE_DELAY);
        assertEq(_headFlags(guarded), 2);
        Entry memory entry = _request(guarded, user, 0);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(1, 2, 1)))), 0, "two of three");
        _set(3, 1);
        assertEq(_headFlags(guarded), 3 << 3, "what counts by now, kept anew");
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(1, 2, 1)))), 0, "two of three");
        _set(1, 0);
        skip(UPGRADE_DELAY);
        assertEq(_execute(_list(entry)), 1);
    }

    function _set(uint8 signers, uint8 kinds) private {
        vm.prank(owner);
        oracle.setThreshold(guarded, signers, kinds);
    }

    /// @dev More of the one and fewer of the other is fewer.
    function test_more_signers_of_fewer_kinds_wait() public {
        vm.prank(owner);
        oracle.setThreshold(guarded, 2, 2);
        vm.prank(owner);
        oracle.setThreshold(guarded, 3, 1);
        Entry memory entry = _request(guarded, user, 0);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(2, 2, 2)))), 1, "two of two kinds still do");
    }

    /// @dev What was announced and is over is what counts when it is raised again.
    function test_a_threshold_that_fell_is_raised_from_there() public {
        vm.prank(owner);
        oracle.setThreshold(guarded, 1, 1);
        skip(UPGRADE_DELAY);
        vm.prank(owner);
        oracle.setThreshold(guarded, 1, 1);
        assertEq(_headFlags(guarded), 0);
        vm.prank(owner);
        oracle.setThreshold(guarded, 3, 1);
        assertEq(_headFlags(guarded), 3 << 3);
        Entry memory entry = _request(guarded, user, 0);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(1, 2, 1)))), 0);
    }

    function test_code_that_never_changes_has_a_threshold_that_never_does() public {
        Registration memory r = _registration(false);
        (r.upgradeDelay, r.signers, r.kinds) = (0, 3, 2);
        (bytes32 id,) = _register(r);
        vm.startPrank(owner);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaOracle.ThresholdFixed.selector, id);
        uint8[2][5] memory others = [[2, 2], [3, 1], [0, 0], [4, 2], [16, 16]];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(refusal);
            oracle.setThreshold(id, others[i][0], others[i][1]);
        }
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ThresholdFixed.selector, stateless));
        oracle.setThreshold(stateless, 2, 0);
        vm.stopPrank();
    }

    function test_only_the_owner_sets_it() public {
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, guarded, user));
        oracle.setThreshold(guarded, 9, 0);
    }

    function test_a_contract_registered_with_a_threshold_has_it_for_its_deployment_too() public {
        Registration memory r = _registration(false);
        (r.signers, r.kinds) = (2, 1);
        (bytes32 id, Entry memory deployment) = _register(r);
        assertEq(_headFlags(id), 2 << 3);
        _expectSkip(id, 0, 4);
        assertEq(_execute(_list(deployment)), 0);
        assertEq(_fulfill(_cosigned(deployment, _keys(_signer(1, 2, 1)))), 1);
    }

    function test_a_registration_that_asks_for_more_kinds_than_signers_is_refused() public {
        Registration memory r = _registration(false);
        for (uint8 signers = 0; signers < 3; ++signers) {
            (r.signers, r.kinds) = (signers, 3);
            vm.prank(owner);
            vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ThresholdTooHigh.selector, signers, 3));
            oracle.register{value: FEE}(r);
        }
    }

    // What a broken enclave can do.

    /// @dev It seals and signs anything. Without a threshold that is a history no honest enclave continues; with one it
    /// is nothing.
    function test_a_broken_enclave_alone_moves_no_guarded_log() public {
        Entry memory entry = _request(guarded, user, 0);
        Entry memory plain = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)), _groupOnHead(_list(plain)));
        f.groups[0].items[0].result ^= 1 << 200;
        f.groups[1].items[0].result ^= 1 << 200;
        _signBatch(f, signerKey);
        assertEq(_fulfill(f), 1);
        assertEq(_headSeq(guarded), 1);
        assertTrue(_head(stateful) != _commitment(plain) | 2);
        assertEq(_fulfill(_cosigned(entry, _keys(_signer(1, 2, 1)))), 1, "the honest ones go on");
    }

    /// @dev A new signer; its key.
    function _signer(uint8 kind, uint256 machine, uint16 vouchers) private returns (uint256 key) {
        key = uint256(keccak256(abi.encode("signer", kind, machine, vouchers)));
        registry.admit(vm.addr(key), SignerWords.create(kind, machine, vouchers));
    }

    /// @dev The first signer, and another.
    function _keys(uint256 other) private view returns (uint256[] memory keys) {
        keys = new uint256[](2);
        (keys[0], keys[1]) = (signerKey, other);
    }

    function _cosigned(Entry memory entry, uint256[] memory keys) private view returns (Fulfillment memory f) {
        f = _batch(_groupOnHead(_list(entry)));
        _signAll(f, keys);
    }
}
