// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Reference} from "./Reference.sol";

/// @notice An item before it is packed.
struct FulfillmentItem {
    bytes32 executionHash;
    uint256 settlement;
    /// Of this only the three parts of the fee are packed.
    uint256 payment;
    uint256 result;
    bytes data;
}

struct FulfillmentGroup {
    bytes32 contractId;
    /// commitment 208 ‖ seq 48.
    uint256 start;
    bytes32 previousDigest;
    FulfillmentItem[] items;
}

struct Fulfillment {
    address payee;
    uint32 keyGroup;
    uint32 keyEpoch;
    /// r ‖ vs, 64 bytes each.
    bytes[] signatures;
    FulfillmentGroup[] groups;
}

/// @notice Packs batches and says what is signed of them, straight from the comments on `ISubrosaOracle.fulfill` and
/// in SubrosaTypes.sol.
library Batches {
    function pack(Fulfillment memory f) internal pure returns (bytes memory batch) {
        batch = abi.encodePacked(f.payee, f.keyGroup, f.keyEpoch, bytes3(0), uint8(f.signatures.length));
        for (uint256 i = 0; i < f.signatures.length; ++i) {
            batch = bytes.concat(batch, f.signatures[i]);
        }
        for (uint256 i = 0; i < f.groups.length; ++i) {
            batch = bytes.concat(batch, pack(f.groups[i]));
        }
    }

    function pack(FulfillmentGroup memory group) internal pure returns (bytes memory packed) {
        uint8 count = uint8(group.items.length);
        packed = abi.encodePacked(group.contractId, group.start, bytes31(group.previousDigest), count);
        for (uint256 i = 0; i < group.items.length; ++i) {
            packed = bytes.concat(packed, pack(group.items[i]));
        }
    }

    function pack(FulfillmentItem memory item) internal pure returns (bytes memory) {
        return abi.encodePacked(
            item.executionHash,
            item.settlement,
            bytes18(bytes32(item.payment)),
            item.result,
            uint32(item.data.length),
            item.data
        );
    }

    /// @notice The result hashes of all items, one after the other.
    function results(Fulfillment memory f, uint256 chainId, address oracle) internal pure returns (bytes memory all) {
        for (uint256 g = 0; g < f.groups.length; ++g) {
            FulfillmentGroup memory group = f.groups[g];
            bytes32 digest = group.previousDigest;
            uint256 cursor = group.start;
            for (uint256 i = 0; i < group.items.length; ++i) {
                FulfillmentItem memory item = group.items[i];
                uint256 keys = uint256(f.keyGroup) << 32 | f.keyEpoch;
                uint256 payment = item.payment >> 112 << 112 | keys << 48 | uint48(cursor);
                digest = Reference.digest(
                    chainId, oracle, group.contractId, digest, item.executionHash, item.settlement, payment
                );
                all = bytes.concat(all, Reference.result(digest, item.result, item.data, bytes32(cursor >> 48 << 48)));
                cursor = (item.result >> 48 << 48) | (uint48(cursor) + 1);
            }
        }
    }

    /// @notice What the first signer signs.
    function message(Fulfillment memory f, uint256 chainId, address oracle) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("SignedResults(bytes32[] resultHashes,address payee)");
        bytes32 hashes = keccak256(results(f, chainId, oracle));
        return Reference.typed("Subrosa", chainId, oracle, keccak256(abi.encode(typeHash, hashes, f.payee)));
    }

    /// @notice What every further signer signs.
    function comessage(Fulfillment memory f, uint256 chainId, address oracle) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("CosignedResults(bytes32[] resultHashes)");
        bytes32 hashes = keccak256(results(f, chainId, oracle));
        return Reference.typed("Subrosa", chainId, oracle, keccak256(abi.encode(typeHash, hashes)));
    }
}
