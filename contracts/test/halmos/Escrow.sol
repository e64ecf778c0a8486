// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {LogSlot} from "../../src/libraries/LogSlot.sol";
import {FulfillmentGroup} from "../support/Batches.sol";
import {EntryProof} from "./EntryProof.sol";
import {Payee} from "./Payee.sol";

/// @notice What the oracle holds never becomes less than what it owes: to pending entries, to whoever landed some, to
/// owners, and to accounts whose payment was deferred. So if it was solvent before an operation, it is after it; it
/// starts with nothing held and nothing owed.
///
/// Bounds: one operation, from any storage whatever that has the entry in its place of the ring in any status that
/// can be (refunded only after the deadline, marked as executed only on a stateless log, top-ups only where its slot
/// says so); batches of one item without callback and public output in that entry's place. Whoever is paid takes it
/// or refuses. An appended request has an input of 32 bytes, known flags, no bounds, and a log that is neither
/// paused, restricted nor abandoned.
contract EscrowProof is EntryProof {
    address private constant OWNER = address(0x0111);

    Payee private requester;
    Payee private relayer;

    function setUp() public {
        _setUpOracle();
        (requester, relayer) = (new Payee(), new Payee());
        vm.deal(address(requester), 1 << 127);
    }

    /// @dev What a late entry leaves held is part of what was open, and not credited to anyone.
    function check_a_fulfillment_credits_no_more_than_was_open_and_pays_nothing_out() public {
        Entry memory e = _known();
        (uint256 held, uint256 open, uint256 waiting) = (address(oracle).balance, _open(e), _waiting());
        _fulfill(e);
        assert(address(oracle).balance == held);
        unchecked {
            assert(_waiting() - waiting <= open - _open(e));
        }
    }

    function check_a_refund_pays_out_what_was_open() public {
        Entry memory e = _known();
        (uint256 held, uint256 owed) = (address(oracle).balance, _owed(e));
        oracle.refund(_anyClaim(e));
        unchecked {
            assert(held - address(oracle).balance == owed - _owed(e));
        }
    }

    function check_a_cancellation_pays_out_what_was_open() public {
        Entry memory e = _known();
        (uint256 held, uint256 owed) = (address(oracle).balance, _owed(e));
        vm.prank(address(requester));
        oracle.cancel(_anyClaim(e));
        unchecked {
            assert(held - address(oracle).balance == owed - _owed(e));
        }
    }

    function check_a_reclaim_pays_out_what_was_open() public {
        Entry memory e = _known();
        (uint256 held, uint256 owed) = (address(oracle).balance, _owed(e));
        oracle.reclaim(_anyClaim(e));
        unchecked {
            assert(held - address(oracle).balance == owed - _owed(e));
        }
    }

    function check_a_top_up_is_owed_to_whoever_will_land_the_entry(uint64 value) public {
        Entry memory e = _known();
        (uint256 held, uint256 owed) = (address(oracle).balance, _owed(e));
        vm.prank(address(requester));
        oracle.addFee{value: value}(_anyClaim(e));
        unchecked {
            assert(address(oracle).balance - held == _owed(e) - owed);
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

    function check_a_request_is_owed_what_was_paid_in(bytes32 contractId, uint256 terms, uint96 value) public {
        _later();
        LogSlot log = LogSlot.wrap(oracle.logOf(contractId));
        vm.assume(terms >> 248 <= 1 && uint72(terms) == 0 && !log.isGated());
        bytes memory input = svm.createBytes(32, "input");
        uint256 held = address(oracle).balance;
        uint256 deferred = _waiting();

        vm.prank(address(requester));
        oracle.request{value: value}(contractId, 0, terms, address(0), input);

        assert(address(oracle).balance == held + value);
        assert(value % 1 gwei == 0);
        // Nothing is owed to anyone else, or less.
        assert(_waiting() == deferred);
        LogSlot next = LogSlot.wrap(oracle.logOf(contractId));
        assert(next.nextSeq() == log.nextSeq() + 1);
        assert(log.charge() * 1 gwei <= value);
    }

    function check_a_fulfillment_that_pays_is_reachable() public {
        Entry memory e = _known();
        uint256 waiting = _waiting();
        _fulfill(e);
        assert(_waiting() == waiting);
    }

    function check_a_refund_that_pays_is_reachable() public {
        uint256 held = address(oracle).balance;
        oracle.refund(_anyClaim(_known()));
        assert(address(oracle).balance == held);
    }

    function check_a_request_is_reachable(bytes32 contractId, uint256 terms) public {
        vm.prank(address(requester));
        oracle.request{value: 1 ether}(contractId, 0, terms, address(0), "");
        assert(false);
    }

    /// @dev An entry on its log, in any status that can be.
    function _known() private returns (Entry memory e) {
        _later();
        e = _anyEntry(address(requester));
        uint256 status = svm.createUint256("status") & (REFUNDED | CANCELLED | EXECUTED | TOPPED_UP | RECLAIMED);
        vm.assume(_either(status & REFUNDED == 0, block.timestamp > _deadline(e)));
        vm.assume(_either(status & RECLAIMED == 0, status & REFUNDED != 0 && status & TOPPED_UP == 0));
        // Only entries of stateless logs carry that bit, and those have no head.
        bool stateless = oracle.headWord(e.contractId) & STATELESS != 0;
        vm.assume(_either(status & EXECUTED == 0, stateless));
        vm.assume(_either(!stateless, uint40(oracle.headWord(e.contractId)) == 0));
        vm.assume(_either(status & TOPPED_UP != 0, oracle.addedTo(e.contractId, _seq(e)) == 0));
        vm.assume(oracle.addedTo(e.contractId, _seq(e)) <= type(uint48).max);
        // A pending entry's status is announced.
        vm.assume(_either(status == 0, _either(stateless, oracle.headWord(e.contractId) & MARKED != 0)));
        oracle.putEntry(e, uint8(status));
        oracle.ownerIs(e.contractId, OWNER);
        requester.refuse(svm.createBool("requester refuses"));
        relayer.refuse(svm.createBool("relayer refuses"));
    }

    function _fulfill(Entry memory e) private {
        FulfillmentGroup memory group = _aim(_plainGroup(e.contractId, 1, address(requester)), e);
        bytes memory batch = _anyBatch(group);
        vm.prank(address(relayer));
        oracle.fulfill(batch);
    }

    /// @dev What is escrowed for this entry while it is pending.
    function _open(Entry memory e) private view returns (uint256) {
        uint256 slot = uint256(oracle.slotAt(e.contractId, _seq(e) % 64));
        bool stateless = oracle.headWord(e.contractId) & STATELESS != 0;
        bool executed = _either(slot & EXECUTED != 0, !stateless && _seq(e) < uint40(oracle.headWord(e.contractId)));
        unchecked {
            uint256 added = oracle.addedTo(e.contractId, _seq(e)) * 1 gwei;
            uint256 landing = (_landing(e) + added) & _mask(slot & RECLAIMED == 0);
            uint256 rest = _charge(e) + (_callback(e) & _mask(slot & CANCELLED == 0));
            return (landing + (rest & _mask(slot & REFUNDED == 0))) & _mask(!executed);
        }
    }

    /// @dev What waits for these accounts; as a number modulo 2^256, as balances start with any.
    function _waiting() private view returns (uint256) {
        unchecked {
            return oracle.balanceOf(address(requester)) + oracle.balanceOf(address(relayer)) + oracle.balanceOf(OWNER);
        }
    }

    function _owed(Entry memory e) private view returns (uint256) {
        unchecked {
            return _open(e) + _waiting();
        }
    }

    /// @dev Status bits, and flags of a head.
    uint256 private constant REFUNDED = 1;
    uint256 private constant CANCELLED = 2;
    uint256 private constant EXECUTED = 4;
    uint256 private constant TOPPED_UP = 8;
    uint256 private constant RECLAIMED = 16;
    uint256 private constant MARKED = 1 << 40;
    uint256 private constant STATELESS = 4 << 40;
}
