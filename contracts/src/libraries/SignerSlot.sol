// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What the registry knows of a signer, in one word, high to low: leaseUntil 40 ‖
/// tcbEvaluation 24 ‖ generation 24 ‖ teeKind 8 ‖ flags 8 (bit 0: revoked) ‖ keyGroup 32 ‖
/// vouchers 16 ‖ product 16 ‖ binding 88.
///
/// The generation is the family's at admission: while it is the same, nothing was taken from the family
/// since, and what the signer rests on need not be looked up. Vouchers has bit n for the voucher with
/// index n. Product is the first 16 bits of the product's id.
///
/// The binding is the first 88 bits of keccak256(abi.encode(measurementId, configHash)). Who wants to
/// pass for another build or configuration needs a second preimage made of two values that governance
/// approved before, each of them a hash. A collision, 2^44 work, has to be prepared by whoever proposes
/// both builds to governance; it lets a signer of the one pass for the other, approved too, until its
/// lease ends, which is soon.
type SignerSlot is uint256;

using SignerSlots for SignerSlot global;

/// @title Reading and making a signer's word
library SignerSlots {
    uint256 private constant PRODUCT = 88;
    uint256 private constant VOUCHERS = 104;
    uint256 private constant KEY_GROUP = 120;
    uint256 private constant REVOKED = 152;
    uint256 private constant TEE_KIND = 160;
    uint256 private constant GENERATION = 168;
    uint256 private constant TCB_EVALUATION = 192;
    uint256 private constant LEASE_UNTIL = 216;
    /// What a renewal leaves as it is: TEE kind, key group, product and binding.
    uint256 private constant IDENTITY =
        0xff << TEE_KIND | 0xffffffff << KEY_GROUP | 0xffff << PRODUCT | 0xffffffffffffffffffffff;

    /// @notice The word of a signer just admitted.
    /// @param productTag See `tagOf`.
    /// @param bound See `bindingOf`.
    function create(
        uint40 until,
        uint24 evaluation,
        uint24 familyGeneration,
        uint8 kind,
        uint32 group,
        uint16 voucherMask,
        uint16 productTag,
        uint88 bound
    ) internal pure returns (SignerSlot) {
        uint256 word = until;
        word = word << 24 | evaluation;
        word = word << 24 | familyGeneration;
        word = word << 8 | kind;
        // No flags.
        word = word << 8;
        word = word << 32 | group;
        word = word << 16 | voucherMask;
        word = word << 16 | productTag;
        return SignerSlot.wrap(word << 88 | bound);
    }

    /// @notice The same signer, revoked.
    function revoke(SignerSlot slot) internal pure returns (SignerSlot) {
        return SignerSlot.wrap(SignerSlot.unwrap(slot) | 1 << REVOKED);
    }

    /// @notice Unix seconds; zero if never admitted.
    function leaseUntil(SignerSlot slot) internal pure returns (uint40) {
        return uint40(SignerSlot.unwrap(slot) >> LEASE_UNTIL);
    }

    function tcbEvaluation(SignerSlot slot) internal pure returns (uint24) {
        return uint24(SignerSlot.unwrap(slot) >> TCB_EVALUATION);
    }

    function generation(SignerSlot slot) internal pure returns (uint24) {
        return uint24(SignerSlot.unwrap(slot) >> GENERATION);
    }

    function teeKind(SignerSlot slot) internal pure returns (uint8) {
        return uint8(SignerSlot.unwrap(slot) >> TEE_KIND);
    }

    function isRevoked(SignerSlot slot) internal pure returns (bool) {
        return SignerSlot.unwrap(slot) >> REVOKED & 1 != 0;
    }

    function keyGroup(SignerSlot slot) internal pure returns (uint32) {
        return uint32(SignerSlot.unwrap(slot) >> KEY_GROUP);
    }

    /// @notice Bit n: the voucher with index n vouched for the lease that runs.
    function vouchers(SignerSlot slot) internal pure returns (uint16) {
        return uint16(SignerSlot.unwrap(slot) >> VOUCHERS);
    }

    /// @notice What of the machine's id is kept; zero where the platform gives none.
    function machine(SignerSlot) internal pure returns (uint256) {
        return 0;
    }

    function product(SignerSlot slot) internal pure returns (uint16) {
        return uint16(SignerSlot.unwrap(slot) >> PRODUCT);
    }

    /// @notice Whether the signer was admitted with this measurement and configuration.
    function isBoundTo(SignerSlot slot, bytes32 measurementId, bytes32 configHash) internal pure returns (bool) {
        return uint88(SignerSlot.unwrap(slot)) == bindingOf(measurementId, configHash);
    }

    /// @notice Whether two words are of one enclave: the same TEE kind, key group, product and binding.
    function isOfSameEnclave(SignerSlot slot, SignerSlot other) internal pure returns (bool) {
        return (SignerSlot.unwrap(slot) ^ SignerSlot.unwrap(other)) & IDENTITY == 0;
    }

    /// @notice The first 88 bits of the hash of both.
    function bindingOf(bytes32 measurementId, bytes32 configHash) internal pure returns (uint88) {
        return uint88(uint256(keccak256(abi.encode(measurementId, configHash))) >> 168);
    }

    /// @notice What of a product's id is kept.
    function tagOf(bytes32 productId) internal pure returns (uint16) {
        return uint16(bytes2(productId));
    }
}
