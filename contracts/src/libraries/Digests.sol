// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EnclaveConfig, Entry, EpochOpening, Outstanding, ReportBinding} from "../interfaces/SubrosaTypes.sol";
import {Item} from "./Batch.sol";

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
    bytes32 internal constant MEASUREMENT_SET = keccak256("subrosa.v1.measurement-set");
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

    /// @notice The part of an entry's digest that says what is executed, and whom refunds go to.
    function execution(bytes32 context, bytes32 inputHash, uint256 executionWord, address refundTo)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(context, inputHash, executionWord, refundTo));
    }

    /// @notice The digest of an entry of this chain and this oracle: 248 bits, low byte zero.
    function entry(Entry calldata e) internal view returns (bytes32) {
        return entry(
            e.contractId,
            e.previousDigest,
            execution(e.context, e.inputHash, e.execution, e.refundTo),
            e.settlement,
            e.payment
        );
    }

    /// @notice The same, of the parts that are hashed.
    function entry(bytes32 id, bytes32 previousDigest, bytes32 executionHash, uint256 settlement, uint256 payment)
        internal
        view
        returns (bytes32)
    {
        bytes32 full = keccak256(
            abi.encode(ENTRY, block.chainid, address(this), id, previousDigest, executionHash, settlement, payment)
        );
        return full & ~bytes32(uint256(0xff));
    }

    /// @notice The hash of an outcome.
    function outcome(
        uint8 status,
        bytes32 outputHash,
        bytes32 sealedOutputHash,
        bytes32 sealedLogsHash,
        uint8 fuelBucket
    ) internal pure returns (bytes32) {
        uint256 tag = uint256(OUTCOME) >> 16 << 16 | uint256(status) << 8 | fuelBucket;
        return keccak256(abi.encode(outputHash, sealedOutputHash, sealedLogsHash, tag));
    }

    /// @notice The hash of a result, which every enclave computes alike.
    function result(bytes32 digest, bytes32 outcomeHash, bytes32 previousCommitment, bytes32 newCommitment)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(digest, outcomeHash, previousCommitment | RESULT >> 208, newCommitment));
    }

    /// @notice What is kept of an executed entry about which something is left to be done, without the flags.
    function outstanding(bytes32 digest, Outstanding memory o) internal pure returns (bytes32) {
        return keccak256(abi.encode(digest, o.status, o.outputHash, o.held, o.since)) & ~bytes32(uint256(0xff));
    }

    /// @notice `entry` and `result` of one item of a batch. The caller has checked that the item's
    /// output is no longer than its data, and that there is room for the logs' hash.
    /// @dev The same hashes as above, in assembly: with `abi.encode` they cost 2,000 gas more for each
    /// item. Preimages are built past the free memory pointer, which stays where it is.
    /// @param keys keyGroup 32 ‖ keyEpoch 32.
    function item(
        bytes32 id,
        uint256 keys,
        uint256 seq,
        bytes32 previousDigest,
        bytes32 previousCommitment,
        Item executed
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
            mstore(add(p, 0x80), previousDigest)
            // executionHash, settlement, and the parts of the fee, to which keys and position belong.
            calldatacopy(add(p, 0xa0), executed, 0x60)
            let payment := or(shl(112, shr(112, mload(add(p, 0xe0)))), or(shl(48, keys), seq))
            mstore(add(p, 0xe0), payment)
            digest := and(keccak256(p, 0x100), not(0xff))

            // newCommitment 208, status 8, fuelBucket 8, hasLogs 1, outputLength 31.
            let word := calldataload(add(executed, 82))
            let length := shr(224, calldataload(add(executed, 114)))
            let outputLength := and(word, 0x7fffffff)
            calldatacopy(p, add(executed, 118), length)
            let logsHash := 0
            if and(word, 0x80000000) {
                length := sub(length, 0x20)
                logsHash := mload(add(p, length))
            }
            let outputHash := keccak256(p, outputLength)
            let sealedOutputHash := keccak256(add(p, outputLength), sub(length, outputLength))

            mstore(p, outputHash)
            mstore(add(p, 0x20), sealedOutputHash)
            mstore(add(p, 0x40), logsHash)
            // Status and bucket stand together in the word.
            mstore(add(p, 0x60), or(and(outcomeDomain, not(0xffff)), and(shr(32, word), 0xffff)))
            let outcomeHash := keccak256(p, 0x80)

            mstore(p, digest)
            mstore(add(p, 0x20), outcomeHash)
            mstore(add(p, 0x40), or(previousCommitment, shr(208, resultDomain)))
            mstore(add(p, 0x60), and(word, not(0xffffffffffff)))
            resultHash := keccak256(p, 0x80)
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

    /// @notice The hash of a set of measurement ids, given the hash of their sorted concatenation.
    function measurementSet(bytes32 idsHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(MEASUREMENT_SET, idsHash));
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
