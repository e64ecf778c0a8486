// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {DcapCollateral, ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {Certificate, Certificates} from "./Certificates.sol";
import {CodeBlob} from "./CodeBlob.sol";
import {CollateralRecord, CollateralRecords} from "./CollateralRecord.sol";
import {CollateralStorage} from "./CollateralStorage.sol";
import {P256Signatures} from "./P256Signatures.sol";
import {PackedBytes} from "./PackedBytes.sol";
import {QeIdentity, QeIdentityHeader} from "./QeIdentity.sol";
import {RevocationList, RevocationLists} from "./RevocationLists.sol";
import {TcbInfoHeader, TcbInfoJson} from "./TcbInfoJson.sol";

/// @title Verifying collateral and keeping it
/// @notice What is kept refers to certificates by serial number, and a quote's verification looks
/// those up in the root's newest list: revoking Intel's signing certificate or a PCK CA takes effect
/// on everything they signed before.
abstract contract Collateral is P256Signatures {
    using CalldataBytes for bytes;

    /// Bytes before the revoked serial numbers in a PCK CA's blob: its key and its serial number.
    uint256 internal constant AUTHORITY_HEADER = 72;

    constructor(bytes32[] memory rootIds) {
        for (uint256 i = 0; i < rootIds.length; ++i) {
            CollateralStorage.load().roots[rootIds[i]] = true;
        }
    }

    /// @inheritdoc ISubrosaDcap
    function putCollateral(DcapCollateral calldata collateral) external returns (bytes32 pckAuthority) {
        Certificate memory root = Certificates.read(collateral.rootCertificate);
        if (!CollateralStorage.load().roots[root.keyId]) revert RootUnknown(root.keyId);
        Certificates.requireAuthority(root);
        // The pinned key is in what anyone sent: its dates and serial number are the root's own only if
        // it signed them.
        _requireIssuedBy(root, root);

        if (collateral.rootCrl.length != 0) _putRootCrl(root, collateral.rootCrl);
        if (collateral.pckAuthority.length != 0) {
            pckAuthority = _putPckAuthority(root, collateral.pckAuthority, collateral.pckCrl);
        }
        if (collateral.tcbSigner.length != 0) {
            Certificate memory signer = Certificates.read(collateral.tcbSigner);
            Certificates.requireSigner(signer);
            _requireIssuedBy(signer, root);
            if (collateral.tcbInfo.length != 0) {
                _putTcbInfo(root, signer, collateral.tcbInfo, collateral.tcbInfoSignature);
            }
            if (collateral.qeIdentity.length != 0) {
                _putQeIdentity(root, signer, collateral.qeIdentity, collateral.qeIdentitySignature);
            }
        }
    }

    /// @inheritdoc ISubrosaDcap
    function collateralOf(bytes32 key)
        external
        view
        returns (address blob, uint40 issued, uint40 expires, uint16 evaluation)
    {
        CollateralRecord record = CollateralStorage.load().records[key];
        return (record.blob(), uint40(record.issued()), uint40(record.expires()), uint16(record.evaluation()));
    }

    /// @inheritdoc ISubrosaDcap
    function isRoot(bytes32 rootId) external view returns (bool) {
        return CollateralStorage.load().roots[rootId];
    }

    /// @inheritdoc ISubrosaDcap
    function rootCrlKey(bytes32 rootId) external pure returns (bytes32) {
        return CollateralStorage.rootCrlKey(rootId);
    }

    /// @inheritdoc ISubrosaDcap
    function tcbInfoKey(bytes32 rootId, uint8 teeKind, bytes6 fmspc) external pure returns (bytes32) {
        return CollateralStorage.tcbInfoKey(rootId, teeKind, uint48(fmspc));
    }

    /// @inheritdoc ISubrosaDcap
    function qeIdentityKey(bytes32 rootId, uint8 teeKind) external pure returns (bytes32) {
        return CollateralStorage.qeIdentityKey(rootId, teeKind);
    }

    /// @inheritdoc ISubrosaDcap
    function pckAuthorityId(bytes32 rootId, bytes32 nameHash, uint256 x, uint256 y) external pure returns (bytes32) {
        return CollateralStorage.pckAuthorityId(rootId, nameHash, x, y);
    }

    /// @dev Reverts unless `issuer` is named by the certificate and signed it.
    function _requireIssuedBy(Certificate memory certificate, Certificate memory issuer) private view {
        if (certificate.issuer != issuer.subject) revert IssuerMismatch();
        _requireSignature(certificate.digest, certificate.r, certificate.s, issuer.x, issuer.y);
    }

    /// @dev A root that revokes itself is believed: its list is kept, as one that has run out.
    function _putRootCrl(Certificate memory root, bytes calldata der) private {
        RevocationList memory list = RevocationLists.read(der, 0);
        bytes32 key = CollateralStorage.rootCrlKey(root.keyId);
        if (!_isNewer(key, list.thisUpdate, 0)) return;
        _checkList(list, root);

        bool selfRevoked = RevocationLists.contains(list.serials, 0, root.serial);
        uint256 expires = selfRevoked ? list.thisUpdate : Math.min(list.nextUpdate - 1, root.notAfter);
        _keep(key, list.serials, list.digest, list.thisUpdate, expires, 0);
    }

    function _putPckAuthority(Certificate memory root, bytes calldata certificate, bytes calldata crl)
        private
        returns (bytes32 id)
    {
        Certificate memory authority = Certificates.read(certificate);
        id = CollateralStorage.pckAuthorityId(root.keyId, authority.subject, authority.x, authority.y);
        RevocationList memory list = RevocationLists.read(crl, AUTHORITY_HEADER);
        if (!_isNewer(id, list.thisUpdate, 0)) return id;
        Certificates.requireAuthority(authority);
        _requireIssuedBy(authority, root);
        _checkList(list, authority);

        uint256 place = PackedBytes.start(list.serials);
        PackedBytes.replace(place, authority.x, 32);
        PackedBytes.replace(place + 32, authority.y, 32);
        PackedBytes.replace(place + 64, authority.serial, 8);
        uint256 expires = Math.min(list.nextUpdate - 1, Math.min(authority.notAfter, root.notAfter));
        _keep(id, list.serials, list.digest, list.thisUpdate, expires, 0);
    }

    function _putTcbInfo(
        Certificate memory root,
        Certificate memory signer,
        bytes calldata json,
        bytes calldata signature
    ) private {
        (TcbInfoHeader memory header, uint256 offset) = TcbInfoJson.readHeader(json);
        uint256 teeKind = header.tdx ? CollateralStorage.TDX : CollateralStorage.SGX;
        bytes32 key = CollateralStorage.tcbInfoKey(root.keyId, teeKind, header.fmspc);
        if (!_isNewer(key, header.issueDate, header.evaluation)) return;

        bytes32 digest = _checkSigned(signer, json, signature, header.issueDate, header.nextUpdate);
        bytes memory packed = TcbInfoJson.readLevels(json, offset, header.tdx, signer.serial);
        uint256 expires = Math.min(header.nextUpdate, Math.min(signer.notAfter, root.notAfter));
        _keep(key, packed, digest, header.issueDate, expires, header.evaluation);
    }

    function _putQeIdentity(
        Certificate memory root,
        Certificate memory signer,
        bytes calldata json,
        bytes calldata signature
    ) private {
        (QeIdentityHeader memory header, uint256 offset) = QeIdentity.readHeader(json);
        uint256 teeKind = header.tdx ? CollateralStorage.TDX : CollateralStorage.SGX;
        bytes32 key = CollateralStorage.qeIdentityKey(root.keyId, teeKind);
        if (!_isNewer(key, header.issueDate, header.evaluation)) return;

        bytes32 digest = _checkSigned(signer, json, signature, header.issueDate, header.nextUpdate);
        bytes memory packed = QeIdentity.readRest(json, offset, signer.serial);
        uint256 expires = Math.min(header.nextUpdate, Math.min(signer.notAfter, root.notAfter));
        _keep(key, packed, digest, header.issueDate, expires, header.evaluation);
    }

    /// @dev Not older than what is kept in either respect, and newer in the first.
    function _isNewer(bytes32 key, uint256 issued, uint256 evaluation) private view returns (bool) {
        CollateralRecord record = CollateralStorage.load().records[key];
        return issued > record.issued() && evaluation >= record.evaluation();
    }

    function _checkList(RevocationList memory list, Certificate memory issuer) private view {
        if (list.issuer != issuer.subject) revert IssuerMismatch();
        if (block.timestamp < list.thisUpdate || block.timestamp >= list.nextUpdate) {
            revert NotValidNow(list.thisUpdate, list.nextUpdate);
        }
        _requireSignature(list.digest, list.r, list.s, issuer.x, issuer.y);
    }

    function _checkSigned(
        Certificate memory signer,
        bytes calldata json,
        bytes calldata signature,
        uint256 issueDate,
        uint256 nextUpdate
    ) private view returns (bytes32 digest) {
        if (block.timestamp < issueDate || block.timestamp > nextUpdate) {
            revert NotValidNow(issueDate, nextUpdate);
        }
        if (signature.length != 64) revert SignatureInvalid();
        digest = sha256(json);
        _requireSignature(digest, signature.word(0), signature.word(32), signer.x, signer.y);
    }

    function _keep(
        bytes32 key,
        bytes memory packed,
        bytes32 digest,
        uint256 issued,
        uint256 expires,
        uint256 evaluation
    ) private {
        address blob = packed.length == 0 ? address(0) : CodeBlob.write(packed);
        CollateralStorage.load().records[key] = CollateralRecords.create(blob, issued, expires, evaluation);
        emit CollateralStored(key, digest, uint40(issued), uint40(expires));
    }
}
