// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {Policy, Registration} from "../src/interfaces/ISubrosaOracle.sol";
import {EnclaveConfig, Entry, EpochOpening, FulfillmentItem, ReportBinding} from "../src/interfaces/SubrosaTypes.sol";
import {Digests} from "../src/libraries/Digests.sol";
import {ResultWord, SettlementWord, SettlementWords} from "../src/libraries/EntryWords.sol";
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
        assertEq(
            Digests.entry(
                e.contractId,
                e.seq,
                e.previousDigest,
                Digests.execution(e.context, e.inputHash, e.execution),
                e.settlement,
                e.payment
            ),
            Reference.digest(block.chainid, address(this), e)
        );
    }

    /// @dev The assembly that batches use, against the plain definitions.
    function testFuzz_an_items_hashes(
        Entry memory e,
        bytes32 previousCommitment,
        uint256 result,
        uint32 split,
        bytes memory data
    ) public view {
        result = result >> 32 << 32 | bound(split, 0, data.length);
        FulfillmentItem memory item = FulfillmentItem(Reference.execution(e), e.settlement, e.payment, result, data);
        bytes32 expected = Reference.digest(block.chainid, address(this), e);
        (bytes32 digest, bytes32 resultHash) =
            this.hashItem(e.contractId, e.seq, e.previousDigest, previousCommitment, item);
        assertEq(digest, expected);
        assertEq(resultHash, Reference.result(expected, item, previousCommitment));
    }

    function testFuzz_an_outcome_and_a_result(FulfillmentItem memory item, bytes32 digest, bytes32 previous)
        public
        view
    {
        item.result = item.result >> 32 << 32 | item.data.length / 3;
        ResultWord word = ResultWord.wrap(item.result);
        (bytes32 outputHash, bytes32 sealedHash) = this.splitHashes(item.data, word.outputLength());
        bytes32 outcome = Digests.outcome(word.status(), outputHash, sealedHash, word.fuelBucket());
        assertEq(outcome, Reference.outcome(item));
        assertEq(
            Digests.result(digest, outcome, previous, word.newCommitment()), Reference.result(digest, item, previous)
        );
    }

    function hashItem(
        bytes32 id,
        uint256 seq,
        bytes32 previousDigest,
        bytes32 previousCommitment,
        FulfillmentItem calldata item
    ) external view returns (bytes32, bytes32) {
        return Digests.item(id, seq, previousDigest, previousCommitment, item, item.data);
    }

    function splitHashes(bytes calldata data, uint256 at) external pure returns (bytes32, bytes32) {
        return (keccak256(data[:at]), keccak256(data[at:]));
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

    function testFuzz_a_heads_fields(uint208 commitment, uint48 seq, uint208 next) public pure {
        vm.assume(seq != type(uint48).max);
        HeadSlot head = HeadSlot.wrap(uint256(bytes32(abi.encodePacked(commitment, seq))));
        assertEq(head.seq(), seq);
        assertEq(head.commitment(), bytes32(abi.encodePacked(commitment, uint48(0))));
        HeadSlot moved = head.advance(bytes32(abi.encodePacked(next, uint48(0))));
        assertEq(moved.seq(), uint256(seq) + 1);
        assertEq(moved.commitment(), bytes32(abi.encodePacked(next, uint48(0))));
    }

    function testFuzz_a_settlements_fields(address requester, uint32 gasLimit, bool expires, uint48 deadline)
        public
        pure
    {
        SettlementWord word = SettlementWords.create(requester, gasLimit, expires ? 1 : 0, deadline);
        assertEq(
            SettlementWord.unwrap(word),
            uint256(bytes32(abi.encodePacked(requester, gasLimit, uint16(expires ? 1 : 0), deadline)))
        );
        assertEq(word.requester(), requester);
        assertEq(word.callbackGasLimit(), gasLimit);
        assertEq(word.callbackExpires(), expires);
        assertEq(word.deadline(), deadline);
    }

    function testFuzz_a_logs_fields_survive_a_new_policy(Registration memory r, uint32 epoch, Policy memory policy)
        public
        view
    {
        LogSlot log = this.createLog(r, epoch).withEntry();
        LogSlot changed = this.changeLog(log, policy);
        assertEq(changed.nextSeq(), 1);
        assertEq(changed.keyGroup(), r.keyGroup);
        assertEq(changed.keyEpoch(), epoch);
        assertEq(changed.finalityClass(), r.finalityClass);
        assertEq(changed.isStateless(), r.stateless);
        assertEq(changed.codeVersion(), 0);
        assertEq(changed.runtimeGeneration(), r.runtimeGeneration);
        assertEq(log.executionCharge(), uint256(r.executionChargeGwei) * 1e9);
        assertEq(changed.executionCharge(), uint256(policy.executionChargeGwei) * 1e9);
        assertEq(changed.minimumDeadline(), policy.minimumDeadline);
        assertEq(changed.maximumCallbackGas(), policy.maximumCallbackGas);
        assertEq(changed.isRestricted(), policy.restricted);
        assertEq(changed.isPaused(), policy.paused);
        assertEq(changed.withEpoch(7).keyEpoch(), 7);
        assertEq(LogSlot.unwrap(changed.withEpoch(epoch)), LogSlot.unwrap(changed));
    }

    function createLog(Registration calldata r, uint32 epoch) external pure returns (LogSlot) {
        return LogSlots.create(r, epoch);
    }

    function changeLog(LogSlot log, Policy calldata policy) external pure returns (LogSlot) {
        return log.withPolicy(policy);
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
