// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SignerSlot} from "../libraries/SignerSlot.sol";

/// @title The registry's storage
/// @notice Enclaves prove the slots of `epochs`: the namespace and that field's place are part of the
/// protocol.
library RegistryStorage {
    /// @notice What is known of a measurement.
    struct Measurement {
        /// Unix seconds; zero if never added.
        uint40 activeFrom;
        uint8 teeKind;
        bool revoked;
        /// The first 200 bits of its evidence root's id.
        bytes25 root;
    }

    /// @notice What is known of a configuration.
    struct Config {
        /// Unix seconds; zero if never added.
        uint40 activeFrom;
        uint32 keyGroup;
        bool removed;
    }

    /// @notice What is asked of a family of TEEs.
    struct Family {
        uint32 minimumTcbEvaluation;
        /// How many of its measurements were revoked.
        uint24 generation;
        bool stopped;
    }

    /// @custom:storage-location erc7201:subrosa.storage.Registry
    struct Layout {
        /// H["epoch"](opening).
        mapping(uint256 keyGroup => mapping(uint256 keyEpoch => bytes32)) epochs;
        mapping(uint256 keyGroup => uint32) currentEpochs;
        mapping(address signer => SignerSlot) signers;
        mapping(bytes32 measurementId => Measurement) measurements;
        mapping(bytes32 measurementId => bytes32) successors;
        mapping(bytes32 configHash => Config) configs;
        mapping(uint256 teeKind => Family) families;
        mapping(address verifier => bool) verifiers;
        uint16 verifierThreshold;
        /// Bit n accepts TCB status n.
        uint16 acceptedTcbStatuses;
        /// What verifies DCAP quotes; zero if no signer is registered by one.
        address dcap;
        /// Zero for a generation that is not withdrawn.
        mapping(uint256 generation => uint16) runtimeSuccessors;
    }

    /// keccak256(abi.encode(uint256(keccak256("subrosa.storage.Registry")) - 1)) & ~0xff (ERC-7201)
    bytes32 internal constant LOCATION = 0x61cdb13db42c47a1e2a83a3bd4bab9d9cd0de0b41884ab5e3a50e93a0a007500;

    function load() internal pure returns (Layout storage $) {
        bytes32 location = LOCATION;
        assembly ("memory-safe") {
            $.slot := location
        }
    }
}
