// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, Outstanding} from "../src/interfaces/SubrosaTypes.sol";
import {GasBurner, StarvationAlarm, SwallowingConsumer} from "./consumers/GasTricks.sol";
import {StarvingRelayer} from "./relayers/Relayers.sol";
import {Batches, Fulfillment} from "./support/Batches.sol";
import {Moody} from "./support/Consumers.sol";
import {OracleTest} from "./support/OracleTest.sol";

/// @notice Every gas limit from 21,000 to 2,000,000 that a relayer may choose, in steps of 1,000. At
/// none is an entry consumed without the gas that its request was promised, or a fee lost.
contract GasSweepTest is OracleTest {
    uint32 private constant GAS = 300_000;
    uint256 private constant FROM = 21_000;
    uint256 private constant TO = 2_000_000;
    uint256 private constant STEP = 1000;

    StarvingRelayer private starving = new StarvingRelayer();
    uint256 private owners;
    /// By which each entry is topped up.
    uint256 private added;

    function test_no_gas_limit_starves_a_callback_into_failing() public {
        address alarm = address(new StarvationAlarm(GAS));
        _assertEveryPrefixSeen(_sweep(_three(alarm), 0));
    }

    /// @dev Large outputs move through memory and events beside the callback.
    function test_no_gas_limit_starves_a_callback_with_a_large_output() public {
        address alarm = address(new StarvationAlarm(GAS));
        _assertEveryPrefixSeen(_sweep(_three(alarm), 8192));
    }

    /// @dev Refunded, topped up and cancelled entries write more.
    function test_no_gas_limit_starves_entries_whose_slots_have_a_status() public {
        address alarm = address(new StarvationAlarm(GAS));
        Entry[3] memory entries = _three(alarm);
        vm.deal(address(this), 3 gwei);
        added = 1 gwei;
        for (uint256 i = 0; i < 3; ++i) {
            oracle.addFee{value: added}(entries[i]);
        }
        _assertEveryPrefixSeen(_sweep(entries, 0));
    }

    function test_no_gas_limit_makes_a_consumer_lose_its_work() public {
        SwallowingConsumer consumer = new SwallowingConsumer();
        Entry memory a = _request(stateful, address(consumer), GAS);
        Entry memory b = _request(stateless, address(consumer), GAS);
        bytes memory batch = Batches.pack(_batch(_groupOnHead(_list(a)), _groupOnHead(_list(b))));
        uint256 applied;
        for (uint256 limit = FROM; limit <= TO; limit += STEP) {
            uint256 snapshot = vm.snapshotState();
            (, uint256 executed) = _submit(batch, limit, address(consumer));
            assertEq(consumer.lost(), 0, "no work is lost");
            assertEq(consumer.done(), executed, "and all of it is done");
            if (executed == 2) ++applied;
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(applied, 0);
    }

    /// @dev Burners take all they were promised and fail: what is left still pays and records.
    function test_no_gas_limit_lets_a_burner_take_the_batch_down() public {
        _sweepBurners(false);
    }

    /// @dev What is late is recorded too, with a slot of its own each.
    function test_no_gas_limit_lets_what_is_late_take_the_batch_down() public {
        _sweepBurners(true);
    }

    function test_no_gas_limit_makes_a_retry_fail_where_the_promise_would_do() public {
        Moody moody = new Moody();
        Entry memory entry = _request(stateful, address(moody), GAS);
        vm.recordLogs();
        _execute(_list(entry));
        Outstanding memory left = _lastOutstanding();
        // From now on the account fails for lack of gas only.
        vm.etch(address(moody), address(new StarvationAlarm(GAS)).code);
        bytes memory output = _output(entry);
        uint256 delivered;
        for (uint256 limit = FROM; limit <= TO; limit += STEP) {
            uint256 snapshot = vm.snapshotState();
            _cool(address(moody));
            bool success = starving.starveRetry(oracle, entry, left, output, limit);
            assertEq(
                _outstandingFlags(entry) & CALLBACK_DUE,
                success ? 0 : CALLBACK_DUE,
                "delivered, or still to be delivered"
            );
            assertTrue(success || delivered == 0, "more gas, yet it fails");
            if (success) ++delivered;
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(delivered, 0);
    }

    function _three(address requester) private returns (Entry[3] memory entries) {
        entries[0] = _request(stateful, requester, GAS);
        entries[1] = _request(stateful, requester, GAS);
        entries[2] = _request(stateless, requester, GAS);
        owners = oracle.balanceOf(owner);
    }

    function _batchOf(Entry[3] memory entries) private view returns (Fulfillment memory) {
        return _batch(_groupOnHead(_list(entries[0], entries[1])), _groupOnHead(_list(entries[2])));
    }

    function _sweepBurners(bool late) private {
        address burner = address(new GasBurner());
        Entry[3] memory entries = _three(burner);
        bytes memory batch = Batches.pack(_batchOf(entries));
        if (late) skip(2 hours);
        uint256[4] memory seen;
        bool started;
        for (uint256 limit = FROM; limit <= TO; limit += STEP) {
            uint256 snapshot = vm.snapshotState();
            (bool success, uint256 executed) = _submit(batch, limit, burner);
            if (success) started = true;
            assertTrue(success || !started, "more gas, yet it fails");
            for (uint256 i = 0; i < 3; ++i) {
                uint256 flags = late ? CALLBACK_DUE | FOR_REQUESTER : CALLBACK_DUE;
                assertEq(_outstandingFlags(entries[i]), i < executed ? flags : 0);
            }
            assertEq(_headSeq(stateful), 1 + (executed < 2 ? executed : 2));
            if (executed != 0) assertGe(oracle.balanceOf(address(starving)), executed * _landing(entries[0]));
            ++seen[executed];
            vm.revertToStateAndDelete(snapshot);
        }
        for (uint256 i = 0; i < 4; ++i) {
            assertGt(seen[i], 0);
        }
    }

    function _sweep(Entry[3] memory entries, uint256 length) private returns (uint256[] memory seen) {
        Fulfillment memory f = _batchOf(entries);
        if (length != 0) {
            f.groups[0].items[0].data = new bytes(length);
            f.groups[0].items[0].result = f.groups[0].items[0].result >> 32 << 32 | length;
            _signBatch(f, signerKey);
        }
        bytes memory batch = Batches.pack(f);
        seen = new uint256[](4);
        for (uint256 limit = FROM; limit <= TO; limit += STEP) {
            uint256 snapshot = vm.snapshotState();
            (, uint256 executed) = _submit(batch, limit, address(uint160(entries[0].settlement >> 96)));
            for (uint256 i = 0; i < 3; ++i) {
                assertEq(_outstandingFlags(entries[i]), 0, "never a failed callback");
            }
            _assertPaid(entries, executed);
            ++seen[executed];
            vm.revertToStateAndDelete(snapshot);
        }
    }

    function _submit(bytes memory batch, uint256 limit, address callee) private returns (bool, uint256) {
        _cool(callee);
        return starving.submit(oracle, batch, limit);
    }

    /// @dev Every account and slot costs what it costs in a transaction of its own.
    function _cool(address callee) private {
        vm.cool(address(oracle));
        vm.cool(address(registry));
        vm.cool(address(starving));
        vm.cool(callee);
    }

    /// @dev What was executed, and no more, was paid for; the rest waits in escrow.
    function _assertPaid(Entry[3] memory entries, uint256 executed) private view {
        assertEq(_headSeq(stateful), 1 + (executed < 2 ? executed : 2));
        uint256 due;
        for (uint256 i = 0; i < executed; ++i) {
            due += _earned(entries[i]) + added;
        }
        assertEq(oracle.balanceOf(address(starving)), due);
        assertEq(oracle.balanceOf(owner), owners + executed * CHARGE);
    }

    function _assertEveryPrefixSeen(uint256[] memory seen) private pure {
        for (uint256 i = 0; i < seen.length; ++i) {
            assertGt(seen[i], 0, "the sweep meets every way a batch can end");
        }
    }
}
