// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {HeadSlot} from "../libraries/HeadSlot.sol";
import {LogSlot} from "../libraries/LogSlot.sol";

/// @title The oracle's storage
/// @notice Enclaves prove the slots of `entries` and clients those of `heads` and `logs`: the
/// namespace and the order of the fields are part of the protocol.
library OracleStorage {
    /// @notice A head, as a struct only so that there can be a reference to it.
    struct Head {
        HeadSlot word;
    }

    /// @notice A contract's terms of upgrade, and the upgrade announced.
    struct Upgrade {
        /// In seconds; zero if the code never changes.
        uint32 delay;
        /// Unix seconds.
        uint48 readyAt;
        /// Zero if none is announced.
        bytes32 codeCommitment;
    }

    /// @custom:storage-location erc7201:subrosa.storage.Oracle
    struct Layout {
        /// Digest 248 ‖ status 8. Never cleared.
        mapping(bytes32 contractId => mapping(uint256 seq => bytes32)) entries;
        /// Zero for stateless contracts and until entry 0 is executed.
        mapping(bytes32 contractId => Head) heads;
        mapping(bytes32 contractId => LogSlot) logs;
        mapping(bytes32 contractId => address) owners;
        mapping(bytes32 contractId => address) candidates;
        mapping(bytes32 contractId => mapping(address account => bool)) callers;
        mapping(address deployer => uint256) nonces;
        /// keccak256(settlement, status, keccak256(output)) of callbacks that failed.
        mapping(bytes32 contractId => mapping(uint256 seq => bytes32)) failedCallbacks;
        /// Wei that could not be pushed.
        mapping(address account => uint256) balances;
        mapping(bytes32 contractId => Upgrade) upgrades;
    }

    /// @notice Status bit of an entry's slot: the refundable part of its fee was returned.
    bytes32 internal constant REFUNDED = bytes32(uint256(1));
    /// @notice Status bit: its callback failed and can be made again.
    bytes32 internal constant CALLBACK_FAILED = bytes32(uint256(2));
    /// @notice Status bit: executed. Only for entries of stateless contracts, which have no head.
    bytes32 internal constant EXECUTED = bytes32(uint256(4));

    /// keccak256(abi.encode(uint256(keccak256("subrosa.storage.Oracle")) - 1)) & ~0xff (ERC-7201)
    bytes32 internal constant LOCATION = 0x2e725a373a1b400ac80c7a46f974dc4393d9d2bdbdd7c27a84606fc2b36c8800;

    function load() internal pure returns (Layout storage $) {
        bytes32 location = LOCATION;
        assembly ("memory-safe") {
            $.slot := location
        }
    }

    /// @notice The digest in an entry's slot, whatever its status.
    function digestOf(bytes32 slot) internal pure returns (bytes32) {
        return slot & ~bytes32(uint256(0xff));
    }
}
