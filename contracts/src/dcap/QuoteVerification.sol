// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {DcapClaims, ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {Certificate, Certificates} from "./Certificates.sol";
import {CodeBlob} from "./CodeBlob.sol";
import {CollateralRecord} from "./CollateralRecord.sol";
import {CollateralStorage} from "./CollateralStorage.sol";
import {Collateral} from "./Collateral.sol";
import {PackedBytes} from "./PackedBytes.sol";
import {PckExtension, Platform} from "./PckExtension.sol";
import {QeIdentity} from "./QeIdentity.sol";
import {Quote, Quotes} from "./Quotes.sol";
import {RevocationLists} from "./RevocationLists.sol";
import {TcbLevels} from "./TcbLevels.sol";
import {TcbStatus} from "./TcbStatus.sol";
import {TdReports} from "./TdReports.sol";

/// @title Verifying quotes against the collateral kept
abstract contract QuoteVerification is Collateral {
    using CalldataBytes for bytes;

    bytes32 private constant MACHINE = keccak256("subrosa.v1.machine");

    /// @dev What the collateral of one verification has in common.
    struct Appraisal {
        bytes32 rootId;
        /// Which TCB info and QE identity to go by; zero for the latest.
        bytes32 tcbInfo;
        bytes32 qeIdentity;
        /// The root's revocation list; zero if it revokes nothing.
        address rootCrl;
        /// The earliest end of all that was used so far.
        uint256 expires;
        /// The lowest evaluation number so far.
        uint256 evaluation;
    }

    /// @inheritdoc ISubrosaDcap
    function verifyQuote(
        bytes calldata quote,
        bytes calldata pckCertificate,
        bytes32 rootId,
        bytes32 pckAuthority,
        bytes32 tcbInfo,
        bytes32 qeIdentity
    ) external view returns (DcapClaims memory claims) {
        Quote memory parts = Quotes.read(quote);
        Appraisal memory appraisal = Appraisal({
            rootId: rootId,
            tcbInfo: tcbInfo,
            qeIdentity: qeIdentity,
            rootCrl: address(0),
            expires: type(uint40).max,
            evaluation: type(uint16).max
        });
        appraisal.rootCrl = _use(appraisal, CollateralStorage.rootCrlKey(rootId)).blob();

        Certificate memory pck = _verifyPck(appraisal, pckCertificate, pckAuthority);
        _verifySignatures(quote, parts, pck);

        claims.rootId = rootId;
        claims.teeKind = parts.tdx ? CollateralStorage.TDX : CollateralStorage.SGX;
        Platform memory platform = PckExtension.read(pckCertificate, pck.sgxStart, pck.sgxEnd);
        claims.machineId = keccak256(abi.encode(MACHINE, rootId, platform.ppidHash));
        claims.fmspc = bytes6(uint48(platform.fmspc));
        claims.tcbStatus = uint8(_judge(appraisal, quote, parts, platform));
        claims.tcbEvaluation = uint32(appraisal.evaluation);
        claims.expires = uint40(appraisal.expires);
        _readReport(quote, parts, claims);
    }

    /// @dev The record under a key, which must not have run out.
    function _use(Appraisal memory appraisal, bytes32 key) private view returns (CollateralRecord record) {
        record = CollateralStorage.load().records[key];
        if (record.issued() == 0) revert CollateralMissing(key);
        if (block.timestamp > record.expires()) revert CollateralExpired(key, record.expires());
        appraisal.expires = Math.min(appraisal.expires, record.expires());
    }

    /// @dev The packed TCB info or QE identity of a subject, whose signer must not be revoked.
    /// @param key The subject's.
    function _useSigned(Appraisal memory appraisal, bytes32 key, bytes32 edition)
        private
        view
        returns (bytes memory packed)
    {
        CollateralRecord record = _use(appraisal, edition == 0 ? key : CollateralStorage.editionKey(key, edition));
        appraisal.evaluation = Math.min(appraisal.evaluation, record.evaluation());
        packed = CodeBlob.read(record.blob());
        _requireNotRevokedByRoot(appraisal, PackedBytes.take(PackedBytes.start(packed), 8));
    }

    function _requireNotRevokedByRoot(Appraisal memory appraisal, uint256 serial) private view {
        if (appraisal.rootCrl == address(0)) return;
        if (RevocationLists.contains(CodeBlob.read(appraisal.rootCrl), 0, serial)) revert CertificateRevoked(serial);
    }

    /// @dev Verifies the PCK certificate. That the authority's id is the hash of root, name, key and
    /// serial number is what ties the certificate to all of them.
    function _verifyPck(Appraisal memory appraisal, bytes calldata der, bytes32 id)
        private
        view
        returns (Certificate memory pck)
    {
        bytes memory authority = CodeBlob.read(_use(appraisal, id).blob());
        uint256 place = PackedBytes.start(authority);
        uint256 x = PackedBytes.take(place, 32);
        uint256 y = PackedBytes.take(place + 32, 32);
        uint256 serial = PackedBytes.take(place + 64, 8);

        pck = Certificates.read(der);
        if (CollateralStorage.pckAuthorityId(appraisal.rootId, pck.issuer, x, y, serial) != id) {
            revert IssuerMismatch();
        }
        Certificates.requireSigner(pck);
        _requireSignature(pck.digest, pck.r, pck.s, x, y);
        _requireNotRevokedByRoot(appraisal, serial);
        if (RevocationLists.contains(authority, AUTHORITY_HEADER, pck.serial)) revert CertificateRevoked(pck.serial);
        appraisal.expires = Math.min(appraisal.expires, pck.notAfter);
    }

    /// @dev The platform's key signs the quoting enclave's report, the report vouches for the
    /// attestation key, the attestation key signs the quote.
    function _verifySignatures(bytes calldata quote, Quote memory parts, Certificate memory pck) private view {
        unchecked {
            uint256 report = parts.qeReport;
            uint256 signature = report + Quotes.ENCLAVE_REPORT;
            bytes32 digest = sha256(quote[report:signature]);
            _requireSignature(digest, quote.word(signature), quote.word(signature + 32), pck.x, pck.y);

            signature = parts.signedLength + 4;
            uint256 key = signature + 64;
            uint256 vouched = report + Quotes.ENCLAVE_REPORT + 64 + 2;
            digest = sha256(bytes.concat(quote[key:key + 64], quote[vouched:vouched + 32]));
            if (quote.word(report + Quotes.REPORT_DATA_OF_ENCLAVE) != uint256(digest)) {
                revert AttestationKeyUnvouched();
            }

            digest = sha256(quote[:parts.signedLength]);
            _requireSignature(
                digest, quote.word(signature), quote.word(signature + 32), quote.word(key), quote.word(key + 32)
            );
        }
    }

    /// @dev The converged status of platform, TDX module and quoting enclave.
    function _judge(Appraisal memory appraisal, bytes calldata quote, Quote memory parts, Platform memory platform)
        private
        view
        returns (uint256 status)
    {
        uint256 teeKind = parts.tdx ? CollateralStorage.TDX : CollateralStorage.SGX;
        bytes memory identity =
            _useSigned(appraisal, CollateralStorage.qeIdentityKey(appraisal.rootId, teeKind), appraisal.qeIdentity);
        uint256 quotingEnclave = QeIdentity.check(identity, quote, parts.qeReport);

        bytes memory tcb = _useSigned(
            appraisal, CollateralStorage.tcbInfoKey(appraisal.rootId, teeKind, platform.fmspc), appraisal.tcbInfo
        );
        if (!parts.tdx) {
            status = TcbLevels.matchSgx(tcb, platform.cpuSvn, platform.pceSvn);
            status = TcbStatus.converge(status, quotingEnclave);
            if (status == TcbStatus.REVOKED) revert TcbRevoked();
            return status;
        }

        uint256 teeTcbSvn = quote.number(parts.body, 16);
        status = TcbLevels.matchTdx(tcb, platform.cpuSvn, platform.pceSvn, teeTcbSvn);
        status = TcbStatus.converge(status, quotingEnclave);
        uint256 expected = TcbLevels.module(tcb, uint8(teeTcbSvn >> 112));
        if (expected != TdReports.moduleFingerprint(quote, parts.body)) revert TdxModuleMismatch();

        if (parts.td15) {
            // The module may have been updated since the TD was launched.
            uint256 current = quote.number(parts.body + TdReports.TEE_TCB_SVN_2, 16);
            current = TcbLevels.matchTdx(tcb, platform.cpuSvn, platform.pceSvn, current);
            current = TcbStatus.converge(current, quotingEnclave);
            if (current == TcbStatus.REVOKED) revert TcbRevoked();
            if (status != TcbStatus.REVOKED) status = TcbStatus.relaunch(status, current);
        }
        if (status == TcbStatus.REVOKED) revert TcbRevoked();
    }

    function _readReport(bytes calldata quote, Quote memory parts, DcapClaims memory claims) private pure {
        unchecked {
            uint256 body = parts.body;
            uint256 reportData;
            if (parts.tdx) {
                TdReports.checkAttributes(quote, body, parts.td15);
                claims.measurementHash = TdReports.measurementHash(quote, body);
                claims.configRegisterHash = TdReports.configRegisterHash(quote, body);
                reportData = body + TdReports.REPORT_DATA;
            } else {
                // Bit 1 of the first byte of ATTRIBUTES, at 48, is DEBUG; MRENCLAVE is at 64.
                if (quote.number(body + 48, 1) & 0x02 != 0) revert DebugMode();
                claims.measurementHash = keccak256(quote[body + 64:body + 96]);
                reportData = body + Quotes.REPORT_DATA_OF_ENCLAVE;
            }
            claims.reportDataHigh = bytes32(quote.word(reportData));
            claims.reportDataLow = bytes32(quote.word(reportData + 32));
            claims.evidenceHash = keccak256(quote[:parts.signedLength]);
        }
    }
}
