// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../SubrosaConsumer.sol";
import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Entries} from "./Entries.sol";

/// @title Base for consumers whose users pay the fees
/// @notice Remembers who paid for which request, and hands the refundable part back to exactly that
/// account once the oracle has refunded it. Costs one slot per request.
///
/// Whoever calls the oracle's `refund` after the deadline, the money comes here; `claimRefund` then
/// passes it on. Anyone may call that; it goes to the payer.
abstract contract RefundingConsumer is SubrosaConsumer {
    using Entries for ISubrosaOracle;

    /// @custom:storage-location erc7201:subrosa.storage.RefundingConsumer
    struct RefundStorage {
        mapping(bytes32 contractId => mapping(uint256 seq => Payment)) payments;
    }

    /// @notice What would be owed for a request.
    struct Payment {
        address payer;
        /// Wei: the fee less the execution charge.
        uint96 refundable;
    }

    /// keccak256(abi.encode(uint256(keccak256("subrosa.storage.RefundingConsumer")) - 1)) & ~0xff (ERC-7201)
    bytes32 private constant LOCATION = 0x3250c59d68fb6dca1882bd0dbc8b3f50a9fd10c31ddb635a3e33d28c68768800;

    /// @notice A refund was passed on to the account that had paid.
    event RefundPassedOn(bytes32 indexed contractId, uint256 seq, address indexed payer, uint256 amount);

    /// @notice The oracle has not refunded this request, or its refund was passed on already.
    /// @custom:remedy After the deadline, call the oracle's `refund` with the entry first; a request that was
    /// executed is not refunded.
    error NoRefund(bytes32 contractId, uint256 seq);
    /// @notice The payer did not take the money.
    /// @custom:remedy Try again when the payer accepts a plain transfer.
    error PayerRefused(address payer);
    /// @notice Only the oracle sends money here without a call.
    /// @custom:remedy Send fees along with the functions that ask.
    error NotFromOracle(address sender);

    receive() external payable {
        if (msg.sender != address(oracle)) revert NotFromOracle(msg.sender);
    }

    /// @notice Passes the refund of a request on to whoever paid its fee.
    /// @return amount In wei.
    function claimRefund(bytes32 contractId, uint256 seq) external returns (uint256 amount) {
        Payment memory payment = _refundStorage().payments[contractId][seq];
        amount = payment.refundable;
        if (amount == 0 || !oracle.isRefunded(contractId, seq)) revert NoRefund(contractId, seq);

        delete _refundStorage().payments[contractId][seq];
        emit RefundPassedOn(contractId, seq, payment.payer, amount);
        // A push that found too little gas is still with the oracle.
        if (address(this).balance < amount) _withdraw(payable(address(this)));
        (bool taken,) = payment.payer.call{value: amount}("");
        if (!taken) revert PayerRefused(payment.payer);
    }

    /// @notice What a request's payer would be given back, were it refunded; zero once it was.
    function paymentOf(bytes32 contractId, uint256 seq) external view returns (address payer, uint256 refundable) {
        Payment memory payment = _refundStorage().payments[contractId][seq];
        return (payment.payer, payment.refundable);
    }

    /// @dev Asks on behalf of `msg.sender`, who is owed the refundable part of `ask.fee`. Pass as fee no
    /// more than the sender brought: other people's refunds may be lying here. Not from a callback, where
    /// the sender is the oracle.
    /// @return seq The request's position in the contract's log.
    function _requestRefundable(Ask memory ask, bytes memory input) internal returns (uint48 seq) {
        return _requestRefundableFor(msg.sender, ask, input);
    }

    /// @dev Asks on behalf of `user`, as from a callback; see `_requestFor`. The user is owed the
    /// refundable part of `ask.fee`, so that it must be the user's money.
    /// @return seq The request's position in the contract's log.
    function _requestRefundableFor(address user, Ask memory ask, bytes memory input) internal returns (uint48 seq) {
        seq = _requestFor(user, ask, input);
        uint256 refundable = ask.fee - oracle.executionCharge(ask.contractId);
        if (refundable != 0) _refundStorage().payments[ask.contractId][seq] = Payment(user, uint96(refundable));
    }

    /// @dev Here, to be claimed.
    function _refundRecipient() internal view override returns (address payable) {
        return payable(address(this));
    }

    function _refundStorage() private pure returns (RefundStorage storage $) {
        bytes32 location = LOCATION;
        assembly ("memory-safe") {
            $.slot := location
        }
    }
}
