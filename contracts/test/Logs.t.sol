// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, Policy, Registration} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Reference} from "./support/Reference.sol";

/// @notice What registering, requesting and owning put on a log.
contract LogsTest is OracleTest {
    address private user = makeAddr("user");

    function test_registration_appends_the_deployment() public {
        bytes32 expected = oracle.contractIdOf(owner, oracle.nonceOf(owner));
        (bytes32 id, Entry memory entry) = _register(false);

        assertEq(id, expected);
        assertEq(oracle.ownerOf(id), owner);
        assertEq(entry.seq, 0);
        assertEq(entry.previousDigest, 0);
        assertEq(entry.context, keccak256("context"));
        assertEq(oracle.entryDigest(id, 0), _digest(entry));
        assertEq(entry.execution, _execution(0, 0, 1_000_000));
        assertEq(entry.settlement, uint256(uint160(owner)) << 96 | _deadline());
        assertEq(entry.payment, FEE << 160 | CHARGE << 64 | uint256(KEY_GROUP) << 32 | 1);
    }

    function test_the_contract_id_binds_chain_oracle_deployer_and_nonce() public {
        bytes32 expected =
            keccak256(abi.encode(Reference.domain("contract-id"), block.chainid, oracle, owner, uint256(2)));
        (bytes32 id,) = _register(false);
        assertEq(id, expected);
        vm.chainId(block.chainid + 1);
        assertTrue(oracle.contractIdOf(owner, 2) != expected);
    }

    function test_registration_announces_owner_and_input() public {
        bytes32 id = oracle.contractIdOf(owner, oracle.nonceOf(owner));
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.Registered(id, owner, keccak256("code"));
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.EntryAppended(
            id,
            0,
            keccak256("context"),
            _execution(0, 0, 1_000_000),
            uint256(uint160(owner)) << 96 | _deadline(),
            FEE << 160 | CHARGE << 64 | uint256(KEY_GROUP) << 32 | 1,
            abi.encode(keccak256("code"))
        );
        vm.prank(owner);
        oracle.register{value: FEE}(_registration(false));
    }

    function test_registration_needs_an_epoch_a_commitment_a_fee_and_a_deadline() public {
        vm.startPrank(owner);
        Registration memory r = _registration(false);
        r.keyGroup = 8;
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NoEpoch.selector, 8));
        oracle.register{value: FEE}(r);

        r = _registration(false);
        r.codeCommitment = 0;
        vm.expectRevert(ISubrosaOracle.ZeroCodeCommitment.selector);
        oracle.register{value: FEE}(r);

        r = _registration(false);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, CHARGE - 1, CHARGE));
        oracle.register{value: CHARGE - 1}(r);

        r.deadline = uint48(block.timestamp + 59);
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaOracle.DeadlineTooEarly.selector, r.deadline, block.timestamp + 60)
        );
        oracle.register{value: FEE}(r);
    }

    function test_entries_of_a_stateful_log_are_chained() public {
        Entry memory a = _request(stateful, user, 0);
        Entry memory b = _request(stateful, user, 0);
        assertEq(b.previousDigest, _digest(a));
        assertEq(oracle.entryDigest(stateful, 1), _digest(a));
        assertEq(oracle.entryDigest(stateful, 2), _digest(b));
        assertEq(uint48(oracle.logOf(stateful)), 3);
    }

    function test_a_refund_does_not_change_what_later_entries_chain_to() public {
        Entry memory a = _request(stateful, user, 0);
        skip(2 hours);
        oracle.refund(a);
        assertEq(_status(a), 1);
        Entry memory b = _request(stateful, user, 0);
        assertEq(oracle.entryDigest(stateful, 2), _digest(b), "chained to the digest without the status");
    }

    function test_entries_of_a_stateless_log_are_not_chained() public {
        _request(stateless, user, 0);
        Entry memory b = _request(stateless, user, 0);
        assertEq(b.previousDigest, 0);
        assertEq(oracle.entryDigest(stateless, 2), _digest(b));
    }

    function testFuzz_a_request_is_recorded_as_asked(
        bytes32 context,
        bool envelope,
        bool expires,
        uint64 fuel,
        uint32 callbackGas,
        uint96 fee,
        bytes calldata input
    ) public {
        callbackGas = uint32(bound(callbackGas, 0, 1_000_000));
        fee = uint96(bound(fee, CHARGE, type(uint96).max));
        uint256 terms = Reference.terms(envelope ? 1 : 0, expires ? 1 : 0, fuel, callbackGas, _deadline());

        vm.recordLogs();
        hoax(user, fee);
        assertEq(oracle.request{value: fee}(stateful, context, terms, input), 1);
        Entry memory e = _appended();

        assertEq(e.context, context);
        assertEq(e.inputHash, keccak256(input));
        assertEq(e.execution, _execution(1, envelope ? 1 : 0, fuel));
        uint256 callback = uint256(callbackGas) << 64 | (expires ? uint256(1) << 48 : 0);
        assertEq(e.settlement, uint256(uint160(user)) << 96 | callback | _deadline());
        assertEq(e.payment, uint256(fee) << 160 | CHARGE << 64 | uint256(KEY_GROUP) << 32 | 1);
        assertEq(oracle.entryDigest(stateful, 1), _digest(e));
    }

    function testFuzz_terms_with_unknown_bits_are_refused(uint256 terms) public {
        uint256 known = 3 << 240 | 1 << 224 | ((1 << 224) - (1 << 8));
        vm.assume(terms & ~known != 0);
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownTerms.selector, terms));
        oracle.request{value: FEE}(stateful, 0, terms, "");
    }

    function testFuzz_a_request_is_held_to_the_charge_and_the_epoch_that_its_terms_name(uint40 charge, uint32 epoch)
        public
    {
        uint40 current = uint40(CHARGE / 1 gwei);
        charge = charge % 3 == 0 ? 0 : uint40(bound(charge, current - 2, current + 2));
        epoch %= 3;
        uint256 terms = _terms(0) | uint256(charge) << 40 | uint256(epoch) << 8;
        hoax(user);
        bool tooHigh = charge != 0 && current > charge;
        if (tooHigh) {
            vm.expectRevert(
                abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, CHARGE, uint256(charge) * 1 gwei)
            );
        } else if (epoch == 2) {
            vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.OtherEpoch.selector, stateful, 1));
        }
        oracle.request{value: FEE}(stateful, 0, terms, "");
        assertEq(uint48(oracle.logOf(stateful)), tooHigh || epoch == 2 ? 1 : 2);
    }

    function test_an_owner_cannot_raise_the_charge_of_a_request_that_is_on_its_way() public {
        uint256 terms = _terms(0) | CHARGE / 1 gwei << 40;
        vm.prank(owner);
        oracle.setPolicy(stateful, Policy(uint40(FEE / 1 gwei), 60, 1_000_000, false, false));
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, FEE, CHARGE));
        oracle.request{value: FEE}(stateful, 0, terms, "");
        _setFlags(false, false);
        hoax(user);
        oracle.request{value: FEE}(stateful, 0, terms, "");
    }

    function test_an_envelope_in_flight_is_not_taken_in_another_epoch() public {
        uint256 terms = Reference.terms(1, 0, 1, 0, _deadline()) | 1 << 8;
        _openEpoch(2);
        vm.prank(owner);
        oracle.advanceEpoch{value: FEE}(stateful, 2);
        hoax(user, FEE);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.OtherEpoch.selector, stateful, 2));
        oracle.request{value: FEE}(stateful, 0, terms, "envelope");
        assertEq(user.balance, FEE, "nothing was paid");
    }

    function test_no_policy_promises_callbacks_what_no_transaction_carries() public {
        uint32 largest = 10_000_000;
        bytes memory refused = abi.encodeWithSelector(
            ISubrosaOracle.MaximumCallbackGasTooHigh.selector, uint256(largest) + 1, uint256(largest)
        );
        Registration memory r = _registration(false);
        r.maximumCallbackGas = largest + 1;
        vm.startPrank(owner);
        vm.expectRevert(refused);
        oracle.register{value: FEE}(r);
        vm.expectRevert(refused);
        oracle.setPolicy(stateful, Policy(0, 60, largest + 1, false, false));

        r.maximumCallbackGas = largest;
        bytes32 id = oracle.register{value: FEE}(r);
        assertEq(uint32(oracle.logOf(id) >> 200), largest);
        oracle.setPolicy(stateful, Policy(0, 60, largest, false, false));
        assertEq(uint32(oracle.logOf(stateful) >> 200), largest);
        vm.stopPrank();
    }

    function test_a_contract_registered_as_restricted_is_so_from_the_first_request_on() public {
        Registration memory r = _registration(false);
        r.restricted = true;
        vm.prank(owner);
        bytes32 id = oracle.register{value: FEE}(r);
        uint256 terms = _terms(0);
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CallerNotAllowed.selector, id, user));
        oracle.request{value: FEE}(id, 0, terms, "");
        vm.prank(owner);
        oracle.request{value: FEE}(id, 0, terms, "");
        vm.prank(owner);
        oracle.setPolicy(id, Policy(uint40(CHARGE / 1 gwei), 60, 1_000_000, false, false));
        hoax(user);
        oracle.request{value: FEE}(id, 0, terms, "");
    }

    function test_a_request_outside_the_policy_is_refused() public {
        startHoax(user);
        uint256 terms = Reference.terms(0, 0, 1, 1_000_001, _deadline());
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CallbackGasTooHigh.selector, 1_000_001, 1_000_000));
        oracle.request{value: FEE}(stateful, 0, terms, "");

        uint48 early = uint48(block.timestamp + 59);
        terms = Reference.terms(0, 0, 1, 0, early);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.DeadlineTooEarly.selector, early, early + 1));
        oracle.request{value: FEE}(stateful, 0, terms, "");

        terms = _terms(0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, 0, CHARGE));
        oracle.request(stateful, 0, terms, "");

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownContract.selector, bytes32("x")));
        oracle.request{value: FEE}("x", 0, terms, "");
    }

    function test_a_fee_beyond_96_bits_is_refused() public {
        uint256 fee = uint256(type(uint96).max) + 1;
        hoax(user, fee);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooHigh.selector, fee));
        oracle.request{value: fee}(stateful, 0, _terms(0), "");
    }

    function test_the_longest_input_is_taken_and_one_byte_more_is_not() public {
        uint256 longest = 120 * 1024;
        startHoax(user);
        oracle.request{value: FEE}(stateful, 0, _terms(0), new bytes(longest));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.InputTooLong.selector, longest + 1, longest));
        oracle.request{value: FEE}(stateful, 0, _terms(0), new bytes(longest + 1));
    }

    function test_a_full_log_takes_no_entry() public {
        // The log's word is the third field of the oracle's storage.
        bytes32 slot = keccak256(abi.encode(stateful, uint256(_oracleStorage()) + 2));
        vm.store(address(oracle), slot, bytes32(oracle.logOf(stateful) | type(uint48).max));
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.LogFull.selector, stateful));
        oracle.request{value: FEE}(stateful, 0, _terms(0), "");
    }

    function test_storage_is_where_enclaves_prove_it() public {
        Entry memory entry = _request(stateful, user, 0);
        uint256 base = uint256(_oracleStorage());
        bytes32 log = keccak256(abi.encode(stateful, base));
        assertEq(vm.load(address(oracle), keccak256(abi.encode(uint256(1), log))), _digest(entry));
        assertEq(vm.load(address(oracle), keccak256(abi.encode(stateful, base + 1))), bytes32(_head(stateful)));
        bytes32 word = vm.load(address(oracle), keccak256(abi.encode(stateful, base + 2)));
        assertEq(word, bytes32(oracle.logOf(stateful)));
        // minimumDeadline 24, maximumCallbackGas 32, executionChargeGwei 40, flags 8, finalityClass 8,
        // runtimeGeneration 16, codeVersion 16, keyEpoch 32, keyGroup 32, nextSeq 48.
        bytes memory packed = abi.encodePacked(
            uint24(60), uint32(1_000_000), uint40(CHARGE / 1 gwei), uint8(0), uint8(3), uint16(1), uint16(0)
        );
        assertEq(bytes.concat(packed, abi.encodePacked(uint32(1), KEY_GROUP, uint48(2))), bytes.concat(word));
    }

    function test_policy_is_the_owners_to_change_for_entries_to_come() public {
        Policy memory policy = Policy({
            executionChargeGwei: 5, minimumDeadline: 7, maximumCallbackGas: 11, restricted: true, paused: true
        });
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateless, user));
        vm.prank(user);
        oracle.setPolicy(stateless, policy);

        uint256 before = oracle.logOf(stateless);
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.PolicyChanged(stateless, policy);
        vm.prank(owner);
        oracle.setPolicy(stateless, policy);
        uint256 expected = uint256(7) << 232 | uint256(11) << 200 | uint256(5) << 160 | uint256(7) << 152;
        assertEq(oracle.logOf(stateless), expected | uint152(before));
    }

    function test_a_paused_contract_takes_no_request_and_executes_what_it_has() public {
        Entry memory entry = _request(stateful, user, 0);
        _setFlags(false, true);
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ContractPaused.selector, stateful));
        oracle.request{value: FEE}(stateful, 0, _terms(0), "");
        assertEq(_execute(_list(entry)), 1);
    }

    function test_a_restricted_contract_is_for_its_owner_and_named_callers() public {
        _setFlags(true, false);
        hoax(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CallerNotAllowed.selector, stateful, user));
        oracle.request{value: FEE}(stateful, 0, _terms(0), "");

        _request(stateful, owner, 0);
        vm.prank(owner);
        oracle.setCaller(stateful, user, true);
        assertTrue(oracle.isCaller(stateful, user));
        _request(stateful, user, 0);
        vm.prank(owner);
        oracle.setCaller(stateful, user, false);
        assertFalse(oracle.isCaller(stateful, user));
    }

    function test_ownership_moves_when_it_is_accepted() public {
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, stateful, user));
        oracle.transferOwnership(stateful, user);

        vm.prank(owner);
        oracle.transferOwnership(stateful, user);
        assertEq(oracle.candidateOf(stateful), user);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotCandidate.selector, stateful, owner));
        oracle.acceptOwnership(stateful);

        vm.prank(user);
        oracle.acceptOwnership(stateful);
        assertEq(oracle.ownerOf(stateful), user);
        assertEq(oracle.candidateOf(stateful), address(0));
    }

    function test_nobody_owns_or_is_offered_a_contract_that_does_not_exist() public {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotOwner.selector, bytes32("x"), user));
        vm.prank(user);
        oracle.transferOwnership("x", user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NotCandidate.selector, bytes32("x"), user));
        vm.prank(user);
        oracle.acceptOwnership("x");
    }

    function _setFlags(bool restricted, bool paused) private {
        vm.prank(owner);
        oracle.setPolicy(stateful, Policy(uint40(CHARGE / 1 gwei), 60, 1_000_000, restricted, paused));
    }

    function _execution(uint256 kind, uint256 flags, uint256 fuel) private view returns (uint256) {
        return uint256(
            bytes32(
                abi.encodePacked(
                    uint8(kind),
                    uint16(flags),
                    uint64(fuel),
                    uint16(0),
                    uint16(1),
                    uint8(3),
                    uint48(block.number),
                    uint48(block.timestamp),
                    uint32(0)
                )
            )
        );
    }

    function _oracleStorage() private pure returns (bytes32) {
        return keccak256(abi.encode(uint256(keccak256("subrosa.storage.Oracle")) - 1)) & ~bytes32(uint256(0xff));
    }
}
