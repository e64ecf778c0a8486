// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {SignerAdmission} from "../interfaces/SubrosaTypes.sol";
import {SignerSlot, SignerSlots} from "../libraries/SignerSlot.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Admitting enclaves' signers
abstract contract Signers is TypedData, ISubrosaRegistry {
    bytes32 private constant TYPE_HASH = keccak256(
        "SignerAdmission(address signer,bytes32 transferKeyHash,bytes32 measurementId,bytes32 configHash,bytes32 rootId,uint8 teeKind,bytes32 machineId,uint8 tcbStatus,uint32 tcbEvaluation,bytes32 policyHash,bytes32 evidenceHash,uint64 challengeBlock,bytes32 challengeBlockHash,address registrant,uint64 notAfter)"
    );

    /// @dev What is known of a signer whose evidence passed, whoever appraised it.
    struct Enrollment {
        address signer;
        bytes32 transferKeyHash;
        bytes32 measurementId;
        bytes32 configHash;
        bytes32 rootId;
        uint8 teeKind;
        bytes32 machineId;
        uint8 tcbStatus;
        uint32 tcbEvaluation;
        bytes32 policyHash;
        bytes32 evidenceHash;
        uint64 notAfter;
    }

    /// @inheritdoc ISubrosaRegistry
    uint40 public immutable maximumLease;

    constructor(uint40 maximumLease_) {
        maximumLease = maximumLease_;
    }

    /// @inheritdoc ISubrosaRegistry
    function admit(SignerAdmission calldata admission, bytes[] calldata signatures) external {
        _checkVerifiers(admission, signatures);
        _checkChallenge(admission);
        _enroll(
            Enrollment({
                signer: admission.signer,
                transferKeyHash: admission.transferKeyHash,
                measurementId: admission.measurementId,
                configHash: admission.configHash,
                rootId: admission.rootId,
                teeKind: admission.teeKind,
                machineId: admission.machineId,
                tcbStatus: admission.tcbStatus,
                tcbEvaluation: admission.tcbEvaluation,
                policyHash: admission.policyHash,
                evidenceHash: admission.evidenceHash,
                notAfter: admission.notAfter
            })
        );
    }

    /// @inheritdoc ISubrosaRegistry
    function checkSigner(address signer, bytes32 measurementId, bytes32 configHash)
        public
        view
        returns (uint32 keyGroup)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        SignerSlot slot = $.signers[signer];
        if (slot.isRevoked()) revert SignerIsRevoked(signer);
        if (slot.leaseUntil() == 0) revert SignerUnknown(signer);
        if (block.timestamp >= slot.leaseUntil()) revert LeaseEnded(signer, slot.leaseUntil());
        if (!slot.isBoundTo(measurementId, configHash)) revert BindingMismatch(signer, measurementId, configHash);

        RegistryStorage.Family memory family = $.families[slot.teeKind()];
        _checkFamily(family, slot.teeKind(), slot.tcbEvaluation());
        if (family.generation != slot.generation() && $.measurements[measurementId].revoked) {
            revert MeasurementIsRevoked(measurementId);
        }
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

    /// @dev Leases the signer, once governance's word on measurement, configuration and family has been
    /// heard. That the evidence says what the enrollment says is for the caller to have checked.
    function _enroll(Enrollment memory e) internal {
        if (e.signer == address(0)) revert ZeroSigner();
        if (e.notAfter <= block.timestamp) revert AdmissionExpired(e.notAfter);

        RegistryStorage.Layout storage $ = RegistryStorage.load();
        SignerSlot known = $.signers[e.signer];
        if (known.isRevoked()) revert SignerIsRevoked(e.signer);
        if (known.leaseUntil() != 0) revert SignerExists(e.signer);

        _checkMeasurement(e);
        RegistryStorage.Family memory family = $.families[e.teeKind];
        _checkFamily(family, e.teeKind, e.tcbEvaluation);

        uint40 leaseUntil = uint40(Math.min(e.notAfter, block.timestamp + maximumLease));
        $.signers[e.signer] = SignerSlots.create(
            leaseUntil,
            e.tcbEvaluation,
            family.generation,
            e.teeKind,
            _checkConfig(e.configHash),
            e.measurementId,
            e.configHash
        );
        emit SignerAdmitted(
            e.signer,
            e.measurementId,
            e.machineId,
            e.configHash,
            e.transferKeyHash,
            e.evidenceHash,
            e.policyHash,
            e.tcbStatus,
            e.tcbEvaluation,
            leaseUntil
        );
    }

    /// @dev Reverts unless exactly as many trusted verifiers as the threshold asks for, in ascending
    /// order and so distinct, signed the admission.
    function _checkVerifiers(SignerAdmission calldata admission, bytes[] calldata signatures) private view {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        uint256 threshold = $.verifierThreshold;
        if (signatures.length != threshold) revert WrongSignatureCount(signatures.length, threshold);

        bytes32 message = _typedDataHash(keccak256(abi.encode(TYPE_HASH, admission)));
        address last;
        for (uint256 i = 0; i < threshold; ++i) {
            (address verifier, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(message, signatures[i]);
            if (failure != ECDSA.RecoverError.NoError) revert InvalidSignature();
            if (verifier <= last) revert VerifiersNotAscending(verifier);
            if (!$.verifiers[verifier]) revert VerifierUnknown(verifier);
            last = verifier;
        }
    }

    /// @dev Freshness: the challenge cannot have been known before its block, and nothing older than
    /// what BLOCKHASH still tells is taken.
    function _checkChallenge(SignerAdmission calldata admission) private view {
        bytes32 known = blockhash(admission.challengeBlock);
        if (known == 0 || known != admission.challengeBlockHash) {
            revert ChallengeStale(admission.challengeBlock, admission.challengeBlockHash);
        }
    }

    function _checkMeasurement(Enrollment memory e) private view {
        bytes32 id = e.measurementId;
        RegistryStorage.Measurement memory m = RegistryStorage.load().measurements[id];
        if (m.activeFrom == 0) revert MeasurementUnknown(id);
        if (m.revoked) revert MeasurementIsRevoked(id);
        if (block.timestamp < m.activeFrom) revert MeasurementNotActive(id, m.activeFrom);
        if (m.teeKind != e.teeKind || m.root != bytes25(e.rootId)) {
            revert MeasurementMismatch(id, e.rootId, e.teeKind);
        }
    }

    function _checkConfig(bytes32 configHash) private view returns (uint32 keyGroup) {
        RegistryStorage.Config memory config = RegistryStorage.load().configs[configHash];
        if (config.activeFrom == 0 || config.removed) revert ConfigUnknown(configHash);
        if (block.timestamp < config.activeFrom) revert ConfigNotActive(configHash, config.activeFrom);
        return config.keyGroup;
    }

    function _checkFamily(RegistryStorage.Family memory family, uint8 teeKind, uint32 tcbEvaluation) private pure {
        if (family.stopped) revert FamilyIsStopped(teeKind);
        if (tcbEvaluation < family.minimumTcbEvaluation) {
            revert TcbTooOld(teeKind, tcbEvaluation, family.minimumTcbEvaluation);
        }
    }
}
