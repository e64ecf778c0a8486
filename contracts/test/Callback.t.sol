// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../src/interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle, Policy} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Fulfillment} from "../src/interfaces/SubrosaTypes.sol";
import {StarvationAlarm} from "./consumers/GasTricks.sol";
import {Bomb, Burner, Keeper, Moody, Quitter, Recorder, Reentrant, Refuser} from "./support/Consumers.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Reference} from "./support/Reference.sol";

/// @notice Callbacks: to friends, to enemies, with too little gas, and again.
contract CallbackTest is OracleTest {
    uint32 private constant GAS = 200_000;

    address private user = makeAddr("user");
    Recorder private recorder = new Recorder();

    function test_the_requester_gets_the_public_output() public {
        Entry memory a = _request(stateful, address(recorder), GAS);
        Entry memory b = _request(stateless, address(recorder), GAS);
        _fulfill(_batch(_groupOnHead(_list(a)), _groupOnHead(_list(b))));
        assertEq(recorder.count(), 2);
        _assertCall(0, a);
        _assertCall(1, b);
    }

    function testFuzz_the_message_is_the_abis_to_the_last_byte(uint8 outputLength, bytes memory data) public {
        outputLength = uint8(bound(outputLength, 0, data.length > 255 ? 255 : data.length));
        Keeper keeper = new Keeper();
        Entry memory entry = _request(stateful, address(keeper), 1_000_000);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        f.groups[0].items[0].data = data;
        f.groups[0].items[0].result = f.groups[0].items[0].result >> 32 << 32 | outputLength;
        _signBatch(f, signerKey);
        assertEq(_fulfill(f), 1);

        bytes memory output = new bytes(outputLength);
        for (uint256 i = 0; i < outputLength; ++i) {
            output[i] = data[i];
        }
        bytes memory expected = abi.encodeCall(ISubrosaConsumer.onSubrosaResult, (stateful, 1, 1, output));
        assertEq(keeper.message(), expected);
    }

    function test_without_a_gas_limit_there_is_no_callback() public {
        _execute(_list(_request(stateful, address(recorder), 0)));
        assertEq(recorder.count(), 0);
    }

    function test_a_late_callback_is_made_unless_it_expires() public {
        Entry memory a = _request(stateful, address(recorder), GAS);
        uint256 terms = Reference.terms(0, EXPIRES, 1, GAS, _deadline());
        Entry memory b = _request(stateful, address(recorder), terms, FEE);
        Entry memory c = _request(stateful, address(recorder), terms, FEE);
        vm.warp(uint48(c.settlement));
        uint256 start = _head(stateful);
        assertEq(_fulfill(_batch(_group(start, _list(a, b)))), 2, "the deadline itself is not late");
        assertEq(recorder.count(), 2);
        skip(1);
        assertEq(_execute(_list(c)), 1);
        assertEq(recorder.count(), 2);
        assertEq(_status(c), 0);
    }

    function test_the_head_moves_whatever_the_callback_does() public {
        address[6] memory enemies = [
            address(new Moody()),
            address(new Burner()),
            address(new Bomb(false)),
            address(new Bomb(true)),
            address(new Refuser()),
            address(new Quitter())
        ];
        bool[6] memory fails = [true, true, false, true, true, false];
        for (uint256 i = 0; i < enemies.length; ++i) {
            Entry memory a = _request(stateful, enemies[i], GAS);
            Entry memory b = _request(stateful, address(recorder), GAS);
            uint256 before = relayer.balance;
            uint256 calls = recorder.count();

            assertEq(_execute(_list(a, b)), 2);

            assertEq(_status(a), fails[i] ? 2 : 0);
            assertEq(_head(stateful), _commitment(b) | (b.seq + 1));
            assertEq(relayer.balance - before, 2 * FEE);
            assertEq(recorder.count(), calls + 1);
        }
    }

    function test_an_account_without_code_is_called_in_vain() public {
        Entry memory entry = _request(stateful, user, GAS);
        assertEq(_execute(_list(entry)), 1);
        assertEq(_status(entry), 0);
    }

    function test_a_return_bomb_costs_no_more_than_its_gas() public {
        Entry memory entry = _request(stateful, address(new Bomb(false)), GAS);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        vm.prank(relayer);
        uint256 before = gasleft();
        oracle.fulfill(f);
        // Copying what it returns would cost another 120,000.
        assertLt(before - gasleft(), GAS + 50_000);
    }

    /// @dev From the gas at which nothing is done to that at which all is done, there is none at which
    /// a callback gets less than was promised, or an entry is consumed without one.
    function test_no_callback_gets_less_gas_than_promised() public {
        Entry memory a = _request(stateful, address(recorder), GAS);
        Entry memory b = _request(stateful, address(recorder), GAS);
        Fulfillment memory f = _batch(_groupOnHead(_list(a, b)));
        uint256[3] memory seen;

        for (uint256 limit = 21_000; limit < 1_500_000; limit += 1000) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(relayer);
            try oracle.fulfill{gas: limit}(f) returns (uint256 executed) {
                assertEq(recorder.count(), executed);
                assertEq(uint48(_head(stateful)), 1 + executed);
                for (uint256 i = 0; i < executed; ++i) {
                    (,,,, uint256 gasAtEntry) = recorder.calls(i);
                    // What the call itself takes to get to the first line.
                    assertGt(gasAtEntry, GAS - 1500);
                }
                ++seen[executed];
            } catch {
                assertEq(recorder.count(), 0);
                assertEq(uint48(_head(stateful)), 1);
            }
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(seen[0], 0, "a batch ended before its first item");
        assertGt(seen[1], 0, "a batch ended before its second item");
        assertGt(seen[2], 0, "a batch was applied");
    }

    /// @dev Whatever the callee does with its gas, enough is left to record the failure.
    function test_a_batch_that_starts_an_item_can_finish_it() public {
        Entry memory a = _request(stateful, address(new Burner()), GAS);
        Entry memory b = _request(stateless, address(new Burner()), GAS);
        Fulfillment memory f = _batch(_groupOnHead(_list(a)), _groupOnHead(_list(b)));
        bool started;
        for (uint256 limit = 100_000; limit < 1_500_000; limit += 1000) {
            uint256 snapshot = vm.snapshotState();
            // From a contract that takes no payment, so that this is deferred too.
            try oracle.fulfill{gas: limit}(f) returns (uint256 executed) {
                assertEq(uint48(_head(stateful)), executed == 0 ? 1 : 2);
                assertEq(oracle.balanceOf(address(this)), executed * FEE);
                started = true;
            } catch {
                assertFalse(started, "more gas, yet it fails");
            }
            vm.revertToStateAndDelete(snapshot);
        }
        assertTrue(started);
    }

    /// @dev A transaction has 2^24 gas (EIP-7825), of which calldata takes up to 16 a byte.
    function test_the_largest_promise_is_kept_in_one_transaction_whatever_the_output() public {
        uint32 largest = 10_000_000;
        vm.prank(owner);
        oracle.setPolicy(stateful, Policy(uint40(CHARGE / 1 gwei), 60, largest, false, false));
        Entry memory entry = _request(stateful, address(new StarvationAlarm(largest)), largest);
        for (uint256 length = 0; length <= 120 * 1024; length += 40 * 1024) {
            uint256 snapshot = vm.snapshotState();
            Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
            f.groups[0].items[0].data = new bytes(length);
            f.groups[0].items[0].result = f.groups[0].items[0].result >> 32 << 32 | length;
            _signBatch(f, signerKey);
            uint256 gas = (1 << 24) - 21_000 - 16 * abi.encodeCall(oracle.fulfill, f).length;
            vm.prank(relayer);
            assertEq(oracle.fulfill{gas: gas}(f), 1);
            assertEq(_status(entry), 0, "the callback got what it was promised");
            vm.revertToStateAndDelete(snapshot);
        }
    }

    function test_a_batch_that_ends_early_says_where() public {
        Entry memory entry = _request(stateful, address(recorder), 1_000_000);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        vm.expectEmit(true, true, false, false, address(oracle));
        emit ISubrosaOracle.BatchEnded(stateful, 1, 0);
        vm.prank(relayer);
        assertEq(oracle.fulfill{gas: 500_000}(f), 0);
        assertEq(uint48(_head(stateful)), 1);
    }

    function test_a_failed_callback_can_be_made_again_by_anyone_once() public {
        Moody moody = new Moody();
        Entry memory entry = _request(stateful, address(moody), GAS);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.CallbackFailed(stateful, 1, entry.settlement, 1);
        _fulfill(f);
        bytes memory output = _output(entry);

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CallbackReverted.selector, stateful, 1));
        oracle.retryCallback(stateful, 1, entry.settlement, 1, output);
        assertEq(_status(entry), 2, "it can still be tried");

        moody.cheerUp();
        oracle.retryCallback(stateful, 1, entry.settlement, 1, output);
        assertEq(moody.count(), 1);
        assertEq(_status(entry), 0);

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NoFailedCallback.selector, stateful, 1));
        oracle.retryCallback(stateful, 1, entry.settlement, 1, output);
    }

    function testFuzz_only_the_very_result_is_delivered_again(uint8 field, uint8 bit) public {
        Moody moody = new Moody();
        Entry memory entry = _request(stateful, address(moody), GAS);
        _execute(_list(entry));
        moody.cheerUp();
        bytes32 id = stateful;
        uint256 seq = 1;
        uint256 settlement = entry.settlement;
        uint8 status = 1;
        bytes memory output = _output(entry);
        field %= 5;
        if (field == 0) id ^= bytes32(1 << uint256(bit));
        if (field == 1) seq ^= 1 << uint256(bit);
        if (field == 2) settlement ^= 1 << uint256(bit);
        if (field == 3) status ^= uint8(1 << (bit % 8));
        if (field == 4) output[bit % 32] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NoFailedCallback.selector, id, seq));
        oracle.retryCallback(id, seq, settlement, status, output);
        assertEq(moody.count(), 0);
    }

    function test_a_retry_gives_at_least_what_was_promised() public {
        Moody moody = new Moody();
        Entry memory entry = _request(stateful, address(moody), GAS);
        _execute(_list(entry));
        moody.cheerUp();
        bytes memory output = _output(entry);
        uint256 refused;
        for (uint256 limit = 50_000; limit < 400_000; limit += 1000) {
            uint256 snapshot = vm.snapshotState();
            try oracle.retryCallback{gas: limit}(stateful, 1, entry.settlement, 1, output) {
                (,,,, uint256 gasAtEntry) = moody.calls(0);
                // Moody looks after writing most of what it notes.
                assertGt(gasAtEntry, GAS - 160_000);
            } catch {
                ++refused;
                assertEq(_status(entry), 2);
                assertEq(moody.count(), 0);
            }
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(refused, 150, "below the promise nothing is tried");
    }

    function test_an_expired_callback_is_not_made_again() public {
        Moody moody = new Moody();
        uint256 terms = Reference.terms(0, EXPIRES, 1, GAS, _deadline());
        Entry memory entry = _request(stateful, address(moody), terms, FEE);
        _execute(_list(entry));
        moody.cheerUp();
        skip(2 hours);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CallbackExpired.selector, stateful, 1));
        oracle.retryCallback(stateful, 1, entry.settlement, 1, _output(entry));
    }

    function test_reentering_executes_and_pays_nothing_twice() public {
        Reentrant enemy = new Reentrant(oracle);
        Entry memory a = _request(stateful, address(enemy), 1_000_000);
        Entry memory b = _request(stateful, address(recorder), GAS);
        Entry memory c = _request(stateful, address(recorder), GAS);
        uint256 start = _head(stateful);
        Fulfillment memory all = _batch(_group(start, _list(a, b, c)));
        enemy.attempt(abi.encodeCall(ISubrosaOracle.fulfill, (all)));
        uint256 before = relayer.balance;

        // The enemy submits the batch from within: a is executed already, b and c are its to take.
        assertEq(_fulfill(all), 1);

        assertEq(_head(stateful), _commitment(c) | 4);
        assertEq(recorder.count(), 2);
        assertEq(relayer.balance - before, FEE);
        assertEq(address(enemy).balance, 2 * FEE);
        assertEq(address(oracle).balance, 0);
    }

    function test_reentering_with_refunds_takes_nothing_twice() public {
        Reentrant enemy = new Reentrant(oracle);
        Entry memory a = _request(stateful, address(enemy), 1_000_000);
        Entry memory b = _request(stateful, address(enemy), 0);
        skip(2 hours);
        enemy.attempt(abi.encodeCall(ISubrosaOracle.refund, (a)));
        enemy.attempt(abi.encodeCall(ISubrosaOracle.refund, (b)));
        enemy.attempt(abi.encodeCall(ISubrosaOracle.refund, (b)));
        uint256 before = relayer.balance;

        assertEq(_execute(_list(a, b)), 2);

        bool[] memory succeeded = enemy.outcomes();
        assertFalse(succeeded[0], "executed already");
        assertTrue(succeeded[1], "still pending, so refundable");
        assertFalse(succeeded[2], "refunded already");
        assertEq(relayer.balance - before, FEE + CHARGE);
        assertEq(address(enemy).balance, FEE - CHARGE);
        assertEq(address(oracle).balance, 0);
    }

    function test_reentering_a_retry_delivers_once() public {
        Reentrant enemy = new Reentrant(oracle);
        // Too little gas for a callback that does anything: it fails, and is retried with more.
        Entry memory entry = _request(stateful, address(enemy), 1000);
        bytes memory retry =
            abi.encodeCall(ISubrosaOracle.retryCallback, (stateful, 1, entry.settlement, 1, _output(entry)));
        enemy.attempt(retry);
        _execute(_list(entry));
        assertEq(_status(entry), 2);

        oracle.retryCallback(stateful, 1, entry.settlement, 1, _output(entry));
        assertFalse(enemy.outcomes()[0]);
        assertEq(_status(entry), 0);
    }

    function _assertCall(uint256 index, Entry memory entry) private view {
        (bytes32 contractId, uint256 seq, uint8 status, bytes memory output,) = recorder.calls(index);
        assertEq(contractId, entry.contractId);
        assertEq(seq, entry.seq);
        assertEq(status, 1);
        assertEq(output, _output(entry));
    }
}
