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
        /// How often something was taken away that its signers may rest on.
        uint24 generation;
        bool stopped;
        /// How many of its products are denied: while none is, none has to be looked up.
        uint24 denials;
    }

    /// @notice What is known of a verifier's key or a contract that verifies DCAP quotes.
    struct Voucher {
        /// How many verifiers must vouch for a signer, the same for all: kept with each, an admission
        /// reads one word less. Zero if this is not a verifier that may vouch now.
        uint16 threshold;
        bool revoked;
        /// Its place in masks of vouchers, if `seats` agrees.
        uint8 index;
    }

    /// @notice Who stands for an index in masks of vouchers.
    struct Seat {
        address holder;
        /// Unix seconds since which the holder vouches for nobody; zero if it still does.
        uint40 vacated;
    }

    /// @notice What is known of a runtime generation.
    struct Runtime {
        /// Unix seconds; zero if never added.
        uint40 activeFrom;
        bool withdrawn;
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
        mapping(address voucher => Voucher) vouchers;
        uint16 verifierThreshold;
        /// Bit n accepts TCB status n.
        uint16 acceptedTcbStatuses;
        /// What verifies DCAP quotes; zero if no signer is registered by one.
        address dcap;
        uint8 dcapIndex;
        /// Bit n: whatever rests on the voucher with index n is void.
        uint16 revokedVouchers;
        /// Zero for a generation that is not withdrawn, or was withdrawn before it counted.
        mapping(uint256 generation => uint16) runtimeSuccessors;
        mapping(uint256 index => Seat) seats;
        /// Bit n: TEE kind n has, or had, a measurement.
        uint256 kinds;
        mapping(uint256 teeKind => mapping(bytes32 product => bool)) denied;
        /// How many denied products share a tag, which is what signers keep of theirs.
        mapping(uint256 teeKind => mapping(uint256 tag => uint256)) deniedTags;
        mapping(uint256 generation => Runtime) runtimes;
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
