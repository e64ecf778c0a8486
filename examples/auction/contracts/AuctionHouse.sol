// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "subrosa/SubrosaConsumer.sol";
import {ISubrosaOracle} from "subrosa/interfaces/ISubrosaOracle.sol";

/// @title Auction house
/// @notice The public side of a sealed-bid auction: passes encrypted bids on, asks for the result
/// once, and keeps it.
contract AuctionHouse is SubrosaConsumer {
    /// @notice The account that opened the house and may name the auction.
    address public immutable auctioneer;
    /// @notice Bids are taken until this time (Unix seconds), the result is asked for from then on.
    uint64 public immutable closesAt;
    /// @notice The confidential auction.
    bytes32 public auction;
    /// @notice Position in the log of the request to close; zero before it is made, and again if it
    /// failed.
    uint48 public closing;
    /// @notice Whether the result has arrived.
    bool public settled;
    address public winner;
    uint128 public clearingPrice;

    event AuctionOpened(bytes32 indexed auction);
    event BidPlaced(address indexed bidder, uint48 seq);
    event AuctionClosed(address indexed winner, uint128 clearingPrice);

    error NotAuctioneer();
    error AlreadyOpened();
    error AlreadyClosing();
    error WrongTime();

    uint64 private constant FUEL = 1_000_000;
    uint32 private constant CALLBACK_GAS = 100_000;
    uint48 private constant ANSWER_WITHIN = 1 hours;
    /// Winner and price; a sealed receipt of a bid.
    uint24 private constant OUTPUT = 2048;
    uint8 private constant SUCCEEDED = 1;

    constructor(ISubrosaOracle oracle_, uint64 closesAt_) SubrosaConsumer(oracle_) {
        auctioneer = msg.sender;
        closesAt = closesAt_;
    }

    /// @notice Names the confidential auction, once.
    function open(bytes32 auction_) external {
        if (msg.sender != auctioneer) revert NotAuctioneer();
        if (auction != 0) revert AlreadyOpened();
        auction = auction_;
        emit AuctionOpened(auction_);
    }

    /// @notice Places a bid, encrypted by its bidder for `nextContext(msg.sender)`. The value sent pays for
    /// executing it; what is not needed comes back at once.
    /// @param keyEpoch The epoch it is encrypted for.
    /// @param maximumChargeGwei The largest charge that the bidder agrees to.
    function bid(bytes calldata envelope, uint32 keyEpoch, uint64 maximumChargeGwei) external payable {
        if (block.timestamp >= closesAt) revert WrongTime();
        Ask memory what = _ask(true, 0);
        (what.keyEpoch, what.boundsCharge, what.maximumChargeGwei) = (keyEpoch, true, maximumChargeGwei);
        uint48 seq = _requestPaying(what, envelope);
        emit BidPlaced(msg.sender, seq);
    }

    /// @notice Asks for the result. Anyone may, once, and again only if that failed.
    function close() external payable {
        if (block.timestamp < closesAt) revert WrongTime();
        if (closing != 0) revert AlreadyClosing();
        closing = _requestPaying(_ask(false, CALLBACK_GAS), abi.encodeWithSignature("close()"));
    }

    function _onResult(bytes32, uint256 seq, uint8 status, bytes calldata output) internal override {
        if (seq != closing) return;
        if (status != SUCCEEDED) {
            closing = 0;
            return;
        }
        (winner, clearingPrice) = abi.decode(output, (address, uint128));
        settled = true;
        emit AuctionClosed(winner, clearingPrice);
    }

    function _ask(bool sealedInput, uint32 callbackGas) private view returns (Ask memory what) {
        what.contractId = auction;
        what.sealedInput = sealedInput;
        what.fuelLimit = FUEL;
        what.callbackGasLimit = callbackGas;
        what.deadline = uint48(block.timestamp) + ANSWER_WITHIN;
        what.outputLimit = OUTPUT;
    }
}
