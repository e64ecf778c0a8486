// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Fulfillment, FulfillmentGroup, FulfillmentItem} from "../interfaces/SubrosaTypes.sol";
import {BatchCalldata} from "../libraries/BatchCalldata.sol";
import {Digests} from "../libraries/Digests.sol";
import {ResultWord} from "../libraries/EntryWords.sol";
import {HeadSlot} from "../libraries/HeadSlot.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Words} from "../libraries/Words.sol";

/// @title What the signature of a batch is over
/// @notice Everything the signature covers is computed from calldata and this contract's own address
/// and chain; nothing is taken on trust from the relayer.
abstract contract SignedResults is TypedData, ISubrosaOracle {
    using BatchCalldata for FulfillmentGroup[];
    using BatchCalldata for FulfillmentGroup;
    using BatchCalldata for FulfillmentItem[];
    using BatchCalldata for FulfillmentItem;
    using Words for bytes32[];

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
            count += groups.nth(g).itemsOf().length;
        }
        digests = new bytes32[](count);
        bytes32[] memory results = new bytes32[](count);

        uint256 position;
        for (uint256 g = 0; g < groups.length; ++g) {
            FulfillmentGroup calldata group = groups.nth(g);
            position = _hashGroup(group, g, digests, results, position);
        }
        resultsHash = results.hash();
    }

    /// @dev Puts the hashes of a group's items into the arrays from `position` on, and gives the
    /// position after them.
    function _hashGroup(
        FulfillmentGroup calldata group,
        uint256 g,
        bytes32[] memory digests,
        bytes32[] memory results,
        uint256 position
    ) private view returns (uint256) {
        FulfillmentItem[] calldata items = group.itemsOf();
        bytes32 contractId = group.contractId;
        bytes32 digest = group.previousDigest;
        HeadSlot cursor = HeadSlot.wrap(group.start);
        for (uint256 i = 0; i < items.length; ++i) {
            FulfillmentItem calldata item = items.nth(i);
            ResultWord word = ResultWord.wrap(item.result);
            bytes calldata data = item.dataOf();
            if (word.outputLength() > data.length) revert OutputLengthTooLong(g, i);

            bytes32 resultHash;
            (digest, resultHash) = Digests.item(contractId, cursor.seq(), digest, cursor.commitment(), item, data);
            digests.put(position, digest);
            results.put(position, resultHash);
            cursor = cursor.advance(word.newCommitment());
            unchecked {
                ++position;
            }
        }
        return position;
    }
}
