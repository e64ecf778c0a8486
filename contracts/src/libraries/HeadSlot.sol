// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice How far a log is executed and what executing it must look at, in one word, high to low:
/// commitment 208 ‖ flags 8 (bit 0 a pending entry's slot has a status, 1 the threshold is to be looked
/// up, 2 stateless, 3 to 7 how many must sign, if that is all of the threshold) ‖ seq 40.
/// seq is the number of entries executed.
///
/// Of a stateless log, which is executed in no order: zero 112 ‖ pending 64 ‖ keyEpoch 32 ‖ flags 8 ‖ zero 40. pending is how many
/// of its pending entries need the keys of its current epoch, which is keyEpoch.
type HeadSlot is uint256;

using HeadSlots for HeadSlot global;

/// @title Reading and moving a head
library HeadSlots {
    uint256 private constant SEQ_MASK = type(uint40).max;
    uint256 private constant COMMITMENT_MASK = ~uint256(type(uint48).max);
    uint256 private constant MARKED = 1 << 40;
    uint256 private constant THRESHOLD = 2 << 40;
    uint256 private constant STATELESS = 4 << 40;
    uint256 private constant FLAGS = 0xff << 40;

    uint256 private constant SIGNERS = 43;
    uint256 private constant THRESHOLDS = 0xfa << 40;

    uint256 private constant EPOCH = 48;
    uint256 private constant PENDING = 1 << 80;

    /// @notice The head of a new stateless log. That of any other is zero.
    function createStateless(uint32 epoch) internal pure returns (HeadSlot) {
        return HeadSlot.wrap(uint256(epoch) << EPOCH | STATELESS);
    }

    /// @notice Of a stateless log: the epoch whose entries are counted.
    function keyEpoch(HeadSlot head) internal pure returns (uint32) {
        return uint32(HeadSlot.unwrap(head) >> EPOCH);
    }

    /// @notice Of a stateless log: how many pending entries are of that epoch.
    function pending(HeadSlot head) internal pure returns (uint256) {
        return HeadSlot.unwrap(head) / PENDING;
    }

    /// @notice Of a stateless log: the same head with one pending entry more. A log has less than 2^40.
    function withEntry(HeadSlot head) internal pure returns (HeadSlot) {
        unchecked {
            return HeadSlot.wrap(HeadSlot.unwrap(head) + PENDING);
        }
    }

    /// @notice Of a stateless log that has a pending entry: the same head with one less.
    function withoutEntry(HeadSlot head) internal pure returns (HeadSlot) {
        unchecked {
            return HeadSlot.wrap(HeadSlot.unwrap(head) - PENDING);
        }
    }

    /// @notice Of a stateless log: the same head in another epoch, of which nothing is pending yet.
    function inEpoch(HeadSlot head, uint32 epoch) internal pure returns (HeadSlot) {
        return HeadSlot.wrap(HeadSlot.unwrap(head) & FLAGS | uint256(epoch) << EPOCH);
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

    /// @notice The same head, of a contract that asks for so many signers, at most 16, of so many kinds. More than one
    /// kind is to be looked up.
    function withThreshold(HeadSlot head, uint256 signers_, uint256 kinds) internal pure returns (HeadSlot) {
        uint256 word = HeadSlot.unwrap(head) & ~THRESHOLDS;
        if (signers_ > 1) word |= kinds > 1 ? THRESHOLD : signers_ << SIGNERS;
        return HeadSlot.wrap(word);
    }

    /// @notice How many must sign; zero if one is enough, or if that is to be looked up.
    function signers(HeadSlot head) internal pure returns (uint256) {
        return HeadSlot.unwrap(head) >> SIGNERS & 0x1f;
    }

    function isMarked(HeadSlot head) internal pure returns (bool) {
        return HeadSlot.unwrap(head) & MARKED != 0;
    }

    function hasThreshold(HeadSlot head) internal pure returns (bool) {
        return HeadSlot.unwrap(head) & THRESHOLDS != 0;
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
