// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {Policy, Registration} from "../src/interfaces/ISubrosaOracle.sol";
import {EnclaveConfig, Entry, EpochOpening, Outstanding, ReportBinding} from "../src/interfaces/SubrosaTypes.sol";
import {Decimal} from "../src/libraries/Decimal.sol";
import {Digests} from "../src/libraries/Digests.sol";
import {PaymentWord, PaymentWords, ResultWord, SettlementWord, SettlementWords} from "../src/libraries/EntryWords.sol";
import {HeadSlot} from "../src/libraries/HeadSlot.sol";
import {LogSlot, LogSlots} from "../src/libraries/LogSlot.sol";
import {EpochSet} from "../src/libraries/EpochSet.sol";
import {SignerSlot, SignerSlots} from "../src/libraries/SignerSlot.sol";
import {Reference} from "./support/Reference.sol";

/// @notice Hashes against their definitions, packed words against their fields.
contract DigestsTest is Test {
    function setUp() public {
        // Not the chain id that tests have by default.
        vm.chainId(8_453_000);
    }

    function test_domains_are_those_of_the_protocol() public pure {
        assertEq(Digests.CONTRACT_ID, Reference.domain("contract-id"));
        assertEq(Digests.CODE, Reference.domain("code"));
        assertEq(Digests.ENTRY, Reference.domain("entry"));
        assertEq(Digests.OUTCOME, Reference.domain("outcome"));
        assertEq(Digests.RESULT, Reference.domain("result"));
        assertEq(Digests.EPOCH, Reference.domain("epoch"));
        assertEq(Digests.EPOCH_KEY, Reference.domain("epoch-key"));
        assertEq(Digests.MEASUREMENT, Reference.domain("measurement"));
        assertEq(Digests.EPOCH_SET, Reference.domain("epoch-set"));
        assertEq(Digests.CONFIG, Reference.domain("config"));
        assertEq(Digests.PRODUCT, Reference.domain("product"));
        assertEq(Digests.START, Reference.domain("start"));
        assertEq(Digests.REPORT_DATA, Reference.domain("report-data"));
        assertEq(Digests.CLIENT_CHALLENGE, Reference.domain("client-challenge"));
        assertEq(Digests.REGISTRATION_CHALLENGE, Reference.domain("registration-challenge"));
    }

    function testFuzz_an_entrys_digest(Entry memory e) public view {
        assertEq(this.hashEntry(e), Reference.digest(block.chainid, address(this), e));
    }

    function hashEntry(Entry calldata e) external view returns (bytes32) {
        return Digests.entry(e);
    }

    function testFuzz_an_outcome_and_a_result(uint256 word, bytes memory data, bytes32 digest, bytes32 previous)
        public
        pure
    {
        word = word >> 32 << 32 | data.length / 3;
        previous = previous >> 48 << 48;
        ResultWord result = ResultWord.wrap(word);
        bytes32 outputHash = keccak256(Reference.slice(data, 0, data.length / 3));
        bytes32 sealedHash = keccak256(Reference.slice(data, data.length / 3, data.length));
        bytes32 outcome = Digests.outcome(result.status(), outputHash, sealedHash, 0, result.fuelBucket());
        assertEq(outcome, Reference.outcome(word, data));
        assertEq(
            Digests.result(digest, outcome, previous, result.newCommitment()),
            Reference.result(digest, word, data, previous)
        );
    }

    function testFuzz_what_is_outstanding(bytes32 digest, Outstanding memory left) public pure {
        assertEq(Digests.outstanding(digest, left), Reference.outstanding(digest, left));
    }

    function testFuzz_the_hashes_of_words(bytes32 a, bytes32 b, bytes32 c, uint8 d) public pure {
        assertEq(Digests.code(a, d, b, c), keccak256(abi.encode(Reference.domain("code"), a, uint256(d), b, c)));
        assertEq(Digests.epochKey(a, b), keccak256(abi.encode(Reference.domain("epoch-key"), a, b)));
        assertEq(Digests.measurement(a, d, b), keccak256(abi.encode(Reference.domain("measurement"), a, uint256(d), b)));
        assertEq(Digests.epochSet(a), keccak256(abi.encode(Reference.domain("epoch-set"), a)));
    }

    function testFuzz_the_hashes_of_structs(
        EpochOpening memory opening,
        EnclaveConfig memory config,
        ReportBinding memory report
    ) public view {
        assertEq(
            this.hashOpening(opening),
            keccak256(
                abi.encode(
                    Reference.domain("epoch"),
                    opening.keyGroup,
                    opening.keyEpoch,
                    opening.publicKeyHash,
                    opening.configHash,
                    opening.setHash,
                    opening.recovery
                )
            )
        );
        assertEq(Digests.config(config), keccak256(abi.encode(Reference.domain("config"), config)));
        assertEq(Digests.reportData(report), sha256(abi.encode(report)));
    }

    function testFuzz_the_hashes_of_challenges(bytes memory challenge, bytes32 blockHash, address registrant)
        public
        pure
    {
        bytes32 forClients = Digests.clientChallenge(challenge);
        assertEq(forClients, sha256(abi.encodePacked(Reference.domain("client-challenge"), challenge)));
        bytes32 forChains = Digests.registrationChallenge(blockHash, registrant);
        bytes memory registration = abi.encodePacked(blockHash, registrant);
        assertEq(forChains, sha256(abi.encodePacked(Reference.domain("registration-challenge"), registration)));
        assertNotEq(Digests.clientChallenge(registration), forChains);
    }

    function hashOpening(EpochOpening calldata opening) external pure returns (bytes32) {
        return Digests.epoch(opening);
    }

    function testFuzz_a_heads_fields(uint208 commitment, uint40 seq, uint8 flags, uint208 next) public pure {
        vm.assume(seq != type(uint40).max);
        HeadSlot head = HeadSlot.wrap(uint256(bytes32(abi.encodePacked(commitment, flags, seq))));
        assertEq(head.seq(), seq);
        assertEq(head.commitment(), bytes32(abi.encodePacked(commitment, uint48(0))));
        assertEq(head.isMarked(), flags & 1 != 0);
        assertEq(head.hasThreshold(), flags & 0xfa != 0);
        assertEq(head.signers(), flags >> 3);
        assertEq(head.isStateless(), flags & 4 != 0);
        HeadSlot moved = head.advance(bytes32(abi.encodePacked(next, uint48(0))));
        assertEq(HeadSlot.unwrap(moved), uint256(bytes32(abi.encodePacked(next, flags, seq + 1))), "flags stay");
        assertEq(HeadSlot.unwrap(head.marked()), HeadSlot.unwrap(head) | 1 << 40);
        assertEq(HeadSlot.unwrap(head.unmarked()), HeadSlot.unwrap(head) & ~uint256(1 << 40));
        uint256 without = HeadSlot.unwrap(head) & ~uint256(0xfa << 40);
        assertEq(HeadSlot.unwrap(head.withThreshold(2, 2)), without | 2 << 40, "looked up");
        assertEq(HeadSlot.unwrap(head.withThreshold(16, 1)), without | 16 << 43);
        assertEq(HeadSlot.unwrap(head.withThreshold(1, 1)), without);
        uint256 start = uint256(bytes32(abi.encodePacked(commitment, uint8(0), seq)));
        assertTrue(head.isAt(start));
        assertFalse(head.isAt(start + 1));
        assertFalse(head.isAt(start ^ 1 << 48));
    }

    function testFuzz_a_settlements_fields(address requester, uint32 gasLimit, uint8 flags, uint48 deadline)
        public
        view
    {
        flags %= 4;
        SettlementWord word = SettlementWords.create(requester, gasLimit, flags, deadline);
        assertEq(
            SettlementWord.unwrap(word),
            uint256(bytes32(abi.encodePacked(requester, gasLimit, uint16(flags), deadline)))
        );
        assertEq(word.requester(), requester);
        assertEq(word.callbackGasLimit(), gasLimit);
        assertEq(word.callbackExpires(), flags & 1 != 0);
        assertEq(word.leavesEpoch(), flags & 2 != 0);
        assertEq(word.wantsCallback(), gasLimit != 0 && flags & 2 == 0);
        assertEq(word.deadline(), deadline);
        assertEq(word.isLate(), block.timestamp > deadline);
    }

    function testFuzz_a_payments_fields(uint48 landing, uint48 callback, uint48 charge, uint256 log) public pure {
        PaymentWord word = PaymentWords.create(landing, callback, charge, LogSlot.wrap(log));
        bytes memory parts = abi.encodePacked(landing, callback, charge);
        bytes memory rest = abi.encodePacked(uint32(log >> 48), uint32(log >> 80), uint48(log));
        assertEq(PaymentWord.unwrap(word), uint256(bytes32(bytes.concat(parts, rest))));
        assertEq(word.landing(), landing);
        assertEq(word.callback(), callback);
        assertEq(word.charge(), charge);
        assertEq(word.keys(), uint256(uint32(log >> 48)) << 32 | uint32(log >> 80));
        assertEq(word.seq(), uint48(log));
    }

    function testFuzz_a_results_fields(uint256 word, uint48 seq) public pure {
        ResultWord result = ResultWord.wrap(word);
        assertEq(uint256(result.newCommitment()), word >> 48 << 48);
        assertEq(result.status(), uint8(word >> 40));
        assertEq(result.fuelBucket(), uint8(word >> 32));
        assertEq(result.outputLength(), word & 0x7fffffff);
        bytes memory packed = abi.encodePacked(bytes20(bytes32(word)), uint48(word), seq);
        assertEq(result.outcome(seq), uint256(bytes32(packed)));
    }

    function testFuzz_a_logs_fields_survive_a_new_policy(Registration memory r, Policy memory policy) public view {
        LogSlot log = this.createLog(r).withEntry(true);
        LogSlot changed = this.changeLog(log, policy);
        assertEq(changed.nextSeq(), 1);
        assertTrue(changed.isLastApart());
        assertEq(changed.keyGroup(), r.keyGroup);
        assertEq(changed.keyEpoch(), r.keyEpoch);
        assertEq(changed.finalityClass(), r.finalityClass);
        assertEq(changed.isStateless(), r.stateless);
        assertEq(changed.isWorld(), r.world);
        assertEq(changed.isAbandonable(), r.abandonedOnRetirement);
        assertEq(changed.codeVersion(), 0);
        assertEq(changed.runtimeGeneration(), r.runtimeGeneration);
        assertEq(changed.minimumDeadline(), policy.minimumDeadline);
        assertEq(changed.maximumCallbackGas(), policy.maximumCallbackGas);
        assertEq(changed.isRestricted(), policy.restricted);
        assertEq(changed.isPaused(), policy.paused);
        assertEq(changed.isGated(), policy.restricted || policy.paused);
        _assertRoundedUp(changed.charge(), policy.chargeGwei, 0x7fff);
        _assertRoundedUp(changed.gasPrice(0), policy.gasPriceFloor, 0x7ff);
        assertEq(LogSlot.unwrap(changed.withEpoch(r.keyEpoch)), LogSlot.unwrap(changed));
        assertEq(LogSlot.unwrap(changed.withRuntime(r.runtimeGeneration)), LogSlot.unwrap(changed));
        assertEq(changed.withNextCode().codeVersion(), 1);
        assertFalse(changed.withEntry(false).isLastApart());
        assertTrue(changed.abandoned().isAbandoned() && changed.abandoned().isGated());
        assertEq(changed.uncharged().charge(), 0);
        assertEq(changed.uncharged().gasPrice(0), changed.gasPrice(0));
        assertEq(LogSlot.unwrap(this.changeLog(changed, policy)), LogSlot.unwrap(changed));
    }

    function createLog(Registration calldata r) external pure returns (LogSlot) {
        return LogSlots.create(r);
    }

    function changeLog(LogSlot log, Policy calldata policy) external pure returns (LogSlot) {
        return log.withPolicy(policy);
    }

    // Decimals.

    function testFuzz_a_decimal_is_the_smallest_that_is_not_below(uint64 value, uint16 largest) public pure {
        largest = uint16(bound(largest, 10, 0x7fff));
        uint256 packed = Decimal.pack(value, largest);
        _assertRoundedUp(Decimal.unpack(packed), value, largest);
        assertLe(packed >> 5, largest);
        // What has few digits is kept exactly.
        if (value <= largest) assertEq(packed, uint256(value) << 5);
        // And what was kept once stays.
        assertEq(Decimal.unpack(Decimal.pack(Decimal.unpack(packed), largest)), Decimal.unpack(packed));
    }

    /// @dev Not below, and by less than one step of the last digit above.
    function _assertRoundedUp(uint256 kept, uint256 value, uint256 largest) private pure {
        assertGe(kept, value);
        // With rounding up at every step, still no more than one step of the mantissa it ends with.
        uint256 step = 1;
        while (value > largest * step) step *= 10;
        assertLt(kept - value, step);
    }

    struct SignerFields {
        uint40 leaseUntil;
        uint24 tcb;
        uint24 generation;
        uint8 kind;
        uint32 group;
        uint16 vouchers;
        bytes32 product;
        uint32 pair;
        bytes32 machine;
    }

    function testFuzz_a_signers_fields(SignerFields memory f) public pure {
        SignerSlot slot = _slot(f);
        uint256 word = uint256(f.leaseUntil) << 216 | uint256(f.tcb) << 192 | uint256(f.generation) << 168;
        word |= uint256(f.kind) << 160 | uint256(f.vouchers) << 136 | uint256(f.product) >> 240 << 120;
        word |= uint256(f.pair) << 88 | uint256(f.machine) >> 200 << 32 | f.group;
        assertEq(SignerSlot.unwrap(slot), word, "the layout");
        assertTrue(slot.behind().generation() != f.generation);
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(slot.isRevoked(), i == 3);
            assertEq(slot.isSuspended(), i == 1);
            assertEq(slot.leaseUntil(), f.leaseUntil);
            assertEq(slot.tcbEvaluation(), f.tcb);
            assertEq(slot.generation(), f.generation);
            assertEq(slot.teeKind(), f.kind);
            assertEq(slot.keyGroup(), f.group);
            assertEq(slot.vouchers(), f.vouchers);
            assertEq(bytes2(slot.product()), bytes2(f.product));
            assertEq(slot.pair(), f.pair);
            assertEq(slot.measurementIndex(), f.pair >> 16);
            assertEq(slot.configIndex(), uint16(f.pair));
            assertEq(bytes7(slot.machine()), bytes7(f.machine));
            slot = i == 2 ? slot.revoke() : slot.suspend(i == 0);
        }
    }

    function testFuzz_two_words_are_of_one_enclave_if_what_cannot_change_is_the_same(SignerFields memory f, uint8 bit)
        public
        pure
    {
        SignerSlot slot = _slot(f);
        bool kept = bit < 136 || (bit >= 160 && bit < 168);
        assertEq(slot.isOfSameEnclave(SignerSlot.wrap(SignerSlot.unwrap(slot) ^ 1 << bit)), !kept);
    }

    function testFuzz_a_set_contains_its_pairs_and_no_other(uint32[8] memory pairs, uint8 count, uint32 other)
        public
        pure
    {
        EpochSet set;
        count %= 9;
        for (uint256 i = 0; i < count; ++i) {
            set = set.put(i, pairs[i]);
            assertEq(set.pairAt(i), pairs[i]);
        }
        bool among;
        for (uint256 i = 0; i < count; ++i) {
            if (pairs[i] != 0) assertTrue(set.contains(pairs[i]));
            if (pairs[i] == other) among = true;
        }
        // Close ones too: what borrows from a neighbour must not look like it.
        if (other != 0) assertEq(set.contains(other), among);
        for (uint256 i = 0; i < count; ++i) {
            uint32 close = pairs[i] ^ 1;
            among = close == 0;
            for (uint256 k = 0; k < count; ++k) {
                if (pairs[k] == close) among = true;
            }
            if (!among) assertFalse(set.contains(close));
        }
    }

    function _slot(SignerFields memory f) private pure returns (SignerSlot) {
        return SignerSlots.create(
            f.leaseUntil,
            f.tcb,
            f.generation,
            f.kind,
            f.vouchers,
            SignerSlots.tagOf(f.product),
            f.pair,
            SignerSlots.machineOf(f.machine),
            f.group
        );
    }
}
