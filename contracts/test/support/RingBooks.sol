// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

import {ISubrosaOracle, Policy} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./OracleTest.sol";
import {Reference} from "./Reference.sol";

/// @notice Two logs, a stateful and a stateless one, kept as plain lists beside the oracle's ring: every entry with
/// what happened to it and which part of its fee went to whom. Prices are worked out here once more, from what the
/// policies say.
abstract contract RingBooks is OracleTest {
    struct Record {
        Entry entry;
        bool executed;
        bool late;
        /// What its slot must say while it is pending.
        uint8 status;
        /// Gwei of top-ups that wait, and wei of all there were.
        uint256 added;
        uint256 toppedUp;
        Outstanding left;
        uint256 flags;
        /// Wei that went to whoever landed it or made its callback, to the owner, and back to the requester.
        uint256 toLander;
        uint256 toOwner;
        uint256 toRequester;
    }

    uint24 internal constant GAS = 1_500_000;
    uint64 internal constant LITTLE_FUEL = 1;
    uint64 internal constant MUCH_FUEL = 5_500_001;
    uint256 internal constant INPUT_LENGTH = 10;
    uint256 internal constant OUTPUT_LIMIT = 64;

    bytes32[2] internal ids;
    mapping(bytes32 contractId => Record[]) internal records;
    mapping(bytes32 contractId => Policy) internal policies;
    /// Wei that the oracle owes, to whomever.
    uint256 public owed;
    /// What went wrong first: with the ring, with what entries bring, with who has what of it.
    string public fault;
    string public uncovered;
    string public gained;
    /// The next of the older entries to be looked at.
    uint256 private cursor;

    uint256 public executions;
    uint256 public apart;
    uint256 public lates;
    uint256 public failures;
    uint256 public appendsWithin;

    function _setUpBooks() internal {
        ids = [stateful, stateless];
        for (uint256 i = 0; i < 2; ++i) {
            Record storage r = records[ids[i]].push();
            r.executed = true;
            r.entry.contractId = ids[i];
        }
        owed = address(oracle).balance;
    }

    // What must hold.

    /// @notice What the oracle stores of the last entries and of some older ones, against the lists.
    function inspect() external {
        _inspect(6);
        ++cursor;
        for (uint256 i = 0; i < 2; ++i) {
            Record[] storage all = records[ids[i]];
            for (uint256 k = 0; k < 3; ++k) {
                uint256 back = 6 + (cursor * 3 + k) % 80;
                if (back + 1 < all.length) _inspectEntry(all[all.length - 1 - back], i);
            }
        }
    }

    /// @notice Of all of them.
    function inspectAll() external {
        _inspect(type(uint256).max);
    }

    function balance() external view returns (uint256) {
        return address(oracle).balance;
    }

    function _inspect(uint256 window) private {
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 id = ids[i];
            Record[] storage all = records[id];
            _check(_nextSeq(id) == all.length, "the log is as long");
            bool marked;
            for (uint256 seq = all.length > window ? all.length - window : 1; seq < all.length; ++seq) {
                marked = _inspectEntry(all[seq], i) || marked;
            }
            if (i == 0 && marked) _check(_headFlags(id) & 1 == 1, "a pending slot's status is announced");
            if (i == 0 && _headSeq(id) == all.length) _check(_headFlags(id) == 0, "nothing is announced for nothing");
        }
        _check(address(oracle).balance == owed, "the oracle holds what it owes");
    }

    function _inspectEntry(Record storage r, uint256 log) private returns (bool marked) {
        Entry memory entry = r.entry;
        (bool found, uint8 status) = _find(entry);
        if (!r.executed) {
            // Never written over, whatever came after.
            _check(found, "a pending entry has its slot");
            _check(status == r.status, "its status is what happened");
            _check(_addedTo(entry) == r.added, "top-ups wait");
            marked = status != 0;
        } else {
            if (log == 1 && found) _check(status & EXECUTED != 0, "an executed entry's slot says so");
            _check(_addedTo(entry) == 0, "top-ups are gone");
        }
        if (log == 0) _check((_seq(entry) < _headSeq(entry.contractId)) == r.executed, "the head is where it is");
        bytes32 word = oracle.outstandingOf(entry.contractId, _seq(entry));
        bytes32 expected = r.flags == 0 ? bytes32(0) : Reference.outstanding(_digest(entry), r.left) | bytes32(r.flags);
        _check(word == expected, "what is outstanding is what is left");
        _inspectShares(r);
    }

    /// @dev Nobody has more than its part, and of a fee nothing is lost: what did not go to anybody is escrowed or
    /// held.
    function _inspectShares(Record storage r) private {
        Entry memory entry = r.entry;
        uint256 landing = _landing(entry) + r.toppedUp;
        _gain(r.toLander <= landing + _callbackPart(entry), "a lander has more than its parts");
        _gain(r.toOwner <= _charge(entry), "an owner has more than its charge");
        if (!r.executed) {
            _gain(r.toLander == 0 && r.toOwner == 0, "somebody was paid before");
            _gain(r.toRequester == 0 || r.status & ~TOPPED_UP != 0, "something was returned without a reason");
            return;
        }
        if (r.late) {
            _gain(r.toOwner == 0, "a late answer earned its owner a charge");
            _gain(r.toLander <= landing, "a late answer earned more than landing it");
        } else {
            _gain(r.toOwner == _charge(entry), "an owner lost its charge");
            _gain(r.toRequester <= _callbackPart(entry), "a requester got back what others earned");
            if (r.status & CANCELLED != 0) {
                _gain(r.toLander == landing, "a cancelled callback was paid or cost others");
            }
        }
        _gain(
            r.toLander + r.toOwner + r.toRequester + _held(r) == _paid(entry) + r.toppedUp, "a part of a fee is nowhere"
        );
    }

    // Booking.

    /// @dev An entry just appended that brings at least its price, or exactly.
    function _book(Entry memory entry, bool exactly) internal {
        Record[] storage all = records[entry.contractId];
        _check(_seq(entry) == all.length, "positions follow each other");
        if (entry.contractId == stateful && all.length > 1) {
            _check(entry.previousDigest == _digest(all[all.length - 1].entry), "digests chain");
        }
        if (entry.contractId == stateless) _check(entry.previousDigest == 0, "digests do not chain");
        _bookFee(entry, exactly);
        if (_slotAt(entry.contractId, _seq(entry) | 1 << 48) != 0) {
            ++apart;
            bool last = _seq(entry) + 1 == _nextSeq(entry.contractId);
            _check(!last || oracle.logOf(entry.contractId) >> 155 & 1 == 1, "the log says that its last is apart");
        }
    }

    /// @dev Books what the recorded logs tell of, in order: entries executed, what is left of them, entries appended
    /// from within.
    function _bookLogs(bytes32 id, uint256 done, uint256[2] memory before) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 seen;
        uint256 earned;
        uint256 charged;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == ISubrosaOracle.EntryFulfilled.selector) {
                (uint256 outcome,) = abi.decode(logs[i].data, (uint256, bytes));
                Record storage r = records[id][uint48(outcome)];
                _check(!r.executed, "executed twice");
                r.executed = true;
                ++seen;
                ++executions;
                (uint256 e, uint256 c) = _bookExecution(r);
                (earned, charged) = (earned + e, charged + c);
            } else if (topic == ISubrosaOracle.EntryOutstanding.selector) {
                earned -= _bookLeft(id, logs[i].data);
            } else if (topic == ISubrosaOracle.EntryAppended.selector) {
                Entry memory entry = _decode(logs[i]);
                _note(entry);
                _bookFee(entry, false);
                ++appendsWithin;
            }
        }
        _check(seen == done, "as many as it says");
        _gain(oracle.balanceOf(relayer) - before[0] == earned, "the lander has what it earned");
        _gain(oracle.balanceOf(owner) - before[1] == charged, "the owner has its charges");
    }

    /// @dev What an execution now earns its lander and the owner, if the callback works; and what is left of a late
    /// one.
    function _bookExecution(Record storage r) private returns (uint256 earned, uint256 charged) {
        Entry memory entry = r.entry;
        earned = (r.status & RECLAIMED != 0 ? 0 : _landing(entry)) + r.added * 1 gwei;
        r.added = 0;
        bool wanted = uint32(entry.settlement >> 64) != 0 && r.status & CANCELLED == 0;
        if (block.timestamp <= uint48(entry.settlement)) {
            if (wanted) earned += _callbackPart(entry);
            charged = _charge(entry);
        } else {
            ++lates;
            r.late = true;
            uint256 held = _refundable(r);
            r.left = Outstanding(1, keccak256(_output(entry)), uint48(held / 1 gwei), uint48(block.timestamp));
            bool due = wanted && entry.settlement >> 48 & 1 == 0;
            r.flags = (due ? CALLBACK_DUE : 0) | (held != 0 ? FOR_REQUESTER : 0);
        }
        r.toLander += earned;
        r.toOwner += charged;
    }

    /// @dev What is outstanding. Gives what of it the lander has not earned.
    function _bookLeft(bytes32 id, bytes memory data) private returns (uint256 unearned) {
        (uint256 seq, uint8 flags, Outstanding memory left) = abi.decode(data, (uint256, uint8, Outstanding));
        Record storage r = records[id][seq];
        if (r.flags == 0) {
            // A callback failed, in time.
            _check(flags == CALLBACK_DUE, "a failed callback is due");
            _gain(uint256(left.held) * 1 gwei <= _callbackPart(r.entry), "more is held than was paid");
            unearned = uint256(left.held) * 1 gwei;
            r.toLander -= unearned;
            ++failures;
        } else {
            _check(flags == r.flags && left.held == r.left.held, "late, as predicted");
        }
        (r.left, r.flags) = (left, flags);
    }

    /// @dev What goes to the requester, or to whom its refunds go.
    function _bookReturn(Record storage r, uint256 amount, uint256 wealthBefore) internal {
        owed -= amount;
        r.toRequester += amount;
        _gain(_wealth(r.entry) == wealthBefore + amount, "a refund went elsewhere");
    }

    function _bookFee(Entry memory entry, bool exactly) private {
        records[entry.contractId].push().entry = entry;
        owed += _paid(entry);
        uint256 callbackGas = uint32(entry.settlement >> 64);
        uint64 fuel = uint64(entry.execution >> 168);
        (uint256 landing, uint256 callback, uint256 charge) = _price(entry.contractId, callbackGas, fuel);
        _cover(_landing(entry) >= landing, "landing it is not covered");
        _cover(!exactly || _landing(entry) == landing, "it brings more than was quoted");
        _cover(_callbackPart(entry) == callback, "its callback is not what it costs");
        _cover(_charge(entry) == charge, "the owner's charge is another");
    }

    // Prices.

    /// @dev In wei, from the policy and the block's base fee.
    function _price(bytes32 id, uint256 callbackGas, uint256 fuel)
        internal
        view
        returns (uint256 landing, uint256 callback, uint256 charge)
    {
        Policy memory p = policies[id];
        uint256 price = Math.ceil(block.basefee * p.baseFeeSixteenths, 16);
        if (price < p.gasPriceFloor) price = p.gasPriceFloor;
        charge = uint256(p.chargeGwei) * 1 gwei;
        uint256 gas_ = 68_000 + 12 * INPUT_LENGTH + 60 * OUTPUT_LIMIT;
        if (fuel > 1_000_000) gas_ += Math.ceil(fuel - 1_000_000, 1000);
        if (callbackGas != 0 || charge != 0) gas_ += 30_000;
        landing = Math.ceil(gas_ * price, 1 gwei) * 1 gwei;
        // For a call to have this much gas there must be 64/63 of it.
        if (callbackGas != 0) {
            callback = Math.ceil((callbackGas + callbackGas / 63 + 1 + 12_000) * price, 1 gwei) * 1 gwei;
        }
    }

    function _refundable(Record storage r) internal view returns (uint256) {
        if (r.status & REFUNDED != 0) return 0;
        return _charge(r.entry) + (r.status & CANCELLED != 0 ? 0 : _callbackPart(r.entry));
    }

    function _held(Record storage r) internal view returns (uint256) {
        return uint256(r.left.held) * 1 gwei;
    }

    /// @dev Of whom refunds go to: what it has, and what waits for it.
    function _wealth(Entry memory entry) internal view returns (uint256) {
        address to = entry.refundTo == address(0) ? address(uint160(entry.settlement >> 96)) : entry.refundTo;
        return to.balance + oracle.balanceOf(to);
    }

    function _check(bool holds, string memory what) internal {
        if (!holds && bytes(fault).length == 0) fault = what;
    }

    function _cover(bool holds, string memory what) internal {
        if (!holds && bytes(uncovered).length == 0) uncovered = what;
    }

    function _gain(bool holds, string memory what) internal {
        if (!holds && bytes(gained).length == 0) gained = what;
    }
}

/// @notice Rounding.
library Math {
    function ceil(uint256 a, uint256 b) internal pure returns (uint256) {
        return a / b + (a % b == 0 ? 0 : 1);
    }
}
