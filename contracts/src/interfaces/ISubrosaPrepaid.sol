// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "./ISubrosaOracle.sol";

/// @title A prepaid account: users ask without bringing ether
/// @notice A consumer draws from it what a request costs, and asks the oracle itself, so that it stays the
/// requester. Name this account as the one that refunds go to: they then return here (`PrepaidConsumer` does all
/// that). Anyone deposits by a plain transfer; the owner sets limits and takes back what is left.
interface ISubrosaPrepaid {
    /// @notice Ether came in: a deposit, or a refund from the oracle.
    event Deposited(address indexed from, uint256 amount);
    /// @notice The consumer drew what a request costs.
    event Drawn(uint256 amount);
    /// @notice The owner took something back.
    event Withdrawn(address indexed recipient, uint256 amount);
    /// @notice The limits were changed.
    event LimitsChanged(uint128 perRequest, uint128 perDay);
    /// @notice The account was offered to another owner.
    event OwnershipOffered(address indexed owner, address indexed candidate);
    /// @notice The account has a new owner.
    event OwnershipTransferred(address indexed previousOwner, address indexed owner);

    /// @notice Oracle, consumer and owner cannot be the zero address.
    /// @custom:remedy Pass all three.
    error ZeroAddress();
    /// @notice Only the consumer draws.
    /// @custom:remedy Deploy an account for this consumer; each has one consumer for good.
    error NotConsumer(address caller);
    /// @notice Only the owner may do this, or who it offered the account to.
    /// @custom:remedy Send from the account that `owner` names.
    error NotOwner(address caller);
    /// @notice The request costs more than one may.
    /// @custom:remedy Have the owner raise the limit, or wait until the base fee has fallen.
    error OverRequestLimit(uint256 amount, uint256 limit);
    /// @notice Too much would be drawn today.
    /// @custom:remedy Wait until midnight UTC, or have the owner raise the limit.
    error OverDayLimit(uint256 amount, uint256 left);
    /// @notice The account has less than that.
    /// @custom:remedy Deposit by a plain transfer.
    error NotCovered(uint256 amount, uint256 balance);
    /// @notice The recipient did not take the payment.
    /// @custom:remedy Name a recipient that accepts a plain transfer; a consumer needs a `receive` function.
    error PaymentRefused(address recipient);

    /// @notice Sends the consumer what a request costs, in wei. Only the consumer.
    function draw(uint256 amount) external;

    /// @notice Takes back what is left, or some of it. Only the owner.
    function withdraw(address payable recipient, uint256 amount) external;

    /// @notice Takes in what the oracle keeps for this account, should a refund not have come through. Anyone may.
    /// @return amount In wei.
    function collect() external returns (uint256 amount);

    /// @notice Sets what may be drawn at once and in a day, in wei. Only the owner.
    function setLimits(uint128 perRequest, uint128 perDay) external;

    /// @notice Offers the account to another owner; the zero address withdraws the offer. Only the owner.
    function transferOwnership(address candidate) external;

    /// @notice Takes an account that was offered to the caller.
    function acceptOwnership() external;

    /// @notice What may be drawn, in wei.
    /// @return perRequest At once.
    /// @return perDay In a day.
    /// @return leftToday Today, still.
    function limits() external view returns (uint128 perRequest, uint128 perDay, uint256 leftToday);

    /// @notice The oracle that is asked.
    function oracle() external view returns (ISubrosaOracle);
    /// @notice Who draws.
    function consumer() external view returns (address);
    /// @notice Who sets limits and takes back what is left.
    function owner() external view returns (address);
    /// @notice Whom the account is offered to; zero for nobody.
    function candidate() external view returns (address);
}
