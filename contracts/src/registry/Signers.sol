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

    /// @inheritdoc ISubrosaRegistry
    uint40 public immutable maximumLease;

    constructor(uint40 maximumLease_) {
        maximumLease = maximumLease_;
    }

    /// @inheritdoc ISubrosaRegistry
    function admit(SignerAdmission calldata admission, bytes[] calldata signatures) external {
        _checkVerifiers(admission, signatures);
        _checkChallenge(admission);
        if (admission.signer == address(0)) revert ZeroSigner();
        if (admission.notAfter <= block.timestamp) revert AdmissionExpired(admission.notAfter);

        RegistryStorage.Layout storage $ = RegistryStorage.load();
        SignerSlot known = $.signers[admission.signer];
        if (known.isRevoked()) revert SignerIsRevoked(admission.signer);
        if (known.leaseUntil() != 0) revert SignerExists(admission.signer);

        _checkMeasurement(admission);
        RegistryStorage.Family memory family = $.families[admission.teeKind];
        _checkFamily(family, admission.teeKind, admission.tcbEvaluation);

        uint40 leaseUntil = uint40(Math.min(admission.notAfter, block.timestamp + maximumLease));
        $.signers[admission.signer] = SignerSlots.create(
            leaseUntil,
            admission.tcbEvaluation,
            family.generation,
            admission.teeKind,
            _checkConfig(admission.configHash),
            admission.measurementId,
            admission.configHash
        );
        _announce(admission, leaseUntil);
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

    function _checkMeasurement(SignerAdmission calldata admission) private view {
        bytes32 id = admission.measurementId;
        RegistryStorage.Measurement memory m = RegistryStorage.load().measurements[id];
        if (m.activeFrom == 0) revert MeasurementUnknown(id);
        if (m.revoked) revert MeasurementIsRevoked(id);
        if (block.timestamp < m.activeFrom) revert MeasurementNotActive(id, m.activeFrom);
        if (m.teeKind != admission.teeKind || m.root != bytes25(admission.rootId)) {
            revert MeasurementMismatch(id, admission.rootId, admission.teeKind);
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

    function _announce(SignerAdmission calldata a, uint40 leaseUntil) private {
        emit SignerAdmitted(
            a.signer,
            a.measurementId,
            a.machineId,
            a.configHash,
            a.transferKeyHash,
            a.evidenceHash,
            a.policyHash,
            a.tcbStatus,
            a.tcbEvaluation,
            leaseUntil
        );
    }
}
