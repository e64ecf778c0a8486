// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {Batch, Group} from "../libraries/Batch.sol";
import {BatchHashes, BatchHashing} from "../libraries/BatchHashes.sol";
import {Quorum, Quorums} from "../libraries/Quorum.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Words} from "../libraries/Words.sol";

/// @title What the signatures of a batch are over, and who made them
/// @notice Everything that is signed is computed from calldata and this contract's own address and chain; nothing
/// is taken on trust from the relayer.
abstract contract SignedResults is TypedData, ISubrosaOracle {
    using Words for bytes32[];

    bytes32 private constant TYPE_HASH = keccak256("SignedResults(bytes32[] resultHashes,address payee)");
    bytes32 private constant COSIGNED_TYPE_HASH = keccak256("CosignedResults(bytes32[] resultHashes)");

    uint256 private constant MOST_SIGNATURES = 16;

    /// Half the order of secp256k1's group.
    uint256 private constant HIGHEST_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @dev What the header of a batch says, and where its groups are.
    struct Reading {
        /// Calldata positions.
        uint256 start;
        uint256 groups;
        uint256 end;
        uint256 signatures;
        address payee;
        /// keyGroup 32 ‖ keyEpoch 32.
        uint256 keys;
    }

    /// @dev Reads a batch's header.
    function _open(bytes calldata batch) internal pure returns (Reading memory reading) {
        uint256 start;
        uint256 header;
        assembly ("memory-safe") {
            start := batch.offset
            header := calldataload(start)
        }
        uint256 signatures = header & 0xff;
        uint256 groups = start + Batch.HEADER + Batch.SIGNATURE * signatures;
        uint256 end = start + batch.length;
        bool sound = signatures != 0 && signatures <= MOST_SIGNATURES && header & 0xffffff00 == 0 && groups < end;
        if (!sound) revert MalformedBatch(0);
        return Reading({
            start: start,
            groups: groups,
            end: end,
            signatures: signatures,
            payee: address(uint160(header >> 96)),
            keys: header >> 32 & type(uint64).max
        });
    }

    /// @dev The digests of all items' entries, in order, and keccak256 of the concatenated result hashes, as
    /// EIP-712 hashes an array. Whatever reads the batch afterwards need not check bounds.
    function _hash(Reading memory reading) internal view returns (bytes32[] memory digests, bytes32 resultsHash) {
        unchecked {
            (uint256 end, uint256 offset) = (reading.end, reading.groups);
            BatchHashes memory hashes = BatchHashing.create((end - offset) / Batch.ITEM);
            while (offset < end) {
                Group group = Group.wrap(offset);
                if (offset + Batch.GROUP > end || group.count() == 0) revert MalformedBatch(offset - reading.start);
                uint256 left;
                (offset, left) = hashes.add(group, reading.keys, end);
                if (left != 0) revert MalformedBatch(offset - reading.start);
            }
            hashes.close();
            return (hashes.digests, hashes.results.hash());
        }
    }

    /// @dev Who signed, as far as thresholds ask: who of them may not sign results of the epoch makes the batch
    /// revert.
    function _signers(ISubrosaRegistry registry, Reading memory reading, bytes32 resultsHash)
        internal
        view
        returns (Quorum quorum)
    {
        uint256 offset = reading.start + Batch.HEADER;
        bytes32 message = _typedDataHash(keccak256(abi.encode(TYPE_HASH, resultsHash, uint256(uint160(reading.payee)))));
        address signer = _recover(message, offset);
        uint256 record = registry.checkSigner(signer, uint32(reading.keys >> 32), uint32(reading.keys));
        if (reading.signatures == 1) return quorum;
        return _cosigners(registry, reading, resultsHash, signer, record);
    }

    /// @dev The same for more than one signature, of which the first is checked.
    function _cosigners(
        ISubrosaRegistry registry,
        Reading memory reading,
        bytes32 resultsHash,
        address first,
        uint256 record
    ) private view returns (Quorum quorum) {
        uint256[] memory records = new uint256[](reading.signatures);
        records[0] = record;
        bytes32 message = _typedDataHash(keccak256(abi.encode(COSIGNED_TYPE_HASH, resultsHash)));
        address last = address(0);
        for (uint256 i = 1; i < records.length; ++i) {
            address signer = _recover(message, reading.start + Batch.HEADER + Batch.SIGNATURE * i);
            if (signer <= last || signer == first) revert SignersNotAscending(signer);
            records[i] = registry.checkSigner(signer, uint32(reading.keys >> 32), uint32(reading.keys));
            last = signer;
        }
        return Quorums.count(records);
    }

    /// @dev Who signed: ecrecover of a compact signature (EIP-2098) with a low s (EIP-2), in assembly because
    /// a batch has little else that it could do without.
    function _recover(bytes32 message, uint256 offset) private view returns (address signer) {
        uint256 highest = HIGHEST_S;
        assembly ("memory-safe") {
            let p := mload(0x40)
            let vs := calldataload(add(offset, 0x20))
            let s := shr(1, shl(1, vs))
            mstore(p, message)
            mstore(add(p, 0x20), add(27, shr(255, vs)))
            mstore(add(p, 0x40), calldataload(offset))
            mstore(add(p, 0x60), s)
            mstore(0, 0)
            // What is not a signature returns nothing.
            pop(staticcall(gas(), 1, p, 0x80, 0, 0x20))
            if iszero(gt(s, highest)) { signer := mload(0) }
        }
        if (signer == address(0)) revert InvalidSignature();
    }
}
