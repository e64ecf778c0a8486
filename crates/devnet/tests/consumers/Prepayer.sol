// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "subrosa/SubrosaConsumer.sol";
import {Asks} from "subrosa/consumer/Asks.sol";
import {PrepaidConsumer} from "subrosa/consumer/PrepaidConsumer.sol";
import {ISubrosaOracle} from "subrosa/interfaces/ISubrosaOracle.sol";
import {ISubrosaPrepaid} from "subrosa/interfaces/ISubrosaPrepaid.sol";

/// Asks at the expense of a prepaid account, and takes answers unless it was told not to.
contract Prepayer is PrepaidConsumer {
    using Asks for SubrosaConsumer.Ask;

    error Deaf();

    ISubrosaPrepaid public account;
    bool public deaf;
    uint256 public answers;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function drawOn(ISubrosaPrepaid account_) external {
        account = account_;
    }

    function setDeaf(bool deaf_) external {
        deaf = deaf_;
    }

    function ask(bytes32 contractId, bytes calldata input) external {
        _requestPrepaid(
            Asks.inTheClear(contractId).fuel(1_000_000).output(64).callback(100_000).within(1 hours), input
        );
    }

    function _prepaid() internal view override returns (ISubrosaPrepaid) {
        return account;
    }

    function _onResult(bytes32, uint256, uint8, bytes calldata) internal override {
        if (deaf) revert Deaf();
        answers += 1;
    }
}
