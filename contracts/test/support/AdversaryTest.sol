// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, Fulfillment} from "../../src/interfaces/SubrosaTypes.sol";
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
        return _batch(_groupOnHead(_list(enemys, behind)), _groupOnHead(_list(beside)));
    }

    /// @dev Prepares and has the honest relayer submit; then checks what concerns others.
    function _attack(address enemy) internal {
        Fulfillment memory f = _prepare(enemy);
        uint256 before = relayer.balance;
        assertEq(_fulfill(f), 3);
        assertEq(relayer.balance - before, 3 * FEE, "the relayer has its fees");
        _assertBystandersServed();
    }

    /// @dev The enemy's entry is executed and off the way; the bystanders' are, with the gas they were
    /// promised, once each.
    function _assertBystandersServed() internal view {
        assertEq(_head(stateful), _commitment(behind) | (behind.seq + 1), "the log moved on");
        assertEq(_status(behind), 0);
        assertEq(_status(beside), 4);
        assertEq(bystander.count(), 2, "a callback each");
        for (uint256 i = 0; i < 2; ++i) {
            (bytes32 id, uint256 seq,, bytes memory output, uint256 gasAtEntry) = bystander.calls(i);
            Entry memory entry = id == stateful ? behind : beside;
            assertEq(seq, entry.seq);
            assertEq(output, _output(entry));
            assertGt(gasAtEntry, GAS - 1500, "with the promised gas");
        }
    }

    /// @dev The oracle holds what it owes: open fees, and what waits for these accounts.
    function _assertEscrow(uint256 open, address a, address b) internal view {
        assertEq(address(oracle).balance, open + oracle.balanceOf(a) + oracle.balanceOf(b), "escrow is conserved");
    }

    function _assertEscrow(uint256 open) internal view {
        assertEq(address(oracle).balance, open, "escrow is conserved");
    }
}
