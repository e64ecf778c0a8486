// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice How far a log is executed and what executing it must look at, in one word, high to low:
/// commitment 208 ‖ flags 8 (bit 0 a pending entry's slot has a status, 1 threshold, 2 stateless) ‖ seq 40.
/// seq is the number of entries executed. A stateless log has the flags alone.
type HeadSlot is uint256;

using HeadSlots for HeadSlot global;

/// @title Reading and moving a head
library HeadSlots {
    uint256 private constant SEQ_MASK = type(uint40).max;
    uint256 private constant COMMITMENT_MASK = ~uint256(type(uint48).max);
    uint256 private constant MARKED = 1 << 40;
    uint256 private constant THRESHOLD = 2 << 40;
    uint256 private constant STATELESS = 4 << 40;

    /// @notice The head of a new log.
    function create(bool stateless) internal pure returns (HeadSlot) {
        return HeadSlot.wrap(stateless ? STATELESS : 0);
    }

    /// @notice The number of entries executed, which is the position of the next.
    function seq(HeadSlot head) internal pure returns (uint256) {
        return HeadSlot.unwrap(head) & SEQ_MASK;
    }

    /// @notice The commitment to the state after them; low 48 bits zero.
    function commitment(HeadSlot head) internal pure returns (bytes32) {
        return bytes32(HeadSlot.unwrap(head) & COMMITMENT_MASK);
    }

    /// @notice The head after one more entry with this commitment. A log never takes its 2^40th
    /// entry, so the number does not overflow for any head that was ever stored.
    function advance(HeadSlot head, bytes32 newCommitment) internal pure returns (HeadSlot) {
        unchecked {
            return HeadSlot.wrap(uint256(newCommitment) | (uint256(uint48(HeadSlot.unwrap(head))) + 1));
        }
    }

    /// @notice The same head, saying that a pending entry's slot has a status.
    function marked(HeadSlot head) internal pure returns (HeadSlot) {
        return HeadSlot.wrap(HeadSlot.unwrap(head) | MARKED);
    }

    /// @notice The same head, saying that none has.
    function unmarked(HeadSlot head) internal pure returns (HeadSlot) {
        return HeadSlot.wrap(HeadSlot.unwrap(head) & ~MARKED);
    }

    /// @notice The same head, of a contract that has a threshold or has none.
    function withThreshold(HeadSlot head, bool asked) internal pure returns (HeadSlot) {
        uint256 word = HeadSlot.unwrap(head) & ~THRESHOLD;
        return HeadSlot.wrap(asked ? word | THRESHOLD : word);
    }

    function isMarked(HeadSlot head) internal pure returns (bool) {
        return HeadSlot.unwrap(head) & MARKED != 0;
    }

    function hasThreshold(HeadSlot head) internal pure returns (bool) {
        return HeadSlot.unwrap(head) & THRESHOLD != 0;
    }

    function isStateless(HeadSlot head) internal pure returns (bool) {
        return HeadSlot.unwrap(head) & STATELESS != 0;
    }

    /// @notice Whether it is at this commitment and position, whatever its flags.
    /// @param start commitment 208 ‖ seq 48.
    function isAt(HeadSlot head, uint256 start) internal pure returns (bool) {
        return (HeadSlot.unwrap(head) ^ start) & (COMMITMENT_MASK | SEQ_MASK) == 0;
    }
}
