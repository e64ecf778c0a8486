// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {Batches, Fulfillment, FulfillmentGroup, FulfillmentItem} from "../support/Batches.sol";

/// @notice The cheatcodes used here, of forge's and of halmos' own. Not forge-std's, which takes
/// longer to compile than all the rest.
interface Cheats {
    function assume(bool condition) external pure;
    function deal(address account, uint256 balance) external;
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
}

interface Svm {
    /// @notice Makes every slot that this account has not written yet hold any value whatever.
    function enableSymbolicStorage(address account) external;
    /// @notice Any call whatever of any function of a contract that was compiled, views left out.
    function createCalldata(string calldata contractName) external pure returns (bytes memory);
    function createUint256(string calldata name) external pure returns (uint256);
    function createBytes32(string calldata name) external pure returns (bytes32);
    function createAddress(string calldata name) external pure returns (address);
    function createBool(string calldata name) external pure returns (bool);
    function createBytes(uint256 length, string calldata name) external pure returns (bytes memory);
}

/// @notice Values that stand for all values at once, and batches made of them.
///
/// A function named `check_…` is a theorem: no values make an `assert` in it fail. One named
/// `check_…_is_reachable` asserts the contrary of what must be possible, and has to be refuted: it shows
/// that the theorems beside it are not true for want of anything happening.
///
/// What holds for all of them: keccak256 has no collisions, ecrecover may be any function (so any
/// signature may be anyone's), gas is not counted and GAS yields any value, calls between contracts are
/// executed for real. A path that reverts proves nothing and needs nothing: it changes nothing.
///
/// Bounds of every batch built here: groups and items as the caller says, 32 bytes of data an item, of
/// which all or none is public output. All words are arbitrary, but for the requester, which is the
/// given one. The anchor is the current block, which any hash passes: an anchor can only make a batch
/// revert.
abstract contract Symbolic {
    Cheats internal constant vm = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
    Svm internal constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

    address internal constant RELAYER = address(0xbeef);

    /// @dev Bytes of an item's data.
    uint256 private constant DATA = 32;

    function _anyBatch(FulfillmentGroup memory group) internal view returns (bytes memory) {
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](1);
        groups[0] = group;
        return _pack(groups);
    }

    function _anyBatch(FulfillmentGroup memory a, FulfillmentGroup memory b) internal view returns (bytes memory) {
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](2);
        (groups[0], groups[1]) = (a, b);
        return _pack(groups);
    }

    /// @dev A group of items without callbacks and public output.
    function _plainGroup(bytes32 contractId, uint256 items, address requester)
        internal
        pure
        returns (FulfillmentGroup memory group)
    {
        group = _group(contractId, items);
        for (uint256 i = 0; i < items; ++i) {
            FulfillmentItem memory item = group.items[i];
            item.settlement = uint256(uint160(requester)) << 96 | uint48(svm.createUint256("settlement"));
            item.result = svm.createUint256("result") >> 32 << 32;
        }
    }

    function _anyGroup(bytes32 contractId, uint256 items, address requester)
        internal
        pure
        returns (FulfillmentGroup memory group)
    {
        group = _group(contractId, items);
        for (uint256 i = 0; i < items; ++i) {
            FulfillmentItem memory item = group.items[i];
            item.settlement = _anySettlement(requester);
            item.result = svm.createUint256("result") >> 32 << 32 | (svm.createBool("isPublic") ? DATA : 0);
        }
    }

    function _group(bytes32 contractId, uint256 items) private pure returns (FulfillmentGroup memory group) {
        group.contractId = contractId;
        group.start = svm.createUint256("start");
        // The low byte is the number of items.
        group.previousDigest = svm.createBytes32("previousDigest") >> 8 << 8;
        group.items = new FulfillmentItem[](items);
        for (uint256 i = 0; i < items; ++i) {
            FulfillmentItem memory item = group.items[i];
            item.executionHash = svm.createBytes32("executionHash");
            item.payment = svm.createUint256("payment");
            item.data = svm.createBytes(DATA, "data");
        }
    }

    /// @dev Any entry by this requester that a log takes: not its 2^40th (`LogFull`).
    function _anyEntry(address requester) internal pure returns (Entry memory e) {
        e.contractId = svm.createBytes32("contractId");
        e.previousDigest = svm.createBytes32("entry.previousDigest") >> 8 << 8;
        e.context = svm.createBytes32("context");
        e.inputHash = svm.createBytes32("inputHash");
        e.execution = svm.createUint256("execution");
        e.settlement = _anySettlement(requester);
        e.payment = svm.createUint256("entry.payment");
        e.refundTo = svm.createBool("refunds to requester") ? address(0) : requester;
        vm.assume(_seq(e) < type(uint40).max);
    }

    function _anySettlement(address requester) internal pure returns (uint256) {
        return uint256(uint160(requester)) << 96 | uint96(svm.createUint256("settlement"));
    }

    function _seq(Entry memory e) internal pure returns (uint48) {
        return uint48(e.payment);
    }

    /// @dev The parts of the fee, in wei.
    function _landing(Entry memory e) internal pure returns (uint256) {
        return (e.payment >> 208) * 1 gwei;
    }

    function _callback(Entry memory e) internal pure returns (uint256) {
        return uint48(e.payment >> 160) * uint256(1 gwei);
    }

    function _charge(Entry memory e) internal pure returns (uint256) {
        return uint48(e.payment >> 112) * uint256(1 gwei);
    }

    function _fee(Entry memory e) internal pure returns (uint256) {
        return _landing(e) + _callback(e) + _charge(e);
    }

    function _deadline(Entry memory e) internal pure returns (uint256) {
        return uint48(e.settlement);
    }

    /// @dev The head after one more entry with this result.
    function _advance(uint256 head, uint256 result) internal pure returns (uint256) {
        return result >> 48 << 48 | (uint48(head) + 1);
    }

    function _later() internal {
        uint256 time = svm.createUint256("later");
        vm.assume(time >= block.timestamp && time < 1 << 48);
        vm.warp(time);
    }

    /// @dev `a || b` in one path: the operator makes two of it, and twice as many of all that follow.
    function _either(bool a, bool b) internal pure returns (bool c) {
        assembly ("memory-safe") {
            c := or(a, b)
        }
    }

    /// @dev All ones if so, else zero: `flag ? x : 0` in one path is `x & _mask(flag)`.
    function _mask(bool flag) internal pure returns (uint256 mask) {
        assembly ("memory-safe") {
            mask := sub(0, flag)
        }
    }

    /// @dev Whoever it was that signed, for whatever epoch; whoever sends is paid.
    function _pack(FulfillmentGroup[] memory groups) private view returns (bytes memory) {
        Fulfillment memory f;
        f.groups = groups;
        f.keyGroup = uint32(svm.createUint256("keyGroup"));
        f.keyEpoch = uint32(svm.createUint256("keyEpoch"));
        f.signatures = new bytes[](1);
        f.signatures[0] = bytes.concat(svm.createBytes32("r"), svm.createBytes32("vs"));
        return Batches.pack(f);
    }
}
