// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../src/SubrosaConsumer.sol";
import {SubrosaPrepaid} from "../src/SubrosaPrepaid.sol";
import {Asks} from "../src/consumer/Asks.sol";
import {Entries} from "../src/consumer/Entries.sol";
import {FundedConsumer} from "../src/consumer/FundedConsumer.sol";
import {PrepaidConsumer} from "../src/consumer/PrepaidConsumer.sol";
import {Terms} from "../src/consumer/Terms.sol";
import {ISubrosaOracle, Policy} from "../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaPrepaid} from "../src/interfaces/ISubrosaPrepaid.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";

contract Example is SubrosaConsumer {
    bytes public output;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function ask(Ask calldata what, bytes calldata input) external payable returns (uint48) {
        return _requestPaying(what, input);
    }

    function quote(Ask calldata what, uint256 inputLength) external view returns (uint256) {
        return _quote(what, inputLength);
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata output_) internal override {
        output = output_;
    }
}

/// @notice Pays itself, and asks again in its callback, as it is told.
contract Follower is FundedConsumer {
    address private user;
    bool private follows;
    Ask private next;

    constructor(ISubrosaOracle oracle_) payable SubrosaConsumer(oracle_) {}

    function ask(Ask calldata what) external {
        _request(what, "first", 0.1 ether);
    }

    /// @param user_ Zero for the plain form.
    function follow(address user_, Ask calldata next_) external {
        (user, follows, next) = (user_, true, next_);
    }

    function _refundRecipient() internal pure override returns (address payable) {
        return payable(TREASURY);
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata) internal override {
        if (!follows) return;
        follows = false;
        if (user == address(0)) _request(next, "next", 0.1 ether);
        else _requestFor(user, user, _quoteAtMost(next, 4, 0.1 ether), next, "next");
    }
}

contract Subscriber is PrepaidConsumer {
    ISubrosaPrepaid public account;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function open(ISubrosaPrepaid account_) external {
        account = account_;
    }

    function ask(Ask calldata what) external returns (uint48) {
        return _requestPrepaid(what, "input");
    }

    function _prepaid() internal view override returns (ISubrosaPrepaid) {
        return account;
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata) internal override {}
}

/// @notice Holds its users' deposits, asks several questions in a call, and has a payable multicall, as it should not.
contract Pool is SubrosaConsumer {
    mapping(address user => uint256) public deposits;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function deposit() external payable {
        deposits[msg.sender] += msg.value;
    }

    function ask(Ask calldata what) external payable {
        _requestPaying(what, "input");
    }

    function askTwice(Ask calldata what) external payable {
        _requestPaying(what, "one");
        _requestPaying(what, "two");
    }

    function askInParts(Ask calldata what, uint256 first, uint256 second) external payable {
        _requestPaying(what, "one", first);
        _requestPaying(what, "two", second);
    }

    function multicall(bytes[] calldata calls) external payable {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, bytes memory why) = address(this).delegatecall(calls[i]);
            if (done) continue;
            assembly ("memory-safe") {
                revert(add(why, 32), mload(why))
            }
        }
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata) internal override {}
}

/// @notice Has a pool ask twice for one value, and brings what it gets back in again in between.
contract Redepositor {
    Pool private immutable POOL;
    bool private deposits;

    constructor(Pool pool) payable {
        POOL = pool;
    }

    receive() external payable {
        if (!deposits) return;
        deposits = false;
        POOL.deposit{value: 1 ether}();
    }

    function attack(bytes[] calldata calls) external {
        deposits = true;
        POOL.multicall{value: 1 ether}(calls);
    }

    /// @dev Asks twice in a transaction, each time with a value of its own.
    function trade(SubrosaConsumer.Ask calldata what) external {
        POOL.deposit{value: 1 ether}();
        POOL.ask{value: 1 ether}(what);
        POOL.ask{value: 1 ether}(what);
    }
}

/// @notice A wallet that does not take money, and passes calls on.
contract Unpayable {
    function ask(Example consumer, SubrosaConsumer.Ask calldata what) external payable {
        consumer.ask{value: msg.value}(what, "input");
    }

    function collect(ISubrosaOracle oracle, address payable recipient) external returns (uint256) {
        return oracle.withdraw(recipient);
    }
}

// Where the refunds of `Follower` go.
address constant TREASURY = address(0x7ea5);

/// @notice What a consumer puts into requests, who pays for them, and from whom it takes results.
contract ConsumerTest is OracleTest {
    using Entries for ISubrosaOracle;
    using Asks for SubrosaConsumer.Ask;

    Example private consumer;
    address private alice = makeAddr("alice");
    address private bob = makeAddr("bob");

    function setUp() public override {
        super.setUp();
        consumer = new Example(oracle);
    }

    function test_the_context_names_the_user_and_counts() public {
        assertEq(consumer.nextContext(alice), _context(alice, 0));
        assertEq(_ask(alice).context, _context(alice, 0));
        assertEq(_ask(bob).context, _context(bob, 0));
        assertEq(consumer.nextContext(alice), _context(alice, 1));
        assertEq(_ask(alice).context, _context(alice, 1));
    }

    function testFuzz_terms_are_passed_on(uint8 secrecy, bool expires, uint64 fuel, uint32 callbackGas, uint24 output)
        public
    {
        // In the clear, an envelope, an envelope that opens a session.
        SubrosaConsumer.Ask memory what = secrecy % 3 == 0
            ? Asks.inTheClear(stateful)
            : secrecy % 3 == 1 ? Asks.envelope(stateful) : Asks.opening(stateful);
        callbackGas = callbackGas % 1_000_001;
        (fuel, output) = (fuel % 1e9, output % 10_000);
        what = what.fuel(fuel).within(1 hours).output(output);
        what = expires ? what.timelyCallback(callbackGas) : what.callback(callbackGas);
        Entry memory e = _ask(alice, what);
        uint256 secret = secrecy % 3 == 0 ? 0 : secrecy % 3 == 1 ? 1 : 3;
        assertEq(e.execution >> 232, uint256(1) << 16 | secret);
        assertEq(uint64(e.execution >> 168), fuel);
        assertEq(uint32(e.execution), output);
        uint256 flags = expires ? 1 : 0;
        assertEq(
            e.settlement,
            uint256(uint160(address(consumer))) << 96 | uint256(callbackGas) << 64 | flags << 48 | _deadline()
        );
    }

    function test_a_user_pays_what_it_costs_and_gets_the_rest_back() public {
        uint256 cost = consumer.quote(_what(), 5);
        hoax(alice, 1 ether);
        vm.recordLogs();
        consumer.ask{value: 1 ether}(_what(), "input");
        assertEq(_paid(_appended()), cost);
        assertEq(alice.balance, 1 ether - cost);
        assertEq(address(consumer).balance, 0);

        hoax(alice, cost);
        vm.expectRevert(abi.encodeWithSelector(SubrosaConsumer.ValueTooLow.selector, cost - 1, cost));
        consumer.ask{value: cost - 1}(_what(), "input");
        vm.prank(alice);
        consumer.ask{value: cost}(_what(), "input");
    }

    function test_a_user_that_takes_no_change_sends_what_it_costs() public {
        Unpayable wallet = new Unpayable();
        SubrosaConsumer.Ask memory what = _what();
        uint256 cost = consumer.quote(what, 5);
        vm.deal(address(this), 1 ether);
        vm.expectRevert(abi.encodeWithSelector(SubrosaConsumer.ChangeRefused.selector, address(wallet)));
        wallet.ask{value: cost + 1}(consumer, what);
        vm.recordLogs();
        wallet.ask{value: cost}(consumer, what);
        Entry memory entry = _appended();
        // Its refund waits for it, and not for the consumer.
        skip(2 hours);
        oracle.refund(entry);
        assertEq(wallet.collect(oracle, payable(bob)), _callbackPart(entry) + CHARGE);
    }

    // More than one request for a value.

    function test_a_value_is_used_once_in_a_call() public {
        (Pool pool,) = _pool();
        uint256 cost = consumer.quote(_what(), 3);
        hoax(alice, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(SubrosaConsumer.ValueUsed.selector, 1 ether, 0));
        pool.askTwice{value: 1 ether}(_what());

        bytes memory over = abi.encodeWithSelector(SubrosaConsumer.ValueUsed.selector, 0.5 ether + 1, 0.5 ether);
        vm.startPrank(alice);
        vm.expectRevert(over);
        pool.askInParts{value: 1 ether}(_what(), 0.5 ether, 0.5 ether + 1);
        vm.expectRevert(abi.encodeWithSelector(SubrosaConsumer.ValueUsed.selector, 2 ether, 1 ether));
        pool.askInParts{value: 1 ether}(_what(), 2 ether, 0);
        // What is not given to any request is the consumer's to deal with.
        pool.askInParts{value: 1 ether}(_what(), 0.5 ether, 0.25 ether);
        vm.stopPrank();
        assertEq(alice.balance, 0.75 ether - 2 * cost);
        assertEq(address(pool).balance, 10.25 ether);
    }

    function test_a_value_is_used_once_in_a_multicall() public {
        (Pool pool,) = _pool();
        bytes[] memory calls = new bytes[](2);
        calls[0] = calls[1] = abi.encodeCall(Pool.ask, (_what()));
        bytes memory used = abi.encodeWithSelector(SubrosaConsumer.ValueUsed.selector, 1 ether, 0);
        hoax(alice, 1 ether);
        vm.expectRevert(used);
        pool.multicall{value: 1 ether}(calls);
        vm.deal(address(this), 3 ether);
        Redepositor enemy = new Redepositor{value: 3 ether}(pool);
        vm.expectRevert(used);
        enemy.attack(calls);
        // A pool that holds nothing has nothing to lose, and says the same.
        pool = new Pool(oracle);
        vm.prank(alice);
        vm.expectRevert(used);
        pool.multicall{value: 1 ether}(calls);
    }

    function test_calls_with_values_of_their_own_are_not_counted_together() public {
        (Pool pool, uint256 cost) = _pool();
        vm.deal(address(this), 4 ether);
        Redepositor friend = new Redepositor{value: 4 ether}(pool);
        friend.trade(_what());
        friend.trade(_what());
        assertEq(address(friend).balance, 2 ether - 4 * cost);
        hoax(alice, 1 ether);
        pool.ask{value: 1 ether}(_what());
        assertEq(address(pool).balance, 12 ether);
    }

    function _pool() private returns (Pool pool, uint256 cost) {
        pool = new Pool(oracle);
        hoax(bob, 10 ether);
        pool.deposit{value: 10 ether}();
        cost = consumer.quote(_what(), 5);
    }

    function test_refunds_go_straight_to_the_user() public {
        Entry memory entry = _ask(alice);
        assertEq(entry.refundTo, alice);
        skip(2 hours);
        uint256 before = alice.balance;
        oracle.refund(entry);
        assertEq(alice.balance - before, _callbackPart(entry) + CHARGE);
    }

    function test_results_come_from_the_oracle_only() public {
        Entry memory entry = _ask(alice);
        assertFalse(oracle.isExecuted(stateful, 1));
        _execute(_list(entry));
        assertTrue(oracle.isExecuted(stateful, 1));
        assertFalse(oracle.isCallbackDue(stateful, 1));
        assertEq(consumer.output(), _output(entry));
        vm.expectRevert(abi.encodeWithSelector(SubrosaConsumer.NotOracle.selector, alice));
        vm.prank(alice);
        consumer.onSubrosaResult(stateful, 1, 1, "forged");
    }

    function test_a_callback_that_is_due_is_seen() public {
        Entry memory entry = _ask(alice, _what().callback(1));
        _execute(_list(entry));
        assertTrue(oracle.isCallbackDue(stateful, 1));
        assertEq(oracle.charge(stateful), CHARGE / 1 gwei);
    }

    function test_a_request_that_names_a_charge_a_code_or_an_epoch_is_refused_once_they_change() public {
        uint64 charge = uint64(CHARGE / 1 gwei);
        _ask(alice, _what().chargedAtMost(charge).inEpoch(1).ofCode(0));
        _assertRefused(
            _what().chargedAtMost(charge - 10),
            abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, charge, charge - 10)
        );
        _assertRefused(
            _what().chargedAtMost(0), abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, charge, 0)
        );
        _assertRefused(_what().inEpoch(2), abi.encodeWithSelector(ISubrosaOracle.OtherEpoch.selector, stateful, 1));
        _assertRefused(_what().ofCode(1), abi.encodeWithSelector(ISubrosaOracle.OtherCode.selector, stateful, 0));
    }

    /// @dev Versions plus one have 16 bits; the field above is the epoch.
    function test_the_last_version_of_code_cannot_be_pinned() public {
        SubrosaConsumer.Ask memory what = _what().ofCode(type(uint16).max - 1);
        assertEq(Terms.pack(what) >> 24 & 0xffff, type(uint16).max);
        what = what.ofCode(type(uint16).max);
        vm.expectRevert(Terms.LastVersion.selector);
        this.pack(what);
    }

    function pack(SubrosaConsumer.Ask memory what) external pure returns (uint256) {
        return Terms.pack(what);
    }

    // At its own expense.

    function test_a_funded_consumer_pays_what_it_costs_and_names_who_is_refunded() public {
        Follower follower = _follower();
        Entry memory entry = _first(follower, alice);
        assertEq(address(follower).balance, 1 ether - _paid(entry));
        assertEq(entry.context, _context(alice, 0));
        skip(2 hours);
        oracle.refund(entry);
        assertEq(TREASURY.balance, _callbackPart(entry) + CHARGE);
    }

    /// @dev The charge agreed to does not bound the owner's floor on the price of gas.
    function test_an_owner_takes_no_more_than_a_funded_consumer_allows() public {
        Follower follower = _follower();
        Policy memory p = _policy();
        p.gasPriceFloor = 2e12;
        vm.prank(owner);
        oracle.setPolicy(stateful, p);
        SubrosaConsumer.Ask memory what = _what().chargedAtMost(uint64(CHARGE / 1 gwei));
        uint256 fee = consumer.quote(what, 5);
        assertGt(fee, 0.1 ether);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(SubrosaConsumer.FeeTooHigh.selector, fee, 0.1 ether));
        follower.ask(what);
        p.gasPriceFloor = 1;
        vm.prank(owner);
        oracle.setPolicy(stateful, p);
        vm.prank(owner);
        follower.ask(what);
        assertGt(address(follower).balance, 0.9 ether);
    }

    function test_refunds_that_the_oracle_kept_go_to_the_same() public {
        Follower follower = _follower();
        vm.prank(address(follower));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.NothingToWithdraw.selector, address(follower)));
        follower.withdrawRefunds();
    }

    function test_a_callback_asks_on_behalf_of_a_user_and_never_of_the_oracle() public {
        for (uint256 i = 0; i < 2; ++i) {
            Follower follower = _follower();
            Entry memory first = _first(follower, alice);
            SubrosaConsumer.Ask memory next = _what();
            next.callbackGasLimit = 0;
            follower.follow(i == 0 ? address(0) : bob, next);
            vm.recordLogs();
            _execute(_list(first));
            if (i == 0) {
                assertEq(_outstandingFlags(first), CALLBACK_DUE, "the callback failed");
                vm.expectRevert(SubrosaConsumer.OracleIsNoUser.selector);
                vm.prank(address(oracle));
                follower.onSubrosaResult(stateful, _seq(first), 1, "");
                continue;
            }
            Entry memory second = _appended();
            _note(second);
            assertEq(second.context, _context(bob, 0));
            assertEq(second.refundTo, bob);
            assertEq(_execute(_list(second)), 1);
        }
    }

    // Prepaid.

    function test_a_prepaid_account_pays_and_is_refunded() public {
        (Subscriber subscriber, SubrosaPrepaid account) = _subscriber(1 ether, 2 ether);
        vm.recordLogs();
        vm.prank(alice);
        subscriber.ask(_what());
        Entry memory entry = _appended();
        assertEq(entry.context, _context(alice, 0));
        assertEq(address(account).balance, 10 ether - _paid(entry));
        assertEq(address(subscriber).balance, 0);
        (,, uint256 leftToday) = account.limits();
        assertEq(leftToday, 2 ether - _paid(entry));
        skip(2 hours);
        oracle.refund(entry);
        assertEq(address(account).balance, 10 ether - _landing(entry));
    }

    function test_an_account_is_drawn_on_by_its_consumer_within_limits() public {
        (Subscriber subscriber, SubrosaPrepaid account) = _subscriber(2 ether, 3 ether);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotConsumer.selector, alice));
        vm.prank(alice);
        account.draw(1);
        vm.startPrank(address(subscriber));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.OverRequestLimit.selector, 2 ether + 1, 2 ether));
        account.draw(2 ether + 1);
        account.draw(2 ether);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.OverDayLimit.selector, 1 ether + 1, 1 ether));
        account.draw(1 ether + 1);
        account.draw(1 ether);
        vm.warp((block.timestamp / 1 days + 1) * 1 days);
        account.draw(2 ether);
        vm.stopPrank();
        account.setLimits(20 ether, 20 ether);
        vm.prank(address(subscriber));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotCovered.selector, 6 ether, 5 ether));
        account.draw(6 ether);
    }

    function test_what_is_left_in_an_account_is_its_owners() public {
        (, SubrosaPrepaid account) = _subscriber(1, 1);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotOwner.selector, alice));
        account.withdraw(payable(alice), 1);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotOwner.selector, alice));
        account.setLimits(0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotOwner.selector, alice));
        account.acceptOwnership();
        vm.stopPrank();
        account.transferOwnership(alice);
        vm.startPrank(alice);
        account.acceptOwnership();
        account.withdraw(payable(bob), 10 ether);
        assertEq(bob.balance, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotCovered.selector, 1, 0));
        account.withdraw(payable(bob), 1);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ISubrosaPrepaid.NotOwner.selector, address(this)));
        account.withdraw(payable(bob), 0);
    }

    function test_a_prepaid_consumer_takes_money_from_its_account_only() public {
        (Subscriber subscriber,) = _subscriber(1, 1);
        vm.deal(alice, 1);
        vm.prank(alice);
        (bool sent, bytes memory reason) = address(subscriber).call{value: 1}("");
        assertFalse(sent);
        assertEq(reason, abi.encodeWithSelector(PrepaidConsumer.NotFromPrepaid.selector, alice));
    }

    function test_a_consumer_has_an_oracle() public {
        vm.expectRevert(SubrosaConsumer.ZeroOracle.selector);
        new Example(ISubrosaOracle(address(0)));
        vm.expectRevert(ISubrosaPrepaid.ZeroAddress.selector);
        new SubrosaPrepaid(oracle, address(0), address(this), 0, 0);
    }

    function _subscriber(uint128 perRequest, uint128 perDay)
        private
        returns (Subscriber subscriber, SubrosaPrepaid account)
    {
        subscriber = new Subscriber(oracle);
        vm.deal(address(this), 10 ether);
        account = new SubrosaPrepaid{value: 10 ether}(oracle, address(subscriber), address(this), perRequest, perDay);
        subscriber.open(account);
    }

    function _follower() private returns (Follower) {
        vm.deal(address(this), 1 ether);
        return new Follower{value: 1 ether}(oracle);
    }

    function _first(Follower follower, address from) private returns (Entry memory entry) {
        vm.recordLogs();
        vm.prank(from);
        follower.ask(_what());
        entry = _appended();
        _note(entry);
    }

    function _ask(address from) private returns (Entry memory) {
        return _ask(from, _what());
    }

    function _what() private view returns (SubrosaConsumer.Ask memory) {
        return Asks.inTheClear(stateful).fuel(1).output(64).callback(600_000).within(1 hours);
    }

    function _ask(address from, SubrosaConsumer.Ask memory what) private returns (Entry memory entry) {
        vm.recordLogs();
        hoax(from, 1 ether);
        consumer.ask{value: 1 ether}(what, "input");
        entry = _appended();
        _note(entry);
    }

    function _assertRefused(SubrosaConsumer.Ask memory what, bytes memory why) private {
        hoax(alice, 1 ether);
        vm.expectRevert(why);
        consumer.ask{value: 1 ether}(what, "input");
    }

    function _context(address account, uint96 nonce) private pure returns (bytes32) {
        return bytes32(abi.encodePacked(account, nonce));
    }
}
