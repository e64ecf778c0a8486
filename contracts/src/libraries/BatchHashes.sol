// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Group} from "./Batch.sol";
import {Digests} from "./Digests.sol";

/// @notice The hashes of a batch's items, in order, and where the next go.
struct BatchHashes {
    /// The digests of the entries.
    bytes32[] digests;
    /// The result hashes.
    bytes32[] results;
    /// Bytes of either that are filled.
    uint256 filled;
    /// Where digests' preimages are built: domain, chain and contract are filled in.
    uint256 preimage;
}

using BatchHashing for BatchHashes global;

/// @title Hashing the items of a batch
/// @notice The hashes of `Digests`, in assembly: with `abi.encode` they cost 2,000 gas more for each item.
library BatchHashing {
    /// @notice Room for the hashes of `most` items, of which one is used for each that is there.
    function create(uint256 most) internal view returns (BatchHashes memory hashes) {
        bytes32[] memory digests;
        bytes32[] memory results;
        uint256 preimage;
        bytes32 domain = Digests.ENTRY;
        // Not cleared: what is read of it is written before.
        assembly ("memory-safe") {
            digests := mload(0x40)
            results := add(add(digests, 0x20), shl(5, most))
            preimage := add(add(results, 0x20), shl(5, most))
            mstore(0x40, add(preimage, 0x100))
            mstore(preimage, domain)
            mstore(add(preimage, 0x20), chainid())
            mstore(add(preimage, 0x40), address())
        }
        hashes.digests = digests;
        hashes.results = results;
        hashes.preimage = preimage;
    }

    /// @notice Ends the lists where they are filled.
    function close(BatchHashes memory hashes) internal pure {
        bytes32[] memory digests = hashes.digests;
        bytes32[] memory results = hashes.results;
        uint256 known = hashes.filled >> 5;
        assembly ("memory-safe") {
            mstore(digests, known)
            mstore(results, known)
        }
    }

    /// @notice Hashes the items of a group, up to the first that goes on behind `end` or claims more public output
    /// than it has data.
    /// @param keys keyGroup 32 ‖ keyEpoch 32.
    /// @return offset Where the last of them ends.
    /// @return left How many were not hashed.
    function add(BatchHashes memory hashes, Group group, uint256 keys, uint256 end)
        internal
        pure
        returns (uint256 offset, uint256 left)
    {
        bytes32 outcomeDomain = Digests.OUTCOME;
        bytes32 resultDomain = Digests.RESULT;
        assembly ("memory-safe") {
            let filled := mload(add(hashes, 0x40))
            let digests := add(mload(hashes), 0x20)
            let results := add(mload(add(hashes, 0x20)), 0x20)
            let p := mload(add(hashes, 0x60))
            let q := mload(0x40)
            outcomeDomain := and(outcomeDomain, not(0xffff))
            resultDomain := shr(208, resultDomain)
            keys := shl(48, keys)

            let commitment := calldataload(add(group, 0x20))
            let seq := and(commitment, 0xffffffffffff)
            commitment := xor(commitment, seq)
            let digest := calldataload(add(group, 0x40))
            left := and(digest, 0xff)
            digest := xor(digest, left)
            mstore(add(p, 0x60), calldataload(group))
            offset := add(group, 0x60)
            for {} left { left := sub(left, 1) } {
                // No length has more than 32 bits, so nothing overflows.
                let length := shr(224, calldataload(add(offset, 114)))
                let next := add(add(offset, 118), length)
                if gt(next, end) { break }
                // newCommitment 208, status 8, fuelBucket 8, hasLogs 1, outputLength 31.
                let word := calldataload(add(offset, 82))
                let outputLength := and(word, 0x7fffffff)
                calldatacopy(q, add(offset, 118), length)
                let logsHash := 0
                if and(word, 0x80000000) {
                    if lt(length, 0x20) { break }
                    length := sub(length, 0x20)
                    logsHash := mload(add(q, length))
                }
                if gt(outputLength, length) { break }

                let outputHash := keccak256(q, outputLength)
                let sealedOutputHash := keccak256(add(q, outputLength), sub(length, outputLength))
                mstore(q, outputHash)
                mstore(add(q, 0x20), sealedOutputHash)
                mstore(add(q, 0x40), logsHash)
                // Status and bucket stand together in the word.
                mstore(add(q, 0x60), or(outcomeDomain, and(shr(32, word), 0xffff)))
                let outcomeHash := keccak256(q, 0x80)

                mstore(add(p, 0x80), digest)
                // executionHash, settlement, and the parts of the fee, to which keys and position belong.
                calldatacopy(add(p, 0xa0), offset, 0x60)
                let parts := mload(add(p, 0xe0))
                mstore(add(p, 0xe0), or(shl(112, shr(112, parts)), or(keys, seq)))
                digest := and(keccak256(p, 0x100), not(0xff))

                mstore(q, digest)
                mstore(add(q, 0x20), outcomeHash)
                mstore(add(q, 0x40), or(commitment, resultDomain))
                commitment := and(word, not(0xffffffffffff))
                mstore(add(q, 0x60), commitment)
                mstore(add(digests, filled), digest)
                mstore(add(results, filled), keccak256(q, 0x80))
                filled := add(filled, 0x20)
                // Of 48 bits: one that is not the log's position is not the log's digest either.
                seq := and(add(seq, 1), 0xffffffffffff)
                offset := next
            }
            mstore(add(hashes, 0x40), filled)
        }
    }
}
