// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../../src/interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";

/// @notice Notes every callback and the gas it came with.
contract Recorder is ISubrosaConsumer {
    struct Call {
        bytes32 contractId;
        uint256 seq;
        uint8 status;
        bytes output;
        uint256 gasAtEntry;
    }

    Call[] public calls;

    function onSubrosaResult(bytes32 contractId, uint256 seq, uint8 status, bytes calldata output) external virtual {
        uint256 available = gasleft();
        calls.push(Call(contractId, seq, status, output, available));
    }

    function count() external view returns (uint256) {
        return calls.length;
    }

    receive() external payable {}
}

/// @notice Keeps the callback's message as it came.
contract Keeper {
    bytes public message;

    fallback() external {
        message = msg.data;
    }
}

/// @notice Reverts until told otherwise.
contract Moody is Recorder {
    bool public willing;

    error NotNow();

    function cheerUp() external {
        willing = true;
    }

    function onSubrosaResult(bytes32 contractId, uint256 seq, uint8 status, bytes calldata output) external override {
        if (!willing) revert NotNow();
        calls.push(Call(contractId, seq, status, output, gasleft()));
    }
}

/// @notice Takes no money and has no callback.
contract Refuser {}

/// @notice Burns all the gas it gets, whatever it is called for.
contract Burner {
    fallback() external payable {
        _burn();
    }

    receive() external payable {
        _burn();
    }

    function _burn() private pure {
        assembly ("memory-safe") {
            for {} 1 {} {}
        }
    }
}

/// @notice Returns or reverts with 224 kB, which costs it 120,000 gas.
contract Bomb {
    bool private immutable reverts;

    constructor(bool reverts_) {
        reverts = reverts_;
    }

    fallback() external payable {
        bool bad = reverts;
        assembly ("memory-safe") {
            if bad { revert(0, 224000) }
            return(0, 224000)
        }
    }
}

/// @notice Uses its callback to call the oracle with whatever it was given.
contract Reentrant is ISubrosaConsumer {
    ISubrosaOracle private immutable oracle;
    bytes[] private attempts;
    bool[] public succeeded;

    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    function attempt(bytes calldata call) external {
        attempts.push(call);
    }

    function outcomes() external view returns (bool[] memory) {
        return succeeded;
    }

    function onSubrosaResult(bytes32, uint256, uint8, bytes calldata) external {
        for (uint256 i = 0; i < attempts.length; ++i) {
            (bool success,) = address(oracle).call(attempts[i]);
            succeeded.push(success);
        }
        delete attempts;
    }

    receive() external payable {}
}

/// @notice Destroys itself in its callback.
contract Quitter {
    fallback() external payable {
        selfdestruct(payable(msg.sender));
    }
}
