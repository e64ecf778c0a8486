// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaGuest} from "../src/guest/SubrosaGuest.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {GasBalances, GasToken} from "./gas/GasToken.sol";
import {FulfillmentGroup} from "./support/Batches.sol";
import {OracleTest} from "./support/OracleTest.sol";

/// @notice The token whose transfers are measured moves what it says, and tells nobody how much.
contract GasTokenTest is OracleTest {
    address private alice = makeAddr("alice");
    address private bob = makeAddr("bob");
    GasToken private token;
    GasBalances private balances;

    function setUp() public override {
        super.setUp();
        token = new GasToken(oracle, stateful);
        balances = new GasBalances(address(token), alice, 100);
    }

    function test_a_transfer_moves_what_there_is_and_changes_both_handles() public {
        _transfer(alice, bob, 30, "first");
        assertEq(_balanceOf(alice), 70);
        assertEq(_balanceOf(bob), 30);
        assertTrue(token.confidentialBalanceOf(alice) != token.confidentialBalanceOf(bob));
        bytes32 before = token.confidentialBalanceOf(bob);
        _transfer(bob, alice, 5, "second");
        assertEq(_balanceOf(bob), 25);
        assertTrue(token.confidentialBalanceOf(bob) != before);
    }

    function test_a_transfer_of_more_than_there_is_looks_like_any_other() public {
        bytes memory some = _transfer(alice, bob, 1, "some");
        bytes memory none = _transfer(alice, bob, 100, "none");
        assertEq(_balanceOf(alice), 99);
        assertEq(some.length, none.length);
        assertEq(token.confidentialBalanceOf(alice), keccak256(abi.encode(bytes32(none), alice)));
    }

    function test_nobody_but_the_token_moves_anything() public {
        vm.expectRevert(GasBalances.NotTheToken.selector);
        balances.transfer(bob, 1);
    }

    /// @dev Asked on chain, executed as the enclave would, and answered on chain.
    function _transfer(address from, address to, uint256 amount, bytes32 random) private returns (bytes memory output) {
        vm.recordLogs();
        hoax(from, FEE);
        token.confidentialTransfer{value: FEE}("envelope", 1);
        Entry memory entry = _appended();
        _note(entry);
        assertEq(entry.context >> 96, bytes32(uint256(uint160(from))));

        _askedBy(from);
        vm.mockCall(SubrosaGuest.RANDOM_BYTES, abi.encode(uint256(32), bytes("handle")), abi.encode(random));
        vm.prank(address(token));
        (, output) = address(balances).call(abi.encodeCall(GasBalances.transfer, (to, amount)));
        assertEq(output, abi.encodePacked(random, from, to));

        FulfillmentGroup memory group = _groupOnHead(_list(entry));
        uint256 commitment = group.items[0].result >> 48 << 48;
        group.items[0].result = commitment | 1 << 40 | 12 << 32 | output.length;
        group.items[0].data = output;
        vm.expectEmit(address(token));
        emit GasToken.ConfidentialTransfer(from, to, random);
        assertEq(_fulfill(_batch(group)), 1);
    }

    function _balanceOf(address account) private returns (uint256) {
        _askedBy(account);
        vm.prank(address(token));
        return balances.balance();
    }

    function _askedBy(address account) private {
        bytes32 context = bytes32(uint256(uint160(account)) << 96);
        vm.mockCall(SubrosaGuest.INVOCATION, bytes(""), abi.encode(context, stateful, uint256(1), bytes16(0)));
    }
}
