// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../src/interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../src/interfaces/SubrosaTypes.sol";
import {SubrosaConsumer} from "../src/SubrosaConsumer.sol";
import {
    GasBurner,
    MemoryBomb,
    RevertAfterOutOfGas,
    StarvationAlarm,
    SwallowingConsumer
} from "./consumers/GasTricks.sol";
import {ForgingConsumer} from "./consumers/Impostors.sol";
import {
    FulfillReenterer,
    PolicyReenterer,
    RefundReenterer,
    RequestReenterer,
    RetryReenterer,
    ThresholdReenterer,
    TopUpReenterer,
    WithdrawReenterer
} from "./consumers/Reenterers.sol";
import {EtherRefuser, OneTransactionRequester, Reverter, SelfDestructor} from "./consumers/Vanishing.sol";
import {AdversaryTest} from "./support/AdversaryTest.sol";
import {Batches, Fulfillment} from "./support/Batches.sol";
import {Moody} from "./support/Consumers.sol";
import {Reference} from "./support/Reference.sol";

/// @notice A consumer of the kit, which is told forged results.
contract Victim is SubrosaConsumer {
    uint256 public results;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function _onResult(bytes32, uint256, uint8, bytes calldata) internal override {
        ++results;
    }
}

/// @notice What hostile requesters can do to others in their batch, to relayers and to the escrow:
/// nothing.
contract AdversarialConsumersTest is AdversaryTest {
    function test_reentering_fulfill_takes_what_is_left_and_nothing_twice() public {
        FulfillReenterer enemy = new FulfillReenterer(oracle);
        Fulfillment memory f = _prepare(address(enemy), 1_000_000);
        enemy.arm(Batches.pack(f));

        // From within, the bystanders' entries are still anyone's to land.
        assertEq(_fulfill(f), 1);

        assertEq(enemy.callbacks(), 1);
        assertEq(enemy.successes(), 2, "a batch that was applied succeeds again");
        assertEq(oracle.balanceOf(relayer) - relayers, _earned(enemys));
        assertEq(oracle.balanceOf(address(enemy)), _earned(behind) + _earned(beside));
        assertEq(oracle.balanceOf(owner) - owners, 3 * CHARGE, "each charge once");
        _assertBystandersServed();
        _assertEscrow(0, address(enemy), address(0));
    }

    function test_reentering_fulfill_with_too_little_gas_for_others_leaves_them_to_the_batch() public {
        FulfillReenterer enemy = new FulfillReenterer(oracle);
        // Enough to hash and recover, not enough for a bystander's promise.
        Fulfillment memory f = _prepare(address(enemy), GAS);
        enemy.arm(Batches.pack(f));
        assertEq(_fulfill(f), 3);
        assertEq(oracle.balanceOf(address(enemy)), 0);
        _assertBystandersServed();
        _assertRelayerPaid();
    }

    function test_requests_from_within_a_callback_are_appended_and_wait() public {
        RequestReenterer enemy = new RequestReenterer(oracle, stateful, _terms(GAS), FEE, 1);
        vm.deal(address(enemy), FEE);
        uint256 entries = _nextSeq(stateful);
        assertEq(_fulfill(_prepare(address(enemy))), 3);
        _assertBystandersServed();
        assertEq(enemy.successes(), 1);
        assertEq(enemy.callbacks(), 1);
        assertEq(_nextSeq(stateful), entries + 3);
        assertEq(_headSeq(stateful), entries + 2, "the new entry is pending");
        _assertEscrow(FEE);
    }

    /// @dev Of entries that nobody executes: the enemy's other one and the bystander's are late.
    function test_refunds_from_within_return_open_parts_once_and_the_executed_ones_never() public {
        RefundReenterer enemy = new RefundReenterer(oracle);
        uint256 soon = Reference.terms(0, 0, 1, 0, uint48(block.timestamp + 60));
        Entry memory later = _request(stateless, address(enemy), soon, FEE);
        Fulfillment memory f = _prepare(address(enemy), 1_000_000);
        enemy.arm(enemys);
        enemy.arm(later);
        enemy.arm(behind);
        skip(61);

        assertEq(_fulfill(f), 3);

        assertEq(enemy.successes(), 1, "its other entry, which is late");
        assertEq(enemy.refusals(), 5);
        assertEq(address(enemy).balance, CHARGE);
        _assertBystandersServed();
        _assertEscrow(FEE - CHARGE);
    }

    function test_cancelling_from_within_is_of_ones_own_and_of_what_is_pending() public {
        RefundReenterer enemy = new RefundReenterer(oracle);
        Entry memory other = _request(stateless, address(enemy), GAS);
        Fulfillment memory f = _prepare(address(enemy), 1_000_000);
        enemy.armCancel(enemys);
        enemy.armCancel(other);
        enemy.armCancel(behind);
        enemy.armReclaim(behind);
        assertEq(_fulfill(f), 3);
        assertEq(enemy.successes(), 1);
        assertEq(address(enemy).balance, _callbackPart(other));
        _assertBystandersServed();
        _assertEscrow(FEE - _callbackPart(other));
    }

    /// @dev The second callback of its own would be made, and paid, had its cancelling come too late.
    function test_cancelling_the_next_item_from_within_has_it_neither_called_nor_paid() public {
        RefundReenterer enemy = new RefundReenterer(oracle);
        Entry memory a = _request(stateful, address(enemy), GAS);
        Entry memory b = _request(stateful, address(enemy), GAS);
        enemy.armCancel(b);
        assertEq(_execute(_list(a, b)), 2);
        assertEq(enemy.callbacks(), 1);
        assertEq(address(enemy).balance, _callbackPart(b));
        assertEq(oracle.balanceOf(relayer), _earned(a) + _landing(b));
        assertEq(_headFlags(stateful), 0, "nothing is pending");
        _assertEscrow(0);
    }

    function test_topping_up_from_within_is_of_what_is_pending() public {
        TopUpReenterer enemy = new TopUpReenterer(oracle);
        vm.deal(address(enemy), 1 ether);
        Fulfillment memory f = _prepare(address(enemy), 1_000_000);
        enemy.arm(enemys);
        enemy.arm(behind);
        enemy.arm(beside);
        assertEq(_fulfill(f), 3);
        assertEq(enemy.refusals(), 1, "its own is executed");
        assertEq(oracle.balanceOf(relayer) - relayers, _earned(enemys) + _earned(behind) + _earned(beside) + 2 gwei);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_a_retry_or_a_refund_from_within_a_retry_is_refused() public {
        RetryReenterer enemy = new RetryReenterer(oracle);
        Fulfillment memory f = _prepare(address(enemy), GAS);
        vm.recordLogs();
        assertEq(_fulfill(f), 3);
        Outstanding memory left = _lastOutstanding();
        _assertBystandersServed();
        assertEq(enemy.callbacks(), 0);

        bytes memory output = _output(enemys);
        enemy.arm(enemys, left, output);
        enemy.relent();
        oracle.retryCallback(enemys, left, output);
        assertEq(enemy.callbacks(), 1, "delivered once");
        assertEq(enemy.refusals(), 2);
        left.held -= uint48(oracle.balanceOf(address(this)) / 1 gwei);
        _assertOutstanding(enemys, left, FOR_REQUESTER);
        _assertEscrow(uint256(left.held) * 1 gwei, address(this), address(enemy));
    }

    function test_a_withdrawal_from_within_takes_ones_own_once() public {
        WithdrawReenterer enemy = new WithdrawReenterer(oracle);
        // Somebody else's payment is what there is to steal.
        bytes memory batch = Batches.pack(_batch(_groupOnHead(_list(_request(stateful, address(bystander), 0)))));
        oracle.fulfill(batch);
        assertGt(oracle.balanceOf(address(this)), 0);

        assertEq(_fulfill(_prepare(address(enemy), 1_000_000)), 3);

        assertEq(enemy.callbacks(), 1);
        assertEq(enemy.refusals(), 2);
        assertEq(address(enemy).balance, 0);
        _assertBystandersServed();
        _assertEscrow(0, address(this), address(enemy));
    }

    function test_an_owner_that_changes_policy_within_a_callback_changes_nothing_that_was_asked() public {
        PolicyReenterer enemy = new PolicyReenterer(oracle);
        vm.prank(owner);
        oracle.transferOwnership(stateful, address(enemy));
        enemy.accept(stateful);
        assertEq(_fulfill(_prepare(address(enemy))), 3);
        _assertBystandersServed();
        assertEq(enemy.successes(), 2, "it is the owner's to change, for entries to come");
        assertEq(oracle.balanceOf(relayer) - relayers, _earned(enemys) + _earned(behind) + _earned(beside));
        assertEq(oracle.balanceOf(address(enemy)), 2 * CHARGE, "at the charge that was agreed");
        _assertEscrow(0, address(enemy), address(0));
    }

    /// @dev A threshold counts at once, also for the next item of the batch: whoever runs the log decides.
    function test_an_owner_that_asks_for_more_signers_within_a_callback_stops_its_own_log_only() public {
        ThresholdReenterer enemy = new ThresholdReenterer(oracle);
        vm.prank(owner);
        oracle.transferOwnership(stateful, address(enemy));
        enemy.accept(stateful);
        Fulfillment memory f = _prepare(address(enemy));
        _expectSkip(stateful, _seq(behind), 4);
        assertEq(_fulfill(f), 2);
        assertEq(_status(beside), EXECUTED);
        assertEq(oracle.balanceOf(relayer) - relayers, _earned(enemys) + _earned(beside));
        _assertEscrow(FEE, address(enemy), address(0));
    }

    function test_a_callee_that_burns_all_its_gas_stops_nobody_and_pays_for_it() public {
        _attack(address(new GasBurner()));
        assertEq(_outstandingFlags(enemys), CALLBACK_DUE);
        assertGe(oracle.balanceOf(relayer) - relayers, 3 * (FEE - CHARGE) - _callbackPart(enemys) / 50);
    }

    function test_a_revert_stops_nobody() public {
        _attack(address(new Reverter()));
        assertEq(_outstandingFlags(enemys), CALLBACK_DUE);
    }

    function test_a_revert_after_a_caught_out_of_gas_stops_nobody() public {
        _attack(address(new RevertAfterOutOfGas()));
        assertEq(_outstandingFlags(enemys), CALLBACK_DUE);
    }

    function test_a_return_bomb_and_a_revert_bomb_are_not_copied() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(stateful, address(new MemoryBomb(i == 1)), GAS);
            bytes memory batch = Batches.pack(_batch(_groupOnHead(_list(entry))));
            vm.prank(relayer);
            uint256 before = gasleft();
            assertEq(oracle.fulfill(batch), 1);
            // Its own 149,000 are spent; copying them would be as much again.
            assertLt(before - gasleft(), 149_000 + 120_000);
            assertEq(_outstandingFlags(entry), i == 1 ? CALLBACK_DUE : 0);
        }
    }

    function test_a_bomb_stops_nobody() public {
        _attack(address(new MemoryBomb(true)));
        assertEq(_outstandingFlags(enemys), CALLBACK_DUE);
    }

    function test_a_callee_that_destroys_itself_stops_nobody_and_its_money_is_nobodys() public {
        SelfDestructor enemy = new SelfDestructor();
        Fulfillment memory f = _prepare(address(enemy));
        vm.deal(address(enemy), 1 ether);
        assertEq(_fulfill(f), 3);
        assertEq(
            oracle.balanceOf(relayer) - relayers, _earned(enemys) + _earned(behind) + _earned(beside), "not a wei more"
        );
        _assertNothingOutstanding(enemys);
        _assertBystandersServed();
        // Sent by force, owed to nobody, and in nobody's way.
        _assertEscrow(1 ether);
    }

    function test_a_requester_whose_code_is_gone_stops_nobody() public {
        vm.recordLogs();
        vm.deal(address(this), FEE);
        address enemy = address(new OneTransactionRequester{value: FEE}(oracle, stateful, _terms(GAS)));
        Entry memory entry = _appended();
        _note(entry);
        assertEq(address(uint160(entry.settlement >> 96)), enemy);
        assertEq(_fulfill(_prepare(entry)), 3);
        _assertNothingOutstanding(entry);
        _assertBystandersServed();
        _assertRelayerPaid();
    }

    function test_a_requester_without_code_stops_nobody() public {
        _attack(makeAddr("nobody"));
        _assertNothingOutstanding(enemys);
    }

    function test_a_requester_that_takes_no_ether_finds_its_refund_waiting() public {
        EtherRefuser enemy = new EtherRefuser();
        Entry memory entry = _request(stateful, address(enemy), GAS);
        skip(2 hours);
        oracle.refund(entry);
        uint256 due = _callbackPart(entry) + CHARGE;
        assertEq(oracle.balanceOf(address(enemy)), due);
        address payable recipient = payable(makeAddr("recipient"));
        assertEq(enemy.collect(oracle, recipient), due);
        assertEq(recipient.balance, due);
        _assertEscrow(_landing(entry));
    }

    /// @dev It fails on purpose and makes the callback itself: it has paid for the gas it burned, and gets back no more
    /// than what the callback would have cost.
    function test_a_consumer_that_fails_on_purpose_gains_nothing() public {
        Moody enemy = new Moody();
        Fulfillment memory f = _prepare(address(enemy));
        vm.recordLogs();
        assertEq(_fulfill(f), 3);
        Outstanding memory left = _lastOutstanding();
        _assertBystandersServed();
        uint256 lander = oracle.balanceOf(relayer) - relayers - _earned(behind) - _earned(beside);
        assertGt(lander, _landing(enemys), "whoever landed it is paid for what was burned");

        enemy.cheerUp();
        vm.prank(address(enemy));
        oracle.retryCallback(enemys, left, _output(enemys));
        left.held -= uint48(oracle.balanceOf(address(enemy)) / 1 gwei);
        _assertOutstanding(enemys, left, FOR_REQUESTER);
        uint256 regained = oracle.balanceOf(address(enemy)) + uint256(left.held) * 1 gwei;
        assertEq(lander + regained, _earned(enemys), "together what was paid for it");
        assertLt(regained, _callbackPart(enemys));
        _assertEscrow(uint256(left.held) * 1 gwei, address(enemy), address(0));
    }

    /// @dev The cheapest trap for relays: all the gas there may be, burned.
    function test_a_callback_of_ten_million_gas_is_paid_for_or_not_asked_for() public {
        GasBurner enemy = new GasBurner();
        uint256 fee = oracle.quote(stateful, 10, 64, 1_000_000, 500_000);
        uint256 terms = _terms(1_000_000);
        hoax(address(enemy), fee);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, fee - 1 gwei, fee));
        oracle.request{value: fee - 1 gwei}(stateful, 0, terms, address(0), "some input");
        Entry memory entry = _request(stateful, address(enemy), terms, fee);
        bytes memory batch = Batches.pack(_batch(_groupOnHead(_list(entry))));
        vm.prank(relayer);
        uint256 before = gasleft();
        oracle.fulfill(batch);
        uint256 used = before - gasleft() + 21_000 + 16 * batch.length;
        assertGe(oracle.balanceOf(relayer), used * BASE_FEE, "more than its gas");
    }

    function test_no_consumer_takes_a_result_from_a_stranger() public {
        Victim victim = new Victim(oracle);
        ForgingConsumer enemy = new ForgingConsumer(victim);
        _attack(address(enemy));
        assertFalse(enemy.forged(), "the oracle is on the stack but does not call");
        address[3] memory strangers = [address(this), relayer, address(registry)];
        for (uint256 i = 0; i < strangers.length; ++i) {
            vm.prank(strangers[i], address(oracle));
            vm.expectRevert(abi.encodeWithSelector(SubrosaConsumer.NotOracle.selector, strangers[i]));
            ISubrosaConsumer(victim).onSubrosaResult(stateful, 1, 1, "forged");
        }
        assertEq(victim.results(), 0);
    }

    function test_the_alarm_and_the_swallowing_consumer_work_with_enough_gas() public {
        _attack(address(new StarvationAlarm(GAS)));
        _assertNothingOutstanding(enemys);
        SwallowingConsumer swallowing = new SwallowingConsumer();
        _execute(_list(_request(stateful, address(swallowing), GAS)));
        assertEq(swallowing.done(), 1);
        // And they do notice: with less promised, the work is lost, respectively the alarm goes off.
        _execute(_list(_request(stateful, address(swallowing), 100_000)));
        assertEq(swallowing.lost(), 1);
        Entry memory starved = _request(stateful, address(new StarvationAlarm(GAS)), GAS - 10_000);
        _execute(_list(starved));
        assertEq(_outstandingFlags(starved), CALLBACK_DUE);
    }
}
