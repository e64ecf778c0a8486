// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Decimal} from "../../src/libraries/Decimal.sol";
import {Policy, Registration} from "../../src/interfaces/ISubrosaOracle.sol";
import {
    ExecutionWord,
    ExecutionWords,
    PaymentWord,
    PaymentWords,
    ResultWord,
    SettlementWord,
    SettlementWords,
    TermsWord
} from "../../src/libraries/EntryWords.sol";
import {HeadSlot} from "../../src/libraries/HeadSlot.sol";
import {LogSlot, LogSlots} from "../../src/libraries/LogSlot.sol";
import {EpochSet} from "../../src/libraries/EpochSet.sol";
import {SignerSlot, SignerSlots} from "../../src/libraries/SignerSlot.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Packed words give back every field that was put in, and changing one field changes no other.
///
/// Bounds: none. All values of all fields.
contract PackedWordsProof is Symbolic {
    /// @dev Charge and floor are left zero: rounding them takes as many steps as they have digits
    /// (`check_a_small_decimal_is_kept_exactly`, and fuzzed at full width in test/Digests.t.sol).
    function check_a_new_logs_fields(Registration calldata r) public pure {
        vm.assume(r.policy.chargeGwei == 0 && r.policy.gasPriceFloor == 0);
        LogSlot log = LogSlots.create(r);
        assert(log.minimumDeadline() == r.policy.minimumDeadline);
        assert(log.maximumCallbackGas() == r.policy.maximumCallbackGas);
        assert(log.isRestricted() == r.policy.restricted);
        assert(log.isPaused() == r.policy.paused);
        assert(log.isStateless() == r.stateless);
        assert(log.isWorld() == r.world);
        assert(log.isAbandonable() == r.abandonedOnRetirement);
        assert(log.finalityClass() == r.finalityClass);
        assert(log.runtimeGeneration() == r.runtimeGeneration);
        assert(log.keyEpoch() == r.keyEpoch);
        assert(log.keyGroup() == r.keyGroup);
        assert(log.nextSeq() == 0 && log.codeVersion() == 0 && !log.isLastApart() && !log.isAbandoned());
    }

    function check_a_policy_changes_what_is_policy(LogSlot log, Policy calldata p) public pure {
        vm.assume(p.chargeGwei <= 0x7fff && p.gasPriceFloor <= 0x7ff);
        LogSlot changed = log.withPolicy(p);
        assert(changed.minimumDeadline() == p.minimumDeadline);
        assert(changed.maximumCallbackGas() == p.maximumCallbackGas);
        assert(changed.isRestricted() == p.restricted);
        assert(changed.isPaused() == p.paused);
        assert(LogSlot.unwrap(changed) >> 236 == uint256(p.chargeGwei) << 5);
        assert(LogSlot.unwrap(changed) >> 220 & 0xffff == uint256(p.gasPriceFloor) << 5);
        assert(LogSlot.unwrap(changed) >> 212 & 0xff == p.baseFeeSixteenths);
        assert(changed.isStateless() == log.isStateless());
        assert(changed.keyEpoch() == log.keyEpoch());
        assert(changed.nextSeq() == log.nextSeq());
        assert(changed.isLastApart() == log.isLastApart());
        assert(changed.isAbandoned() == log.isAbandoned());
        _sameMeaning(log, changed);
    }

    function check_an_epoch_changes_the_epoch(LogSlot log, uint32 epoch) public pure {
        LogSlot changed = log.withEpoch(epoch);
        assert(changed.keyEpoch() == epoch);
        uint256 other = LogSlot.unwrap(log) ^ LogSlot.unwrap(changed);
        assert(other & ~(uint256(type(uint32).max) << 80) == 0);
    }

    function check_an_entry_changes_the_length_and_where_the_last_lies(LogSlot log, bool apart) public pure {
        if (log.isFull()) return;
        LogSlot changed = log.withEntry(apart);
        assert(changed.nextSeq() == uint256(log.nextSeq()) + 1);
        assert(changed.isLastApart() == apart);
        uint256 other = (LogSlot.unwrap(log) ^ LogSlot.unwrap(changed)) & ~uint256(8 << 152);
        assert(other >> 48 == 0);
    }

    function check_a_charge_is_all_that_uncharging_takes(LogSlot log) public pure {
        LogSlot changed = log.uncharged();
        assert(LogSlot.unwrap(changed) >> 236 == 0);
        assert(LogSlot.unwrap(changed) << 20 == LogSlot.unwrap(log) << 20);
    }

    function check_a_small_decimal_is_kept_exactly(uint16 value) public pure {
        if (value > 0x7ff) return;
        assert(Decimal.pack(value, 0x7ff) == uint256(value) << 5);
        assert(Decimal.unpack(uint256(value) << 5) == value);
    }

    function check_a_heads_fields(HeadSlot head, bytes32 commitment) public pure {
        commitment = commitment >> 48 << 48;
        if (head.seq() == type(uint40).max) return;
        HeadSlot next = head.advance(commitment);
        assert(next.seq() == head.seq() + 1);
        assert(next.commitment() == commitment);
        assert(next.isMarked() == head.isMarked());
        assert(next.hasThreshold() == head.hasThreshold());
        assert(next.isStateless() == head.isStateless());
        assert(head.isAt(uint256(head.commitment()) | head.seq()));
        assert(!next.isAt(uint256(head.commitment()) | head.seq()));
        assert(head.marked().isMarked() && !head.unmarked().isMarked());
        assert(HeadSlot.unwrap(head.marked().unmarked()) == HeadSlot.unwrap(head.unmarked()));
        assert(head.withThreshold(true).hasThreshold() && !head.withThreshold(false).hasThreshold());
    }

    function check_a_signers_fields(
        uint40 until,
        uint24 evaluation,
        uint24 generation,
        uint8 kind,
        uint32 group,
        uint16 vouchers,
        uint16 product,
        uint32 pair,
        uint56 machine
    ) public pure {
        SignerSlot slot = SignerSlots.create(
            until, evaluation, generation, kind, vouchers, product, pair, machine, group
        );
        assert(!slot.isRevoked());
        SignerSlot revoked = slot.revoke();
        assert(revoked.isRevoked());
        for (uint256 i = 0; i < 2; ++i) {
            SignerSlot s = i == 0 ? slot : revoked;
            assert(s.leaseUntil() == until);
            assert(s.tcbEvaluation() == evaluation);
            assert(s.generation() == generation);
            assert(s.teeKind() == kind);
            assert(s.keyGroup() == group);
            assert(s.vouchers() == vouchers);
            assert(s.product() == product);
            assert(s.pair() == pair);
            assert(s.machine() == machine);
            assert(s.isOfSameEnclave(slot));
        }
    }

    /// @dev For any eight places, empty ones too: found if and only if it is at one of them.
    function check_a_set_contains_what_is_at_its_places(EpochSet set, uint32 pair) public pure {
        bool among;
        for (uint256 i = 0; i < 8; ++i) {
            if (set.pairAt(i) == pair) among = true;
        }
        assert(set.contains(pair) == among);
    }

    function check_an_entrys_words(
        LogSlot log,
        address account,
        uint32 callbackGas,
        uint16 flags,
        uint48 until,
        uint48 landing,
        uint48 callback,
        uint48 charge
    ) public pure {
        SettlementWord settlement = SettlementWords.create(account, callbackGas, flags, until);
        assert(settlement.requester() == account);
        assert(settlement.callbackGasLimit() == callbackGas);
        assert(settlement.callbackExpires() == (flags & 1 != 0));
        assert(settlement.leavesEpoch() == (flags & 2 != 0));
        assert(settlement.deadline() == until);
        PaymentWord payment = PaymentWords.create(landing, callback, charge, log);
        assert(payment.landing() == landing);
        assert(payment.callback() == callback);
        assert(payment.charge() == charge);
        assert(payment.keys() == (uint256(log.keyGroup()) << 32 | log.keyEpoch()));
        assert(payment.seq() == log.nextSeq());
    }

    function check_an_executions_fields(LogSlot log, uint8 kind, uint16 flags, uint64 fuelLimit, uint32 output)
        public
        view
    {
        ExecutionWord packed = ExecutionWords.create(kind, flags, fuelLimit, output, log, block.number);
        uint256 word = ExecutionWord.unwrap(packed);
        assert(word >> 248 == kind);
        assert(uint16(word >> 232) == flags);
        assert(uint64(word >> 168) == fuelLimit);
        assert(uint16(word >> 152) == log.codeVersion());
        assert(uint16(word >> 136) == log.runtimeGeneration());
        assert(uint8(word >> 128) == log.finalityClass());
        assert(uint48(word >> 80) == uint48(block.number));
        assert(uint48(word >> 32) == uint48(block.timestamp));
        assert(uint32(word) == output);
    }

    function check_terms(
        uint8 executionFlags,
        uint8 settlementFlags,
        uint64 fuelLimit,
        uint32 callbackGas,
        uint48 deadline,
        uint24 outputLimit,
        uint32 epoch,
        uint16 version
    ) public pure {
        TermsWord terms = TermsWord.wrap(
            uint256(executionFlags) << 248 | uint256(settlementFlags) << 240 | uint256(fuelLimit) << 176
                | uint256(callbackGas) << 144 | uint256(deadline) << 96 | uint256(outputLimit) << 72 | uint256(epoch)
                << 40 | uint256(version) << 24
        );
        assert(terms.executionFlags() == executionFlags);
        assert(terms.settlementFlags() == settlementFlags);
        assert(terms.fuelLimit() == fuelLimit);
        assert(terms.callbackGasLimit() == callbackGas);
        assert(terms.deadline() == deadline);
        assert(terms.outputLimit() == outputLimit);
        assert(terms.keyEpoch() == epoch);
        assert(terms.codeVersion() == version);
        assert(!terms.hasMaximumCharge());
    }

    function check_results(uint208 commitment, uint8 status, uint8 fuelBucket, bool logs, uint32 length, uint48 seq)
        public
        pure
    {
        length &= 0x7fffffff;
        uint256 word = uint256(commitment) << 48 | uint256(status) << 40 | uint256(fuelBucket) << 32;
        ResultWord result = ResultWord.wrap(word | (logs ? 1 << 31 : 0) | length);
        assert(result.newCommitment() == bytes32(uint256(commitment) << 48));
        assert(result.status() == status);
        assert(result.fuelBucket() == fuelBucket);
        assert(result.outputLength() == length);
        assert(uint48(result.outcome(seq)) == seq);
        assert(uint48(result.outcome(seq) >> 48) == uint48(ResultWord.unwrap(result)));
        assert(result.outcome(seq) >> 96 == commitment >> 48);
    }

    function check_a_paused_and_restricted_log_is_reachable(LogSlot log) public pure {
        assert(!log.isPaused() || !log.isRestricted() || !log.isStateless());
    }

    function _sameMeaning(LogSlot a, LogSlot b) private pure {
        assert(a.keyGroup() == b.keyGroup());
        assert(a.codeVersion() == b.codeVersion());
        assert(a.runtimeGeneration() == b.runtimeGeneration());
        assert(a.finalityClass() == b.finalityClass());
    }
}
