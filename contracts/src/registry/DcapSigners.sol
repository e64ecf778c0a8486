// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DcapClaims, ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {ISubrosaSigners} from "../interfaces/ISubrosaSigners.sol";
import {DcapRegistration, ReportBinding, SignerAdmission} from "../interfaces/SubrosaTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Signers} from "./Signers.sol";

/// @title Admitting enclaves' signers by their quotes, without any verifier
/// @notice The quote is verified by another contract, which governance names: this one stays small,
/// and what Intel changes tomorrow does not replace it.
abstract contract DcapSigners is Signers {
    uint16 private constant BINDING_VERSION = 1;

    /// @inheritdoc ISubrosaSigners
    function registerSignerDcap(DcapRegistration calldata registration) external {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        (address verifier, uint256 acceptedStatuses) = ($.dcap, $.acceptedTcbStatuses);
        if (verifier == address(0)) revert DcapNotAccepted();

        DcapClaims memory claims = ISubrosaDcap(verifier)
            .verifyQuote(
                registration.quote,
                registration.pckCertificate,
                registration.rootId,
                registration.pckAuthority,
                registration.tcbInfo,
                registration.qeIdentity
            );
        // Who registers says by which TCB info to go, so governance has to have said how old that may be.
        if ($.families[claims.teeKind].minimumTcbEvaluation == 0) revert TcbMinimumUnset(claims.teeKind);
        if (acceptedStatuses >> claims.tcbStatus & 1 == 0) revert TcbStatusRefused(claims.tcbStatus);
        _checkReport(registration, claims);
        if (claims.configRegisterHash != 0) {
            bytes32 expected = ISubrosaDcap(verifier).configRegisterHash(registration.configHash);
            if (claims.configRegisterHash != expected) revert ConfigRegisterMismatch(registration.configHash);
        }
        _enroll(
            SignerAdmission({
                signer: registration.signer,
                transferKeyHash: registration.transferKeyHash,
                measurementId: Digests.measurement(registration.rootId, claims.teeKind, claims.measurementHash),
                configHash: registration.configHash,
                startHash: registration.startHash,
                rootId: registration.rootId,
                teeKind: claims.teeKind,
                product: Digests.product(claims.teeKind, keccak256(abi.encodePacked(claims.fmspc))),
                machineId: claims.machineId,
                tcbStatus: claims.tcbStatus,
                tcbEvaluation: claims.tcbEvaluation,
                policyHash: 0,
                evidenceHash: claims.evidenceHash,
                challengeBlock: registration.challengeBlock,
                // Checked with the report data.
                challengeBlockHash: 0,
                registrant: msg.sender,
                notAfter: claims.expires
            }),
            uint16(1) << $.dcapIndex,
            $.suspendedVouchers & uint16(1) << $.dcapIndex
        );
    }

    /// @dev The report data binds keys, configuration and start, and answers a challenge that nobody knew
    /// before the challenge block and nobody but the caller can use.
    function _checkReport(DcapRegistration calldata registration, DcapClaims memory claims) private view {
        bytes32 binding = Digests.reportData(
            ReportBinding({
                domain: Digests.REPORT_DATA,
                version: BINDING_VERSION,
                signer: registration.signer,
                transferKeyHash: registration.transferKeyHash,
                configHash: registration.configHash,
                startHash: registration.startHash
            })
        );
        bytes32 blockHash = _blockHash(registration.challengeBlock);
        if (blockHash == 0) revert ChallengeStale(registration.challengeBlock, blockHash);
        bytes32 answer = Digests.registrationChallenge(blockHash, msg.sender);
        if (claims.reportDataHigh != binding || claims.reportDataLow != answer) revert ReportDataMismatch();
    }
}
