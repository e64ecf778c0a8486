// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../src/SubrosaConsumer.sol";
import {RefundingConsumer} from "../src/consumer/RefundingConsumer.sol";
import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";

contract Example is SubrosaConsumer {
    bytes public output;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function ask(Ask calldata what, bytes calldata input) external payable returns (uint48) {
        return _request(what, input);
    }

    function _refundRecipient() internal view override returns (address payable) {
        return payable(TREASURY);
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata output_) internal override {
        output = output_;
    }
}

/// @notice Asks again in its callback, as it is told.
contract Follower is RefundingConsumer {
    address private user;
    bool private refundable;
    Ask private next;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function ask(Ask calldata what) external payable {
        _requestRefundable(what, "first");
    }

    /// @param user_ Zero for the plain forms.
    function follow(address user_, bool refundable_, Ask calldata next_) external payable {
        (user, refundable, next) = (user_, refundable_, next_);
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata) internal override {
        if (user == address(0)) refundable ? _requestRefundable(next, "next") : _request(next, "next");
        else refundable ? _requestRefundableFor(user, next, "next") : _requestFor(user, next, "next");
    }
}

// Where the refunds of `Example` go.
address constant TREASURY = address(0x7ea5);

/// @notice What a consumer puts into requests, and from whom it takes results.
contract ConsumerTest is OracleTest {
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

    function testFuzz_terms_are_passed_on(uint8 secrecy, bool expires, uint64 fuel, uint32 callbackGas) public {
        callbackGas = uint32(bound(callbackGas, 0, 1_000_000));
        // In the clear, an envelope, an envelope that opens a session.
        (bool sealedInput, bool opensSession) = (secrecy % 3 != 0, secrecy % 3 == 2);
        SubrosaConsumer.Ask memory what = SubrosaConsumer.Ask(
            stateful, sealedInput, opensSession, expires, fuel, callbackGas, _deadline(), FEE, 0, 0
        );
        Entry memory e = _ask(alice, what);
        assertEq(e.execution >> 232, uint256(1) << 16 | (opensSession ? 3 : sealedInput ? 1 : 0));
        assertEq(uint64(e.execution >> 168), fuel);
        uint256 flags = expires ? 1 : 0;
        assertEq(
            e.settlement,
            uint256(uint160(address(consumer))) << 96 | uint256(callbackGas) << 64 | flags << 48 | _deadline()
        );
        assertEq(e.payment >> 160, FEE);
    }

    function test_results_come_from_the_oracle_only() public {
        Entry memory entry = _ask(alice);
        _execute(_list(entry));
        assertEq(consumer.output(), _output(entry));
        vm.expectRevert(abi.encodeWithSelector(SubrosaConsumer.NotOracle.selector, alice));
        vm.prank(alice);
        consumer.onSubrosaResult(stateful, 1, 1, "forged");
    }

    function test_a_refund_waits_for_a_consumer_that_receives_nothing() public {
        Entry memory entry = _ask(alice);
        skip(2 hours);
        oracle.refund(entry);
        assertEq(oracle.balanceOf(address(consumer)), FEE - CHARGE);
        vm.prank(bob);
        assertEq(consumer.withdrawRefunds(), FEE - CHARGE);
        assertEq(TREASURY.balance, FEE - CHARGE, "whoever asks for it");
    }

    function test_a_refunding_consumer_collects_for_its_payers() public {
        Follower follower = new Follower(oracle);
        Entry memory entry = _first(follower, alice);
        skip(2 hours);
        bytes memory code = address(follower).code;
        vm.etch(address(follower), hex"fe");
        oracle.refund(entry);
        vm.etch(address(follower), code);
        follower.withdrawRefunds();
        assertEq(address(follower).balance, FEE - CHARGE);
        follower.claimRefund(stateful, entry.seq);
        assertEq(alice.balance, FEE - CHARGE);
    }

    function test_a_request_that_names_a_charge_or_an_epoch_is_refused_once_they_change() public {
        SubrosaConsumer.Ask memory what = _what();
        (what.maximumChargeGwei, what.keyEpoch) = (uint40(CHARGE / 1 gwei), 1);
        _ask(alice, what);

        what.maximumChargeGwei -= 1;
        hoax(alice, FEE);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, CHARGE, CHARGE - 1 gwei));
        consumer.ask{value: FEE}(what, "input");

        (what.maximumChargeGwei, what.keyEpoch) = (0, 2);
        hoax(alice, FEE);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.OtherEpoch.selector, stateful, 1));
        consumer.ask{value: FEE}(what, "input");
    }

    // Asking from within a callback.

    function test_a_callback_asks_on_behalf_of_a_user_and_never_of_the_oracle() public {
        for (uint256 i = 0; i < 4; ++i) {
            (address user, bool refundable) = (i < 2 ? address(0) : bob, i % 2 == 0);
            Follower follower = new Follower(oracle);
            Entry memory first = _first(follower, alice);
            SubrosaConsumer.Ask memory next = _what();
            next.callbackGasLimit = 0;
            follower.follow{value: FEE}(user, refundable, next);
            vm.recordLogs();
            _execute(_list(first));

            if (user == address(0)) {
                assertEq(_status(first), 2, "the callback failed");
                vm.expectRevert(SubrosaConsumer.OracleIsNoUser.selector);
                vm.prank(address(oracle));
                follower.onSubrosaResult(stateful, first.seq, 1, "");
                continue;
            }
            Entry memory second = _appended();
            _note(second);
            assertEq(second.context, _context(bob, 0));
            (address payer, uint256 owed) = follower.paymentOf(stateful, second.seq);
            assertEq(payer, refundable ? bob : address(0));
            assertEq(owed, refundable ? FEE - CHARGE : 0);
            _execute(_list(second));
        }
    }

    function test_the_refund_of_a_request_from_a_callback_is_its_users() public {
        Follower follower = new Follower(oracle);
        Entry memory first = _first(follower, alice);
        follower.follow{value: FEE}(bob, true, _what());
        vm.recordLogs();
        _execute(_list(first));
        Entry memory second = _appended();
        skip(2 hours);
        oracle.refund(second);
        follower.claimRefund(stateful, second.seq);
        assertEq(bob.balance, FEE - CHARGE);
    }

    function test_a_consumer_has_an_oracle() public {
        vm.expectRevert(SubrosaConsumer.ZeroOracle.selector);
        new Example(ISubrosaOracle(address(0)));
    }

    function _ask(address from) private returns (Entry memory) {
        return _ask(from, _what());
    }

    function _what() private view returns (SubrosaConsumer.Ask memory) {
        return SubrosaConsumer.Ask(stateful, false, false, false, 1, 400_000, _deadline(), FEE, 0, 0);
    }

    function _first(Follower follower, address from) private returns (Entry memory entry) {
        vm.recordLogs();
        hoax(from, FEE);
        follower.ask{value: FEE}(_what());
        entry = _appended();
        _note(entry);
    }

    function _ask(address from, SubrosaConsumer.Ask memory what) private returns (Entry memory entry) {
        vm.recordLogs();
        hoax(from, FEE);
        consumer.ask{value: FEE}(what, "input");
        entry = _appended();
        _note(entry);
    }

    function _context(address account, uint96 nonce) private pure returns (bytes32) {
        return bytes32(abi.encodePacked(account, nonce));
    }
}
