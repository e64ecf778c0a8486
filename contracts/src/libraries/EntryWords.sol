// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Decimal} from "./Decimal.sol";
import {LogSlot} from "./LogSlot.sol";

/// @notice What an entry executes and under which rules; see `Entry.execution`.
type ExecutionWord is uint256;

/// @notice Who asked and how the answer is delivered; see `Entry.settlement`.
type SettlementWord is uint256;

/// @notice What an entry pays and whose keys it needs; see `Entry.payment`.
type PaymentWord is uint256;

/// @notice What a requester chooses; see `ISubrosaOracle.request`.
type TermsWord is uint256;

/// @notice What executing an entry yielded; see `ISubrosaOracle.fulfill`.
type ResultWord is uint256;

using ExecutionWords for ExecutionWord global;
using SettlementWords for SettlementWord global;
using PaymentWords for PaymentWord global;
using TermsWords for TermsWord global;
using ResultWords for ResultWord global;

/// @notice The kinds of entries.
library EntryKind {
    uint256 internal constant DEPLOY = 0;
    uint256 internal constant CALL = 1;
    uint256 internal constant UPGRADE = 2;
    uint256 internal constant EPOCH = 3;
    uint256 internal constant RUNTIME = 4;
}

/// @title kind 8 ‖ flags 16 ‖ fuelLimit 64 ‖ codeVersion 16 ‖ runtimeGeneration 16 ‖ finalityClass 8
/// ‖ blockNumber 48 ‖ blockTimestamp 48 ‖ outputLimit 32
library ExecutionWords {
    /// @notice The word of an entry appended to `log` in this block. `flags`, `fuelLimit` and `outputLimit` must
    /// fit their fields.
    function create(uint256 kind, uint256 flags, uint256 fuelLimit, uint256 outputLimit, LogSlot log, uint256 number)
        internal
        view
        returns (ExecutionWord)
    {
        return ExecutionWord.wrap(
            kind << 248 | flags << 232 | fuelLimit << 168 | uint256(log.codeVersion()) << 152
                | uint256(log.runtimeGeneration()) << 136 | uint256(log.finalityClass()) << 128
                | uint256(uint48(number)) << 80 | uint256(uint48(block.timestamp)) << 32 | outputLimit
        );
    }
}

/// @title requester 160 ‖ callbackGasLimit 32 ‖ flags 16 ‖ deadline 48
library SettlementWords {
    uint256 private constant CALLBACK_EXPIRES = 1 << 48;
    uint256 private constant LEAVES_EPOCH = 2 << 48;

    /// @notice The flag of an entry that moves its contract to another epoch.
    uint256 internal constant LEAVING = 2;

    /// @notice `callbackGasLimit`, `flags` and `deadline` must fit their fields.
    function create(address account, uint256 callbackGas, uint256 flags, uint256 until)
        internal
        pure
        returns (SettlementWord)
    {
        return SettlementWord.wrap(uint256(uint160(account)) << 96 | callbackGas << 64 | flags << 48 | until);
    }

    /// @notice Who asked and is called back.
    function requester(SettlementWord word) internal pure returns (address) {
        return address(uint160(SettlementWord.unwrap(word) >> 96));
    }

    /// @notice Zero if no callback is wanted; of an entry that leaves an epoch, that epoch.
    function callbackGasLimit(SettlementWord word) internal pure returns (uint256) {
        return SettlementWord.unwrap(word) >> 64 & type(uint32).max;
    }

    /// @notice Whether the entry moves its contract from the epoch that stands for the callback's gas limit.
    function leavesEpoch(SettlementWord word) internal pure returns (bool) {
        return SettlementWord.unwrap(word) & LEAVES_EPOCH != 0;
    }

    /// @notice Whether a callback is wanted.
    function wantsCallback(SettlementWord word) internal pure returns (bool) {
        return callbackGasLimit(word) != 0 && !leavesEpoch(word);
    }

    /// @notice Whether the requester wants no callback after the deadline.
    function callbackExpires(SettlementWord word) internal pure returns (bool) {
        return SettlementWord.unwrap(word) & CALLBACK_EXPIRES != 0;
    }

    /// @notice Unix seconds.
    function deadline(SettlementWord word) internal pure returns (uint256) {
        return SettlementWord.unwrap(word) & type(uint48).max;
    }

    /// @notice Whether the deadline has passed.
    function isLate(SettlementWord word) internal view returns (bool) {
        return block.timestamp > deadline(word);
    }
}

/// @title landing 48 ‖ callback 48 ‖ charge 48 ‖ keyGroup 32 ‖ keyEpoch 32 ‖ seq 48
library PaymentWords {
    /// @notice The parts, in gwei, must fit their fields.
    function create(uint256 landing_, uint256 callback_, uint256 charge_, LogSlot log)
        internal
        pure
        returns (PaymentWord)
    {
        return PaymentWord.wrap(
            landing_ << 208 | callback_ << 160 | charge_ << 112 | uint256(log.keyGroup()) << 80
                | uint256(log.keyEpoch()) << 48 | log.nextSeq()
        );
    }

    /// @notice For whoever lands the result, in gwei.
    function landing(PaymentWord word) internal pure returns (uint256) {
        return PaymentWord.unwrap(word) >> 208;
    }

    /// @notice For the callback, in gwei.
    function callback(PaymentWord word) internal pure returns (uint256) {
        return PaymentWord.unwrap(word) >> 160 & type(uint48).max;
    }

    /// @notice For the contract's owner, in gwei.
    function charge(PaymentWord word) internal pure returns (uint256) {
        return PaymentWord.unwrap(word) >> 112 & type(uint48).max;
    }

    /// @notice keyGroup 32 ‖ keyEpoch 32.
    function keys(PaymentWord word) internal pure returns (uint256) {
        return PaymentWord.unwrap(word) >> 48 & type(uint64).max;
    }

    /// @notice The entry's position.
    function seq(PaymentWord word) internal pure returns (uint256) {
        return PaymentWord.unwrap(word) & type(uint48).max;
    }
}

/// @title executionFlags 8 ‖ settlementFlags 8 ‖ fuelLimit 64 ‖ callbackGasLimit 32 ‖ deadline 48 ‖
/// outputLimit 24 ‖ keyEpoch 32 ‖ codeVersion 16 ‖ maximumCharge 20 ‖ zero 4
library TermsWords {
    uint256 private constant ENVELOPE = 1 << 248;
    uint256 private constant OPENS_SESSION = 2 << 248;
    uint256 private constant CALLBACK_EXPIRES = 1 << 240;

    /// Everything but the flags that mean something and the fields below.
    uint256 private constant UNKNOWN = ~(ENVELOPE | OPENS_SESSION | CALLBACK_EXPIRES | ((1 << 240) - (1 << 4)));

    /// Epoch, version and largest charge.
    uint256 private constant BOUNDS = (1 << 72) - (1 << 4);

    /// @notice Whether a bit is set that means nothing: none such, or a session without an envelope to
    /// take its key from.
    function hasUnknown(TermsWord terms) internal pure returns (bool) {
        uint256 word = TermsWord.unwrap(terms);
        return word & UNKNOWN != 0 || word & (ENVELOPE | OPENS_SESSION) == OPENS_SESSION;
    }

    function executionFlags(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 248;
    }

    function settlementFlags(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 240 & type(uint8).max;
    }

    function fuelLimit(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 176 & type(uint64).max;
    }

    function callbackGasLimit(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 144 & type(uint32).max;
    }

    function deadline(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 96 & type(uint48).max;
    }

    /// @notice Bytes of output that are paid for.
    function outputLimit(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 72 & type(uint24).max;
    }

    /// @notice Whether the terms say for what epoch, code or charge the request is meant.
    function hasBounds(TermsWord terms) internal pure returns (bool) {
        return TermsWord.unwrap(terms) & BOUNDS != 0;
    }

    /// @notice The epoch that the input was made for; zero for any.
    function keyEpoch(TermsWord terms) internal pure returns (uint32) {
        return uint32(TermsWord.unwrap(terms) >> 40);
    }

    /// @notice The version of the code that is meant, plus one; zero for any.
    function codeVersion(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 24 & type(uint16).max;
    }

    /// @notice Whether there is a largest charge.
    function hasMaximumCharge(TermsWord terms) internal pure returns (bool) {
        return TermsWord.unwrap(terms) >> 4 & 0xfffff != 0;
    }

    /// @notice The largest charge the requester agrees to, in gwei.
    function maximumCharge(TermsWord terms) internal pure returns (uint256) {
        return Decimal.unpack(TermsWord.unwrap(terms) >> 4 & 0xfffff);
    }
}

/// @title newCommitment 208 ‖ status 8 ‖ fuelBucket 8 ‖ hasLogs 1 ‖ outputLength 31
library ResultWords {
    uint256 private constant HAS_LOGS = 1 << 31;

    /// @notice The commitment after the entry; low 48 bits zero.
    function newCommitment(ResultWord word) internal pure returns (bytes32) {
        return bytes32(ResultWord.unwrap(word) & ~uint256(type(uint48).max));
    }

    function status(ResultWord word) internal pure returns (uint8) {
        return uint8(ResultWord.unwrap(word) >> 40);
    }

    function fuelBucket(ResultWord word) internal pure returns (uint8) {
        return uint8(ResultWord.unwrap(word) >> 32);
    }

    /// @notice The word of `ISubrosaOracle.EntryFulfilled`.
    function outcome(ResultWord word, uint256 seq) internal pure returns (uint256) {
        uint256 packed = ResultWord.unwrap(word);
        return packed >> 96 << 96 | (packed & type(uint48).max) << 48 | seq;
    }

    /// @notice How many of the data's bytes are public output.
    function outputLength(ResultWord word) internal pure returns (uint256) {
        return ResultWord.unwrap(word) & (HAS_LOGS - 1);
    }
}
