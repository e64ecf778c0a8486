// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Fulfillment, FulfillmentGroup, FulfillmentItem} from "../interfaces/SubrosaTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {ResultWord} from "../libraries/EntryWords.sol";
import {HeadSlot} from "../libraries/HeadSlot.sol";
import {TypedData} from "../libraries/TypedData.sol";

/// @title What the signature of a batch is over
/// @notice Everything the signature covers is computed from calldata and this contract's own address
/// and chain; nothing is taken on trust from the relayer.
abstract contract SignedResults is TypedData, ISubrosaOracle {
    bytes32 private constant TYPE_HASH = keccak256(
        "SignedResults(bytes32[] resultHashes,uint64 anchorNumber,bytes32 anchorHash,bytes32 configHash,bytes32 measurementId,uint32 keyGroup,uint32 keyEpoch)"
    );

    /// @dev The digests of all items' entries, in order, and who signed their results.
    function _recover(Fulfillment calldata f) internal view returns (bytes32[] memory digests, address signer) {
        bytes32 resultsHash;
        (digests, resultsHash) = _hashItems(f.groups);

        bytes32 structHash = keccak256(
            abi.encode(
                TYPE_HASH,
                resultsHash,
                f.anchorNumber,
                f.anchorHash,
                f.configHash,
                f.measurementId,
                f.keyGroup,
                f.keyEpoch
            )
        );
        ECDSA.RecoverError failure;
        (signer, failure,) = ECDSA.tryRecover(_typedDataHash(structHash), f.r, f.vs);
        if (failure != ECDSA.RecoverError.NoError) revert InvalidSignature();
    }

    /// @dev The digests, and keccak256 of the concatenated result hashes, as EIP-712 hashes an array.
    function _hashItems(FulfillmentGroup[] calldata groups)
        private
        view
        returns (bytes32[] memory digests, bytes32 resultsHash)
    {
        uint256 count;
        for (uint256 g = 0; g < groups.length; ++g) {
            count += groups[g].items.length;
        }
        digests = new bytes32[](count);
        bytes32[] memory results = new bytes32[](count);

        uint256 position;
        for (uint256 g = 0; g < groups.length; ++g) {
            FulfillmentGroup calldata group = groups[g];
            FulfillmentItem[] calldata items = group.items;
            bytes32 digest = group.previousDigest;
            HeadSlot cursor = HeadSlot.wrap(group.start);
            for (uint256 i = 0; i < items.length; ++i) {
                FulfillmentItem calldata item = items[i];
                digest = Digests.entry(
                    group.contractId, cursor.seq(), digest, item.executionHash, item.settlement, item.payment
                );
                ResultWord result = ResultWord.wrap(item.result);
                if (result.outputLength() > item.data.length) revert OutputLengthTooLong(g, i);

                digests[position] = digest;
                results[position] = Digests.result(
                    digest, _outcomeHash(result, item.data), cursor.commitment(), result.newCommitment()
                );
                cursor = cursor.advance(result.newCommitment());
                unchecked {
                    ++position;
                }
            }
        }
        assembly ("memory-safe") {
            resultsHash := keccak256(add(results, 0x20), shl(5, mload(results)))
        }
    }

    function _outcomeHash(ResultWord result, bytes calldata data) private pure returns (bytes32) {
        uint256 length = result.outputLength();
        unchecked {
            return Digests.outcome(
                result.status(),
                Digests.calldataBytes(data, 0, length),
                Digests.calldataBytes(data, length, data.length - length),
                result.fuelBucket()
            );
        }
    }
}
