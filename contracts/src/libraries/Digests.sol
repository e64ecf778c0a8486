// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EnclaveConfig, EpochOpening, FulfillmentItem, ReportBinding} from "../interfaces/SubrosaTypes.sol";

/// @title Every hash of the protocol
/// @notice H["name"](x, y, …) is keccak256(abi.encode(keccak256("subrosa.v1.name"), x, y, …)), as
/// SubrosaTypes.sol defines. All arguments are words, so no two preimages collide.
library Digests {
    bytes32 internal constant CONTRACT_ID = keccak256("subrosa.v1.contract-id");
    bytes32 internal constant CODE = keccak256("subrosa.v1.code");
    bytes32 internal constant ENTRY = keccak256("subrosa.v1.entry");
    bytes32 internal constant OUTCOME = keccak256("subrosa.v1.outcome");
    bytes32 internal constant RESULT = keccak256("subrosa.v1.result");
    bytes32 internal constant EPOCH = keccak256("subrosa.v1.epoch");
    bytes32 internal constant EPOCH_KEY = keccak256("subrosa.v1.epoch-key");
    bytes32 internal constant MEASUREMENT = keccak256("subrosa.v1.measurement");
    bytes32 internal constant EPOCH_SET = keccak256("subrosa.v1.epoch-set");
    bytes32 internal constant PRODUCT = keccak256("subrosa.v1.product");
    bytes32 internal constant CONFIG = keccak256("subrosa.v1.config");
    bytes32 internal constant REPORT_DATA = keccak256("subrosa.v1.report-data");

    /// @notice A contract's id, on this chain.
    function contractId(address oracle, address deployer, uint256 nonce) internal view returns (bytes32) {
        return keccak256(abi.encode(CONTRACT_ID, block.chainid, oracle, deployer, nonce));
    }

    /// @notice The commitment to a contract's code.
    function code(bytes32 salt, uint8 engine, bytes32 codeHash, bytes32 initHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(CODE, salt, engine, codeHash, initHash));
    }

    /// @notice The part of an entry's digest that says what is executed.
    function execution(bytes32 context, bytes32 inputHash, uint256 executionWord) internal pure returns (bytes32) {
        return keccak256(abi.encode(context, inputHash, executionWord));
    }

    /// @notice The digest of an entry of this chain and this oracle: 248 bits, low byte zero.
    function entry(
        bytes32 id,
        uint256 seq,
        bytes32 previousDigest,
        bytes32 executionHash,
        uint256 settlement,
        uint256 payment
    ) internal view returns (bytes32) {
        bytes32 full = keccak256(
            abi.encode(ENTRY, block.chainid, address(this), id, seq, previousDigest, executionHash, settlement, payment)
        );
        return full & ~bytes32(uint256(0xff));
    }

    /// @notice The hash of an outcome.
    function outcome(uint8 status, bytes32 outputHash, bytes32 sealedOutputHash, uint8 fuelBucket)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(OUTCOME, status, outputHash, sealedOutputHash, fuelBucket));
    }

    /// @notice The hash of a result, which every enclave computes alike.
    function result(bytes32 digest, bytes32 outcomeHash, bytes32 previousCommitment, bytes32 newCommitment)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(RESULT, digest, outcomeHash, previousCommitment, newCommitment));
    }

    /// @notice `entry` and `result` of one item of a batch. The caller has checked that the item's
    /// output is no longer than its data.
    /// @dev The same hashes as above, in assembly: with `abi.encode` they cost 2,000 gas more for each
    /// item. Preimages are built past the free memory pointer, which stays where it is.
    /// @param data `item.data`.
    function item(
        bytes32 id,
        uint256 seq,
        bytes32 previousDigest,
        bytes32 previousCommitment,
        FulfillmentItem calldata executed,
        bytes calldata data
    ) internal view returns (bytes32 digest, bytes32 resultHash) {
        bytes32 entryDomain = ENTRY;
        bytes32 outcomeDomain = OUTCOME;
        bytes32 resultDomain = RESULT;
        assembly ("memory-safe") {
            let p := mload(0x40)

            mstore(p, entryDomain)
            mstore(add(p, 0x20), chainid())
            mstore(add(p, 0x40), address())
            mstore(add(p, 0x60), id)
            mstore(add(p, 0x80), seq)
            mstore(add(p, 0xa0), previousDigest)
            // The item starts with executionHash, settlement, payment.
            calldatacopy(add(p, 0xc0), executed, 0x60)
            digest := and(keccak256(p, 0x120), not(0xff))

            // newCommitment 208, status 8, fuelBucket 8, outputLength 32.
            let word := calldataload(add(executed, 0x60))
            let outputLength := and(word, 0xffffffff)
            calldatacopy(p, data.offset, data.length)
            let outputHash := keccak256(p, outputLength)
            let sealedOutputHash := keccak256(add(p, outputLength), sub(data.length, outputLength))

            mstore(p, outcomeDomain)
            mstore(add(p, 0x20), and(shr(40, word), 0xff))
            mstore(add(p, 0x40), outputHash)
            mstore(add(p, 0x60), sealedOutputHash)
            mstore(add(p, 0x80), and(shr(32, word), 0xff))
            let outcomeHash := keccak256(p, 0xa0)

            mstore(p, resultDomain)
            mstore(add(p, 0x20), digest)
            mstore(add(p, 0x40), outcomeHash)
            mstore(add(p, 0x60), previousCommitment)
            mstore(add(p, 0x80), and(word, not(0xffffffffffff)))
            resultHash := keccak256(p, 0xa0)
        }
    }

    /// @notice An epoch's record.
    function epoch(EpochOpening calldata opening) internal pure returns (bytes32) {
        return keccak256(abi.encode(EPOCH, opening));
    }

    /// @notice The hash of an epoch's two public keys.
    function epochKey(bytes32 xwingKeyHash, bytes32 x25519Key) internal pure returns (bytes32) {
        return keccak256(abi.encode(EPOCH_KEY, xwingKeyHash, x25519Key));
    }

    /// @notice A measurement's id.
    function measurement(bytes32 rootId, uint8 teeKind, bytes32 measurementHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(MEASUREMENT, rootId, teeKind, measurementHash));
    }

    /// @notice The hash of an epoch's set, given the hash of its members' ABI encoding.
    function epochSet(bytes32 membersHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(EPOCH_SET, membersHash));
    }

    /// @notice A product's id, given the hash of its name: FMSPC, 6 bytes, for Intel; "Milan", "Genoa" or
    /// "Turin" for SEV-SNP; nothing for Nitro.
    function product(uint8 teeKind, bytes32 nameHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(PRODUCT, teeKind, nameHash));
    }

    /// @notice The hash of an enclave's configuration.
    function config(EnclaveConfig memory value) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONFIG, value));
    }

    /// @notice First half of an enclave's report data.
    function reportData(ReportBinding memory value) internal pure returns (bytes32) {
        return sha256(abi.encode(value));
    }
}
