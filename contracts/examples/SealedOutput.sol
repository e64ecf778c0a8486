// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "@subrosa/contracts/src/SubrosaConsumer.sol";
import {Asks} from "@subrosa/contracts/src/consumer/Asks.sol";
import {ResultStatus, Results} from "@subrosa/contracts/src/consumer/Results.sol";
import {SubrosaGuest} from "@subrosa/contracts/src/guest/SubrosaGuest.sol";
import {ISubrosaOracle} from "@subrosa/contracts/src/interfaces/ISubrosaOracle.sol";

/// @title Encrypted input, sealed output: a notebook
/// @notice Users write and read notes. Neither the notes nor what is read of them appear on chain: the
/// envelope carries the key that the answer is sealed to, and its owner takes the answer out of the
/// oracle's `EntryFulfilled`. The callback tells only that there is one.
contract Notebook is SubrosaConsumer {
    using Asks for SubrosaConsumer.Ask;

    uint64 private constant FUEL = 2_000_000;
    uint32 private constant CALLBACK_GAS = 40_000;
    uint48 private constant ANSWER_WITHIN = 1 hours;
    /// A note of a page, sealed and padded to a power of two.
    uint24 private constant OUTPUT = 4096 + 1024;

    /// @notice The confidential contract that keeps the notes (`ConfidentialNotes`).
    bytes32 public immutable notes;

    event Answered(uint256 seq, ResultStatus status);

    constructor(ISubrosaOracle oracle_, bytes32 notes_) SubrosaConsumer(oracle_) {
        notes = notes_;
    }

    /// @notice Passes on what its sender encrypted for `nextContext(sender)`: one and the same function
    /// for writing and reading, so that the chain does not tell which it is. The value sent pays for it; what is not
    /// needed comes back at once.
    /// @param keyEpoch The epoch it is encrypted for.
    /// @param maximumChargeGwei The largest charge that its sender agrees to.
    function pass(bytes calldata envelope, uint32 keyEpoch, uint64 maximumChargeGwei)
        external
        payable
        returns (uint48 seq)
    {
        Ask memory what = Asks.envelope(notes).fuel(FUEL).output(OUTPUT).callback(CALLBACK_GAS);
        what = what.within(ANSWER_WITHIN).inEpoch(keyEpoch).chargedAtMost(maximumChargeGwei);
        return _requestPaying(what, envelope);
    }

    function _onResult(bytes32, uint256 seq, uint8 status, bytes calldata) internal override {
        emit Answered(seq, Results.named(status));
    }
}

/// @title The confidential side: everybody's notes
contract ConfidentialNotes {
    address private immutable _house;
    mapping(address author => string) private _notes;

    error NotTheHouse();

    /// @param house The `Notebook` on chain.
    constructor(address house) {
        _house = house;
    }

    function write(string calldata note) external {
        _notes[_author()] = note;
    }

    function read() external view returns (string memory) {
        return _notes[_author()];
    }

    function _author() private view returns (address) {
        if (msg.sender != _house) revert NotTheHouse();
        return SubrosaGuest.contextAccount();
    }
}
