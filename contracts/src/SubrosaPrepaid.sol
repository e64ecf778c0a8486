// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "./interfaces/ISubrosaOracle.sol";
import {ISubrosaPrepaid} from "./interfaces/ISubrosaPrepaid.sol";

/// @title SubrosaPrepaid
/// @notice See `ISubrosaPrepaid`. One for each consumer; deploy it with the consumer's address.
contract SubrosaPrepaid is ISubrosaPrepaid {
    /// @inheritdoc ISubrosaPrepaid
    ISubrosaOracle public immutable oracle;
    /// @inheritdoc ISubrosaPrepaid
    address public immutable consumer;
    /// @inheritdoc ISubrosaPrepaid
    address public owner;
    /// @inheritdoc ISubrosaPrepaid
    address public candidate;

    uint128 private _perRequest;
    uint128 private _perDay;
    uint128 private _drawn;
    uint64 private _day;

    /// @param oracle_ The oracle on this chain.
    /// @param consumer_ Who draws.
    /// @param owner_ Who sets limits and takes back what is left.
    /// @param perRequest Wei at most in one draw.
    /// @param perDay Wei at most in one day, from midnight to midnight UTC.
    constructor(ISubrosaOracle oracle_, address consumer_, address owner_, uint128 perRequest, uint128 perDay) payable {
        if (consumer_ == address(0) || owner_ == address(0) || address(oracle_) == address(0)) revert ZeroAddress();
        oracle = oracle_;
        consumer = consumer_;
        owner = owner_;
        _setLimits(perRequest, perDay);
    }

    receive() external payable {
        emit Deposited(msg.sender, msg.value);
    }

    /// @inheritdoc ISubrosaPrepaid
    function draw(uint256 amount) external {
        if (msg.sender != consumer) revert NotConsumer(msg.sender);
        if (amount > _perRequest) revert OverRequestLimit(amount, _perRequest);
        uint64 today = uint64(block.timestamp / 1 days);
        uint256 left = _leftToday();
        if (amount > left) revert OverDayLimit(amount, left);
        if (amount > address(this).balance) revert NotCovered(amount, address(this).balance);
        (_day, _drawn) = (today, (_day == today ? _drawn : 0) + uint128(amount));
        emit Drawn(amount);
        _send(payable(msg.sender), amount);
    }

    /// @inheritdoc ISubrosaPrepaid
    function withdraw(address payable recipient, uint256 amount) external {
        _checkOwner();
        if (amount > address(this).balance) revert NotCovered(amount, address(this).balance);
        emit Withdrawn(recipient, amount);
        _send(recipient, amount);
    }

    /// @inheritdoc ISubrosaPrepaid
    function collect() external returns (uint256 amount) {
        return oracle.withdraw(payable(address(this)));
    }

    /// @inheritdoc ISubrosaPrepaid
    function setLimits(uint128 perRequest, uint128 perDay) external {
        _checkOwner();
        _setLimits(perRequest, perDay);
    }

    /// @inheritdoc ISubrosaPrepaid
    function transferOwnership(address candidate_) external {
        _checkOwner();
        candidate = candidate_;
        emit OwnershipOffered(msg.sender, candidate_);
    }

    /// @inheritdoc ISubrosaPrepaid
    function acceptOwnership() external {
        if (msg.sender != candidate) revert NotOwner(msg.sender);
        emit OwnershipTransferred(owner, msg.sender);
        owner = msg.sender;
        candidate = address(0);
    }

    /// @inheritdoc ISubrosaPrepaid
    function limits() external view returns (uint128 perRequest, uint128 perDay, uint256 leftToday) {
        return (_perRequest, _perDay, _leftToday());
    }

    /// @dev Nothing, if more was drawn before the limit was lowered.
    function _leftToday() private view returns (uint256) {
        uint256 drawn = _day == block.timestamp / 1 days ? _drawn : 0;
        return drawn < _perDay ? _perDay - drawn : 0;
    }

    function _setLimits(uint128 perRequest, uint128 perDay) private {
        (_perRequest, _perDay) = (perRequest, perDay);
        emit LimitsChanged(perRequest, perDay);
    }

    function _checkOwner() private view {
        if (msg.sender != owner) revert NotOwner(msg.sender);
    }

    function _send(address payable recipient, uint256 amount) private {
        (bool taken,) = recipient.call{value: amount}("");
        if (!taken) revert PaymentRefused(recipient);
    }
}
