// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EnclaveConfig, Entry, EpochOpening, Outstanding, ReportBinding} from "../interfaces/SubrosaTypes.sol";

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
    bytes32 internal constant START = keccak256("subrosa.v1.start");
    bytes32 internal constant REPORT_DATA = keccak256("subrosa.v1.report-data");
    bytes32 internal constant CLIENT_CHALLENGE = keccak256("subrosa.v1.client-challenge");
    bytes32 internal constant REGISTRATION_CHALLENGE = keccak256("subrosa.v1.registration-challenge");

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

    /// @notice Second half of an enclave's report data, for a client that challenged it.
    function clientChallenge(bytes memory challenge) internal pure returns (bytes32) {
        return sha256(bytes.concat(CLIENT_CHALLENGE, challenge));
    }

    /// @notice Second half of an enclave's report data, for whoever registers its signer.
    function registrationChallenge(bytes32 blockHash, address registrant) internal pure returns (bytes32) {
        return sha256(bytes.concat(REGISTRATION_CHALLENGE, blockHash, bytes20(registrant)));
    }
}
