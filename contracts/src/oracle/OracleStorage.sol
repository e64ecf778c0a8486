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

    /// @notice How many signers of how many kinds a contract asks for, and the lower threshold announced.
    struct Threshold {
        uint8 signers;
        uint8 kinds;
        uint8 nextSigners;
        uint8 nextKinds;
        /// Unix seconds from which the next counts; zero if none is announced.
        uint48 from;
    }

    /// @custom:storage-location erc7201:subrosa.storage.Oracle
    struct Layout {
        /// Digest 248 ‖ status 8, by position; see `Slots`.
        mapping(bytes32 contractId => mapping(uint256 position => bytes32)) entries;
        /// Zero until entry 0 is executed or there is a flag; a stateless contract's never is.
        mapping(bytes32 contractId => Head) heads;
        mapping(bytes32 contractId => LogSlot) logs;
        mapping(bytes32 contractId => address) owners;
        mapping(bytes32 contractId => address) candidates;
        mapping(bytes32 contractId => mapping(address account => bool)) callers;
        mapping(address deployer => uint256) nonces;
        /// See `Outstanding`; flags in the low byte.
        mapping(bytes32 contractId => mapping(uint256 seq => bytes32)) outstanding;
        /// Wei that waits for `withdraw`.
        mapping(address account => uint256) balances;
        mapping(bytes32 contractId => Upgrade) upgrades;
        mapping(bytes32 contractId => Threshold) thresholds;
        /// Gwei by which a pending entry's landing part was topped up.
        mapping(bytes32 contractId => mapping(uint256 seq => uint256)) added;
        /// How many contracts need an epoch's keys, by keyGroup 32 ‖ keyEpoch 32.
        mapping(uint256 keys => uint256) contracts;
        /// How many entries of an epoch that it left a stateless contract waits for, beside the one that says that
        /// it left; the epoch counts the contract until all are executed.
        mapping(bytes32 contractId => mapping(uint256 keys => uint256)) waiting;
    }

    /// keccak256(abi.encode(uint256(keccak256("subrosa.storage.Oracle")) - 1)) & ~0xff (ERC-7201)
    bytes32 internal constant LOCATION = 0x2e725a373a1b400ac80c7a46f974dc4393d9d2bdbdd7c27a84606fc2b36c8800;

    function load() internal pure returns (Layout storage $) {
        bytes32 location = LOCATION;
        assembly ("memory-safe") {
            $.slot := location
        }
    }
}
