// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../../src/SubrosaConsumer.sol";
import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";

/// @notice The consumer whose callbacks are measured: each writes its own, already non-zero slot.
contract GasConsumer is SubrosaConsumer {
    mapping(uint256 seq => bytes32) public results;

    constructor(ISubrosaOracle oracle_) SubrosaConsumer(oracle_) {}

    function prepare(uint256 seq) external {
        results[seq] = bytes32(uint256(1));
    }

    function inquire(Ask calldata what, bytes calldata input) external payable {
        _requestFor(msg.sender, address(0), msg.value, what, input);
    }

    function _onResult(bytes32, uint256 seq, uint8, bytes calldata output) internal override {
        results[seq] = bytes32(output);
    }
}
