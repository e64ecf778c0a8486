// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

interface IOracle {
    function request(bytes32 contractId, bytes32 context, uint256 terms, address refundTo, bytes calldata input)
        external
        payable
        returns (uint48 seq);
}

/// Asks whatever it is told to, and writes down every answer in the order in which it came.
contract Recorder {
    struct Answer {
        uint256 seq;
        uint8 status;
        bytes output;
    }

    IOracle public immutable oracle;
    Answer[] private _answers;

    constructor(IOracle oracle_) {
        oracle = oracle_;
    }

    receive() external payable {}

    function ask(bytes32 contractId, uint256 terms, bytes calldata input) external payable {
        oracle.request{value: msg.value}(contractId, 0, terms, address(0), input);
    }

    function onSubrosaResult(bytes32, uint256 seq, uint8 status, bytes calldata output) external {
        require(msg.sender == address(oracle), "not the oracle");
        _answers.push(Answer(seq, status, output));
    }

    function answers() external view returns (Answer[] memory) {
        return _answers;
    }
}
