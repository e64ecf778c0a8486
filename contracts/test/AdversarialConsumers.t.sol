// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../src/interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Fulfillment} from "../src/interfaces/SubrosaTypes.sol";
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
    WithdrawReenterer
} from "./consumers/Reenterers.sol";
import {EtherRefuser, OneTransactionRequester, Reverter, SelfDestructor} from "./consumers/Vanishing.sol";
import {AdversaryTest} from "./support/AdversaryTest.sol";

/// @notice A consumer of the kit, which is told forged results.
contract Victim is SubrosaConsumer {
    uint256 public results;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function _refundRecipient() internal view override returns (address payable) {
        return payable(address(this));
    }

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
        enemy.arm(f);
        uint256 before = relayer.balance;

        // From within, the bystanders' entries are still anyone's to land.
        assertEq(_fulfill(f), 1);

        assertEq(enemy.callbacks(), 1);
        assertEq(enemy.successes(), 2, "a batch that was applied succeeds again");
        assertEq(relayer.balance - before, FEE);
        assertEq(address(enemy).balance, 2 * FEE);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_reentering_fulfill_with_too_little_gas_for_others_leaves_them_to_the_batch() public {
        FulfillReenterer enemy = new FulfillReenterer(oracle);
        // Enough to hash and recover, not enough for a bystander's promise.
        Fulfillment memory f = _prepare(address(enemy), GAS);
        enemy.arm(f);
        uint256 before = relayer.balance;
        assertEq(_fulfill(f), 3);
        assertEq(address(enemy).balance, 0);
        assertEq(relayer.balance - before, 3 * FEE);
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_requests_from_within_a_callback_are_appended_and_wait() public {
        RequestReenterer enemy = new RequestReenterer(oracle, stateful, _terms(GAS), FEE);
        vm.deal(address(enemy), FEE);
        uint256 entries = uint48(oracle.logOf(stateful));
        _attack(address(enemy));
        assertEq(enemy.successes(), 1);
        assertEq(enemy.callbacks(), 1);
        assertEq(uint48(oracle.logOf(stateful)), entries + 3);
        assertEq(uint48(_head(stateful)), entries + 2, "the new entry is pending");
        _assertEscrow(FEE);
    }

    function test_refunds_from_within_return_open_fees_once_and_the_executed_ones_never() public {
        RefundReenterer enemy = new RefundReenterer(oracle);
        Entry memory later = _request(stateless, address(enemy), 0);
        Fulfillment memory f = _prepare(address(enemy), 1_000_000);
        enemy.arm(enemys);
        enemy.arm(later);
        enemy.arm(behind);
        skip(2 hours);
        uint256 before = relayer.balance;

        assertEq(_fulfill(f), 3);

        assertEq(enemy.successes(), 2, "its other entry and the bystander's, neither executed yet");
        assertEq(enemy.refusals(), 4);
        assertEq(relayer.balance - before, 2 * FEE + CHARGE);
        assertEq(address(enemy).balance, FEE - CHARGE);
        // The bystander asked too late and has its money back; it is still called.
        assertEq(address(bystander).balance, FEE - CHARGE);
        assertEq(bystander.count(), 2);
        assertEq(_status(behind), 1);
        _assertEscrow(CHARGE);
    }

    function test_a_retry_from_within_a_retry_is_refused() public {
        RetryReenterer enemy = new RetryReenterer(oracle);
        _attack(address(enemy));
        assertEq(_status(enemys), 2);
        assertEq(enemy.callbacks(), 0);

        bytes memory output = _output(enemys);
        enemy.arm(stateful, enemys.seq, enemys.settlement, 1, output);
        enemy.relent();
        oracle.retryCallback(stateful, enemys.seq, enemys.settlement, 1, output);
        assertEq(enemy.callbacks(), 1, "delivered once");
        assertEq(enemy.refusals(), 1);
        assertEq(_status(enemys), 0);
        _assertEscrow(0);
    }

    function test_a_withdrawal_from_within_takes_ones_own_once() public {
        WithdrawReenterer enemy = new WithdrawReenterer(oracle);
        // Somebody else's deferred payment is what there is to steal.
        oracle.fulfill(_batch(_groupOnHead(_list(_request(stateful, address(bystander), 0)))));
        assertEq(oracle.balanceOf(address(this)), FEE);

        Fulfillment memory f = _prepare(address(enemy), 1_000_000);
        assertEq(_fulfill(f), 3);

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
        _attack(address(enemy));
        assertEq(enemy.successes(), 2, "it is the owner's to change, for entries to come");
        _assertEscrow(0);
    }

    function test_a_callee_that_burns_all_its_gas_stops_nobody() public {
        _attack(address(new GasBurner()));
        assertEq(_status(enemys), 2);
        _assertEscrow(0);
    }

    function test_a_revert_stops_nobody() public {
        _attack(address(new Reverter()));
        assertEq(_status(enemys), 2);
        _assertEscrow(0);
    }

    function test_a_revert_after_a_caught_out_of_gas_stops_nobody() public {
        _attack(address(new RevertAfterOutOfGas()));
        assertEq(_status(enemys), 2);
        _assertEscrow(0);
    }

    function test_a_return_bomb_and_a_revert_bomb_are_not_copied() public {
        for (uint256 i = 0; i < 2; ++i) {
            Entry memory entry = _request(stateful, address(new MemoryBomb(i == 1)), GAS);
            Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
            vm.prank(relayer);
            uint256 before = gasleft();
            assertEq(oracle.fulfill(f), 1);
            // Its own 149,000 are spent; copying them would be as much again.
            assertLt(before - gasleft(), 149_000 + 120_000);
            assertEq(_status(entry), i == 1 ? 2 : 0);
            _assertEscrow(0);
        }
    }

    function test_a_bomb_stops_nobody() public {
        _attack(address(new MemoryBomb(true)));
        assertEq(_status(enemys), 2);
    }

    function test_a_callee_that_destroys_itself_stops_nobody_and_its_money_is_nobodys() public {
        SelfDestructor enemy = new SelfDestructor();
        Fulfillment memory f = _prepare(address(enemy));
        vm.deal(address(enemy), 1 ether);
        uint256 before = relayer.balance;
        assertEq(_fulfill(f), 3);
        assertEq(relayer.balance - before, 3 * FEE, "not a wei more");
        assertEq(_status(enemys), 0);
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

        Fulfillment memory f = _prepare(entry);
        uint256 before = relayer.balance;
        assertEq(_fulfill(f), 3);
        assertEq(relayer.balance - before, 3 * FEE);
        assertEq(_status(entry), 0, "a call to nobody succeeds");
        _assertBystandersServed();
        _assertEscrow(0);
    }

    function test_a_requester_without_code_stops_nobody() public {
        _attack(makeAddr("nobody"));
        assertEq(_status(enemys), 0);
        _assertEscrow(0);
    }

    function test_a_requester_that_takes_no_ether_finds_its_refund_waiting() public {
        EtherRefuser enemy = new EtherRefuser();
        Fulfillment memory f = _prepare(address(enemy));
        skip(2 hours);
        oracle.refund(enemys);
        assertEq(oracle.balanceOf(address(enemy)), FEE - CHARGE);
        assertEq(_fulfill(f), 3);
        _assertBystandersServed();
        _assertEscrow(0, address(enemy), address(0));

        address payable recipient = payable(makeAddr("recipient"));
        assertEq(enemy.collect(oracle, recipient), FEE - CHARGE);
        assertEq(recipient.balance, FEE - CHARGE);
        _assertEscrow(0);
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
        assertEq(_status(enemys), 0);
        SwallowingConsumer swallowing = new SwallowingConsumer();
        _execute(_list(_request(stateful, address(swallowing), GAS)));
        assertEq(swallowing.done(), 1);
        // And they do notice: with less promised, the work is lost, respectively the alarm goes off.
        _execute(_list(_request(stateful, address(swallowing), 100_000)));
        assertEq(swallowing.lost(), 1);
        Entry memory starved = _request(stateful, address(new StarvationAlarm(GAS)), GAS - 10_000);
        _execute(_list(starved));
        assertEq(_status(starved), 2);
    }
}
