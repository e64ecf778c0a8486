// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Call, ISubrosaOracle, Policy, Registration} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Reference} from "./support/Reference.sol";
import {StandInRegistry} from "./support/StandInRegistry.sol";

/// @notice What registering, requesting and owning put on a log.
contract LogsTest is OracleTest {
    address private user = makeAddr("user");

    function test_registration_appends_the_deployment() public {
        uint256 counted = _contractsIn(KEY_GROUP, 1);
        (bytes32 id, Entry memory entry) = _register(false);

        assertEq(id, _idOf(owner, 2));
        assertEq(oracle.ownerOf(id), owner);
        assertEq(_seq(entry), 0);
        assertEq(entry.previousDigest, 0);
        assertEq(entry.context, keccak256("context"));
        assertEq(entry.refundTo, address(0));
        assertEq(_slotAt(id, 0), _digest(entry));
        assertEq(entry.execution, _execution(0, 0, 1_000_000, 0));
        assertEq(entry.settlement, uint256(uint160(owner)) << 96 | _deadline());
        assertEq(entry.payment, FEE / 1 gwei << 208 | uint256(KEY_GROUP) << 80 | 1 << 48, "no charge to oneself");
        assertEq(_contractsIn(KEY_GROUP, 1), counted + 1, "the epoch has a contract more");
    }

    function test_the_contract_id_binds_chain_oracle_deployer_and_nonce() public {
        (bytes32 id,) = _register(false);
        assertEq(id, _idOf(owner, 2));
        vm.deal(user, FEE);
        Registration memory r = _registration(false);
        vm.prank(user);
        assertEq(oracle.register{value: FEE}(r), _idOf(user, 0));
        vm.chainId(block.chainid + 1);
        vm.prank(owner);
        assertEq(oracle.register{value: FEE}(r), _idOf(owner, 3));
    }

    function test_registration_announces_owner_and_input() public {
        bytes32 id = _idOf(owner, 2);
        Registration memory r = _registration(false);
        (r.world, r.profile) = (true, 1);
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.Registered(id, owner, keccak256("code"));
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.EntryAppended(
            id,
            0,
            keccak256("context"),
            // A world, seen as the chain with number 1.
            _execution(0, 1 << 2 | 1 << 8, 1_000_000, 0),
            uint256(uint160(owner)) << 96 | _deadline(),
            FEE / 1 gwei << 208 | uint256(KEY_GROUP) << 80 | 1 << 48,
            address(0),
            abi.encode(keccak256("code"))
        );
        vm.prank(owner);
        oracle.register{value: FEE}(r);
    }

    function test_registration_needs_the_current_epoch_a_commitment_a_profile_a_runtime_and_a_deadline() public {
        Registration memory r = _registration(false);
        r.keyGroup = 8;
        _assertRefused(r, abi.encodeWithSelector(ISubrosaOracle.NoEpoch.selector, 8));
        for (uint32 epoch = 0; epoch < 3; ++epoch) {
            if (epoch == 1) continue;
            r = _registration(false);
            r.keyEpoch = epoch;
            _assertRefused(r, abi.encodeWithSelector(ISubrosaOracle.EpochNotCurrent.selector, KEY_GROUP, 1));
        }
        r = _registration(false);
        r.codeCommitment = 0;
        _assertRefused(r, abi.encodeWithSelector(ISubrosaOracle.ZeroCodeCommitment.selector));
        r = _registration(false);
        r.profile = 2;
        _assertRefused(r, abi.encodeWithSelector(ISubrosaOracle.UnknownProfile.selector, 2));
        r = _registration(false);
        r.runtimeGeneration = 2;
        _assertRefused(r, abi.encodeWithSelector(StandInRegistry.RuntimeUnknown.selector, 2));
        r = _registration(false);
        r.deadline = uint48(block.timestamp + 59);
        _assertRefused(
            r, abi.encodeWithSelector(ISubrosaOracle.DeadlineTooEarly.selector, r.deadline, block.timestamp + 60)
        );
        r = _registration(true);
        r.upgradeDelay = 1;
        _assertRefused(r, abi.encodeWithSelector(ISubrosaOracle.StatelessUpgrade.selector));
        r = _registration(false);
        r.policy.chargeGwei = uint64(200_000 ether / 1 gwei) + 1;
        _assertRefused(r, abi.encodeWithSelector(ISubrosaOracle.FeeTooHigh.selector, 200_000 ether + 1 gwei));
    }

    function test_entries_of_a_stateful_log_are_chained() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        assertEq(b.previousDigest, _digest(a));
        assertEq(_slotAt(stateful, 1), _digest(a));
        assertEq(_slotAt(stateful, 2), _digest(b));
        assertEq(_nextSeq(stateful), 3);
    }

    function test_a_status_does_not_change_what_later_entries_chain_to() public {
        Entry memory a = _request(stateful, user, 0);
        skip(2 hours);
        oracle.refund(a);
        assertEq(_status(a), REFUNDED);
        Entry memory b = _request(stateful, user, 0);
        assertEq(b.previousDigest, _digest(a), "chained to the digest without the status");
        assertEq(_slotAt(stateful, 2), _digest(b));
    }

    function test_entries_of_a_stateless_log_are_not_chained() public {
        _request(stateless, user, 0);
        Entry memory b = _request(stateless, user, 0);
        assertEq(b.previousDigest, 0);
        assertEq(_slotAt(stateless, 2), _digest(b));
    }

    struct Asked {
        bytes32 context;
        bool envelope;
        bool expires;
        uint64 fuel;
        uint32 callbackGas;
        uint24 outputLimit;
        address refundTo;
        uint48 extra;
        bytes input;
    }

    function testFuzz_a_request_is_recorded_as_asked(Asked calldata a) public {
        uint32 callbackGas = a.callbackGas % 1_000_001;
        uint24 output = a.outputLimit % 100_000;
        uint64 fuel = a.fuel % 1e12;
        uint256 terms = Reference.terms(a.envelope ? 1 : 0, a.expires ? 1 : 0, fuel, callbackGas, _deadline(), output);
        uint256 least = oracle.quote(stateful, a.input.length, output, callbackGas, fuel);
        uint256 fee = least + uint256(a.extra) / 2 * 1 gwei;

        vm.recordLogs();
        hoax(user, fee);
        assertEq(oracle.request{value: fee}(stateful, a.context, terms, a.refundTo, a.input), 1);
        Entry memory e = _appended();

        assertEq(e.context, a.context);
        assertEq(e.inputHash, keccak256(a.input));
        assertEq(e.refundTo, a.refundTo);
        assertEq(e.execution, _execution(1, a.envelope ? 1 : 0, fuel, output));
        uint256 callback = uint256(callbackGas) << 64 | (a.expires ? uint256(1) << 48 : 0);
        assertEq(e.settlement, uint256(uint160(user)) << 96 | callback | _deadline());
        assertEq(_paid(e), fee);
        assertEq(_charge(e), CHARGE);
        assertEq(uint112(e.payment), uint256(KEY_GROUP) << 80 | uint256(1) << 48 | 1);
        assertEq(_slotAt(stateful, 1), _digest(e));
    }

    // Terms.

    function testFuzz_terms_with_unknown_bits_are_refused(uint256 terms) public {
        uint256 known = 3 << 248 | 1 << 240 | ((1 << 240) - (1 << 4));
        vm.assume(terms & ~known != 0);
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownTerms.selector, terms));
        oracle.request{value: FEE}(stateful, 0, terms, address(0), "");
    }

    function test_a_session_needs_an_envelope_to_take_its_key_from() public {
        uint256 terms = Reference.terms(3, 0, 500_000, 0, _deadline());
        assertEq(uint16(_request(stateful, user, terms, FEE).execution >> 232), 3);
        terms = Reference.terms(2, 0, 500_000, 0, _deadline());
        _assertRefused(terms, abi.encodeWithSelector(ISubrosaOracle.UnknownTerms.selector, terms));
    }

    function testFuzz_a_request_is_held_to_what_its_terms_name(uint24 mantissa, uint32 epoch, uint16 version) public {
        // 10,000 times ten is the charge.
        mantissa = mantissa % 2 == 0 ? 0 : uint24(bound(mantissa, 9998, 10_002));
        epoch %= 3;
        version %= 3;
        uint256 terms = _terms(0) | Reference.bounds(epoch, version, mantissa == 0 ? 0 : mantissa << 5 | 1);
        if (epoch == 2) {
            _assertRefused(terms, abi.encodeWithSelector(ISubrosaOracle.OtherEpoch.selector, stateful, 1));
        } else if (version == 2) {
            _assertRefused(terms, abi.encodeWithSelector(ISubrosaOracle.OtherCode.selector, stateful, 0));
        } else if (mantissa != 0 && mantissa < 10_000) {
            _assertRefused(
                terms,
                abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, CHARGE / 1 gwei, uint256(mantissa) * 10)
            );
        } else {
            _request(stateful, user, terms, FEE);
        }
    }

    function test_an_owner_cannot_raise_the_charge_of_a_request_that_is_on_its_way() public {
        uint256 terms = _terms(0) | Reference.bounds(0, 0, 10_000 << 5 | 1);
        Policy memory policy = _policy();
        policy.chargeGwei = 100_001;
        _setPolicy(policy);
        // The charge is kept with five digits at most, rounded up.
        _assertRefused(terms, abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, 100_010, 100_000));
        _setPolicy(_policy());
        _request(stateful, user, terms, FEE);
    }

    function test_a_request_that_agrees_to_no_charge_pays_none() public {
        // Nothing times ten: the word zero stands for any charge.
        uint256 terms = _terms(0) | Reference.bounds(0, 0, 1);
        _assertRefused(terms, abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, CHARGE / 1 gwei, 0));
        Policy memory policy = _policy();
        policy.chargeGwei = 0;
        _setPolicy(policy);
        assertEq(_charge(_request(stateful, user, terms, FEE)), 0);
    }

    function test_an_envelope_in_flight_is_not_taken_in_another_epoch_or_for_other_code() public {
        uint256 ofEpoch = Reference.terms(1, 0, 1, 0, _deadline()) | Reference.bounds(1, 0, 0);
        uint256 ofCode = Reference.terms(1, 0, 1, 0, uint48(block.timestamp + 3 days)) | Reference.bounds(0, 1, 0);
        registry.openEpoch(KEY_GROUP);
        vm.prank(owner);
        oracle.advanceEpoch{value: FEE}(stateful, 2);
        _assertRefused(ofEpoch, abi.encodeWithSelector(ISubrosaOracle.OtherEpoch.selector, stateful, 2));
        uint256 snapshot = vm.snapshotState();
        _request(stateful, user, ofCode, FEE);
        vm.revertToStateAndDelete(snapshot);

        vm.prank(owner);
        oracle.announceUpgrade(stateful, keccak256("other code"));
        skip(UPGRADE_DELAY);
        vm.prank(owner);
        oracle.upgrade{value: FEE}(stateful, 0, type(uint48).max);
        _assertRefused(ofCode, abi.encodeWithSelector(ISubrosaOracle.OtherCode.selector, stateful, 1));
    }

    // Many at once.

    function test_several_requests_are_appended_in_order_each_at_its_price() public {
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 id = i == 0 ? stateful : stateless;
            Call[] memory calls = _calls(16);
            uint256 fee;
            for (uint256 k = 0; k < calls.length; ++k) {
                fee += oracle.quote(id, calls[k].input.length, 64, 0);
            }
            uint256 first = _nextSeq(id);
            vm.recordLogs();
            hoax(user, fee + 5 gwei);
            assertEq(oracle.requestMany{value: fee + 5 gwei}(id, owner, calls), first);
            Entry[] memory all = _allAppended();
            assertEq(all.length, 16);
            for (uint256 k = 0; k < 16; ++k) {
                assertEq(_seq(all[k]), first + k);
                assertEq(all[k].context, calls[k].context);
                assertEq(all[k].inputHash, keccak256(calls[k].input));
                assertEq(all[k].refundTo, owner);
                uint256 price = oracle.quote(id, calls[k].input.length, 64, 0);
                assertEq(_paid(all[k]), k == 15 ? price + 5 gwei : price, "what is too much is the last one's");
                if (k != 0) assertEq(all[k].previousDigest, i == 0 ? _digest(all[k - 1]) : bytes32(0));
                assertEq(_slotAt(id, first + k), _digest(all[k]));
            }
            if (i == 0) assertEq(_execute(all), 16);
        }
    }

    function test_several_requests_cost_their_sum_to_the_gwei() public {
        Call[] memory calls = _calls(3);
        uint256 fee;
        for (uint256 k = 0; k < calls.length; ++k) {
            fee += oracle.quote(stateful, calls[k].input.length, 64, 0);
        }
        uint256 last = oracle.quote(stateful, calls[2].input.length, 64, 0);
        startHoax(user, fee);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, last - 1 gwei, last));
        oracle.requestMany{value: fee - 1 gwei}(stateful, address(0), calls);
        oracle.requestMany{value: fee}(stateful, address(0), calls);
        vm.expectRevert(ISubrosaOracle.NoRequests.selector);
        oracle.requestMany(stateful, address(0), new Call[](0));
    }

    function test_one_bad_request_among_several_takes_all_of_them_back() public {
        Call[] memory calls = _calls(3);
        calls[1].terms |= 1;
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownTerms.selector, calls[1].terms));
        oracle.requestMany{value: FEE}(stateful, address(0), calls);
        assertEq(_nextSeq(stateful), 1);
    }

    // Policy.

    function test_no_policy_promises_callbacks_what_no_transaction_carries() public {
        uint24 largest = 10_000_000;
        bytes memory refused = abi.encodeWithSelector(
            ISubrosaOracle.MaximumCallbackGasTooHigh.selector, uint256(largest) + 1, uint256(largest)
        );
        Registration memory r = _registration(false);
        r.policy.maximumCallbackGas = largest + 1;
        _assertRefused(r, refused);
        vm.prank(owner);
        vm.expectRevert(refused);
        oracle.setPolicy(stateful, r.policy);

        r.policy.maximumCallbackGas = largest;
        (bytes32 id,) = _register(r);
        assertEq(uint24(oracle.logOf(id) >> 164), largest);
        _setPolicy(r.policy);
        assertEq(uint24(oracle.logOf(stateful) >> 164), largest);
    }

    function test_a_contract_registered_as_restricted_is_so_from_the_first_request_on() public {
        Registration memory r = _registration(false);
        r.policy.restricted = true;
        (bytes32 id,) = _register(r);
        uint256 terms = _terms(0);
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CallerNotAllowed.selector, id, user));
        oracle.request{value: FEE}(id, 0, terms, address(0), "");
        _request(id, owner, 0);
        vm.prank(owner);
        oracle.setPolicy(id, _policy());
        _request(id, user, 0);
    }

    function test_a_request_outside_the_policy_is_refused() public {
        _assertRefused(
            Reference.terms(0, 0, 1, 1_000_001, _deadline()),
            abi.encodeWithSelector(ISubrosaOracle.CallbackGasTooHigh.selector, 1_000_001, 1_000_000)
        );
        uint48 early = uint48(block.timestamp + 59);
        _assertRefused(
            Reference.terms(0, 0, 1, 0, early),
            abi.encodeWithSelector(ISubrosaOracle.DeadlineTooEarly.selector, early, early + 1)
        );
        uint256 terms = _terms(0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownContract.selector, bytes32("x")));
        oracle.request("x", 0, terms, address(0), "");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownContract.selector, bytes32("x")));
        oracle.quote("x", 0, 0, 0);
    }

    function test_the_longest_input_is_taken_and_one_byte_more_is_not() public {
        uint256 longest = 120 * 1024;
        uint256 terms = _terms(0);
        startHoax(user);
        oracle.request{value: FEE}(stateful, 0, terms, address(0), new bytes(longest));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.InputTooLong.selector, longest + 1, longest));
        oracle.request{value: FEE}(stateful, 0, terms, address(0), new bytes(longest + 1));
    }

    function test_a_full_log_takes_no_entry() public {
        // The log's word is the third field of the oracle's storage.
        bytes32 slot = keccak256(abi.encode(stateful, _oracleStorage() + 2));
        uint256 log = oracle.logOf(stateful) >> 48 << 48;
        // A head numbers 2^40 entries.
        vm.store(address(oracle), slot, bytes32(log | type(uint40).max));
        _assertRefused(_terms(0), abi.encodeWithSelector(ISubrosaOracle.LogFull.selector, stateful));
        vm.store(address(oracle), slot, bytes32(log | type(uint40).max - 1));
        _request(stateful, user, 0);
    }

    function test_storage_is_where_enclaves_prove_it() public {
        Entry memory entry = _request(stateful, user, 0);
        uint256 base = _oracleStorage();
        bytes32 log = keccak256(abi.encode(stateful, base));
        assertEq(vm.load(address(oracle), keccak256(abi.encode(uint256(1), log))), _digest(entry));
        assertEq(vm.load(address(oracle), keccak256(abi.encode(stateful, base + 1))), bytes32(_head(stateful)));
        bytes32 word = vm.load(address(oracle), keccak256(abi.encode(stateful, base + 2)));
        assertEq(word, bytes32(oracle.logOf(stateful)));
        // charge 20 (10,000 times ten), gasPriceFloor 16 (500 times 10^6), baseFeeSixteenths 8 and what follows.
        uint256 head = uint256(10_000) << 5 | 1;
        head = head << 16 | uint256(500) << 5 | 6;
        head = head << 8 | 24;
        head = head << 24 | 60;
        head = head << 24 | 1_000_000;
        // No flags, finality class 3, runtime 1, code 0.
        head = head << 12 << 8 | 3;
        head = head << 16 | 1;
        head = head << 16;
        head = head << 32 | 1;
        head = head << 32 | KEY_GROUP;
        assertEq(uint256(word), head << 48 | 2);
    }

    function test_policy_is_the_owners_to_change_for_entries_to_come() public {
        Policy memory policy = Policy({
            chargeGwei: 5,
            baseFeeSixteenths: 9,
            gasPriceFloor: 13,
            minimumDeadline: 7,
            maximumCallbackGas: 11,
            restricted: true,
            paused: true
        });
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateless, user));
        vm.prank(user);
        oracle.setPolicy(stateless, policy);

        uint256 before = oracle.logOf(stateless);
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.PolicyChanged(stateless, policy);
        vm.prank(owner);
        oracle.setPolicy(stateless, policy);
        uint256 expected = uint256(5) << 241 | uint256(13) << 225 | uint256(9) << 212 | uint256(7) << 188;
        expected |= uint256(11) << 164 | uint256(7) << 152;
        assertEq(oracle.logOf(stateless), expected | uint152(before));
    }

    function test_a_paused_contract_takes_no_request_and_executes_what_it_has() public {
        Entry memory entry = _request(stateful, user, 0);
        Policy memory policy = _policy();
        policy.paused = true;
        _setPolicy(policy);
        _assertRefused(_terms(0), abi.encodeWithSelector(ISubrosaOracle.ContractPaused.selector, stateful));
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ContractPaused.selector, stateful));
        oracle.requestMany{value: FEE}(stateful, address(0), _calls(1));
        assertEq(_execute(_list(entry)), 1);
    }

    function test_a_restricted_contract_is_for_its_owner_and_named_callers() public {
        Policy memory policy = _policy();
        policy.restricted = true;
        _setPolicy(policy);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaOracle.CallerNotAllowed.selector, stateful, user);
        _assertRefused(_terms(0), refusal);

        _request(stateful, owner, 0);
        vm.prank(owner);
        oracle.setCaller(stateful, user, true);
        _request(stateful, user, 0);
        vm.prank(owner);
        oracle.setCaller(stateful, user, false);
        _assertRefused(_terms(0), refusal);
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.setCaller(stateful, user, true);
    }

    function test_ownership_moves_when_it_is_accepted() public {
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.transferOwnership(stateful, user);

        vm.prank(owner);
        oracle.transferOwnership(stateful, user);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotCandidate.selector, stateful, owner));
        oracle.acceptOwnership(stateful);

        vm.prank(user);
        oracle.acceptOwnership(stateful);
        assertEq(oracle.ownerOf(stateful), user);
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotCandidate.selector, stateful, user));
        oracle.acceptOwnership(stateful);
    }

    function test_nobody_owns_or_is_offered_a_contract_that_does_not_exist() public {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, bytes32("x"), user));
        vm.prank(user);
        oracle.transferOwnership("x", user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotCandidate.selector, bytes32("x"), user));
        vm.prank(user);
        oracle.acceptOwnership("x");
    }

    function _calls(uint256 count) private view returns (Call[] memory calls) {
        calls = new Call[](count);
        for (uint256 i = 0; i < count; ++i) {
            calls[i] = Call(keccak256(abi.encode("context", i)), _terms(0), new bytes(i * 7));
        }
    }

    function _setPolicy(Policy memory policy) private {
        vm.prank(owner);
        oracle.setPolicy(stateful, policy);
    }

    function _assertRefused(Registration memory r, bytes memory why) private {
        vm.prank(owner);
        vm.expectRevert(why);
        oracle.register{value: FEE}(r);
    }

    function _assertRefused(uint256 terms, bytes memory why) private {
        hoax(user, 1 ether);
        vm.expectRevert(why);
        oracle.request{value: 1 ether}(stateful, 0, terms, address(0), "");
    }

    function _idOf(address deployer, uint256 nonce) private view returns (bytes32) {
        return keccak256(abi.encode(Reference.domain("contract-id"), block.chainid, oracle, deployer, nonce));
    }

    function _execution(uint256 kind, uint256 flags, uint256 fuel, uint256 output) private view returns (uint256) {
        uint256 head = kind << 16 | flags;
        head = head << 64 | fuel;
        // Code 0, runtime 1, finality class 3.
        head = head << 16 << 16 | 1;
        head = head << 8 | 3;
        head = head << 48 | block.number;
        head = head << 48 | vm.getBlockTimestamp();
        return head << 32 | output;
    }
}
