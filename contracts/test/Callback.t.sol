// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../src/interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle, Policy, PriceTable} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../src/interfaces/SubrosaTypes.sol";
import {StarvationAlarm} from "./consumers/GasTricks.sol";
import {Batches, Fulfillment} from "./support/Batches.sol";
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
        uint256 before = oracle.balanceOf(relayer);
        _fulfill(_batch(_groupOnHead(_list(a)), _groupOnHead(_list(b))));
        assertEq(recorder.count(), 2);
        _assertCall(0, a);
        _assertCall(1, b);
        assertEq(oracle.balanceOf(relayer) - before, _earned(a) + _earned(b));
        _assertNothingOutstanding(a);
        _assertNothingOutstanding(b);
    }

    function testFuzz_the_message_is_the_abis_to_the_last_byte(uint8 outputLength, bytes memory data) public {
        outputLength = uint8(bound(outputLength, 0, data.length > 255 ? 255 : data.length));
        Keeper keeper = new Keeper();
        Entry memory entry = _request(stateful, address(keeper), 1_000_000);
        assertEq(_fulfill(_withData(entry, data, outputLength)), 1);

        bytes memory output = Reference.slice(data, 0, outputLength);
        bytes memory expected = abi.encodeCall(ISubrosaConsumer.onSubrosaResult, (stateful, 1, 1, output));
        assertEq(keeper.message(), expected);
    }

    function test_without_a_gas_limit_there_is_no_callback() public {
        _execute(_list(_request(stateful, address(recorder), 0)));
        assertEq(recorder.count(), 0);
    }

    function test_a_callback_is_made_until_the_deadline_and_is_due_after_it() public {
        uint256 expiring = Reference.terms(0, EXPIRES, 1, GAS, _deadline());
        Entry memory a = _request(stateful, address(recorder), GAS);
        Entry memory b = _request(stateful, address(recorder), expiring, FEE);
        Entry memory c = _request(stateful, address(recorder), expiring, FEE);
        Entry memory d = _request(stateful, address(recorder), GAS);
        vm.warp(uint48(c.settlement));
        assertEq(_execute(_list(a, b)), 2, "the deadline itself is not late");
        assertEq(recorder.count(), 2);
        skip(1);
        assertEq(_execute(_list(c, d)), 2);
        assertEq(recorder.count(), 2);
        assertEq(_outstandingFlags(c), FOR_REQUESTER);
        assertEq(_outstandingFlags(d), CALLBACK_DUE | FOR_REQUESTER);
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
            uint256 calls = recorder.count();
            assertEq(_execute(_list(a, b)), 2);
            assertEq(_outstandingFlags(a), fails[i] ? CALLBACK_DUE : 0);
            assertEq(_head(stateful), _commitment(b) | (_seq(b) + 1));
            assertEq(recorder.count(), calls + 1);
        }
    }

    function test_an_account_without_code_is_called_in_vain() public {
        Entry memory entry = _request(stateful, user, GAS);
        assertEq(_execute(_list(entry)), 1);
        _assertNothingOutstanding(entry);
    }

    function test_a_return_bomb_costs_no_more_than_its_gas() public {
        bytes memory batch =
            Batches.pack(_batch(_groupOnHead(_list(_request(stateful, address(new Bomb(false)), GAS)))));
        vm.prank(relayer);
        uint256 before = gasleft();
        oracle.fulfill(batch);
        // Copying what it returns would cost another 120,000.
        assertLt(before - gasleft(), GAS + 50_000);
    }

    /// @dev From the gas at which nothing is done to that at which all is done, there is none at which
    /// a callback gets less than was promised, or an entry is consumed without one.
    function test_no_callback_gets_less_gas_than_promised() public {
        Entry memory a = _request(stateful, address(recorder), GAS);
        Entry memory b = _request(stateful, address(recorder), GAS);
        bytes memory batch = Batches.pack(_batch(_groupOnHead(_list(a, b))));
        uint256[3] memory seen;

        for (uint256 limit = 21_000; limit < 1_500_000; limit += 1000) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(relayer);
            try oracle.fulfill{gas: limit}(batch) returns (uint256 executed) {
                assertEq(recorder.count(), executed);
                assertEq(_headSeq(stateful), 1 + executed);
                for (uint256 i = 0; i < executed; ++i) {
                    (,,,, uint256 gasAtEntry) = recorder.calls(i);
                    // What the call itself takes to get to the first line.
                    assertGt(gasAtEntry, GAS - 1500);
                }
                ++seen[executed];
            } catch {
                assertEq(recorder.count(), 0);
                assertEq(_headSeq(stateful), 1);
            }
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(seen[0], 0, "a batch ended before its first item");
        assertGt(seen[1], 0, "a batch ended before its second item");
        assertGt(seen[2], 0, "a batch was applied");
    }

    /// @dev A transaction has 2^24 gas (EIP-7825), of which calldata takes up to 16 a byte.
    function test_the_largest_promise_is_kept_in_one_transaction_whatever_the_output() public {
        uint24 largest = 10_000_000;
        Policy memory policy = _policy();
        policy.maximumCallbackGas = largest;
        vm.prank(owner);
        oracle.setPolicy(stateful, policy);
        address alarm = address(new StarvationAlarm(largest));
        Entry memory entry = _request(stateful, alarm, _terms(largest), 1 ether);
        for (uint256 length = 0; length <= 120 * 1024; length += 40 * 1024) {
            uint256 snapshot = vm.snapshotState();
            bytes memory batch = Batches.pack(_withData(entry, new bytes(length), length));
            uint256 gas = (1 << 24) - 21_000 - 16 * batch.length;
            vm.prank(relayer);
            assertEq(oracle.fulfill{gas: gas}(batch), 1);
            _assertNothingOutstanding(entry);
            vm.revertToStateAndDelete(snapshot);
        }
    }

    function test_a_batch_that_ends_early_says_where_and_takes_nothing_of_the_item() public {
        Entry memory entry = _request(stateful, address(recorder), 1_000_000);
        bytes memory batch = Batches.pack(_batch(_groupOnHead(_list(entry))));
        uint256 before = oracle.head(stateful);
        vm.expectEmit(true, true, false, false, address(oracle));
        emit ISubrosaOracle.BatchEnded(stateful, 1, 0);
        vm.prank(relayer);
        assertEq(oracle.fulfill{gas: 500_000}(batch), 0);
        assertEq(oracle.head(stateful), before);
        vm.prank(relayer);
        assertEq(oracle.fulfill(batch), 1);
    }

    // Failed ones.

    function test_a_failed_callback_pays_its_lander_for_the_gas_it_burned_and_holds_the_rest() public {
        Entry memory entry = _request(stateful, address(new Moody()), GAS);
        uint256 before = oracle.balanceOf(relayer);
        vm.recordLogs();
        _execute(_list(entry));
        Outstanding memory left = _lastOutstanding();
        uint256 burned = oracle.balanceOf(relayer) - before - _landing(entry);
        assertEq(uint256(left.held) * 1 gwei, _callbackPart(entry) - burned, "the rest is held");
        // It reverts at once: what it burned is the overhead, of 12,000 gas, and not much more.
        uint256 share = _callbackPart(entry) * 12_000 / (12_000 + uint256(GAS) * 64 / 63);
        assertGe(burned, share - 1 gwei);
        assertLt(burned, 2 * share + share / 2);
        _assertOutstanding(entry, left, CALLBACK_DUE);
        assertEq(left.since, block.timestamp);
    }

    /// @dev The event of a large answer is paid for by the landing part, and not once more by the callback's.
    function test_what_a_failed_callback_burned_does_not_depend_on_what_was_sealed() public {
        uint256[2] memory burned;
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(stateful, address(new Moody()), GAS);
            uint256 before = oracle.balanceOf(relayer);
            assertEq(_fulfill(_withData(entry, new bytes(i == 0 ? 32 : 20_000), 32)), 1);
            burned[i] = oracle.balanceOf(relayer) - before - _landing(entry);
        }
        assertApproxEqRel(burned[1], burned[0], 0.05e18);
    }

    function test_a_callback_that_burns_all_its_gas_pays_all_of_its_part() public {
        Entry memory entry = _request(stateful, address(new Burner()), GAS);
        uint256 before = oracle.balanceOf(relayer);
        vm.recordLogs();
        _execute(_list(entry));
        Outstanding memory left = _lastOutstanding();
        // But for the sixty-third that a call keeps back.
        assertLe(uint256(left.held) * 1 gwei, _callbackPart(entry) / 50);
        assertEq(oracle.balanceOf(relayer) - before, _earned(entry) - uint256(left.held) * 1 gwei);
    }

    /// @dev Its maker's cost at the base fee: nobody earns by having had it fail. The rest is the requester's at once.
    function test_a_failed_callback_can_be_made_again_by_anyone_once_for_its_gas() public {
        (Moody moody, Entry memory entry, Outstanding memory left) = _failed(0);
        bytes memory output = _output(entry);

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CallbackReverted.selector, stateful, 1));
        oracle.retryCallback(entry, left, output);
        _assertOutstanding(entry, left, CALLBACK_DUE);

        moody.cheerUp();
        address maker = makeAddr("maker");
        vm.prank(maker);
        uint256 used = gasleft();
        oracle.retryCallback(entry, left, output);
        used -= gasleft();
        assertEq(moody.count(), 1);
        uint256 reward = oracle.balanceOf(maker);
        PriceTable memory table = _table();
        assertGt(reward, (uint256(table.callback) + table.record) * BASE_FEE);
        assertLe(reward, (used + table.callback + table.record) * BASE_FEE);

        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingOutstanding.selector, stateful, 1));
        oracle.retryCallback(entry, left, output);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingOutstanding.selector, stateful, 1));
        oracle.refundExecuted(entry, left);
        left.held -= uint48(reward / 1 gwei);
        _assertOutstanding(entry, left, FOR_REQUESTER);
        oracle.refundExecuted(entry, left);
        assertEq(address(moody).balance, uint256(left.held) * 1 gwei);
        _assertNothingOutstanding(entry);
    }

    function test_whoever_makes_a_callback_again_is_paid_no_more_than_is_held() public {
        (Moody moody, Entry memory entry, Outstanding memory left) = _failed(0);
        moody.cheerUp();
        vm.fee(1000 * BASE_FEE);
        oracle.retryCallback(entry, left, _output(entry));
        assertEq(oracle.balanceOf(address(this)), uint256(left.held) * 1 gwei);
        _assertNothingOutstanding(entry);
    }

    function test_what_is_held_is_the_requesters_after_the_grace_period() public {
        (Moody moody, Entry memory entry, Outstanding memory left) = _failed(0);
        vm.warp(left.since + GRACE);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.HeldForCallback.selector, left.since + GRACE));
        oracle.refundExecuted(entry, left);
        skip(1);
        oracle.refundExecuted(entry, left);
        assertEq(address(moody).balance, uint256(left.held) * 1 gwei);
        // And the callback can still be made, at its maker's cost.
        left.held = 0;
        _assertOutstanding(entry, left, CALLBACK_DUE);
        moody.cheerUp();
        uint256 before = oracle.balanceOf(address(this));
        oracle.retryCallback(entry, left, _output(entry));
        assertEq(oracle.balanceOf(address(this)), before);
        _assertNothingOutstanding(entry);
    }

    function test_a_callback_made_after_the_grace_period_leaves_what_is_held_to_the_requester() public {
        (Moody moody, Entry memory entry, Outstanding memory left) = _failed(0);
        moody.cheerUp();
        skip(GRACE + 1);
        oracle.retryCallback(entry, left, _output(entry));
        assertEq(oracle.balanceOf(address(this)), 0);
        _assertOutstanding(entry, left, FOR_REQUESTER);
        oracle.refundExecuted(entry, left);
        assertEq(address(moody).balance, uint256(left.held) * 1 gwei);
        _assertNothingOutstanding(entry);
    }

    function test_an_expiring_callback_that_failed_in_time_can_be_made_in_the_grace_period() public {
        (Moody moody, Entry memory entry, Outstanding memory left) = _failed(EXPIRES);
        moody.cheerUp();
        vm.warp(left.since + GRACE);
        assertGt(block.timestamp, uint48(entry.settlement), "its deadline is over");
        uint256 snapshot = vm.snapshotState();
        oracle.retryCallback(entry, left, _output(entry));
        assertEq(moody.count(), 1);
        vm.revertToStateAndDelete(snapshot);

        skip(1);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.CallbackExpired.selector, stateful, 1));
        oracle.retryCallback(entry, left, _output(entry));
        oracle.refundExecuted(entry, left);
        _assertNothingOutstanding(entry);
    }

    function testFuzz_only_the_very_result_is_delivered_again(uint8 field, uint8 bit) public {
        (Moody moody, Entry memory entry, Outstanding memory left) = _failed(0);
        moody.cheerUp();
        bytes memory output = _output(entry);
        field %= 9;
        if (field == 0) entry.contractId ^= bytes32(1 << uint256(bit));
        if (field == 1) entry.payment ^= 1 << uint256(bit);
        if (field == 2) entry.settlement ^= 1 << uint256(bit);
        if (field == 3) left.status ^= uint8(1 << (bit % 8));
        if (field == 4) output[bit % 32] ^= 0x01;
        if (field == 5) left.held ^= uint48(1 << (bit % 48));
        if (field == 6) left.since ^= uint48(1 << (bit % 48));
        if (field == 7) left.outputHash ^= bytes32(1 << uint256(bit));
        if (field == 8) entry.refundTo = address(uint160(1 << (bit % 160)));
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaOracle.NothingOutstanding.selector, entry.contractId, _seq(entry))
        );
        oracle.retryCallback(entry, left, output);
        assertEq(moody.count(), 0);
    }

    function test_a_retry_gives_at_least_what_was_promised() public {
        (Moody moody, Entry memory entry, Outstanding memory left) = _failed(0);
        moody.cheerUp();
        bytes memory output = _output(entry);
        uint256 refused;
        for (uint256 limit = 50_000; limit < 500_000; limit += 1000) {
            uint256 snapshot = vm.snapshotState();
            try oracle.retryCallback{gas: limit}(entry, left, output) {
                (,,,, uint256 gasAtEntry) = moody.calls(0);
                // Moody looks after writing most of what it notes.
                assertGt(gasAtEntry, GAS - 160_000);
            } catch {
                ++refused;
                _assertOutstanding(entry, left, CALLBACK_DUE);
                assertEq(moody.count(), 0);
            }
            vm.revertToStateAndDelete(snapshot);
        }
        assertGt(refused, 150, "below the promise nothing is tried");
    }

    function test_a_retry_with_too_little_gas_says_how_much() public {
        (Moody moody, Entry memory entry, Outstanding memory left) = _failed(0);
        moody.cheerUp();
        bytes memory output = _output(entry);
        vm.expectPartialRevert(ISubrosaOracle.InsufficientGas.selector);
        oracle.retryCallback{gas: 220_000}(entry, left, output);
    }

    // From within.

    function test_reentering_executes_and_pays_nothing_twice() public {
        Reentrant enemy = new Reentrant(oracle);
        Entry memory a = _request(stateful, address(enemy), 1_000_000);
        Entry memory b = _request(stateful, address(recorder), GAS);
        Entry memory c = _request(stateful, address(recorder), GAS);
        Fulfillment memory all = _batch(_groupOnHead(_list(a, b, c)));
        enemy.attempt(abi.encodeCall(ISubrosaOracle.fulfill, (Batches.pack(all))));
        uint256 before = oracle.balanceOf(relayer);

        // The enemy submits the batch from within: a is executed already, b and c are its to take.
        assertEq(_fulfill(all), 1);

        assertEq(_head(stateful), _commitment(c) | 4);
        assertEq(recorder.count(), 2);
        assertEq(oracle.balanceOf(relayer) - before, _earned(a));
        assertEq(oracle.balanceOf(address(enemy)), _earned(b) + _earned(c));
    }

    function test_reentering_with_refunds_takes_nothing_twice() public {
        Reentrant enemy = new Reentrant(oracle);
        Entry memory a = _request(stateful, address(enemy), 1_000_000);
        uint48 soon = uint48(block.timestamp + 60);
        Entry memory b = _request(stateful, address(enemy), Reference.terms(0, 0, 1, 0, soon), FEE);
        skip(61);
        enemy.attempt(abi.encodeCall(ISubrosaOracle.refund, (a)));
        enemy.attempt(abi.encodeCall(ISubrosaOracle.refund, (b)));
        enemy.attempt(abi.encodeCall(ISubrosaOracle.refund, (b)));
        uint256 before = oracle.balanceOf(relayer);

        assertEq(_execute(_list(a, b)), 2);

        bool[] memory succeeded = enemy.outcomes();
        assertFalse(succeeded[0], "executed already");
        assertTrue(succeeded[1], "still pending, so refundable");
        assertFalse(succeeded[2], "refunded already");
        assertEq(oracle.balanceOf(relayer) - before, _earned(a) + _landing(b));
        assertEq(address(enemy).balance, CHARGE);
        _assertNothingOutstanding(b);
    }

    function test_reentering_a_retry_delivers_once() public {
        Reentrant enemy = new Reentrant(oracle);
        // Too little gas for a callback that does anything: it fails, and is retried with more.
        Entry memory entry = _request(stateful, address(enemy), 1000);
        vm.recordLogs();
        enemy.attempt("");
        _execute(_list(entry));
        Outstanding memory left = _lastOutstanding();
        bytes memory retry = abi.encodeCall(ISubrosaOracle.retryCallback, (entry, left, _output(entry)));
        enemy.attempt(retry);

        oracle.retryCallback(entry, left, _output(entry));
        assertFalse(enemy.outcomes()[1]);
        assertEq(oracle.balanceOf(address(this)), uint256(left.held) * 1 gwei, "its gas costs more than is held");
        _assertNothingOutstanding(entry);
    }

    /// @dev A callback that failed in time.
    function _failed(uint256 flags) private returns (Moody moody, Entry memory entry, Outstanding memory left) {
        moody = new Moody();
        entry = _request(stateful, address(moody), Reference.terms(0, flags, 1, GAS, _deadline()), FEE);
        vm.recordLogs();
        _execute(_list(entry));
        left = _lastOutstanding();
        assertEq(moody.count(), 0);
    }

    function _withData(Entry memory entry, bytes memory data, uint256 outputLength)
        private
        view
        returns (Fulfillment memory f)
    {
        f = _batch(_groupOnHead(_list(entry)));
        f.groups[0].items[0].data = data;
        f.groups[0].items[0].result = f.groups[0].items[0].result >> 32 << 32 | outputLength;
        _signBatch(f, signerKey);
    }

    function _assertCall(uint256 index, Entry memory entry) private view {
        (bytes32 contractId, uint256 seq, uint8 status, bytes memory output,) = recorder.calls(index);
        assertEq(contractId, entry.contractId);
        assertEq(seq, _seq(entry));
        assertEq(status, 1);
        assertEq(output, _output(entry));
    }
}
