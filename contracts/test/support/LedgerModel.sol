// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, FulfillmentGroup} from "../../src/interfaces/SubrosaTypes.sol";
import {Tally} from "../consumers/Tally.sol";
import {TrustModel} from "./TrustModel.sol";

/// @notice Books on every entry that was ever appended to three logs, kept from what is asked and
/// what is seen to move, and compared with the oracle entry by entry.
abstract contract LedgerModel is TrustModel {
    struct Record {
        Entry entry;
        bytes32 digest;
        uint256 executions;
        /// Wei that went to whoever landed it, and back to its requester.
        uint256 paid;
        uint256 refunded;
    }

    uint32 internal constant CALLBACK_GAS = 400_000;

    Tally internal tally = new Tally(CALLBACK_GAS);
    bytes32[3] internal ids;
    mapping(bytes32 contractId => Record[]) internal records;
    mapping(bytes32 contractId => uint256) internal heads;
    /// What the oracle must hold: open fees, charges of refunded entries, deferred payments.
    uint256 public owed;

    bool public headWentBack;
    bool public slotChanged;
    bool public chainBroken;
    bool public paidTwice;
    bool public refundedThenPaid;
    bool public misdirected;
    uint256 public executed;
    uint256 public refunds;

    function _setUpLedger() internal {
        (bytes32 other, Entry memory deployment) = _register(false);
        _fulfill(_batch(_group(0, _list(deployment))));
        ids = [stateful, stateless, other];
        for (uint256 i = 0; i < 3; ++i) {
            Record storage r = records[ids[i]].push();
            r.entry.contractId = ids[i];
            r.digest = lastDigest[ids[i]];
            r.executions = 1;
            heads[ids[i]] = _head(ids[i]);
        }
    }

    /// @dev Books an entry just appended.
    function _book(Entry memory entry) internal {
        Record[] storage all = records[entry.contractId];
        bytes32 previous = entry.contractId == stateless ? bytes32(0) : all[all.length - 1].digest;
        if (entry.previousDigest != previous || entry.seq != all.length) chainBroken = true;
        Record storage r = all.push();
        r.entry = entry;
        r.digest = _digest(entry);
        if (_slot(entry.contractId, entry.seq) != r.digest) chainBroken = true;
        owed += entry.payment >> 160;
    }

    /// @dev Books an execution; gives what it must have earned.
    function _bookExecution(Record storage r) internal returns (uint256 earned) {
        uint256 payment = r.entry.payment;
        earned = r.refunded == 0 ? payment >> 160 : uint96(payment >> 64);
        ++r.executions;
        r.paid += earned;
        ++executed;
        if (r.executions > 1) paidTwice = true;
        if (r.paid + r.refunded > payment >> 160) refundedThenPaid = true;
    }

    /// @dev Looks at one slot: is it the digest of what was asked, and does its status say what
    /// happened?
    function _inspect(bytes32 id, uint256 seq) internal {
        Record storage r = records[id][seq];
        bytes32 slot = oracle.entryDigest(id, seq);
        if (bytes32(uint256(slot) >> 8 << 8) != r.digest) slotChanged = true;
        uint8 status = uint8(uint256(slot));
        if ((status & 1 != 0) != (r.refunded != 0)) paidTwice = true;
        if (id == stateless && seq != 0 && (status & 4 != 0) != (r.executions == 1)) paidTwice = true;
        if (id != stateless && status & 4 != 0) slotChanged = true;
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
                entry.previousDigest = id == stateless ? bytes32(0) : previous;
                previous = _digest(entry);
                if (previous != all[seq].digest) chainBroken = true;
                if (id != stateless && (seq < uint48(heads[id])) != (all[seq].executions == 1)) headWentBack = true;
            }
            if (uint48(oracle.logOf(id)) != all.length) chainBroken = true;
        }
    }

    function _isExecuted(bytes32 id, uint256 seq) internal view returns (bool) {
        if (id != stateless) return seq < uint48(_head(id));
        return uint256(oracle.entryDigest(id, seq)) & 4 != 0;
    }

    function _commitmentAt(bytes32 id, uint256 seq) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("state", id, uint48(seq)))) >> 48 << 48;
    }

    /// @dev A group of `count` entries from `from` on.
    function _window(bytes32 id, uint256 from, uint256 count) internal view returns (FulfillmentGroup memory) {
        Entry[] memory entries = new Entry[](count);
        for (uint256 i = 0; i < count; ++i) {
            entries[i] = records[id][from + i].entry;
        }
        return _group(id == stateless ? from : _commitmentAt(id, from - 1) | from, entries);
    }

    function _slot(bytes32 id, uint256 seq) private view returns (bytes32) {
        return oracle.entryDigest(id, seq);
    }
}
