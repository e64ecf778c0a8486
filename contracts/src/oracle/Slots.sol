// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {HeadSlot} from "../libraries/HeadSlot.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title The slots of a log's entries
/// @notice They form a ring: entry n is written to slot n mod 64, so that steady traffic writes no new state. A
/// pending entry is never written over: the one that would is given a slot of its own.
///
/// A position says nothing about which entry lies there, and digests carry none. So a slot is an entry's only if
/// it holds its digest. Once an entry is executed its slot may be another's, and nothing is written there on its
/// account.
library Slots {
    uint256 internal constant RING = 64;
    uint256 private constant APART = 1 << 48;

    /// @notice Status: callback part and charge were returned.
    bytes32 internal constant REFUNDED = bytes32(uint256(1));
    /// @notice Status: there will be no callback, and its part was returned.
    bytes32 internal constant CANCELLED = bytes32(uint256(2));
    /// @notice Status: executed. Only for entries of stateless contracts, which have no head.
    bytes32 internal constant EXECUTED = bytes32(uint256(4));
    /// @notice Status: the landing part was topped up.
    bytes32 internal constant TOPPED_UP = bytes32(uint256(8));
    /// @notice Status: the landing part was returned.
    bytes32 internal constant RECLAIMED = bytes32(uint256(16));

    bytes32 private constant STATUS = bytes32(uint256(0xff));

    /// @notice The digest in a slot, whatever its status.
    function digestOf(bytes32 slot) internal pure returns (bytes32) {
        return slot & ~STATUS;
    }

    /// @notice The digest of a log's last entry. The log has one.
    function lastDigest(bytes32 contractId, LogSlot log) internal view returns (bytes32) {
        unchecked {
            uint256 last = uint256(log.nextSeq()) - 1;
            uint256 position = log.isLastApart() ? last | APART : last % RING;
            return digestOf(OracleStorage.load().entries[contractId][position]);
        }
    }

    /// @notice Stores a new entry's digest; that of a stateless log is counted.
    /// @return apart Whether in a slot of its own.
    function store(bytes32 contractId, uint256 seq, bool stateless, bytes32 digest) internal returns (bool apart) {
        OracleStorage.Layout storage $ = OracleStorage.load();
        mapping(uint256 => bytes32) storage slots = $.entries[contractId];
        uint256 position = seq % RING;
        bytes32 there = slots[position];
        if (there != 0) {
            // What lies there is a round older, or more.
            unchecked {
                apart = stateless ? there & EXECUTED == 0 : $.heads[contractId].word.seq() + RING <= seq;
            }
            if (apart) position = seq | APART;
        }
        slots[position] = digest;
        if (stateless) $.heads[contractId].word = $.heads[contractId].word.withEntry();
    }

    /// @notice Where an entry lies, and its slot; zero if it is not there.
    function find(bytes32 contractId, uint256 seq, bytes32 digest)
        internal
        view
        returns (uint256 position, bytes32 slot)
    {
        mapping(uint256 => bytes32) storage slots = OracleStorage.load().entries[contractId];
        position = seq % RING;
        slot = slots[position];
        if (digestOf(slot) == digest) return (position, slot);
        position = seq | APART;
        slot = slots[position];
        if (digestOf(slot) == digest) return (position, slot);
        return (0, 0);
    }

    /// @notice Whether an entry lies where it may.
    function isStored(bytes32 contractId, uint256 seq, bytes32 digest) internal view returns (bool) {
        mapping(uint256 => bytes32) storage slots = OracleStorage.load().entries[contractId];
        return digestOf(slots[seq % RING]) == digest || digestOf(slots[seq | APART]) == digest;
    }

    /// @notice The slot of an entry that is pending. Reverts if it is not on the log, or executed.
    function pending(bytes32 contractId, uint256 seq, bytes32 digest)
        internal
        view
        returns (uint256 position, bytes32 slot)
    {
        HeadSlot head = OracleStorage.load().heads[contractId].word;
        if (!head.isStateless() && seq < head.seq()) revert ISubrosaOracle.AlreadyExecuted(contractId, seq);
        (position, slot) = find(contractId, seq, digest);
        if (slot == 0) revert ISubrosaOracle.EntryMismatch(contractId, seq);
        if (slot & EXECUTED != 0) revert ISubrosaOracle.AlreadyExecuted(contractId, seq);
    }

    /// @notice Gives a pending entry's slot a status.
    function mark(bytes32 contractId, uint256 position, bytes32 slot) internal {
        OracleStorage.Layout storage $ = OracleStorage.load();
        $.entries[contractId][position] = slot;
        OracleStorage.Head storage head = $.heads[contractId];
        // A stateless contract's slots are always looked at.
        if (!head.word.isStateless() && !head.word.isMarked()) head.word = head.word.marked();
    }
}
