// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../interfaces/SubrosaTypes.sol";
import {Calls} from "../libraries/Calls.sol";
import {PaymentWord, SettlementWord} from "../libraries/EntryWords.sol";
import {Prices} from "../libraries/Prices.sol";
import {Escrow} from "./Escrow.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title Calling requesters back
abstract contract Callbacks is Escrow {
    /// @dev Gas for everything that may follow the check in `fulfill`, without the callback's own:
    /// moving a head or marking a slot (5,000), clearing what was added (5,000), the epoch's count, and what is counted of a
    /// stateless contract (15,000), the event (2,500), a cold callee (2,600), recording what is outstanding (22,100 and an event of 2,600), crediting
    /// owner and payee (44,200), the memory for it.
    uint256 private constant BOOKKEEPING_GAS = 120_000;

    /// @dev Gas per byte of an item's data: copied into an event (8 and 3/32) and a callback's input,
    /// in memory that may have to grow for both.
    uint256 private constant GAS_PER_BYTE = 16;

    /// @dev Gas for a retry around the callback itself: for what follows, a cold callee, the memory.
    uint256 private constant RETRY_GAS = SETTLING_GAS + 20_000;

    /// @dev Gas for what follows a callback made anew: crediting its maker (22,100), what is left of what was held (20,000 and
    /// an event of 2,600), an event (2,000).
    uint256 private constant SETTLING_GAS = 60_000;

    /// @inheritdoc ISubrosaOracle
    function retryCallback(Entry calldata entry, Outstanding calldata outstanding, bytes calldata output) external {
        bytes32 id = entry.contractId;
        uint256 seq = PaymentWord.wrap(entry.payment).seq();
        (uint256 flags, bytes32 digest) = _outstandingOf(entry, seq, outstanding);
        if (flags & CALLBACK_DUE == 0 || keccak256(output) != outstanding.outputHash) {
            revert NothingOutstanding(id, seq);
        }
        SettlementWord settlement = SettlementWord.wrap(entry.settlement);
        bool inGrace = block.timestamp <= _graceOf(outstanding.since);
        if (!inGrace && settlement.callbackExpires()) revert CallbackExpired(id, seq);

        // Of what is left there is nothing to be had while the callee has control.
        OracleStorage.load().outstanding[id][seq] = 0;
        uint256 used = gasleft();
        uint256 required = Prices.withReserve(settlement.callbackGasLimit()) + RETRY_GAS + GAS_PER_BYTE * output.length;
        if (used < required) revert InsufficientGas(used, required);
        unchecked {
            if (!Calls.deliver(settlement.requester(), used - SETTLING_GAS, id, seq, outstanding.status, output)) {
                revert CallbackReverted(id, seq);
            }
            used -= gasleft();

            // What was held for whoever makes the callback pays for that, in time; the rest is the requester's, as is
            // what a late entry left.
            Outstanding memory left = outstanding;
            uint256 reward = inGrace && flags & FOR_REQUESTER == 0 ? _costOfRetry(used) : 0;
            if (reward > left.held) reward = left.held;
            left.held -= uint48(reward);
            if (reward != 0) _credit(msg.sender, reward);
            if (left.held != 0) _leave(id, seq, digest, left, FOR_REQUESTER);
            emit CallbackMade(id, seq, msg.sender, reward * 1 gwei);
        }
    }

    /// @dev What of the part for a callback, in gwei, a failed one has earned: the share of the gas it burned.
    function _burned(uint256 part, uint256 gasLimit, uint256 used) internal view returns (uint256) {
        unchecked {
            uint256 overhead = _callbackOverhead();
            uint256 paid = Prices.withReserve(gasLimit) + overhead;
            uint256 burned = used + overhead;
            return burned < paid ? part * burned / paid : part;
        }
    }

    /// @dev Gas that must be left for an item to be taken.
    function _requiredGas(uint256 gasLimit, uint256 dataLength) internal pure returns (uint256) {
        unchecked {
            return Prices.withReserve(gasLimit) + BOOKKEEPING_GAS + GAS_PER_BYTE * dataLength;
        }
    }
}
