// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../../src/interfaces/SubrosaTypes.sol";
import {Tally} from "../consumers/Tally.sol";
import {FulfillmentGroup} from "./Batches.sol";
import {TrustModel} from "./TrustModel.sol";

/// @notice Books on every entry that was ever appended to three logs, kept from what is asked and
/// what is seen to move, and compared with the oracle entry by entry. `RingBooks` keeps closer ones, of what is in
/// which slot.
abstract contract LedgerModel is TrustModel {
    struct Record {
        Entry entry;
        bytes32 digest;
        uint256 executions;
        /// Wei that went to whoever landed it and to the owner, and back to its requester.
        uint256 paid;
        uint256 refunded;
        /// What is outstanding, and its flags.
        Outstanding left;
        uint256 flags;
    }

    uint32 internal constant CALLBACK_GAS = 400_000;

    Tally internal tally = new Tally(CALLBACK_GAS);
    bytes32[3] internal ids;
    mapping(bytes32 contractId => Record[]) internal records;
    mapping(bytes32 contractId => uint256) internal heads;
    /// What the oracle must hold: what was paid in and did not go out.
    uint256 public owed;

    bool public headWentBack;
    bool public slotChanged;
    bool public chainBroken;
    bool public paidTwice;
    bool public refundedThenPaid;
    bool public misdirected;
    bool public miscounted;
    uint256 public executed;
    uint256 public refunds;

    function _setUpLedger() internal {
        bytes32 other = _registered(_registration(false));
        ids = [stateful, stateless, other];
        for (uint256 i = 0; i < 3; ++i) {
            Record storage r = records[ids[i]].push();
            r.entry.contractId = ids[i];
            r.digest = lastDigest[ids[i]];
            r.executions = 1;
            heads[ids[i]] = _head(ids[i]);
        }
        owed = address(oracle).balance;
    }

    /// @dev Books an entry just appended.
    function _book(Entry memory entry) internal {
        Record[] storage all = records[entry.contractId];
        bytes32 previous = entry.contractId == stateless ? bytes32(0) : all[all.length - 1].digest;
        if (entry.previousDigest != previous || _seq(entry) != all.length) chainBroken = true;
        Record storage r = all.push();
        r.entry = entry;
        r.digest = _digest(entry);
        (bool found,) = _find(entry);
        if (!found) chainBroken = true;
        owed += _paid(entry);
    }

    /// @dev Books an execution now; gives what it must have earned whoever landed it, and the owner, less what is held.
    function _bookExecution(Record storage r) internal returns (uint256 earned) {
        Entry memory entry = r.entry;
        bool inTime = block.timestamp <= uint48(entry.settlement);
        bool leaves = entry.settlement >> 49 & 1 == 1;
        earned = _landing(entry);
        if (inTime) {
            earned += _charge(entry);
            if (!leaves) earned += _callbackPart(entry) - uint256(r.left.held) * 1 gwei;
        }
        ++r.executions;
        r.paid += earned;
        ++executed;
        if (r.executions > 1) paidTwice = true;
        if (r.paid + r.refunded + uint256(r.left.held) * 1 gwei > _paid(entry)) refundedThenPaid = true;
    }

    /// @dev Books what the recorded logs say is outstanding.
    function _bookOutstanding() internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != ISubrosaOracle.EntryOutstanding.selector) continue;
            (uint256 seq, uint8 flags, Outstanding memory left) =
                abi.decode(logs[i].data, (uint256, uint8, Outstanding));
            Record storage r = records[logs[i].topics[1]][seq];
            (r.left, r.flags) = (left, flags);
        }
    }

    /// @dev Looks at one slot: is it there while the entry is pending, and does its status say what
    /// happened?
    function _inspect(bytes32 id, uint256 seq) internal {
        if (seq == 0) return;
        Record storage r = records[id][seq];
        (bool found, uint8 status) = _find(r.entry);
        if (r.executions == 0) {
            if (!found) slotChanged = true;
            if ((status & REFUNDED != 0) != (r.refunded != 0)) paidTwice = true;
            if (status & EXECUTED != 0) paidTwice = true;
        } else if (id == stateless && found && status & EXECUTED == 0) {
            paidTwice = true;
        }
        if (id != stateless && status & EXECUTED != 0) slotChanged = true;
        if (_outstandingFlags(r.entry) != r.flags) paidTwice = true;
    }

    /// @dev Looks at a log's head: it has moved along the log, to the commitment of the last entry
    /// that was executed, or not at all.
    function _inspectHead(bytes32 id) internal {
        uint256 head = _head(id);
        uint256 before = heads[id];
        heads[id] = head;
        if (id == stateless) {
            if (head != 0) headWentBack = true;
            return;
        }
        if (uint48(head) < uint48(before)) headWentBack = true;
        if (uint48(head) == uint48(before)) {
            if (head != before) headWentBack = true;
            return;
        }
        uint256 last = uint48(head) - 1;
        if (last >= records[id].length || head != (_commitmentAt(id, last) | uint48(head))) headWentBack = true;
    }

    /// @notice Every slot and head, and each log's digests recomputed from its first to its last.
    function inspectAll() external {
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 id = ids[i];
            Record[] storage all = records[id];
            _inspectHead(id);
            _inspect(id, 0);
            bytes32 previous = all[0].digest;
            for (uint256 seq = 1; seq < all.length; ++seq) {
                _inspect(id, seq);
                Entry memory entry = all[seq].entry;
                if (entry.previousDigest != (id == stateless ? bytes32(0) : previous)) chainBroken = true;
                previous = _digest(entry);
                if (previous != all[seq].digest) chainBroken = true;
                if (id != stateless && (seq < uint48(heads[id])) != (all[seq].executions == 1)) headWentBack = true;
            }
            if (_nextSeq(id) != all.length) chainBroken = true;
        }
        _inspectCounts();
    }

    /// @dev Of each epoch, whether it counts every contract that is in it or has yet to say that it left, and none that
    /// needs its keys for nothing.
    function _inspectCounts() internal {
        uint256[] memory least = new uint256[](epoch + 1);
        uint256[] memory most = new uint256[](epoch + 1);
        for (uint256 i = 0; i < 3; ++i) {
            bool[] memory leaving = new bool[](epoch + 1);
            bool[] memory needed = new bool[](epoch + 1);
            Record[] storage all = records[ids[i]];
            for (uint256 seq = 1; seq < all.length; ++seq) {
                if (all[seq].executions != 0) continue;
                uint256 settlement = all[seq].entry.settlement;
                needed[uint32(all[seq].entry.payment >> 48)] = true;
                if (settlement >> 49 & 1 == 1) leaving[uint32(settlement >> 64)] = true;
            }
            leaving[uint32(oracle.logOf(ids[i]) >> 80)] = true;
            for (uint256 e = 1; e <= epoch; ++e) {
                if (leaving[e]) ++least[e];
                if (leaving[e] || needed[e]) ++most[e];
            }
        }
        for (uint32 e = 1; e <= epoch; ++e) {
            uint256 count = _contractsIn(KEY_GROUP, e);
            if (count < least[e] || count > most[e]) miscounted = true;
        }
    }

    /// @dev An entry of a stateless log whose slot is another's was executed.
    function _isExecuted(bytes32 id, uint256 seq) internal view returns (bool) {
        if (id != stateless) return seq < _headSeq(id);
        (bool found, uint8 status) = _find(records[id][seq].entry);
        return !found || status & EXECUTED != 0;
    }

    /// @dev A group of `count` entries from `from` on.
    function _window(bytes32 id, uint256 from, uint256 count) internal view returns (FulfillmentGroup memory) {
        Entry[] memory entries = new Entry[](count);
        for (uint256 i = 0; i < count; ++i) {
            entries[i] = records[id][from + i].entry;
        }
        return _groupInPlace(entries);
    }
}
