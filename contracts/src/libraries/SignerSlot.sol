// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EpochSet} from "./EpochSet.sol";

/// @notice What the registry knows of a signer, in one word, high to low: leaseUntil 40 ‖
/// tcbEvaluation 24 ‖ generation 24 ‖ teeKind 8 ‖ flags 8 (bit 0: revoked, bit 1: suspended) ‖
/// vouchers 16 ‖ product 16 ‖ measurementIndex 16 ‖ configIndex 16 ‖ machine 56 ‖ keyGroup 32.
///
/// The generation is the family's at admission: while it is the same, nothing was taken from the family
/// since, and what the signer rests on need not be looked up. Vouchers has bit n for the voucher with
/// index n. Product is the first 16 bits of the product's id, machine the first 56 of the machine's,
/// zero where the platform gives none. Measurement and configuration have the numbers that governance
/// gave them by adding them, so a signer can have none that was never added.
type SignerSlot is uint256;

using SignerSlots for SignerSlot global;

/// @title Reading and making a signer's word
library SignerSlots {
    uint256 private constant MACHINE = 32;
    uint256 private constant PAIR = 88;
    uint256 private constant MEASUREMENT = 104;
    uint256 private constant PRODUCT = 120;
    uint256 private constant VOUCHERS = 136;
    uint256 private constant REVOKED = 152;
    uint256 private constant SUSPENDED = 153;
    uint256 private constant TEE_KIND = 160;
    uint256 private constant GENERATION = 168;
    uint256 private constant TCB_EVALUATION = 192;
    uint256 private constant LEASE_UNTIL = 216;
    /// What a renewal leaves as it is: TEE kind, product, and the 120 bits below it.
    uint256 private constant IDENTITY = 0xff << TEE_KIND | (1 << VOUCHERS) - 1;

    /// @notice The word of a signer just admitted.
    /// @param productTag See `tagOf`.
    /// @param members measurementIndex 16 ‖ configIndex 16.
    /// @param machineTag See `machineOf`.
    function create(
        uint40 until,
        uint24 evaluation,
        uint24 familyGeneration,
        uint8 kind,
        uint16 voucherMask,
        uint16 productTag,
        uint32 members,
        uint56 machineTag,
        uint32 group
    ) internal pure returns (SignerSlot) {
        uint256 word = until;
        word = word << 24 | evaluation;
        word = word << 24 | familyGeneration;
        word = word << 8 | kind;
        // No flags.
        word = word << 8;
        word = word << 16 | voucherMask;
        word = word << 16 | productTag;
        word = word << 32 | members;
        word = word << 56 | machineTag;
        return SignerSlot.wrap(word << 32 | group);
    }

    /// @notice The same signer, revoked.
    function revoke(SignerSlot slot) internal pure returns (SignerSlot) {
        return SignerSlot.wrap(SignerSlot.unwrap(slot) | 1 << REVOKED);
    }

    /// @notice The same signer, suspended or not.
    function suspend(SignerSlot slot, bool on) internal pure returns (SignerSlot) {
        uint256 word = SignerSlot.unwrap(slot) & ~uint256(1 << SUSPENDED);
        return SignerSlot.wrap(on ? word | 1 << SUSPENDED : word);
    }

    /// @notice The same signer, of another generation than its family has, so that everything is looked up
    /// that it rests on until its lease is renewed once more.
    function behind(SignerSlot slot) internal pure returns (SignerSlot) {
        return SignerSlot.wrap(SignerSlot.unwrap(slot) ^ 1 << GENERATION + 23);
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

    function isSuspended(SignerSlot slot) internal pure returns (bool) {
        return SignerSlot.unwrap(slot) >> SUSPENDED & 1 != 0;
    }

    /// @notice Bit n: the voucher with index n vouched for the lease that runs.
    function vouchers(SignerSlot slot) internal pure returns (uint16) {
        return uint16(SignerSlot.unwrap(slot) >> VOUCHERS);
    }

    function product(SignerSlot slot) internal pure returns (uint16) {
        return uint16(SignerSlot.unwrap(slot) >> PRODUCT);
    }

    function measurementIndex(SignerSlot slot) internal pure returns (uint16) {
        return uint16(SignerSlot.unwrap(slot) >> MEASUREMENT);
    }

    function configIndex(SignerSlot slot) internal pure returns (uint16) {
        return uint16(SignerSlot.unwrap(slot) >> PAIR);
    }

    /// @notice measurementIndex 16 ‖ configIndex 16.
    function pair(SignerSlot slot) internal pure returns (uint32) {
        return uint32(SignerSlot.unwrap(slot) >> PAIR);
    }

    /// @notice The first 56 bits of the machine's id; zero if the platform gives none.
    function machine(SignerSlot slot) internal pure returns (uint56) {
        return uint56(SignerSlot.unwrap(slot) >> MACHINE);
    }

    function keyGroup(SignerSlot slot) internal pure returns (uint32) {
        return uint32(SignerSlot.unwrap(slot));
    }

    /// @notice Whether the signer's measurement and configuration are among the set's.
    function isOf(SignerSlot slot, EpochSet set) internal pure returns (bool) {
        return set.contains(slot.pair());
    }

    /// @notice Whether two words are of one enclave: the same TEE kind, product, measurement, configuration,
    /// machine and key group.
    function isOfSameEnclave(SignerSlot slot, SignerSlot other) internal pure returns (bool) {
        return (SignerSlot.unwrap(slot) ^ SignerSlot.unwrap(other)) & IDENTITY == 0;
    }

    /// @notice What of a product's id is kept.
    function tagOf(bytes32 productId) internal pure returns (uint16) {
        return uint16(bytes2(productId));
    }

    /// @notice What of a machine's id is kept. Ids are hashes, of which nobody finds two that agree in
    /// this unless by 2^56 machines.
    function machineOf(bytes32 machineId) internal pure returns (uint56) {
        return uint56(bytes7(machineId));
    }
}
