// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, FulfillmentItem} from "../../src/interfaces/SubrosaTypes.sol";

/// @notice The protocol's hashes and words written down once more, straight from the comments in
/// SubrosaTypes.sol and in no way from the libraries under test.
library Reference {
    function domain(string memory name) internal pure returns (bytes32) {
        return keccak256(bytes(string.concat("subrosa.v1.", name)));
    }

    function execution(Entry memory e) internal pure returns (bytes32) {
        return keccak256(abi.encode(e.context, e.inputHash, e.execution));
    }

    function digest(uint256 chainId, address oracle, Entry memory e) internal pure returns (bytes32) {
        bytes32 full = keccak256(
            abi.encode(
                domain("entry"),
                chainId,
                oracle,
                e.contractId,
                uint256(e.seq),
                e.previousDigest,
                execution(e),
                e.settlement,
                e.payment
            )
        );
        return bytes32(uint256(full) >> 8 << 8);
    }

    function outcome(FulfillmentItem memory item) internal pure returns (bytes32) {
        uint256 length = uint32(item.result);
        bytes memory output = new bytes(length);
        bytes memory sealedOutput = new bytes(item.data.length - length);
        for (uint256 i = 0; i < item.data.length; ++i) {
            if (i < length) output[i] = item.data[i];
            else sealedOutput[i - length] = item.data[i];
        }
        return keccak256(
            abi.encode(
                domain("outcome"),
                uint256(uint8(item.result >> 40)),
                keccak256(output),
                keccak256(sealedOutput),
                uint256(uint8(item.result >> 32))
            )
        );
    }

    function result(bytes32 entryDigest, FulfillmentItem memory item, bytes32 previousCommitment)
        internal
        pure
        returns (bytes32)
    {
        bytes32 newCommitment = bytes32(item.result >> 48 << 48);
        return keccak256(abi.encode(domain("result"), entryDigest, outcome(item), previousCommitment, newCommitment));
    }

    function terms(
        uint256 executionFlags,
        uint256 settlementFlags,
        uint64 fuelLimit,
        uint32 callbackGasLimit,
        uint48 deadline
    ) internal pure returns (uint256) {
        return uint256(
            bytes32(
                abi.encodePacked(
                    uint16(executionFlags), uint16(settlementFlags), fuelLimit, callbackGasLimit, deadline, uint80(0)
                )
            )
        );
    }

    function typed(string memory name, uint256 chainId, address verifying, bytes32 structHash)
        internal
        pure
        returns (bytes32)
    {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                chainId,
                verifying
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }
}
