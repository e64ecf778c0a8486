// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What the registry knows of a signer, in one word, high to low: leaseUntil 40 ‖
/// tcbEvaluation 32 ‖ generation 24 ‖ teeKind 8 ‖ revoked 8 ‖ keyGroup 32 ‖ binding 112.
///
/// The generation is the family's at admission: while it is the same, no measurement of the family
/// was revoked since, and the signer's own need not be looked up. The binding is the first 112 bits
/// of keccak256(abi.encode(measurementId, configHash)). Only a second preimage would help anyone:
/// governance approved both values beforehand.
type SignerSlot is uint256;

using SignerSlots for SignerSlot global;

/// @title Reading and making a signer's word
library SignerSlots {
    uint256 private constant KEY_GROUP = 112;
    uint256 private constant REVOKED = 144;
    uint256 private constant TEE_KIND = 152;
    uint256 private constant GENERATION = 160;
    uint256 private constant TCB_EVALUATION = 184;
    uint256 private constant LEASE_UNTIL = 216;

    /// @notice The word of a signer just admitted.
    function create(
        uint40 until,
        uint32 evaluation,
        uint24 familyGeneration,
        uint8 kind,
        uint32 group,
        bytes32 measurementId,
        bytes32 configHash
    ) internal pure returns (SignerSlot) {
        return SignerSlot.wrap(
            uint256(until) << LEASE_UNTIL | uint256(evaluation) << TCB_EVALUATION | uint256(familyGeneration)
                << GENERATION | uint256(kind) << TEE_KIND | uint256(group) << KEY_GROUP
                | bindingOf(measurementId, configHash)
        );
    }

    /// @notice The same signer, revoked.
    function revoke(SignerSlot slot) internal pure returns (SignerSlot) {
        return SignerSlot.wrap(SignerSlot.unwrap(slot) | 1 << REVOKED);
    }

    /// @notice Unix seconds; zero if never admitted.
    function leaseUntil(SignerSlot slot) internal pure returns (uint40) {
        return uint40(SignerSlot.unwrap(slot) >> LEASE_UNTIL);
    }

    function tcbEvaluation(SignerSlot slot) internal pure returns (uint32) {
        return uint32(SignerSlot.unwrap(slot) >> TCB_EVALUATION);
    }

    function generation(SignerSlot slot) internal pure returns (uint24) {
        return uint24(SignerSlot.unwrap(slot) >> GENERATION);
    }

    function teeKind(SignerSlot slot) internal pure returns (uint8) {
        return uint8(SignerSlot.unwrap(slot) >> TEE_KIND);
    }

    function isRevoked(SignerSlot slot) internal pure returns (bool) {
        return uint8(SignerSlot.unwrap(slot) >> REVOKED) != 0;
    }

    function keyGroup(SignerSlot slot) internal pure returns (uint32) {
        return uint32(SignerSlot.unwrap(slot) >> KEY_GROUP);
    }

    /// @notice Whether the signer was admitted with this measurement and configuration.
    function isBoundTo(SignerSlot slot, bytes32 measurementId, bytes32 configHash) internal pure returns (bool) {
        return uint112(SignerSlot.unwrap(slot)) == bindingOf(measurementId, configHash);
    }

    /// @notice 112 bits.
    function bindingOf(bytes32 measurementId, bytes32 configHash) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(measurementId, configHash))) >> 144;
    }
}
