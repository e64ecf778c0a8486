// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaGuest} from "subrosa/guest/SubrosaGuest.sol";

/// @title Sealed-bid second-price auction
/// @notice Runs inside an enclave. The highest bidder wins and pays the second-highest bid (Vickrey,
/// 1961), so bidding one's true value is the best strategy, as long as nobody learns the bids. Here
/// nobody does: not the other bidders, not the auction house, not the machine this runs on. What
/// becomes public when the auction closes is the winner and the clearing price.
contract SealedBidAuction {
    /// @notice Only the auction house may bring bids and close.
    error NotTheHouse();
    /// @notice A bid after the end, or a closing before it.
    error WrongTime();
    /// @notice A second bid by the same account.
    error AlreadyBid();
    /// @notice A bid below the reserve price.
    error BelowReserve();

    address private immutable _house;
    uint64 private immutable _closesAt;
    uint128 private immutable _reserve;

    mapping(address bidder => uint128 amount) private _bids;
    address private _leader;
    uint128 private _highest;
    uint128 private _second;

    /// @param house The auction house's address on chain.
    /// @param closesAt Unix seconds; bids are taken until then.
    /// @param reserve The lowest price. Secret: bids below it fail without saying what it is.
    constructor(address house, uint64 closesAt, uint128 reserve) {
        _house = house;
        _closesAt = closesAt;
        _reserve = reserve;
        _second = reserve;
    }

    /// @notice Takes a bid by the account on whose behalf the house asks.
    function bid(uint128 amount) external {
        if (msg.sender != _house) revert NotTheHouse();
        if (block.timestamp >= _closesAt) revert WrongTime();
        address bidder = SubrosaGuest.contextAccount();
        if (_bids[bidder] != 0) revert AlreadyBid();
        if (amount < _reserve) revert BelowReserve();
        _bids[bidder] = amount;
        if (amount > _highest) {
            if (_highest != 0) _second = _highest;
            _highest = amount;
            _leader = bidder;
        } else if (amount > _second) {
            _second = amount;
        }
    }

    /// @notice Says who won and what the winner pays. Nobody won if nobody bid.
    function close() external view returns (address winner, uint128 price) {
        if (msg.sender != _house) revert NotTheHouse();
        if (block.timestamp < _closesAt) revert WrongTime();
        return (_leader, _leader == address(0) ? 0 : _second);
    }

    /// @notice The caller's own bid; a query answers nobody else.
    function myBid() external view returns (uint128) {
        return _bids[msg.sender];
    }
}
