// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "@subrosa/contracts/src/SubrosaConsumer.sol";
import {Asks} from "@subrosa/contracts/src/consumer/Asks.sol";
import {Results} from "@subrosa/contracts/src/consumer/Results.sol";
import {SubrosaGuest} from "@subrosa/contracts/src/guest/SubrosaGuest.sol";
import {ISubrosaOracle} from "@subrosa/contracts/src/interfaces/ISubrosaOracle.sol";

/// @title Public input, public output: a prize draw
/// @notice What is asked is no secret, only the randomness is, until the answer shows the winner.
///
/// Whoever asks first decides nothing by it: entering ends before anyone can ask, and asking costs what answering
/// costs, as the oracle takes no less.
contract PrizeDraw is SubrosaConsumer {
    using Asks for SubrosaConsumer.Ask;

    uint64 private constant FUEL = 500_000;
    uint32 private constant CALLBACK_GAS = 60_000;
    uint48 private constant ANSWER_WITHIN = 1 hours;
    /// A number.
    uint24 private constant OUTPUT = 32;

    /// @notice The confidential contract that draws (`ConfidentialDraw`).
    bytes32 public immutable drawer;
    /// @notice Unix seconds from which nobody can enter any more, and anybody can have it drawn.
    uint48 public immutable closesAt;
    /// @notice With fewer entrants than this nothing is drawn: who is alone would know the winner.
    uint256 public immutable leastEntrants;
    /// @notice Who takes part.
    address[] public entrants;
    /// @notice Whether an account takes part.
    mapping(address account => bool) public entered;
    /// @notice Whether the draw was asked for, and did not fail.
    bool public asked;
    /// @notice Position of the request to draw, if it was asked for.
    uint48 public drawing;
    /// @notice Zero until the answer has arrived.
    address public winner;

    error AlreadyEntered(address account);
    error AlreadyDrawn();
    error EntriesClosed(uint256 closesAt);
    error EntriesOpen(uint256 closesAt);
    error TooFewEntrants(uint256 count, uint256 least);

    event Won(address indexed winner);

    constructor(ISubrosaOracle oracle_, bytes32 drawer_, uint48 closesAt_, uint256 leastEntrants_)
        SubrosaConsumer(oracle_)
    {
        drawer = drawer_;
        closesAt = closesAt_;
        leastEntrants = leastEntrants_ < 2 ? 2 : leastEntrants_;
    }

    function enter() external {
        if (block.timestamp >= closesAt) revert EntriesClosed(closesAt);
        if (entered[msg.sender]) revert AlreadyEntered(msg.sender);
        entered[msg.sender] = true;
        entrants.push(msg.sender);
    }

    /// @notice Asks for the winner, once: whoever could ask again could draw until the result suits. Only
    /// a draw that failed, and so has shown nobody, may be repeated. One that is late is still awaited,
    /// as it may be known already. The value sent pays for it; what is not needed comes back at once.
    function draw() external payable {
        if (asked) revert AlreadyDrawn();
        if (block.timestamp < closesAt) revert EntriesOpen(closesAt);
        if (entrants.length < leastEntrants) revert TooFewEntrants(entrants.length, leastEntrants);
        asked = true;
        drawing = _requestPaying(
            Asks.inTheClear(drawer).fuel(FUEL).output(OUTPUT).callback(CALLBACK_GAS).within(ANSWER_WITHIN),
            abi.encodeCall(ConfidentialDraw.draw, (entrants.length))
        );
    }

    function _onResult(bytes32, uint256 seq, uint8 status, bytes calldata output) internal override {
        if (!asked || seq != drawing) return;
        if (!Results.succeeded(status)) {
            asked = false;
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
