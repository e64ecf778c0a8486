// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EpochSet} from "../libraries/EpochSet.sol";
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
        bool suspended;
        /// From one, in the order of adding.
        uint16 index;
        /// The first 176 bits of its evidence root's id.
        bytes22 root;
    }

    /// @notice What is known of a configuration.
    struct Config {
        /// Unix seconds; zero if never added.
        uint40 activeFrom;
        uint32 keyGroup;
        bool removed;
        bool suspended;
        /// From one, in the order of adding.
        uint16 index;
    }

    /// @notice What is asked of a family of TEEs. `Standing` reads the first four as they are packed.
    struct Family {
        uint32 minimumTcbEvaluation;
        /// How often something was taken away that its signers may rest on.
        uint24 generation;
        bool stopped;
        bool suspended;
        /// How many of its products are denied, and tags of products suspended: while none is, none has to
        /// be looked up.
        uint24 denials;
        /// Whether only machines that are allowed may be used.
        bool restricted;
        /// Whether a machine was ever denied or suspended: before that, none has to be looked up.
        bool machinesBarred;
    }

    /// @notice What is known of a machine.
    struct Machine {
        bool denied;
        bool suspended;
    }

    /// @notice What is known of the products that share a tag.
    struct ProductTag {
        /// How many are denied.
        uint32 denials;
        bool suspended;
    }

    /// @notice What is known of a verifier's key or a contract that verifies DCAP quotes.
    struct Voucher {
        /// How many verifiers must vouch for a signer, the same for all: kept with each, an admission
        /// reads one word less. Zero if this is not a verifier that may vouch now.
        uint16 threshold;
        bool revoked;
        bool suspended;
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

    /// @notice What was scheduled of an epoch, and how far it has come.
    struct Epoch {
        /// Empty if never scheduled.
        EpochSet set;
        /// H["epoch-set"] of the ids.
        bytes32 setHash;
        uint256 recovery;
        /// keccak256 of the custodians' addresses, ABI-encoded; zero if there are none.
        bytes32 custodiansHash;
        /// H["epoch"] of the opening that waits to be acknowledged, or was.
        bytes32 opening;
        /// Unix seconds.
        uint40 notBefore;
        /// Unix seconds; zero if not opened.
        uint40 openedAt;
        /// Unix seconds; zero if never retired.
        uint40 retiredFrom;
        /// Whether someone has to hold the secret of the epoch before as well.
        bool continues;
        bool continued;
        /// Distinct machines, or custodians, that hold the secret.
        uint8 holders;
        /// How often it was scheduled.
        uint16 schedules;
    }

    /// @notice What is known of a suspension.
    struct Suspension {
        bool suspended;
        /// Unix seconds; zero if never lifted.
        uint40 lifted;
    }

    /// @custom:storage-location erc7201:subrosa.storage.Registry
    struct Layout {
        /// H["epoch"](opening) of epochs that are or were current.
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
        /// Bit n: whatever rests on the voucher with index n may not be used until that is lifted.
        uint16 suspendedVouchers;
        /// Zero for a generation that is not withdrawn, or was withdrawn before it counted.
        mapping(uint256 generation => uint16) runtimeSuccessors;
        mapping(uint256 index => Seat) seats;
        /// Bit n: TEE kind n has, or had, a measurement.
        uint256 kinds;
        mapping(uint256 teeKind => mapping(bytes32 product => bool)) denied;
        /// By the tag that signers keep of their product.
        mapping(uint256 teeKind => mapping(uint256 tag => ProductTag)) productTags;
        mapping(uint256 generation => Runtime) runtimes;
        /// The sets of epochs that are or were current.
        mapping(uint256 keyGroup => mapping(uint256 keyEpoch => EpochSet)) sets;
        mapping(uint256 keyGroup => mapping(uint256 keyEpoch => Epoch)) schedules;
        /// By what names one opening; see `Epochs`. By its record: of which schedules it was shown.
        mapping(bytes32 opening => mapping(uint256 machine => bool)) holders;
        mapping(uint256 index => bytes32) measurementIds;
        mapping(uint256 index => bytes32) configHashes;
        uint16 measurementCount;
        uint16 configCount;
        /// Whether a machine was ever denied or suspended, for families to come.
        bool machinesBarred;
        /// By the tag that signers keep of their machine.
        mapping(uint256 machine => Machine) machines;
        mapping(uint256 teeKind => mapping(uint256 machine => bool)) allowedMachines;
        mapping(bytes32 subject => Suspension) suspensions;
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
