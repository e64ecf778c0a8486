// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Policy, Registration} from "../interfaces/ISubrosaOracle.sol";
import {Decimal} from "./Decimal.sol";

/// @notice A log's policy and length in one word, high to low: charge 20 (gwei, mantissa 15 ‖ exponent 5) ‖
/// gasPriceFloor 16 (wei, mantissa 11 ‖ exponent 5) ‖ baseFeeSixteenths 8 ‖ minimumDeadline 24 ‖
/// maximumCallbackGas 24 ‖ flags 12 ‖ finalityClass 8 ‖ runtimeGeneration 16 ‖ codeVersion 16 ‖ keyEpoch 32 ‖
/// keyGroup 32 ‖ nextSeq 48.
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
    uint256 private constant MAXIMUM_CALLBACK_GAS = 164;
    uint256 private constant MINIMUM_DEADLINE = 188;
    uint256 private constant MULTIPLE = 212;
    uint256 private constant FLOOR = 220;
    uint256 private constant CHARGE = 236;

    uint256 private constant STATELESS = 1 << FLAGS;
    uint256 private constant RESTRICTED = 2 << FLAGS;
    uint256 private constant PAUSED = 4 << FLAGS;
    uint256 private constant LAST_APART = 8 << FLAGS;
    uint256 private constant WORLD = 16 << FLAGS;
    uint256 private constant ABANDONABLE = 32 << FLAGS;
    uint256 private constant ABANDONED = 64 << FLAGS;
    /// Four of the flags are a number.
    uint256 private constant FURTHER_SIGNERS = FLAGS + 7;

    /// Largest mantissas.
    uint256 private constant CHARGE_DIGITS = 0x7fff;
    uint256 private constant FLOOR_DIGITS = 0x7ff;

    /// No entry has a higher position: a head's number has 40 bits.
    uint256 private constant LAST_SEQ = type(uint40).max - 1;

    /// @notice The word of a new, still empty log.
    function create(Registration calldata r) internal pure returns (LogSlot) {
        return LogSlot.wrap(
                (r.stateless ? STATELESS : 0) | (r.world ? WORLD : 0) | (r.abandonedOnRetirement ? ABANDONABLE : 0)
                    | uint256(r.finalityClass) << FINALITY_CLASS | uint256(r.runtimeGeneration) << RUNTIME_GENERATION
                    | uint256(r.keyEpoch) << KEY_EPOCH | uint256(r.keyGroup) << KEY_GROUP
            ).withPolicy(r.policy);
    }

    /// @notice The same log under another policy.
    function withPolicy(LogSlot log, Policy calldata p) internal pure returns (LogSlot) {
        uint256 kept = LogSlot.unwrap(log) & ((1 << MAXIMUM_CALLBACK_GAS) - 1) & ~(RESTRICTED | PAUSED);
        return LogSlot.wrap(
            kept | Decimal.pack(p.chargeGwei, CHARGE_DIGITS) << CHARGE | Decimal.pack(p.gasPriceFloor, FLOOR_DIGITS)
                << FLOOR | uint256(p.baseFeeSixteenths) << MULTIPLE | uint256(p.minimumDeadline) << MINIMUM_DEADLINE
                | uint256(p.maximumCallbackGas) << MAXIMUM_CALLBACK_GAS | (p.restricted ? RESTRICTED : 0)
                | (p.paused ? PAUSED : 0)
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
    /// @param apart Whether the entry has a slot of its own.
    function withEntry(LogSlot log, bool apart) internal pure returns (LogSlot) {
        unchecked {
            uint256 word = (LogSlot.unwrap(log) & ~LAST_APART) + 1;
            return LogSlot.wrap(apart ? word | LAST_APART : word);
        }
    }

    /// @notice The same log, asking for so many signatures, at most 16.
    function withSigners(LogSlot log, uint256 signers) internal pure returns (LogSlot) {
        unchecked {
            uint256 further = signers == 0 ? 0 : signers - 1;
            return LogSlot.wrap(LogSlot.unwrap(log) & ~(0xf << FURTHER_SIGNERS) | further << FURTHER_SIGNERS);
        }
    }

    /// @notice The same log, without a charge.
    function uncharged(LogSlot log) internal pure returns (LogSlot) {
        return LogSlot.wrap(LogSlot.unwrap(log) & ((1 << CHARGE) - 1));
    }

    /// @notice The same log, given up.
    function abandoned(LogSlot log) internal pure returns (LogSlot) {
        return LogSlot.wrap(LogSlot.unwrap(log) | ABANDONED);
    }

    /// @notice Whether there is a log at all: every log has at least entry 0.
    function exists(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) != 0;
    }

    function isFull(LogSlot log) internal pure returns (bool) {
        return nextSeq(log) > LAST_SEQ;
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

    /// @notice Whether it is paused, restricted or abandoned.
    function isGated(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & (RESTRICTED | PAUSED | ABANDONED) != 0;
    }

    /// @notice Whether the last entry has a slot of its own.
    function isLastApart(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & LAST_APART != 0;
    }

    function isAbandonable(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & ABANDONABLE != 0;
    }

    function isAbandoned(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & ABANDONED != 0;
    }

    /// @notice How many signatures beyond the first results are priced for.
    function furtherSigners(LogSlot log) internal pure returns (uint256) {
        return LogSlot.unwrap(log) >> FURTHER_SIGNERS & 0xf;
    }

    function nextSeq(LogSlot log) internal pure returns (uint48) {
        return uint48(LogSlot.unwrap(log));
    }

    /// @notice keyGroup 32 ‖ keyEpoch 32, as contracts are counted by.
    function keys(LogSlot log) internal pure returns (uint256) {
        return uint256(keyGroup(log)) << 32 | keyEpoch(log);
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

    function isWorld(LogSlot log) internal pure returns (bool) {
        return LogSlot.unwrap(log) & WORLD != 0;
    }

    /// @notice The policy, as far as it was kept exactly.
    function policy(LogSlot log) internal pure returns (Policy memory) {
        return Policy({
            chargeGwei: uint64(charge(log)),
            baseFeeSixteenths: uint8(LogSlot.unwrap(log) >> MULTIPLE),
            gasPriceFloor: uint64(gasPrice(log, 0)),
            minimumDeadline: uint24(minimumDeadline(log)),
            maximumCallbackGas: uint24(maximumCallbackGas(log)),
            restricted: isRestricted(log),
            paused: isPaused(log)
        });
    }

    /// @notice The owner's charge, in gwei.
    function charge(LogSlot log) internal pure returns (uint256) {
        return Decimal.unpack(LogSlot.unwrap(log) >> CHARGE);
    }

    /// @notice What gas is asked at while the base fee is `baseFee`, in wei: a multiple of it, or the floor.
    function gasPrice(LogSlot log, uint256 baseFee) internal pure returns (uint256 price) {
        uint256 word = LogSlot.unwrap(log);
        unchecked {
            price = (baseFee * (word >> MULTIPLE & 0xff) + 15) >> 4;
        }
        uint256 floor = Decimal.unpack(word >> FLOOR & 0xffff);
        if (price < floor) price = floor;
    }

    function maximumCallbackGas(LogSlot log) internal pure returns (uint256) {
        return LogSlot.unwrap(log) >> MAXIMUM_CALLBACK_GAS & type(uint24).max;
    }

    /// @notice In seconds.
    function minimumDeadline(LogSlot log) internal pure returns (uint256) {
        return LogSlot.unwrap(log) >> MINIMUM_DEADLINE & type(uint24).max;
    }
}
