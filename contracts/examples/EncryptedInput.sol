// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "@subrosa/contracts/src/SubrosaConsumer.sol";
import {Asks} from "@subrosa/contracts/src/consumer/Asks.sol";
import {Results} from "@subrosa/contracts/src/consumer/Results.sol";
import {SubrosaGuest} from "@subrosa/contracts/src/guest/SubrosaGuest.sol";
import {ISubrosaOracle} from "@subrosa/contracts/src/interfaces/ISubrosaOracle.sol";

/// @title Encrypted input, public output: a credit check
/// @notice Applicants encrypt their figures for `nextContext(applicant)`. The chain learns whether they
/// pass, and nothing else.
contract CreditCheck is SubrosaConsumer {
    using Asks for SubrosaConsumer.Ask;

    uint64 private constant FUEL = 500_000;
    uint32 private constant CALLBACK_GAS = 60_000;
    uint48 private constant ANSWER_WITHIN = 1 hours;
    /// An address and a boolean.
    uint24 private constant OUTPUT = 64;

    /// @notice The confidential contract that assesses (`ConfidentialScore`).
    bytes32 public immutable assessor;
    mapping(address applicant => bool) public approved;

    event Assessed(address indexed applicant, bool approved);

    constructor(ISubrosaOracle oracle_, bytes32 assessor_) SubrosaConsumer(oracle_) {
        assessor = assessor_;
    }

    /// @notice Passes an application on. The value sent pays for it, and what is not needed comes back at once; should
    /// there be no answer in time, so does all but the part for landing it.
    /// @param envelope A call of `ConfidentialScore.assess`, encrypted by its sender.
    /// @param keyEpoch The epoch it is encrypted for.
    /// @param maximumChargeGwei The largest charge that its sender agrees to.
    function submit(bytes calldata envelope, uint32 keyEpoch, uint64 maximumChargeGwei)
        external
        payable
        returns (uint48 seq)
    {
        Ask memory what = Asks.envelope(assessor).fuel(FUEL).output(OUTPUT).callback(CALLBACK_GAS);
        what = what.within(ANSWER_WITHIN).inEpoch(keyEpoch).chargedAtMost(maximumChargeGwei);
        return _requestPaying(what, envelope);
    }

    function _onResult(bytes32, uint256, uint8 status, bytes calldata output) internal override {
        // Failed, or the envelope was made for another context: nothing is known about anybody.
        if (!Results.succeeded(status)) return;
        (address applicant, bool passed) = abi.decode(output, (address, bool));
        approved[applicant] = passed;
        emit Assessed(applicant, passed);
    }
}

/// @title The confidential side: assesses by a rule that stays secret
contract ConfidentialScore {
    address private immutable _house;
    uint256 private immutable _leastRatio;

    error NotTheHouse();

    /// @param house The `CreditCheck` on chain. Its word on who applies is what this contract trusts.
    /// @param leastRatio Secret: how many times the debt the income must be.
    constructor(address house, uint256 leastRatio) {
        _house = house;
        _leastRatio = leastRatio;
    }

    /// @notice Names the applicant too, so that the answer needs no second look-up on chain.
    function assess(uint128 income, uint128 debt) external view returns (address applicant, bool passed) {
        if (msg.sender != _house) revert NotTheHouse();
        return (SubrosaGuest.contextAccount(), income >= _leastRatio * debt);
    }
}
