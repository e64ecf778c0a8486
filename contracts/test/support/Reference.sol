// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, Outstanding} from "../../src/interfaces/SubrosaTypes.sol";

/// @notice The protocol's hashes and words written down once more, straight from the comments in
/// SubrosaTypes.sol and in no way from the libraries under test.
library Reference {
    function domain(string memory name) internal pure returns (bytes32) {
        return keccak256(bytes(string.concat("subrosa.v1.", name)));
    }

    function execution(Entry memory e) internal pure returns (bytes32) {
        return keccak256(abi.encode(e.context, e.inputHash, e.execution, e.refundTo));
    }

    function digest(uint256 chainId, address oracle, Entry memory e) internal pure returns (bytes32) {
        return digest(chainId, oracle, e.contractId, e.previousDigest, execution(e), e.settlement, e.payment);
    }

    function digest(
        uint256 chainId,
        address oracle,
        bytes32 contractId,
        bytes32 previousDigest,
        bytes32 executionHash,
        uint256 settlement,
        uint256 payment
    ) internal pure returns (bytes32) {
        bytes memory where = abi.encode(domain("entry"), chainId, oracle, contractId);
        bytes32 full = keccak256(bytes.concat(where, abi.encode(previousDigest, executionHash, settlement, payment)));
        return bytes32(uint256(full) >> 8 << 8);
    }

    /// @notice The hash of what an item's result and data say.
    function outcome(uint256 resultWord, bytes memory data) internal pure returns (bytes32) {
        uint256 length = resultWord & 0x7fffffff;
        bool hasLogs = resultWord & 0x80000000 != 0;
        uint256 end = hasLogs ? data.length - 32 : data.length;
        bytes32 logs = hasLogs ? bytes32(slice(data, end, data.length)) : bytes32(0);
        uint256 tag = uint256(domain("outcome")) >> 16 << 16 | (resultWord >> 32 & 0xffff);
        return keccak256(abi.encode(keccak256(slice(data, 0, length)), keccak256(slice(data, length, end)), logs, tag));
    }

    function result(bytes32 entryDigest, uint256 resultWord, bytes memory data, bytes32 previousCommitment)
        internal
        pure
        returns (bytes32)
    {
        // A tag of 48 bits in those that a commitment leaves free.
        uint256 previous = uint256(previousCommitment) | uint256(domain("result")) >> 208;
        return keccak256(abi.encode(entryDigest, outcome(resultWord, data), previous, resultWord >> 48 << 48));
    }

    /// @notice The word the oracle keeps, without its flags.
    function outstanding(bytes32 entryDigest, Outstanding memory o) internal pure returns (bytes32) {
        bytes32 full =
            keccak256(abi.encode(entryDigest, uint256(o.status), o.outputHash, uint256(o.held), uint256(o.since)));
        return bytes32(uint256(full) >> 8 << 8);
    }

    /// @notice Terms without bounds, for 64 bytes of output.
    function terms(
        uint256 executionFlags,
        uint256 settlementFlags,
        uint64 fuelLimit,
        uint32 callbackGasLimit,
        uint48 deadline
    ) internal pure returns (uint256) {
        return terms(executionFlags, settlementFlags, fuelLimit, callbackGasLimit, deadline, 64);
    }

    function terms(
        uint256 executionFlags,
        uint256 settlementFlags,
        uint64 fuelLimit,
        uint32 callbackGasLimit,
        uint48 deadline,
        uint24 outputLimit
    ) internal pure returns (uint256) {
        bytes memory head = abi.encodePacked(
            uint8(executionFlags), uint8(settlementFlags), fuelLimit, callbackGasLimit, deadline, outputLimit
        );
        return uint256(bytes32(bytes.concat(head, new bytes(9))));
    }

    /// @notice What of an epoch, a code version plus one and a largest charge belongs into terms.
    function bounds(uint32 keyEpoch, uint16 codePlusOne, uint24 charge) internal pure returns (uint256) {
        return uint256(keyEpoch) << 40 | uint256(codePlusOne) << 24 | uint256(charge) << 4;
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

    /// @notice Where a contract's namespaced storage begins (ERC-7201).
    function location(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(uint256(keccak256(bytes(name))) - 1))) >> 8 << 8;
    }

    function slice(bytes memory data, uint256 from, uint256 to) internal pure returns (bytes memory part) {
        part = new bytes(to - from);
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(add(data, 0x20), from), sub(to, from))
        }
    }
}
