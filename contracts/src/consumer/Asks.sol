// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../SubrosaConsumer.sol";

/// @title Putting a request together
/// @notice Reads as what it says: `Asks.inTheClear(id).fuel(1e6).output(64).callback(100_000).within(1 hours)`.
/// Every step changes the request it is given and passes it on.
library Asks {
    /// @notice A request whose input everybody may read.
    function inTheClear(bytes32 contractId) internal pure returns (SubrosaConsumer.Ask memory ask) {
        ask.contractId = contractId;
    }

    /// @notice A request whose input is an envelope, encrypted for the enclaves.
    function envelope(bytes32 contractId) internal pure returns (SubrosaConsumer.Ask memory ask) {
        ask.contractId = contractId;
        ask.sealedInput = true;
    }

    /// @notice A request whose envelope's key opens a session: the user's later envelopes can name it
    /// instead of carrying a key, and are a kilobyte shorter.
    function opening(bytes32 contractId) internal pure returns (SubrosaConsumer.Ask memory ask) {
        ask = envelope(contractId);
        ask.opensSession = true;
    }

    /// @notice Limits what executing the request may use.
    function fuel(SubrosaConsumer.Ask memory ask, uint64 limit) internal pure returns (SubrosaConsumer.Ask memory) {
        ask.fuelLimit = limit;
        return ask;
    }

    /// @notice Asks for a callback with this much gas. Without this there is none.
    function callback(SubrosaConsumer.Ask memory ask, uint32 gasLimit)
        internal
        pure
        returns (SubrosaConsumer.Ask memory)
    {
        ask.callbackGasLimit = gasLimit;
        return ask;
    }

    /// @notice Asks for a callback with this much gas, but not for a result that comes once the deadline has passed:
    /// after the deadline and the oracle's grace period, the requester may act as if there were no answer.
    function timelyCallback(SubrosaConsumer.Ask memory ask, uint32 gasLimit)
        internal
        pure
        returns (SubrosaConsumer.Ask memory)
    {
        ask.callbackExpires = true;
        return callback(ask, gasLimit);
    }

    /// @notice Sets the deadline this many seconds from now.
    function within(SubrosaConsumer.Ask memory ask, uint48 duration)
        internal
        view
        returns (SubrosaConsumer.Ask memory)
    {
        ask.deadline = uint48(block.timestamp) + duration;
        return ask;
    }

    /// @notice Pays for this many bytes of output, public and sealed together. A call that yields more fails.
    function output(SubrosaConsumer.Ask memory ask, uint24 limit) internal pure returns (SubrosaConsumer.Ask memory) {
        ask.outputLimit = limit;
        return ask;
    }

    /// @notice Refuses to ask should the owner's charge be higher by then. In gwei. The owner's floor on the price of gas,
    /// which can make the rest of the fee as large, is bounded by what may be spent: the value sent, or
    /// `_request`'s `maximumFee`.
    function chargedAtMost(SubrosaConsumer.Ask memory ask, uint64 maximumGwei)
        internal
        pure
        returns (SubrosaConsumer.Ask memory)
    {
        ask.boundsCharge = true;
        ask.maximumChargeGwei = maximumGwei;
        return ask;
    }

    /// @notice Refuses to ask should the contract run another version of its code by then.
    function ofCode(SubrosaConsumer.Ask memory ask, uint16 codeVersion)
        internal
        pure
        returns (SubrosaConsumer.Ask memory)
    {
        ask.pinsCode = true;
        ask.codeVersion = codeVersion;
        return ask;
    }

    /// @notice Refuses to ask should the contract be in another key epoch by then: its enclaves would
    /// reject an envelope made for this one, and be paid. Zero for any.
    function inEpoch(SubrosaConsumer.Ask memory ask, uint32 keyEpoch)
        internal
        pure
        returns (SubrosaConsumer.Ask memory)
    {
        ask.keyEpoch = keyEpoch;
        return ask;
    }
}
