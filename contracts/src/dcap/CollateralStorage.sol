// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CollateralRecord} from "./CollateralRecord.sol";

/// @title The storage of DCAP verification, and the keys into it
library CollateralStorage {
    /// @custom:storage-location erc7201:subrosa.storage.Dcap
    struct Layout {
        /// Revocation lists; TCB infos and QE identities each under a key of its own, and the latest of
        /// its subject under the subject's key too.
        mapping(bytes32 key => CollateralRecord) records;
        mapping(bytes32 rootId => bool) roots;
        mapping(bytes32 configHash => bytes32) configRegisterHashes;
    }

    uint8 internal constant TDX = 1;
    uint8 internal constant SGX = 2;

    function load() internal pure returns (Layout storage $) {
        bytes32 location = LOCATION;
        assembly ("memory-safe") {
            $.slot := location
        }
    }

    function rootCrlKey(bytes32 rootId) internal pure returns (bytes32) {
        return keccak256(abi.encode(ROOT_CRL, rootId));
    }

    function tcbInfoKey(bytes32 rootId, uint256 teeKind, uint256 fmspc) internal pure returns (bytes32) {
        return keccak256(abi.encode(TCB_INFO, rootId, teeKind, fmspc));
    }

    function qeIdentityKey(bytes32 rootId, uint256 teeKind) internal pure returns (bytes32) {
        return keccak256(abi.encode(QE_IDENTITY, rootId, teeKind));
    }

    function pckAuthorityId(bytes32 rootId, bytes32 nameHash, uint256 x, uint256 y, uint256 serial)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(PCK_AUTHORITY, rootId, nameHash, x, y, serial));
    }

    function editionOf(bytes32 digest, bytes32 signerDigest) internal pure returns (bytes32) {
        return keccak256(abi.encode(digest, signerDigest));
    }

    function editionKey(bytes32 key, bytes32 edition) internal pure returns (bytes32) {
        return keccak256(abi.encode(EDITION, key, edition));
    }

    bytes32 private constant ROOT_CRL = keccak256("subrosa.v1.dcap-root-crl");
    bytes32 private constant TCB_INFO = keccak256("subrosa.v1.dcap-tcb-info");
    bytes32 private constant QE_IDENTITY = keccak256("subrosa.v1.dcap-qe-identity");
    bytes32 private constant PCK_AUTHORITY = keccak256("subrosa.v1.dcap-pck-authority");
    bytes32 private constant EDITION = keccak256("subrosa.v1.dcap-edition");
    /// keccak256(abi.encode(uint256(keccak256("subrosa.storage.Dcap")) - 1)) & ~0xff (ERC-7201)
    bytes32 internal constant LOCATION = 0x0e5f8f523a21fd3ef12a1d7648c50792a5beadb6b4b3ba40a15c67850c60ee00;
}
