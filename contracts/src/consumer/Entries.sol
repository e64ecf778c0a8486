// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";

/// @title What the oracle knows of a request
library Entries {
    uint256 private constant REFUNDED = 1;
    uint256 private constant CALLBACK_FAILED = 2;
    uint256 private constant EXECUTED = 4;

    /// @notice Whether the refundable part of the request's fee went back to the requester.
    function isRefunded(ISubrosaOracle oracle, bytes32 contractId, uint256 seq) internal view returns (bool) {
        return _has(oracle, contractId, seq, REFUNDED);
    }

    /// @notice Whether its callback failed and can be made again.
    function isCallbackFailed(ISubrosaOracle oracle, bytes32 contractId, uint256 seq) internal view returns (bool) {
        return _has(oracle, contractId, seq, CALLBACK_FAILED);
    }

    /// @notice Whether it was executed, refunded or not.
    function isExecuted(ISubrosaOracle oracle, bytes32 contractId, uint256 seq) internal view returns (bool) {
        // A stateless contract's head stays zero, and its entries carry the bit.
        (uint48 executed,) = oracle.head(contractId);
        return seq < executed || _has(oracle, contractId, seq, EXECUTED);
    }

    /// @notice The part of a request's fee, in wei, that is never refunded, as of now.
    function executionCharge(ISubrosaOracle oracle, bytes32 contractId) internal view returns (uint256) {
        return uint256(uint40(oracle.logOf(contractId) >> 160)) * 1 gwei;
    }

    function _has(ISubrosaOracle oracle, bytes32 contractId, uint256 seq, uint256 bit) private view returns (bool) {
        return uint256(oracle.entryDigest(contractId, seq)) & bit != 0;
    }
}
