// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../../src/interfaces/ISubrosaConsumer.sol";

/// @notice Counts the callbacks that succeeded and looks at the gas they came with. Has moods: it may
/// revert, burn its gas, refuse money, or call something from within.
contract Tally is ISubrosaConsumer {
    uint256 private immutable promised;
    uint256 private constant ENTRY_GAS = 2500;

    enum Mood {
        Willing,
        Reverting,
        Burning,
        Reentering
    }

    Mood public mood;
    bool public refusesMoney;
    mapping(bytes32 contractId => mapping(uint256 seq => uint256)) public successes;
    uint256 public total;
    bool public twice;
    bool public starved;
    address private target;
    bytes private call;

    error NotInTheMood();

    constructor(uint256 promised_) {
        promised = promised_;
    }

    function setMood(Mood mood_, bool refusesMoney_) external {
        (mood, refusesMoney) = (mood_, refusesMoney_);
    }

    function arm(address target_, bytes calldata call_) external {
        (target, call) = (target_, call_);
    }

    function onSubrosaResult(bytes32 contractId, uint256 seq, uint8, bytes calldata) external {
        uint256 available = gasleft();
        if (mood == Mood.Reverting) revert NotInTheMood();
        while (mood == Mood.Burning) {}
        if (available < promised - ENTRY_GAS) starved = true;
        ++total;
        if (++successes[contractId][seq] > 1) twice = true;
        if (mood == Mood.Reentering && target != address(0)) {
            (bool success,) = target.call(call);
            success;
        }
    }

    receive() external payable {
        if (refusesMoney) revert NotInTheMood();
    }
}
