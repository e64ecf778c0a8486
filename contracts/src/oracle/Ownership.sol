// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, Policy} from "../interfaces/ISubrosaOracle.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title Whose a contract is, and what its owner may change
/// @notice Nothing here changes what an entry means or what has been paid for it: policy holds for
/// entries still to come.
abstract contract Ownership is ISubrosaOracle {
    /// @dev The most gas that any contract's policy may promise its requesters' callbacks. A transaction
    /// has at most 2^24 = 16,777,216 gas (EIP-7825), and an entry that no transaction can carry would
    /// hold its log up for ever. What this leaves of that, 6.6 million after the 1/64 that a call keeps
    /// back (EIP-150), carries the bookkeeping of `fulfill`, calldata, hashing and the event of 120 KiB
    /// of output, and most of a batch of entries without such a callback.
    uint32 internal constant LARGEST_CALLBACK_GAS = 10_000_000;

    /// @dev In gwei: the part of a fee has 48 bits, and rounding up to few digits adds to it.
    uint256 private constant LARGEST_CHARGE = 200_000 ether / 1 gwei;

    /// @inheritdoc ISubrosaOracle
    function setPolicy(bytes32 contractId, Policy calldata policy) external {
        _checkOwner(contractId);
        _checkPolicy(policy);
        OracleStorage.Layout storage $ = OracleStorage.load();
        $.logs[contractId] = $.logs[contractId].withPolicy(policy);
        emit PolicyChanged(contractId, policy);
    }

    /// @inheritdoc ISubrosaOracle
    function setCaller(bytes32 contractId, address caller, bool allowed) external {
        _checkOwner(contractId);
        OracleStorage.load().callers[contractId][caller] = allowed;
        emit CallerChanged(contractId, caller, allowed);
    }

    /// @inheritdoc ISubrosaOracle
    function transferOwnership(bytes32 contractId, address candidate) external {
        _checkOwner(contractId);
        OracleStorage.load().candidates[contractId] = candidate;
        emit OwnershipOffered(contractId, msg.sender, candidate);
    }

    /// @inheritdoc ISubrosaOracle
    function acceptOwnership(bytes32 contractId) external {
        OracleStorage.Layout storage $ = OracleStorage.load();
        if ($.candidates[contractId] != msg.sender) revert NotCandidate(contractId, msg.sender);
        address previous = $.owners[contractId];
        delete $.candidates[contractId];
        $.owners[contractId] = msg.sender;
        emit OwnershipTransferred(contractId, previous, msg.sender);
    }

    /// @inheritdoc ISubrosaOracle
    function ownerOf(bytes32 contractId) external view returns (address) {
        return OracleStorage.load().owners[contractId];
    }

    /// @dev Whether an account may append requests while the contract is restricted.
    function _isCaller(bytes32 contractId, address account) internal view returns (bool) {
        OracleStorage.Layout storage $ = OracleStorage.load();
        return $.callers[contractId][account] || $.owners[contractId] == account;
    }

    /// @dev Reverts if a policy promises callbacks more gas than a transaction can carry, or its charge does not
    /// fit a part of a fee.
    function _checkPolicy(Policy calldata policy) internal pure {
        uint256 gasLimit = policy.maximumCallbackGas;
        if (gasLimit > LARGEST_CALLBACK_GAS) revert MaximumCallbackGasTooHigh(gasLimit, LARGEST_CALLBACK_GAS);
        if (policy.chargeGwei > LARGEST_CHARGE) revert FeeTooHigh(uint256(policy.chargeGwei) * 1 gwei);
    }

    /// @dev Reverts unless the sender owns the contract, which then exists.
    function _checkOwner(bytes32 contractId) internal view {
        if (OracleStorage.load().owners[contractId] != msg.sender) revert NotOwner(contractId, msg.sender);
    }

    /// @dev The contract's log word. Reverts if there is no such contract.
    function _existing(bytes32 contractId) internal view returns (LogSlot log) {
        log = OracleStorage.load().logs[contractId];
        if (!log.exists()) revert UnknownContract(contractId);
    }
}
