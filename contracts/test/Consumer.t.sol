// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../src/SubrosaConsumer.sol";
import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";

contract Example is SubrosaConsumer {
    bytes public output;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function ask(Ask calldata what, bytes calldata input) external payable returns (uint48) {
        return _request(what, input);
    }

    function collect(address payable recipient) external returns (uint256) {
        return _withdraw(recipient);
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata output_) internal override {
        output = output_;
    }
}

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
        SubrosaConsumer.Ask memory what =
            SubrosaConsumer.Ask(stateful, sealedInput, opensSession, expires, fuel, callbackGas, _deadline(), FEE);
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
        assertEq(consumer.collect(payable(alice)), FEE - CHARGE);
        assertEq(alice.balance, FEE - CHARGE);
    }

    function test_a_consumer_has_an_oracle() public {
        vm.expectRevert(SubrosaConsumer.ZeroOracle.selector);
        new Example(ISubrosaOracle(address(0)));
    }

    function _ask(address from) private returns (Entry memory) {
        return _ask(from, SubrosaConsumer.Ask(stateful, false, false, false, 1, 100_000, _deadline(), FEE));
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
