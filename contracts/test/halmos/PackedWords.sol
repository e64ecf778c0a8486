// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

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
    function check_a_new_logs_fields(Registration calldata r, uint32 epoch) public pure {
        LogSlot log = LogSlots.create(r, epoch);
        assert(log.minimumDeadline() == r.minimumDeadline);
        assert(log.maximumCallbackGas() == r.maximumCallbackGas);
        assert(log.executionCharge() == uint256(r.executionChargeGwei) * 1 gwei);
        assert(log.isStateless() == r.stateless);
        assert(log.finalityClass() == r.finalityClass);
        assert(log.runtimeGeneration() == r.runtimeGeneration);
        assert(log.keyEpoch() == epoch);
        assert(log.keyGroup() == r.keyGroup);
        assert(log.isRestricted() == r.restricted);
        assert(log.nextSeq() == 0 && log.codeVersion() == 0 && !log.isPaused());
    }

    function check_a_policy_changes_what_is_policy(LogSlot log, Policy calldata p) public pure {
        LogSlot changed = log.withPolicy(p);
        assert(changed.minimumDeadline() == p.minimumDeadline);
        assert(changed.maximumCallbackGas() == p.maximumCallbackGas);
        assert(changed.executionCharge() == uint256(p.executionChargeGwei) * 1 gwei);
        assert(changed.isRestricted() == p.restricted);
        assert(changed.isPaused() == p.paused);
        assert(changed.isStateless() == log.isStateless());
        assert(changed.keyEpoch() == log.keyEpoch());
        assert(changed.nextSeq() == log.nextSeq());
        _sameMeaning(log, changed);
    }

    function check_an_epoch_changes_the_epoch(LogSlot log, uint32 epoch) public pure {
        LogSlot changed = log.withEpoch(epoch);
        assert(changed.keyEpoch() == epoch);
        assert(changed.nextSeq() == log.nextSeq());
        _samePolicy(log, changed);
        _sameMeaning(log, changed);
    }

    function check_an_entry_changes_the_length(LogSlot log) public pure {
        if (log.isFull()) return;
        LogSlot changed = log.withEntry();
        assert(changed.nextSeq() == uint256(log.nextSeq()) + 1);
        assert(LogSlot.unwrap(changed) >> 48 == LogSlot.unwrap(log) >> 48);
    }

    function check_a_heads_fields(HeadSlot head, bytes32 commitment) public pure {
        commitment = commitment >> 48 << 48;
        if (head.seq() == type(uint48).max) return;
        HeadSlot next = head.advance(commitment);
        assert(next.seq() == head.seq() + 1);
        assert(next.commitment() == commitment);
        assert(uint256(head.commitment()) | head.seq() == HeadSlot.unwrap(head));
        assert(!next.isZero() && !next.equals(head));
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
        uint96 paid,
        uint96 charge
    ) public pure {
        SettlementWord settlement = SettlementWords.create(account, callbackGas, flags, until);
        assert(settlement.requester() == account);
        assert(settlement.callbackGasLimit() == callbackGas);
        assert(settlement.callbackExpires() == (flags & 1 != 0));
        assert(settlement.deadline() == until);
        PaymentWord payment = PaymentWords.create(paid, charge, log);
        assert(payment.fee() == paid);
        assert(payment.executionCharge() == charge);
        assert(payment.keys() == (uint256(log.keyGroup()) << 32 | log.keyEpoch()));
    }

    function check_an_executions_fields(LogSlot log, uint8 kind, uint16 flags, uint64 fuelLimit) public view {
        uint256 word = ExecutionWord.unwrap(ExecutionWords.create(kind, flags, fuelLimit, log));
        assert(word >> 248 == kind);
        assert(uint16(word >> 232) == flags);
        assert(uint64(word >> 168) == fuelLimit);
        assert(uint16(word >> 152) == log.codeVersion());
        assert(uint16(word >> 136) == log.runtimeGeneration());
        assert(uint8(word >> 128) == log.finalityClass());
        assert(uint48(word >> 80) == uint48(block.number));
        assert(uint48(word >> 32) == uint48(block.timestamp));
        assert(uint32(word) == 0);
    }

    function check_terms_and_results(
        uint16 executionFlags,
        uint16 settlementFlags,
        uint64 fuelLimit,
        uint32 callbackGas,
        uint48 deadline,
        uint208 commitment,
        uint8 status,
        uint8 fuelBucket,
        uint32 length
    ) public pure {
        TermsWord terms = TermsWord.wrap(
            uint256(executionFlags) << 240 | uint256(settlementFlags) << 224 | uint256(fuelLimit) << 160
                | uint256(callbackGas) << 128 | uint256(deadline) << 80
        );
        assert(terms.executionFlags() == executionFlags);
        assert(terms.settlementFlags() == settlementFlags);
        assert(terms.fuelLimit() == fuelLimit);
        assert(terms.callbackGasLimit() == callbackGas);
        assert(terms.deadline() == deadline);
        ResultWord result =
            ResultWord.wrap(uint256(commitment) << 48 | uint256(status) << 40 | uint256(fuelBucket) << 32 | length);
        assert(result.newCommitment() == bytes32(uint256(commitment) << 48));
        assert(result.status() == status);
        assert(result.fuelBucket() == fuelBucket);
        assert(result.outputLength() == length);
    }

    function check_a_paused_and_restricted_log_is_reachable(LogSlot log) public pure {
        assert(!log.isPaused() || !log.isRestricted() || !log.isStateless());
    }

    function _samePolicy(LogSlot a, LogSlot b) private pure {
        assert(a.minimumDeadline() == b.minimumDeadline());
        assert(a.maximumCallbackGas() == b.maximumCallbackGas());
        assert(a.executionCharge() == b.executionCharge());
        assert(a.isRestricted() == b.isRestricted());
        assert(a.isPaused() == b.isPaused());
        assert(a.isStateless() == b.isStateless());
    }

    function _sameMeaning(LogSlot a, LogSlot b) private pure {
        assert(a.keyGroup() == b.keyGroup());
        assert(a.codeVersion() == b.codeVersion());
        assert(a.runtimeGeneration() == b.runtimeGeneration());
        assert(a.finalityClass() == b.finalityClass());
    }
}
