// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, FulfillmentGroup} from "../../src/interfaces/SubrosaTypes.sol";
import {EntryKind, ExecutionWord, ExecutionWords} from "../../src/libraries/EntryWords.sol";
import {LogSlot} from "../../src/libraries/LogSlot.sol";
import {EntryProof} from "./EntryProof.sol";
import {Payee} from "./Payee.sol";

/// @notice What the oracle holds changes by exactly what it owes: to pending entries, to whoever will
/// land refunded ones, and to accounts whose payment was deferred. So if it was solvent before an
/// operation, it is after it; it starts with nothing held and nothing owed.
///
/// Bounds: one operation, from any storage whatever that has the entry on its log in any status that
/// can be (refunded only after the deadline, marked as executed only on a stateless log); batches of one item without callback and public output
/// in that entry's place. Whoever is paid takes it or refuses. An appended request has an input of 32
/// bytes, known flags, a kind of its own (`EntryKind.CALL`), and a log that is neither paused nor
/// restricted.
contract EscrowProof is EntryProof {
    Payee private requester;
    Payee private relayer;

    function setUp() public {
        _setUpOracle();
        (requester, relayer) = (new Payee(), new Payee());
        vm.deal(address(requester), 1 << 127);
    }

    function check_a_fulfillment_pays_out_what_was_owed() public {
        Entry memory e = _known();
        (uint256 held, uint256 owed) = (address(oracle).balance, _owed(e));
        _fulfill(e);
        unchecked {
            assert(held - address(oracle).balance == owed - _owed(e));
        }
    }

    function check_a_refund_pays_out_what_was_owed() public {
        Entry memory e = _known();
        (uint256 held, uint256 owed) = (address(oracle).balance, _owed(e));
        oracle.refund(_anyClaim(e));
        unchecked {
            assert(held - address(oracle).balance == owed - _owed(e));
        }
    }

    function check_a_withdrawal_pays_out_what_was_owed() public {
        Entry memory e = _known();
        (uint256 held, uint256 owed) = (address(oracle).balance, _owed(e));
        uint256 taken = address(relayer).balance;
        vm.prank(address(requester));
        uint256 amount = oracle.withdraw(payable(address(relayer)));
        unchecked {
            assert(held - address(oracle).balance == owed - _owed(e));
        }
        assert(amount == held - address(oracle).balance);
        assert(address(relayer).balance == taken + amount);
        assert(oracle.balanceOf(address(requester)) == 0);
    }

    function check_a_request_is_owed_what_was_paid_in(
        bytes32 contractId,
        bytes32 context,
        uint256 terms,
        uint96 value,
        bytes32 otherId,
        uint256 otherSeq,
        address other
    ) public {
        _later();
        Entry memory asked;
        (asked.contractId, asked.context) = (contractId, context);
        LogSlot log = LogSlot.wrap(oracle.logOf(contractId));
        asked.seq = log.nextSeq();
        vm.assume(_either(otherId != contractId, otherSeq != asked.seq));
        vm.assume(terms >> 240 <= 1 && !log.isPaused() && !log.isRestricted());
        bytes memory input = svm.createBytes(32, "input");
        asked.inputHash = keccak256(input);
        uint256 held = address(oracle).balance;
        (bytes32 slot, uint256 head) = (oracle.entryDigest(otherId, otherSeq), oracle.headWord(otherId));
        uint256 deferred = oracle.balanceOf(other);

        vm.prank(address(requester));
        oracle.request{value: value}(contractId, context, terms, input);

        assert(address(oracle).balance == held + value);
        // Nothing else is owed to anyone, or less.
        assert(oracle.entryDigest(otherId, otherSeq) == slot && oracle.headWord(otherId) == head);
        assert(oracle.balanceOf(other) == deferred);
        assert(log.executionCharge() <= value);
        bool chained = asked.seq != 0 && !log.isStateless();
        asked.previousDigest =
            chained ? oracle.entryDigest(contractId, asked.seq - 1) & ~bytes32(uint256(0xff)) : bytes32(0);
        asked.execution =
            ExecutionWord.unwrap(ExecutionWords.create(EntryKind.CALL, terms >> 240, uint64(terms >> 160), log));
        asked.settlement = uint256(uint160(address(requester))) << 96 | uint256(uint32(terms >> 128)) << 64
            | uint256(uint16(terms >> 224)) << 48 | uint48(terms >> 80);
        asked.payment =
            uint256(value) << 160 | log.executionCharge() << 64 | uint256(log.keyGroup()) << 32 | log.keyEpoch();
        // All of the value is the fee, and nothing of it is settled.
        assert(oracle.entryDigest(contractId, asked.seq) == oracle.digestOf(asked));
    }

    function check_a_fulfillment_that_pays_is_reachable() public {
        Entry memory e = _known();
        uint256 held = address(oracle).balance;
        _fulfill(e);
        assert(address(oracle).balance == held);
    }

    function check_a_payment_that_is_deferred_is_reachable() public {
        Entry memory e = _known();
        uint256 deferred = oracle.balanceOf(address(relayer));
        _fulfill(e);
        assert(oracle.balanceOf(address(relayer)) == deferred);
    }

    function check_a_refund_that_pays_is_reachable() public {
        uint256 held = address(oracle).balance;
        oracle.refund(_anyClaim(_known()));
        assert(address(oracle).balance == held);
    }

    function check_a_request_is_reachable(bytes32 contractId, uint256 terms) public {
        vm.prank(address(requester));
        oracle.request{value: 1 ether}(contractId, 0, terms, "");
        assert(false);
    }

    /// @dev An entry on its log, in any status that can be.
    function _known() private returns (Entry memory e) {
        _later();
        e = _anyEntry(address(requester));
        uint256 status = svm.createUint256("status") & (REFUNDED | EXECUTED);
        vm.assume(_either(status & REFUNDED == 0, block.timestamp > _deadline(e)));
        // Only entries of stateless logs carry that bit, and those have no head.
        bool stateless = LogSlot.wrap(oracle.logOf(e.contractId)).isStateless();
        vm.assume(_either(status & EXECUTED == 0, stateless));
        vm.assume(_either(!stateless, oracle.headWord(e.contractId) == 0));
        oracle.putEntry(e, uint8(status));
        requester.refuse(svm.createBool("requester refuses"));
        relayer.refuse(svm.createBool("relayer refuses"));
    }

    function _fulfill(Entry memory e) private {
        FulfillmentGroup memory group = _aim(_plainGroup(e.contractId, 1, address(requester)), e);
        vm.prank(address(relayer));
        oracle.fulfill(_anyBatch(group));
    }

    /// @dev What is owed for this entry and to these accounts; as a number modulo 2^256, as balances
    /// start with any.
    function _owed(Entry memory e) private view returns (uint256) {
        uint256 slot = uint256(oracle.entryDigest(e.contractId, e.seq));
        bool executed = _either(slot & EXECUTED != 0, e.seq < uint48(oracle.headWord(e.contractId)));
        bool refunded = slot & REFUNDED != 0;
        uint256 open = (_charge(e) & _mask(refunded) | _fee(e) & _mask(!refunded)) & _mask(!executed);
        unchecked {
            return open + oracle.balanceOf(address(requester)) + oracle.balanceOf(address(relayer));
        }
    }

    /// @dev Status bits.
    uint256 private constant REFUNDED = 1;
    uint256 private constant EXECUTED = 4;
}
