// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Entry} from "../interfaces/SubrosaTypes.sol";
import {Calls} from "../libraries/Calls.sol";
import {Digests} from "../libraries/Digests.sol";
import {PaymentWord, SettlementWord} from "../libraries/EntryWords.sol";
import {HeadSlot} from "../libraries/HeadSlot.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title Fees going out
/// @notice The contract holds the fees of pending entries, the execution charges of refunded ones and
/// what waits for `withdraw`; never less.
abstract contract Escrow is ISubrosaOracle {
    /// @notice Gas for taking a pushed payment. More than any wallet needs; a limit, so that a callee
    /// that burns all it gets leaves enough to record the payment as deferred.
    uint256 private constant PUSH_GAS = 50_000;

    /// @inheritdoc ISubrosaOracle
    function refund(Entry calldata entry) external {
        OracleStorage.Layout storage $ = OracleStorage.load();
        SettlementWord settlement = SettlementWord.wrap(entry.settlement);
        PaymentWord payment = PaymentWord.wrap(entry.payment);
        bytes32 slot = $.entries[entry.contractId][entry.seq];

        bytes32 digest = Digests.entry(
            entry.contractId,
            entry.seq,
            entry.previousDigest,
            Digests.execution(entry.context, entry.inputHash, entry.execution),
            entry.settlement,
            entry.payment
        );
        if (OracleStorage.digestOf(slot) != digest) revert EntryMismatch(entry.contractId, entry.seq);
        if (!settlement.isLate()) revert DeadlineNotPassed(settlement.deadline());
        if (slot & OracleStorage.REFUNDED != 0) revert AlreadyRefunded(entry.contractId, entry.seq);
        // A stateless contract's head stays zero, and its entries carry the bit.
        HeadSlot head = $.heads[entry.contractId].word;
        if (slot & OracleStorage.EXECUTED != 0 || entry.seq < head.seq()) {
            revert AlreadyExecuted(entry.contractId, entry.seq);
        }
        uint256 amount = payment.fee() - payment.executionCharge();
        if (amount == 0) revert NothingToRefund(entry.contractId, entry.seq);

        $.entries[entry.contractId][entry.seq] = slot | OracleStorage.REFUNDED;
        emit Refunded(entry.contractId, entry.seq, settlement.requester(), amount);
        _pay(settlement.requester(), amount);
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

    /// @dev Pushes a payment, or keeps it for `withdraw`. The callee may reenter: call this last.
    function _pay(address to, uint256 amount) internal {
        if (Calls.push(to, amount, PUSH_GAS)) return;
        OracleStorage.load().balances[to] += amount;
        emit PaymentDeferred(to, amount);
    }
}
