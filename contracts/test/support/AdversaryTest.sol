// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {Fulfillment} from "./Batches.sol";
import {Recorder} from "./Consumers.sol";
import {OracleTest} from "./OracleTest.sol";

/// @notice One enemy and two bystanders in a batch: one behind the enemy on its own log, one on a log
/// of its own. Whatever the enemy does, the bystanders get what they paid for.
abstract contract AdversaryTest is OracleTest {
    uint32 internal constant GAS = 300_000;

    Recorder internal bystander = new Recorder();
    /// The enemy's entry and the bystanders' two.
    Entry internal enemys;
    Entry internal behind;
    Entry internal beside;
    /// What waited for the relayer and the owner before.
    uint256 internal relayers;
    uint256 internal owners;

    function setUp() public virtual override {
        super.setUp();
        // Nothing of what follows is of before.
        _drain(relayer);
        _drain(owner);
    }

    function _drain(address account) private {
        if (oracle.balanceOf(account) == 0) return;
        vm.prank(account);
        oracle.withdraw(payable(makeAddr("elsewhere")));
    }

    /// @dev Appends the three entries and answers them in one batch.
    function _prepare(address enemy) internal returns (Fulfillment memory) {
        return _prepare(enemy, GAS);
    }

    function _prepare(address enemy, uint32 callbackGas) internal returns (Fulfillment memory) {
        return _prepare(_request(stateful, enemy, callbackGas));
    }

    function _prepare(Entry memory first) internal returns (Fulfillment memory) {
        enemys = first;
        behind = _request(stateful, address(bystander), GAS);
        beside = _request(stateless, address(bystander), GAS);
        relayers = oracle.balanceOf(relayer);
        owners = oracle.balanceOf(owner);
        return _batch(_groupOnHead(_list(enemys, behind)), _groupOnHead(_list(beside)));
    }

    /// @dev Prepares and has the honest relayer submit; then checks what concerns others.
    function _attack(address enemy) internal {
        assertEq(_fulfill(_prepare(enemy)), 3);
        _assertBystandersServed();
        _assertRelayerPaid();
    }

    /// @dev It has what landing and calling back is paid, but for what is held of a callback that failed; the owner
    /// its charges; and the oracle holds that and no more.
    function _assertRelayerPaid() internal {
        uint256 all = _earned(enemys) + _earned(behind) + _earned(beside);
        uint256 got = oracle.balanceOf(relayer) - relayers;
        if (_outstandingFlags(enemys) == 0) assertEq(got, all, "the relayer has its fees");
        else assertGe(got, all - _callbackPart(enemys), "the relayer has its fees");
        assertEq(oracle.balanceOf(owner) - owners, 3 * CHARGE);
        _assertEscrow(all - got);
    }

    /// @dev The enemy's entry is executed and off the way; the bystanders' are, with the gas they were
    /// promised, once each.
    function _assertBystandersServed() internal view {
        assertEq(_head(stateful), _commitment(behind) | (_seq(behind) + 1), "the log moved on");
        _assertNothingOutstanding(behind);
        _assertNothingOutstanding(beside);
        assertEq(_status(beside) & EXECUTED, EXECUTED);
        assertEq(bystander.count(), 2, "a callback each");
        for (uint256 i = 0; i < 2; ++i) {
            (bytes32 id, uint256 seq,, bytes memory output, uint256 gasAtEntry) = bystander.calls(i);
            Entry memory entry = id == stateful ? behind : beside;
            assertEq(seq, _seq(entry));
            assertEq(output, _output(entry));
            assertGt(gasAtEntry, GAS - 1500, "with the promised gas");
        }
    }

    /// @dev The oracle holds what it owes: open fees, and what waits for these accounts, the relayer and the owner.
    function _assertEscrow(uint256 open, address a, address b) internal view {
        uint256 waiting = oracle.balanceOf(a) + oracle.balanceOf(b);
        waiting += oracle.balanceOf(relayer) + oracle.balanceOf(owner);
        assertEq(address(oracle).balance, open + waiting, "escrow is conserved");
    }

    function _assertEscrow(uint256 open) internal view {
        _assertEscrow(open, address(0), address(0));
    }
}
