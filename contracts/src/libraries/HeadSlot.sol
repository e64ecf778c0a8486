// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice How far a log is executed, in one word: commitment 208 ‖ seq 48, seq being the number of
/// entries executed.
type HeadSlot is uint256;

using HeadSlots for HeadSlot global;

/// @title Reading and moving a head
library HeadSlots {
    uint256 private constant SEQ_MASK = type(uint48).max;

    /// @notice The number of entries executed, which is the position of the next.
    function seq(HeadSlot head) internal pure returns (uint256) {
        return HeadSlot.unwrap(head) & SEQ_MASK;
    }

    /// @notice The commitment to the state after them; low 48 bits zero.
    function commitment(HeadSlot head) internal pure returns (bytes32) {
        return bytes32(HeadSlot.unwrap(head) & ~SEQ_MASK);
    }

    /// @notice The head after one more entry with this commitment. A log never takes its 2^48th
    /// entry, so the number does not overflow for any head that was ever stored.
    function advance(HeadSlot head, bytes32 newCommitment) internal pure returns (HeadSlot) {
        unchecked {
            return HeadSlot.wrap(uint256(newCommitment) | (seq(head) + 1));
        }
    }

    function equals(HeadSlot a, HeadSlot b) internal pure returns (bool) {
        return HeadSlot.unwrap(a) == HeadSlot.unwrap(b);
    }

    function isZero(HeadSlot head) internal pure returns (bool) {
        return HeadSlot.unwrap(head) == 0;
    }
}
