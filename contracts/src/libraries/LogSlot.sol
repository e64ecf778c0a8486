// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Policy, Registration} from "../interfaces/ISubrosaOracle.sol";

/// @notice A log's policy and length in one word, high to low: minimumDeadline 24 ‖
/// maximumCallbackGas 32 ‖ executionChargeGwei 40 ‖ flags 8 ‖ finalityClass 8 ‖ runtimeGeneration 16
/// ‖ codeVersion 16 ‖ keyEpoch 32 ‖ keyGroup 32 ‖ nextSeq 48.
type LogSlot is uint256;

using LogSlots for LogSlot global;

/// @title Reading and changing a log's word
library LogSlots {
    uint256 private constant KEY_GROUP = 48;
    uint256 private constant KEY_EPOCH = 80;
    uint256 private constant CODE_VERSION = 112;
    uint256 private constant RUNTIME_GENERATION = 128;
    uint256 private constant FINALITY_CLASS = 144;
    uint256 private constant FLAGS = 152;
    uint256 private constant EXECUTION_CHARGE = 160;
    uint256 private constant MAXIMUM_CALLBACK_GAS = 200;
    uint256 private constant MINIMUM_DEADLINE = 232;

    uint256 private constant STATELESS = 1 << FLAGS;
    uint256 private constant RESTRICTED = 2 << FLAGS;
    uint256 private constant PAUSED = 4 << FLAGS;

    /// @notice The word of a new, still empty log.
    function create(Registration calldata r, uint32 epoch) internal pure returns (LogSlot) {
        return LogSlot.wrap(
            uint256(r.minimumDeadline) << MINIMUM_DEADLINE | uint256(r.maximumCallbackGas) << MAXIMUM_CALLBACK_GAS
                | uint256(r.executionChargeGwei) << EXECUTION_CHARGE | (r.stateless ? STATELESS : 0)
                | (r.restricted ? RESTRICTED : 0) | uint256(r.finalityClass) << FINALITY_CLASS
                | uint256(r.runtimeGeneration) << RUNTIME_GENERATION | uint256(epoch) << KEY_EPOCH | uint256(r.keyGroup)
                << KEY_GROUP
        );
    }

    /// @notice The same log under another policy.
    function withPolicy(LogSlot log, Policy calldata p) internal pure returns (LogSlot) {
        uint256 kept = LogSlot.unwrap(log) & ((1 << EXECUTION_CHARGE) - 1) & ~(RESTRICTED | PAUSED);
        return LogSlot.wrap(
            kept | uint256(p.minimumDeadline) << MINIMUM_DEADLINE | uint256(p.maximumCallbackGas)
                << MAXIMUM_CALLBACK_GAS | uint256(p.executionChargeGwei) << EXECUTION_CHARGE
                | (p.restricted ? RESTRICTED : 0) | (p.paused ? PAUSED : 0)
        );
    }

    /// @notice The same log in another key epoch.
    function withEpoch(LogSlot log, uint32 epoch) internal pure returns (LogSlot) {
        uint256 kept = LogSlot.unwrap(log) & ~(uint256(type(uint32).max) << KEY_EPOCH);
        return LogSlot.wrap(kept | uint256(epoch) << KEY_EPOCH);
    }

    /// @notice The same log under its code's next version. The caller checks that there is one.
    function withNextCode(LogSlot log) internal pure returns (LogSlot) {
        unchecked {
            return LogSlot.wrap(LogSlot.unwrap(log) + (1 << CODE_VERSION));
        }
    }

    /// @notice The same log in another runtime generation.
    function withRuntime(LogSlot log, uint16 generation) internal pure returns (LogSlot) {
        uint256 kept = LogSlot.unwrap(log) & ~(uint256(type(uint16).max) << RUNTIME_GENERATION);
        return LogSlot.wrap(kept | uint256(generation) << RUNTIME_GENERATION);
    }

    /// @notice The same log with one entry more. The caller checks `isFull`.
    function withEntry(LogSlot log) internal pure returns (LogSlot) {
        unchecked {
            return LogSlot.wrap(LogSlot.unwrap(log) + 1);
        }
    }

    /// @notice Whether there is a log at all: every log has at least entry 0.
    function exists(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) != 0;
    }

    function isFull(LogSlot log) internal pure returns (bool) {
        return nextSeq(log) == type(uint48).max;
    }

    function isStateless(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & STATELESS != 0;
    }

    function isRestricted(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & RESTRICTED != 0;
    }

    function isPaused(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & PAUSED != 0;
    }

    /// @notice Whether it is paused or restricted.
    function isGated(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & (RESTRICTED | PAUSED) != 0;
    }

    function nextSeq(LogSlot log) internal pure returns (uint48) {
        return uint48(LogSlot.unwrap(log));
    }

    function keyGroup(LogSlot log) internal pure returns (uint32) {
        return uint32(LogSlot.unwrap(log) >> KEY_GROUP);
    }

    function keyEpoch(LogSlot log) internal pure returns (uint32) {
        return uint32(LogSlot.unwrap(log) >> KEY_EPOCH);
    }

    function codeVersion(LogSlot log) internal pure returns (uint16) {
        return uint16(LogSlot.unwrap(log) >> CODE_VERSION);
    }

    function runtimeGeneration(LogSlot log) internal pure returns (uint16) {
        return uint16(LogSlot.unwrap(log) >> RUNTIME_GENERATION);
    }

    function finalityClass(LogSlot log) internal pure returns (uint8) {
        return uint8(LogSlot.unwrap(log) >> FINALITY_CLASS);
    }

    /// @notice The part of every fee that is never refunded, in wei.
    function executionCharge(LogSlot log) internal pure returns (uint256) {
        unchecked {
            return (LogSlot.unwrap(log) >> EXECUTION_CHARGE & type(uint40).max) * 1 gwei;
        }
    }

    function maximumCallbackGas(LogSlot log) internal pure returns (uint32) {
        return uint32(LogSlot.unwrap(log) >> MAXIMUM_CALLBACK_GAS);
    }

    /// @notice In seconds.
    function minimumDeadline(LogSlot log) internal pure returns (uint24) {
        return uint24(LogSlot.unwrap(log) >> MINIMUM_DEADLINE);
    }
}
