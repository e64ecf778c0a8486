// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {SignerAdmission} from "../interfaces/SubrosaTypes.sol";
import {SignerSlot, SignerSlots} from "../libraries/SignerSlot.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {Leases} from "./Leases.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Admitting enclaves' signers
abstract contract Signers is TypedData, Leases {
    bytes32 private constant TYPE_HASH = keccak256(
        "SignerAdmission(address signer,bytes32 transferKeyHash,bytes32 measurementId,bytes32 configHash,bytes32 startHash,bytes32 rootId,uint8 teeKind,bytes32 product,bytes32 machineId,uint8 tcbStatus,uint32 tcbEvaluation,bytes32 policyHash,bytes32 evidenceHash,uint64 challengeBlock,bytes32 challengeBlockHash,address registrant,uint64 notAfter)"
    );

    /// @inheritdoc ISubrosaRegistry
    function admit(SignerAdmission calldata admission, bytes[] calldata signatures) external {
        (SignerAdmission memory a, bytes32 structHash) = _read(admission);
        uint16 vouchers = _checkVerifiers(_typedDataHash(structHash), signatures);
        _checkChallenge(a);
        _enroll(a, vouchers);
    }

    /// @inheritdoc ISubrosaRegistry
    function checkSigner(address signer, uint32 keyGroup, uint32) external view returns (uint256 record) {
        SignerSlot slot = RegistryStorage.load().signers[signer];
        if (slot.isRevoked()) revert SignerIsRevoked(signer);
        if (slot.leaseUntil() == 0) revert SignerUnknown(signer);
        if (block.timestamp >= slot.leaseUntil()) revert LeaseEnded(signer, slot.leaseUntil());
        if (slot.keyGroup() != keyGroup) revert WrongKeyGroup(keyGroup, slot.keyGroup());
        return SignerSlot.unwrap(slot);
    }

    /// @inheritdoc ISubrosaRegistry
    function isRetired(uint32, uint32) external pure returns (bool) {
        return false;
    }

    function _checkSigner(address signer, bytes32 measurementId, bytes32 configHash)
        internal
        view
        returns (uint32 keyGroup)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        SignerSlot slot = $.signers[signer];
        if (slot.isRevoked()) revert SignerIsRevoked(signer);
        if (slot.leaseUntil() == 0) revert SignerUnknown(signer);
        if (block.timestamp >= slot.leaseUntil()) revert LeaseEnded(signer, slot.leaseUntil());
        if (!slot.isBoundTo(measurementId, configHash)) revert BindingMismatch(signer, measurementId, configHash);

        RegistryStorage.Family storage family = $.families[slot.teeKind()];
        _checkFamily(family, slot.teeKind(), slot.tcbEvaluation());
        if (family.generation != slot.generation()) _checkNothingTaken(slot, signer, measurementId, configHash);
        return slot.keyGroup();
    }

    /// @inheritdoc ISubrosaRegistry
    function signerOf(address signer)
        external
        view
        returns (uint40 leaseUntil, uint32 tcbEvaluation, uint8 teeKind, uint32 keyGroup, bool revoked)
    {
        SignerSlot slot = RegistryStorage.load().signers[signer];
        return (slot.leaseUntil(), slot.tcbEvaluation(), slot.teeKind(), slot.keyGroup(), slot.isRevoked());
    }

    /// @inheritdoc ISubrosaRegistry
    function foundationOf(address signer) external view returns (uint16 vouchers, uint16 product) {
        SignerSlot slot = RegistryStorage.load().signers[signer];
        return (slot.vouchers(), slot.product());
    }

    /// @dev Leases the signer, or renews its lease, once governance's word on everything it rests on has
    /// been heard. That the evidence says what the admission says is for the caller to have checked.
    /// @param vouchers Who checked: bit n for the voucher with index n.
    function _enroll(SignerAdmission memory a, uint16 vouchers) internal {
        if (a.signer == address(0)) revert ZeroSigner();
        if (a.notAfter <= block.timestamp) revert AdmissionExpired(a.notAfter);
        if (a.tcbEvaluation > type(uint24).max) revert TcbEvaluationTooLarge(a.tcbEvaluation);

        RegistryStorage.Layout storage $ = RegistryStorage.load();
        SignerSlot known = $.signers[a.signer];
        if (known.isRevoked()) revert SignerIsRevoked(a.signer);
        _checkMeasurement(a);
        RegistryStorage.Family storage family = $.families[a.teeKind];
        _checkFamily(family, a.teeKind, a.tcbEvaluation);
        if (family.denials != 0 && $.denied[a.teeKind][a.product]) revert ProductIsDenied(a.teeKind, a.product);

        uint40 leaseUntil = uint40(Math.min(a.notAfter, block.timestamp + maximumLease));
        SignerSlot slot = SignerSlots.create(
            leaseUntil,
            uint24(a.tcbEvaluation),
            family.generation,
            a.teeKind,
            _checkConfig(a.configHash),
            vouchers,
            SignerSlots.tagOf(a.product),
            SignerSlots.bindingOf(a.measurementId, a.configHash)
        );
        if (known.leaseUntil() != 0) _checkRenewal(known, slot, a.signer);
        $.signers[a.signer] = slot;
        emit SignerAdmitted(
            a.signer,
            a.measurementId,
            a.machineId,
            a.product,
            a.configHash,
            a.startHash,
            a.transferKeyHash,
            a.evidenceHash,
            a.policyHash,
            a.tcbStatus,
            a.tcbEvaluation,
            leaseUntil
        );
    }

    /// @dev The same enclave, whose lease still runs and does not get shorter. What changes nothing is
    /// refused, as whoever shows an admission twice should learn that the second time was for nothing.
    function _checkRenewal(SignerSlot known, SignerSlot slot, address signer) private view {
        uint256 until = known.leaseUntil();
        if (block.timestamp >= until) revert LeaseEnded(signer, until);
        if (!known.isOfSameEnclave(slot)) revert SignerExists(signer);
        if (slot.leaseUntil() < until || SignerSlot.unwrap(slot) == SignerSlot.unwrap(known)) {
            revert LeaseNotRenewed(signer, until);
        }
    }

    /// @dev Looks up everything a signer rests on that can be taken away from under it.
    function _checkNothingTaken(SignerSlot slot, address signer, bytes32 measurementId, bytes32 configHash)
        private
        view
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        if ($.measurements[measurementId].revoked) revert MeasurementIsRevoked(measurementId);
        if ($.configs[configHash].removed) revert ConfigUnknown(configHash);
        (uint8 teeKind, uint16 tag) = (slot.teeKind(), slot.product());
        if ($.deniedTags[teeKind][tag] != 0) revert ProductIsDenied(teeKind, bytes32(bytes2(tag)));
        uint16 void = slot.vouchers() & $.revokedVouchers;
        if (void != 0) revert VouchersRevoked(signer, void);
    }

    /// @dev The admission in memory, and its EIP-712 struct hash. All its 17 fields are words, so the hash's
    /// preimage holds it as memory does, behind the type hash. Bits that a field's type has not are hashed
    /// and then ignored: no verifier signs them.
    function _read(SignerAdmission calldata admission)
        private
        pure
        returns (SignerAdmission memory a, bytes32 structHash)
    {
        bytes32 typeHash = TYPE_HASH;
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore(preimage, typeHash)
            a := add(preimage, 0x20)
            calldatacopy(a, admission, 0x220)
            structHash := keccak256(preimage, 0x240)
            mstore(0x40, add(preimage, 0x240))
        }
    }

    /// @dev Reverts unless exactly as many trusted verifiers as the threshold asks for, in ascending
    /// order and so distinct, signed the message. Gives their mask.
    function _checkVerifiers(bytes32 message, bytes[] calldata signatures) private view returns (uint16 vouchers) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        uint256 count = signatures.length;
        if (count == 0) revert WrongSignatureCount(0, $.verifierThreshold);

        address last;
        for (uint256 i = 0; i < count; ++i) {
            (address verifier, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(message, signatures[i]);
            if (failure != ECDSA.RecoverError.NoError) revert InvalidSignature();
            if (verifier <= last) revert VerifiersNotAscending(verifier);
            RegistryStorage.Voucher storage voucher = $.vouchers[verifier];
            uint256 threshold = voucher.threshold;
            if (threshold == 0) revert VerifierUnknown(verifier);
            if (count != threshold) revert WrongSignatureCount(count, threshold);
            vouchers |= uint16(1) << voucher.index;
            last = verifier;
        }
    }

    /// @dev Freshness: the challenge cannot have been known before its block, and nothing is taken that is
    /// older than what BLOCKHASH still tells, or EIP-2935's history.
    function _checkChallenge(SignerAdmission memory admission) private view {
        bytes32 known = Blockhash.blockHash(admission.challengeBlock);
        if (known == 0 || known != admission.challengeBlockHash) {
            revert ChallengeStale(admission.challengeBlock, admission.challengeBlockHash);
        }
    }

    function _checkMeasurement(SignerAdmission memory a) private view {
        bytes32 id = a.measurementId;
        RegistryStorage.Measurement storage m = RegistryStorage.load().measurements[id];
        if (m.activeFrom == 0) revert MeasurementUnknown(id);
        if (m.revoked) revert MeasurementIsRevoked(id);
        if (block.timestamp < m.activeFrom) revert MeasurementNotActive(id, m.activeFrom);
        if (m.teeKind != a.teeKind || m.root != bytes25(a.rootId)) {
            revert MeasurementMismatch(id, a.rootId, a.teeKind);
        }
    }

    function _checkConfig(bytes32 configHash) private view returns (uint32 keyGroup) {
        RegistryStorage.Config storage config = RegistryStorage.load().configs[configHash];
        if (config.activeFrom == 0 || config.removed) revert ConfigUnknown(configHash);
        if (block.timestamp < config.activeFrom) revert ConfigNotActive(configHash, config.activeFrom);
        return config.keyGroup;
    }

    function _checkFamily(RegistryStorage.Family storage family, uint8 teeKind, uint32 tcbEvaluation) private view {
        if (family.stopped) revert FamilyIsStopped(teeKind);
        if (tcbEvaluation < family.minimumTcbEvaluation) {
            revert TcbTooOld(teeKind, tcbEvaluation, family.minimumTcbEvaluation);
        }
    }
}
