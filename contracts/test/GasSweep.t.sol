// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, Fulfillment} from "../src/interfaces/SubrosaTypes.sol";
import {GasBurner, StarvationAlarm, SwallowingConsumer} from "./consumers/GasTricks.sol";
import {StarvingRelayer} from "./relayers/Relayers.sol";
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

    function test_no_gas_limit_starves_a_callback_into_failing() public {
        address alarm = address(new StarvationAlarm(GAS));
        Entry memory a = _request(stateful, alarm, GAS);
        Entry memory b = _request(stateful, alarm, GAS);
        Entry memory c = _request(stateless, alarm, GAS);
        uint256[] memory seen = _sweep(a, b, c, _batch(_groupOnHead(_list(a, b)), _groupOnHead(_list(c))));
        _assertEveryPrefixSeen(seen);
    }

    function test_no_gas_limit_makes_a_consumer_lose_its_work() public {
        SwallowingConsumer consumer = new SwallowingConsumer();
        Entry memory a = _request(stateful, address(consumer), GAS);
        Entry memory b = _request(stateless, address(consumer), GAS);
        Fulfillment memory f = _batch(_groupOnHead(_list(a)), _groupOnHead(_list(b)));
        uint256 applied;
        for (uint256 limit = FROM; limit <= TO; limit += STEP) {
            uint256 snapshot = vm.snapshotState();
            (, uint256 executed) = _submit(f, limit, address(consumer));
            assertEq(consumer.lost(), 0, "no work is lost");
            assertEq(consumer.done(), executed, "and all of it is done");
            if (executed == 2) ++applied;
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(applied, 0);
    }

    /// @dev Burners take all they were promised and fail: what is left still pays and records.
    function test_no_gas_limit_lets_a_burner_take_the_batch_down() public {
        address burner = address(new GasBurner());
        Entry memory a = _request(stateful, burner, GAS);
        Entry memory b = _request(stateful, burner, GAS);
        Entry memory c = _request(stateless, burner, GAS);
        Fulfillment memory f = _batch(_groupOnHead(_list(a, b)), _groupOnHead(_list(c)));
        uint256[4] memory seen;
        bool started;
        for (uint256 limit = FROM; limit <= TO; limit += STEP) {
            uint256 snapshot = vm.snapshotState();
            (bool success, uint256 executed) = _submit(f, limit, burner);
            if (success) started = true;
            assertTrue(success || !started, "more gas, yet it fails");
            assertEq(_status(a), executed > 0 ? 2 : 0);
            assertEq(_status(b), executed > 1 ? 2 : 0);
            assertEq(_status(c), executed > 2 ? 6 : 0);
            _assertPaid(executed);
            ++seen[executed];
            vm.revertToStateAndDelete(snapshot);
        }
        for (uint256 i = 0; i < 4; ++i) {
            assertGt(seen[i], 0);
        }
    }

    /// @dev Large outputs move through memory and events beside the callback.
    function test_no_gas_limit_starves_a_callback_with_a_large_output() public {
        address alarm = address(new StarvationAlarm(GAS));
        Entry memory a = _request(stateful, alarm, GAS);
        Entry memory b = _request(stateful, alarm, GAS);
        Entry memory c = _request(stateless, alarm, GAS);
        Fulfillment memory f = _batch(_groupOnHead(_list(a, b)), _groupOnHead(_list(c)));
        bytes memory large = new bytes(8192);
        f.groups[0].items[0].data = large;
        f.groups[0].items[0].result = f.groups[0].items[0].result >> 32 << 32 | large.length;
        _signBatch(f, signerKey);
        _assertEveryPrefixSeen(_sweep(a, b, c, f));
    }

    function test_no_gas_limit_makes_a_retry_fail_where_the_promise_would_do() public {
        Moody moody = new Moody();
        Entry memory entry = _request(stateful, address(moody), GAS);
        _execute(_list(entry));
        // From now on the account fails for lack of gas only.
        vm.etch(address(moody), address(new StarvationAlarm(GAS)).code);
        bytes memory output = _output(entry);
        uint256 delivered;
        for (uint256 limit = FROM; limit <= TO; limit += STEP) {
            uint256 snapshot = vm.snapshotState();
            _cool(address(moody));
            bool success = starving.starveRetry(oracle, stateful, entry.seq, entry.settlement, output, limit);
            assertEq(_status(entry), success ? 0 : 2, "it is delivered, or still to be delivered");
            assertTrue(success || delivered == 0, "more gas, yet it fails");
            if (success) ++delivered;
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(delivered, 0);
    }

    function _sweep(Entry memory a, Entry memory b, Entry memory c, Fulfillment memory f)
        private
        returns (uint256[] memory seen)
    {
        seen = new uint256[](4);
        for (uint256 limit = FROM; limit <= TO; limit += STEP) {
            uint256 snapshot = vm.snapshotState();
            (, uint256 executed) = _submit(f, limit, address(uint160(a.settlement >> 96)));
            assertEq(_status(a), 0, "never a failed callback");
            assertEq(_status(b), 0);
            assertEq(_status(c), executed == 3 ? 4 : 0);
            _assertPaid(executed);
            ++seen[executed];
            vm.revertToStateAndDelete(snapshot);
        }
    }

    function _submit(Fulfillment memory f, uint256 limit, address callee) private returns (bool, uint256) {
        _cool(callee);
        return starving.submit(oracle, f, limit);
    }

    /// @dev Every account and slot costs what it costs in a transaction of its own.
    function _cool(address callee) private {
        vm.cool(address(oracle));
        vm.cool(address(registry));
        vm.cool(address(starving));
        vm.cool(callee);
    }

    /// @dev What was executed, and no more, was paid for; the rest waits in escrow.
    function _assertPaid(uint256 executed) private view {
        assertEq(uint48(_head(stateful)), 1 + (executed < 2 ? executed : 2));
        assertEq(address(starving).balance, executed * FEE);
        assertEq(address(oracle).balance, (3 - executed) * FEE);
    }

    function _assertEveryPrefixSeen(uint256[] memory seen) private pure {
        for (uint256 i = 0; i < seen.length; ++i) {
            assertGt(seen[i], 0, "the sweep meets every way a batch can end");
        }
    }
}
