// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "@subrosa/contracts/src/SubrosaConsumer.sol";
import {Asks} from "@subrosa/contracts/src/consumer/Asks.sol";
import {RefundingConsumer} from "@subrosa/contracts/src/consumer/RefundingConsumer.sol";
import {Results} from "@subrosa/contracts/src/consumer/Results.sol";
import {SubrosaGuest} from "@subrosa/contracts/src/guest/SubrosaGuest.sol";
import {ISubrosaOracle} from "@subrosa/contracts/src/interfaces/ISubrosaOracle.sol";

/// @title Public input, public output: a prize draw
/// @notice What is asked is no secret, only the randomness is, until the answer shows the winner.
contract PrizeDraw is RefundingConsumer {
    using Asks for SubrosaConsumer.Ask;

    uint64 private constant FUEL = 500_000;
    uint32 private constant CALLBACK_GAS = 60_000;
    uint48 private constant ANSWER_WITHIN = 1 hours;

    /// @notice The confidential contract that draws (`ConfidentialDraw`).
    bytes32 public immutable drawer;
    /// @notice Who takes part.
    address[] public entrants;
    /// @notice Position of the request to draw; zero before it is made, and again if it failed.
    uint48 public drawing;
    /// @notice Zero until the answer has arrived.
    address public winner;

    error AlreadyDrawn();
    error NobodyEntered();

    event Won(address indexed winner);

    constructor(ISubrosaOracle oracle_, bytes32 drawer_) SubrosaConsumer(oracle_) {
        drawer = drawer_;
    }

    function enter() external {
        if (drawing != 0) revert AlreadyDrawn();
        entrants.push(msg.sender);
    }

    /// @notice Asks for the winner, once: whoever could ask again could draw until the result suits. Only
    /// a draw that failed, and so has shown nobody, may be repeated. One that is late is still awaited,
    /// as it may be known already. The value sent is the fee, the refundable part of which is its
    /// sender's if there is no answer in time.
    function draw() external payable {
        if (drawing != 0) revert AlreadyDrawn();
        if (entrants.length == 0) revert NobodyEntered();
        drawing = _requestRefundable(
            Asks.inTheClear(drawer).fuel(FUEL).callback(CALLBACK_GAS).within(ANSWER_WITHIN).paying(msg.value),
            abi.encodeCall(ConfidentialDraw.draw, (entrants.length))
        );
    }

    function _onResult(bytes32, uint256 seq, uint8 status, bytes calldata output) internal override {
        if (seq != drawing) return;
        if (!Results.succeeded(status)) {
            drawing = 0;
            return;
        }
        winner = entrants[abi.decode(output, (uint256))];
        emit Won(winner);
    }
}

/// @title The confidential side: draws one of so many
contract ConfidentialDraw {
    error NothingToDraw();

    /// @notice A number below `count`. A modulus of 256 bits favours no outcome noticeably.
    function draw(uint256 count) external view returns (uint256) {
        if (count == 0) revert NothingToDraw();
        return uint256(bytes32(SubrosaGuest.randomBytes(32, "prize draw"))) % count;
    }
}
