// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../interfaces/SubrosaTypes.sol";
import {Calls} from "../libraries/Calls.sol";
import {Digests} from "../libraries/Digests.sol";
import {PaymentWord, SettlementWord} from "../libraries/EntryWords.sol";
import {OracleStorage} from "./OracleStorage.sol";
import {Pricing} from "./Pricing.sol";
import {Slots} from "./Slots.sol";
import {Unsettled} from "./Unsettled.sol";

/// @title Fees coming in late and going out
/// @notice The contract holds the fees of pending entries, what is outstanding of executed ones and what waits for
/// `withdraw`; never less.
abstract contract Escrow is Pricing, Unsettled {
    /// @notice Gas for taking a pushed payment. More than any wallet needs; a limit, so that a callee
    /// that burns all it gets leaves enough to record the payment as deferred.
    uint256 private constant PUSH_GAS = 50_000;

    /// @notice How long after its deadline a fee that nobody earned can be taken back.
    uint256 private constant RECLAIM_AFTER = 30 days;

    /// @inheritdoc ISubrosaOracle
    function addFee(Entry calldata entry) external payable {
        uint256 amount = _valueInGwei();
        // It would cost everybody who lands one of the log's entries, and its sender nothing but gas.
        if (amount == 0) revert ZeroFee();
        (bytes32 id, uint256 seq, uint256 position, bytes32 slot) = _pending(entry);
        if (slot & Slots.RECLAIMED != 0) revert AlreadyRefunded(id, seq);
        uint256 added = OracleStorage.load().added[id][seq] + amount;
        if (added > type(uint48).max) revert FeeTooHigh(msg.value);
        OracleStorage.load().added[id][seq] = added;
        Slots.mark(id, position, slot | Slots.TOPPED_UP);
        emit FeeAdded(id, seq, msg.sender, msg.value);
    }

    /// @inheritdoc ISubrosaOracle
    function cancel(Entry calldata entry) external {
        (bytes32 id, uint256 seq, uint256 position, bytes32 slot) = _pending(entry);
        SettlementWord settlement = SettlementWord.wrap(entry.settlement);
        if (settlement.requester() != msg.sender) revert NotRequester(id, seq);
        if (!settlement.wantsCallback() || slot & Slots.CANCELLED != 0) revert NothingToCancel(id, seq);

        Slots.mark(id, position, slot | Slots.CANCELLED);
        emit Cancelled(id, seq);
        // What was refunded already is not returned twice.
        if (slot & Slots.REFUNDED == 0) _return(entry, seq, PaymentWord.wrap(entry.payment).callback());
    }

    /// @inheritdoc ISubrosaOracle
    function refund(Entry calldata entry) external {
        (bytes32 id, uint256 seq, uint256 position, bytes32 slot) = _pending(entry);
        SettlementWord settlement = SettlementWord.wrap(entry.settlement);
        if (!settlement.isLate()) revert DeadlineNotPassed(settlement.deadline());
        if (slot & Slots.REFUNDED != 0) revert AlreadyRefunded(id, seq);
        uint256 amount = _refundable(PaymentWord.wrap(entry.payment), slot);
        if (amount == 0) revert NothingToRefund(id, seq);

        Slots.mark(id, position, slot | Slots.REFUNDED);
        _return(entry, seq, amount);
    }

    /// @inheritdoc ISubrosaOracle
    function reclaim(Entry calldata entry) external {
        (bytes32 id, uint256 seq, uint256 position, bytes32 slot) = _pending(entry);
        uint256 from = SettlementWord.wrap(entry.settlement).deadline() + RECLAIM_AFTER;
        if (block.timestamp <= from) revert DeadlineNotPassed(from);
        if (slot & Slots.RECLAIMED != 0) revert AlreadyRefunded(id, seq);
        PaymentWord payment = PaymentWord.wrap(entry.payment);
        uint256 amount = payment.landing() + _refundable(payment, slot);
        if (slot & Slots.TOPPED_UP != 0) {
            amount += OracleStorage.load().added[id][seq];
            delete OracleStorage.load().added[id][seq];
        }

        Slots.mark(id, position, (slot | Slots.REFUNDED | Slots.RECLAIMED) & ~Slots.TOPPED_UP);
        _return(entry, seq, amount);
    }

    /// @inheritdoc ISubrosaOracle
    function refundExecuted(Entry calldata entry, Outstanding calldata outstanding) external {
        uint256 seq = PaymentWord.wrap(entry.payment).seq();
        (uint256 flags, bytes32 digest) = _outstandingOf(entry, seq, outstanding);
        if (flags & FOR_REQUESTER == 0) {
            uint256 until = _graceOf(outstanding.since);
            if (block.timestamp <= until) revert HeldForCallback(until);
        }
        if (outstanding.held == 0) revert NothingToRefund(entry.contractId, seq);

        // A callback that may still be made is made at its caller's cost from now on.
        bool due = flags & CALLBACK_DUE != 0 && !SettlementWord.wrap(entry.settlement).callbackExpires();
        Outstanding memory left = outstanding;
        left.held = 0;
        _leave(entry.contractId, seq, digest, left, due ? CALLBACK_DUE : 0);
        _return(entry, seq, outstanding.held);
    }

    /// @inheritdoc ISubrosaOracle
    function withdraw(address payable recipient) external returns (uint256 amount) {
        OracleStorage.Layout storage $ = OracleStorage.load();
        amount = $.balances[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        $.balances[msg.sender] = 0;
        emit Withdrawn(msg.sender, recipient, amount);
        if (!Calls.push(recipient, amount, gasleft())) revert WithdrawalFailed(recipient);
    }

    /// @inheritdoc ISubrosaOracle
    function balanceOf(address account) external view returns (uint256) {
        return OracleStorage.load().balances[account];
    }

    /// @dev Lets an amount in gwei wait for an account.
    function _credit(address account, uint256 amount) internal {
        OracleStorage.load().balances[account] += amount * 1 gwei;
    }

    /// @dev What of a fee is the requester's once the deadline has passed, in gwei, given a slot's status.
    function _refundable(PaymentWord payment, bytes32 status) internal pure returns (uint256) {
        if (status & Slots.REFUNDED != 0) return 0;
        return payment.charge() + (status & Slots.CANCELLED != 0 ? 0 : payment.callback());
    }

    /// @dev Pushes an amount in gwei to whom refunds go to, or keeps it for `withdraw`. The callee may reenter:
    /// call this last.
    function _return(Entry calldata entry, uint256 seq, uint256 amount) private {
        address to = entry.refundTo;
        if (to == address(0)) to = SettlementWord.wrap(entry.settlement).requester();
        uint256 value = amount * 1 gwei;
        emit Refunded(entry.contractId, seq, to, value);
        if (Calls.push(to, value, PUSH_GAS)) return;
        OracleStorage.load().balances[to] += value;
        emit PaymentDeferred(to, value);
    }

    /// @dev The slot of a pending entry that is given whole.
    function _pending(Entry calldata entry)
        private
        view
        returns (bytes32 id, uint256 seq, uint256 position, bytes32 slot)
    {
        id = entry.contractId;
        seq = PaymentWord.wrap(entry.payment).seq();
        (position, slot) = Slots.pending(id, seq, Digests.entry(entry));
    }
}
