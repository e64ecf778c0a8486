// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {Batches, Fulfillment, FulfillmentGroup, FulfillmentItem} from "./support/Batches.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Recorder} from "./support/Consumers.sol";

/// @notice How a batch is packed, and what becomes of those that are not packed like that: nothing.
contract BatchesTest is OracleTest {
    address private user = makeAddr("user");
    Entry[3] private entries;
    bytes private valid;

    function setUp() public override {
        super.setUp();
        entries[0] = _request(stateful, user, 0);
        entries[1] = _request(stateful, user, 0);
        entries[2] = _request(stateless, user, 0);
        valid = Batches.pack(_batch(_groupOnHead(_list(entries[0], entries[1])), _groupOnHead(_list(entries[2]))));
    }

    function test_the_valid_batch_is_applied() public {
        assertEq(oracle.fulfill(valid), 3);
    }

    function test_no_part_of_a_batch_is_one() public {
        uint256 before = address(oracle).balance;
        for (uint256 length = 0; length < valid.length; ++length) {
            bytes memory part = _cut(valid, length);
            uint256 snapshot = vm.snapshotState();
            (bool success,) = address(oracle).call(abi.encodeCall(oracle.fulfill, (part)));
            assertFalse(success, "a batch that was cut");
            vm.revertToStateAndDelete(snapshot);
        }
        assertEq(address(oracle).balance, before);
    }

    function test_a_batch_cut_between_groups_is_another_list_of_results() public {
        FulfillmentGroup memory first = _groupOnHead(_list(entries[0], entries[1]));
        bytes memory part = _cut(valid, 32 + 64 + Batches.pack(first).length);
        vm.expectRevert();
        oracle.fulfill(part);
    }

    function testFuzz_nothing_follows_a_batch(bytes memory more) public {
        vm.assume(more.length != 0);
        (bool success,) = address(oracle).call(abi.encodeCall(oracle.fulfill, (bytes.concat(valid, more))));
        assertFalse(success);
    }

    function test_less_than_a_group_behind_a_batch_is_malformed() public {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.MalformedBatch.selector, valid.length));
        oracle.fulfill(bytes.concat(valid, hex"00"));
        // A group without items.
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.MalformedBatch.selector, valid.length));
        oracle.fulfill(bytes.concat(valid, new bytes(96)));
        // One that has an item, but not enough bytes for it.
        bytes memory group = new bytes(96 + 117);
        group[95] = 0x01;
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.MalformedBatch.selector, valid.length + 96));
        oracle.fulfill(bytes.concat(valid, group));
    }

    function test_a_batch_has_one_to_sixteen_signatures_and_a_group() public {
        bytes memory header = bytes.concat(new bytes(20), bytes4(KEY_GROUP), bytes4(uint32(1)), new bytes(4));
        _assertMalformed("");
        _assertMalformed(header);
        header[31] = 0x01;
        _assertMalformed(header);
        _assertMalformed(bytes.concat(header, new bytes(64)));
        header[31] = 0x11;
        _assertMalformed(bytes.concat(header, new bytes(2000)));
        _assertMalformed(bytes.concat(new bytes(32), valid));
    }

    function testFuzz_bytes_that_are_zero_are_zero(uint8 index, uint8 value) public {
        vm.assume(value != 0);
        valid[28 + index % 3] = bytes1(value);
        _assertMalformed(valid);
    }

    function testFuzz_a_changed_byte_has_nothing_of_a_batch_applied(uint256 index, uint8 value) public {
        index %= valid.length;
        vm.assume(uint8(valid[index]) != value);
        valid[index] = bytes1(value);
        (bool success, bytes memory result) = address(oracle).call(abi.encodeCall(oracle.fulfill, (valid)));
        if (success) assertEq(abi.decode(result, (uint256)), 0);
        assertEq(_headSeq(stateful), 1);
        assertEq(_status(entries[2]), 0);
    }

    function testFuzz_any_bytes_at_all(bytes memory batch) public {
        (bool success,) = address(oracle).call(abi.encodeCall(oracle.fulfill, (batch)));
        assertFalse(success);
    }

    /// @dev Lengths that point far behind the end, or around to the start.
    function testFuzz_an_items_length_leads_nowhere_else(uint32 length) public {
        // The first item's data length is behind a header, a signature, a group's header and 114 bytes.
        uint256 place = 32 + 64 + 96 + 114;
        uint32 before = uint32(bytes4(_slice(valid, place)));
        vm.assume(length != before);
        for (uint256 i = 0; i < 4; ++i) {
            valid[place + i] = bytes4(length)[i];
        }
        (bool success,) = address(oracle).call(abi.encodeCall(oracle.fulfill, (valid)));
        assertFalse(success);
    }

    function testFuzz_output_longer_than_the_data_reverts(uint32 length, bool hasLogs) public {
        Fulfillment memory f = _batch(_groupOnHead(_list(entries[0], entries[1])));
        uint256 data = f.groups[0].items[1].data.length;
        length = uint32(bound(length, hasLogs ? data - 31 : data + 1, type(uint32).max >> 1));
        f.groups[0].items[1].result = f.groups[0].items[1].result >> 32 << 32 | length | (hasLogs ? 1 << 31 : 0);
        // No signature over this can be made: it has no hash.
        uint256 place = 32 + 64 + 96 + Batches.pack(f.groups[0].items[0]).length;
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.MalformedBatch.selector, place));
        _fulfill(f);
    }

    function testFuzz_the_hash_of_sealed_logs_is_the_datas_last_word(
        uint8 outputLength,
        bytes memory sealedOutput,
        bytes32 logs
    ) public {
        bytes memory output = new bytes(outputLength);
        Recorder recorder = new Recorder();
        Entry memory last = _request(stateful, address(recorder), 1_000_000);
        _execute(_list(entries[0], entries[1]));
        Fulfillment memory f = _batch(_groupOnHead(_list(last)));
        FulfillmentItem memory item = f.groups[0].items[0];
        item.data = bytes.concat(output, sealedOutput, logs);
        item.result = item.result >> 32 << 32 | 1 << 31 | outputLength;
        _signBatch(f, signerKey);
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.EntryFulfilled(stateful, _outcomeWord(item.result, _seq(last)), item.data);
        assertEq(_fulfill(f), 1);
        (,,, bytes memory told,) = recorder.calls(0);
        assertEq(told, output, "of which the requester is told nothing");

        // Another hash of logs is another result.
        f.groups[0].items[0].data[item.data.length - 1] ^= 0x01;
        vm.expectRevert();
        _fulfill(f);
    }

    function test_a_batch_has_as_many_items_and_groups_as_fit() public {
        Entry[] memory many = new Entry[](252);
        many[0] = entries[0];
        many[1] = entries[1];
        for (uint256 i = 2; i < many.length; ++i) {
            many[i] = _request(stateful, user, 0);
        }
        assertEq(_execute(many), many.length);
        assertEq(_headSeq(stateful), 1 + many.length);
    }

    function _assertMalformed(bytes memory batch) private {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.MalformedBatch.selector, 0));
        oracle.fulfill(batch);
    }

    function _cut(bytes memory batch, uint256 length) private pure returns (bytes memory part) {
        part = bytes.concat(batch);
        assembly ("memory-safe") {
            mstore(part, length)
        }
    }

    function _slice(bytes memory batch, uint256 place) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(batch, 0x20), place))
        }
    }
}
