// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";

/// @title What the oracle knows of a request
library Entries {
    /// @notice Whether a stateful contract's request was executed.
    function isExecuted(ISubrosaOracle oracle, bytes32 contractId, uint256 seq) internal view returns (bool) {
        return seq < uint40(oracle.head(contractId));
    }

    /// @notice Whether its callback is still to be made, as it failed or was late.
    function isCallbackDue(ISubrosaOracle oracle, bytes32 contractId, uint256 seq) internal view returns (bool) {
        return uint256(oracle.outstandingOf(contractId, seq)) & 1 != 0;
    }

    /// @notice The owner's charge, in gwei, as of now.
    function charge(ISubrosaOracle oracle, bytes32 contractId) internal view returns (uint256) {
        uint256 packed = oracle.logOf(contractId) >> 236;
        return (packed >> 5) * 10 ** (packed & 31);
    }
}
