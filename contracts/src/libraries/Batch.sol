// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PaymentWord, ResultWord, SettlementWord} from "./EntryWords.sol";

/// @notice Where an item of a packed batch starts in calldata.
type Item is uint256;

/// @notice Where a group of a packed batch starts in calldata.
type Group is uint256;

using Batch for Item global;
using Batch for Group global;

/// @title Reading a packed batch
/// @notice See `ISubrosaOracle.fulfill` for how it is packed. Nothing here checks bounds: whoever walks the batch
/// first does (`SignedResults`), before anything has an effect, and past the end of calldata there are zeros.
library Batch {
    uint256 internal constant HEADER = 32;
    uint256 internal constant SIGNATURE = 64;
    uint256 internal constant GROUP = 96;
    uint256 internal constant ITEM = 118;

    /// @notice The contract whose log the group continues.
    function contractId(Group group) internal pure returns (bytes32) {
        return _word(Group.unwrap(group), 0);
    }

    /// @notice commitment 208 ‖ seq 48.
    function start(Group group) internal pure returns (uint256) {
        return uint256(_word(Group.unwrap(group), 32));
    }

    /// @notice The digest of the entry before the first item's; low byte zero.
    function previousDigest(Group group) internal pure returns (bytes32) {
        return _word(Group.unwrap(group), 64) & ~bytes32(uint256(0xff));
    }

    /// @notice How many items the group has.
    function count(Group group) internal pure returns (uint256) {
        return uint256(_word(Group.unwrap(group), 64)) & 0xff;
    }

    /// @notice The group's first item.
    function first(Group group) internal pure returns (Item) {
        unchecked {
            return Item.wrap(Group.unwrap(group) + GROUP);
        }
    }

    function settlement(Item item) internal pure returns (SettlementWord) {
        return SettlementWord.wrap(uint256(_word(Item.unwrap(item), 32)));
    }

    /// @notice The parts of the fee. What stands for keys and position means nothing: the batch's header and the group
    /// have them.
    function fee(Item item) internal pure returns (PaymentWord) {
        return PaymentWord.wrap(uint256(_word(Item.unwrap(item), 64)));
    }

    function result(Item item) internal pure returns (ResultWord) {
        return ResultWord.wrap(uint256(_word(Item.unwrap(item), 82)));
    }

    function dataLength(Item item) internal pure returns (uint256) {
        return uint256(_word(Item.unwrap(item), 114)) >> 224;
    }

    function data(Item item) internal pure returns (bytes calldata bytes_) {
        uint256 length = dataLength(item);
        assembly ("memory-safe") {
            bytes_.offset := add(item, 118)
            bytes_.length := length
        }
    }

    /// @notice The public output: the data's first bytes.
    function output(Item item) internal pure returns (bytes calldata bytes_) {
        uint256 length = result(item).outputLength();
        assembly ("memory-safe") {
            bytes_.offset := add(item, 118)
            bytes_.length := length
        }
    }

    /// @notice Where the item ends: the next one of its group, or the next group, starts there.
    function end(Item item) internal pure returns (uint256) {
        unchecked {
            return Item.unwrap(item) + ITEM + dataLength(item);
        }
    }

    function _word(uint256 start_, uint256 offset) private pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := calldataload(add(start_, offset))
        }
    }
}
