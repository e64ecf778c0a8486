// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {FulfillmentGroup, FulfillmentItem} from "../interfaces/SubrosaTypes.sol";

/// @title Reading a batch without checking its encoding
/// @notice Solidity checks the bounds of nested calldata on each access, which costs a batch some
/// 1,200 gas an item. Nothing rests on those checks here. Every byte read through these functions is
/// hashed under the signature before it has any effect, reading is without effect and the same in
/// both passes, past the end of calldata there are zeros, and a length beyond all bounds runs out of
/// gas when the bytes are hashed. So an encoding that is not canonical reads as some batch or other,
/// which is signed or not.
///
/// That reading is the same in both passes needs one thing. The first pass copies an item's words in
/// one piece, the second loads them one by one; at an item close below 2^256 the copy is all zeros,
/// while the address of a later word wraps around to the start of calldata. So only the low 32 bits
/// of an item's offset count. What it is relative to lies within calldata, or the list had no length.
library BatchCalldata {
    /// @notice `groups[index]`; the caller keeps `index` below the length.
    function nth(FulfillmentGroup[] calldata groups, uint256 index)
        internal
        pure
        returns (FulfillmentGroup calldata group)
    {
        assembly ("memory-safe") {
            group := add(groups.offset, calldataload(add(groups.offset, shl(5, index))))
        }
    }

    /// @notice `items[index]`; the caller keeps `index` below the length.
    function nth(FulfillmentItem[] calldata items, uint256 index)
        internal
        pure
        returns (FulfillmentItem calldata item)
    {
        assembly ("memory-safe") {
            item := add(items.offset, and(calldataload(add(items.offset, shl(5, index))), 0xffffffff))
        }
    }

    /// @notice `group.items`.
    function itemsOf(FulfillmentGroup calldata group) internal pure returns (FulfillmentItem[] calldata items) {
        assembly ("memory-safe") {
            // The fourth member.
            let start := add(group, calldataload(add(group, 0x60)))
            items.length := calldataload(start)
            items.offset := add(start, 0x20)
        }
    }

    /// @notice `item.data`.
    function dataOf(FulfillmentItem calldata item) internal pure returns (bytes calldata data) {
        assembly ("memory-safe") {
            // The fifth member.
            let start := add(item, calldataload(add(item, 0x80)))
            data.length := calldataload(start)
            data.offset := add(start, 0x20)
        }
    }

    /// @notice `data[from:from + length]`; the caller keeps this within `data`.
    function slice(bytes calldata data, uint256 from, uint256 length) internal pure returns (bytes calldata part) {
        assembly ("memory-safe") {
            part.offset := add(data.offset, from)
            part.length := length
        }
    }
}
