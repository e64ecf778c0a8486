// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LogSlot} from "./LogSlot.sol";

/// @notice What an entry executes and under which rules; see `Entry.execution`.
type ExecutionWord is uint256;

/// @notice Who asked and how the answer is delivered; see `Entry.settlement`.
type SettlementWord is uint256;

/// @notice What an entry pays and whose keys it needs; see `Entry.payment`.
type PaymentWord is uint256;

/// @notice What a requester chooses; see `ISubrosaOracle.request`.
type TermsWord is uint256;

/// @notice What executing an entry yielded; see `FulfillmentItem.result`.
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
/// ‖ blockNumber 48 ‖ blockTimestamp 48 ‖ zero 32
library ExecutionWords {
    /// @notice The word of an entry appended to `log` in this block. `flags` and `fuelLimit` must fit
    /// their fields.
    function create(uint256 kind, uint256 flags, uint256 fuelLimit, LogSlot log) internal view returns (ExecutionWord) {
        return ExecutionWord.wrap(
            kind << 248 | flags << 232 | fuelLimit << 168 | uint256(log.codeVersion()) << 152
                | uint256(log.runtimeGeneration()) << 136 | uint256(log.finalityClass()) << 128
                | uint256(uint48(block.number)) << 80 | uint256(uint48(block.timestamp)) << 32
        );
    }
}

/// @title requester 160 ‖ callbackGasLimit 32 ‖ flags 16 ‖ deadline 48
library SettlementWords {
    uint256 private constant CALLBACK_EXPIRES = 1 << 48;

    /// @notice `callbackGasLimit`, `flags` and `deadline` must fit their fields.
    function create(address account, uint256 callbackGas, uint256 flags, uint256 until)
        internal
        pure
        returns (SettlementWord)
    {
        return SettlementWord.wrap(uint256(uint160(account)) << 96 | callbackGas << 64 | flags << 48 | until);
    }

    /// @notice Who asked, is called back and gets a refund.
    function requester(SettlementWord word) internal pure returns (address) {
        return address(uint160(SettlementWord.unwrap(word) >> 96));
    }

    /// @notice Zero if no callback is wanted.
    function callbackGasLimit(SettlementWord word) internal pure returns (uint256) {
        return SettlementWord.unwrap(word) >> 64 & type(uint32).max;
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

/// @title fee 96 ‖ executionCharge 96 ‖ keyGroup 32 ‖ keyEpoch 32
library PaymentWords {
    /// @notice `paid` and `charge`, in wei, must fit their fields.
    function create(uint256 paid, uint256 charge, LogSlot log) internal pure returns (PaymentWord) {
        return PaymentWord.wrap(paid << 160 | charge << 64 | uint256(log.keyGroup()) << 32 | log.keyEpoch());
    }

    /// @notice All that was paid, in wei.
    function fee(PaymentWord word) internal pure returns (uint256) {
        return PaymentWord.unwrap(word) >> 160;
    }

    /// @notice The part of the fee that is never refunded, in wei.
    function executionCharge(PaymentWord word) internal pure returns (uint256) {
        return PaymentWord.unwrap(word) >> 64 & type(uint96).max;
    }

    /// @notice keyGroup 32 ‖ keyEpoch 32.
    function keys(PaymentWord word) internal pure returns (uint256) {
        return PaymentWord.unwrap(word) & type(uint64).max;
    }
}

/// @title executionFlags 16 ‖ settlementFlags 16 ‖ fuelLimit 64 ‖ callbackGasLimit 32 ‖ deadline 48 ‖
/// maximumChargeGwei 40 ‖ keyEpoch 32 ‖ zero 8
library TermsWords {
    uint256 private constant ENVELOPE = 1 << 240;
    uint256 private constant OPENS_SESSION = 2 << 240;
    uint256 private constant CALLBACK_EXPIRES = 1 << 224;

    /// Everything but the flags that mean something and the fields below.
    uint256 private constant UNKNOWN = ~(ENVELOPE | OPENS_SESSION | CALLBACK_EXPIRES | ((1 << 224) - (1 << 8)));

    /// The largest charge and the epoch.
    uint256 private constant BOUNDS = (1 << 80) - (1 << 8);

    /// @notice Whether a bit is set that means nothing: none such, or a session without an envelope to
    /// take its key from.
    function hasUnknown(TermsWord terms) internal pure returns (bool) {
        uint256 word = TermsWord.unwrap(terms);
        return word & UNKNOWN != 0 || word & (ENVELOPE | OPENS_SESSION) == OPENS_SESSION;
    }

    function executionFlags(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 240;
    }

    function settlementFlags(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 224 & type(uint16).max;
    }

    function fuelLimit(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 160 & type(uint64).max;
    }

    function callbackGasLimit(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 128 & type(uint32).max;
    }

    function deadline(TermsWord terms) internal pure returns (uint256) {
        return TermsWord.unwrap(terms) >> 80 & type(uint48).max;
    }

    /// @notice Whether the terms say what charge or which epoch the request is meant for.
    function hasBounds(TermsWord terms) internal pure returns (bool) {
        return TermsWord.unwrap(terms) & BOUNDS != 0;
    }

    /// @notice The largest execution charge the requester agrees to, in wei; zero for any.
    function maximumCharge(TermsWord terms) internal pure returns (uint256) {
        unchecked {
            return (TermsWord.unwrap(terms) >> 40 & type(uint40).max) * 1 gwei;
        }
    }

    /// @notice The epoch that the input was made for; zero for any.
    function keyEpoch(TermsWord terms) internal pure returns (uint32) {
        return uint32(TermsWord.unwrap(terms) >> 8);
    }
}

/// @title newCommitment 208 ‖ status 8 ‖ fuelBucket 8 ‖ outputLength 32
library ResultWords {
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

    /// @notice How many of the data's bytes are public output.
    function outputLength(ResultWord word) internal pure returns (uint256) {
        return ResultWord.unwrap(word) & type(uint32).max;
    }
}
