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

    /// @dev A TCB info or QE identity as one certificate signed it.
    struct Edition {
        /// Its subject's.
        bytes32 key;
        /// Its own.
        bytes32 ownKey;
        bytes32 id;
        bytes32 digest;
        uint256 issued;
        uint256 expires;
        uint256 evaluation;
    }

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
    function editionKey(bytes32 key, bytes32 edition) external pure returns (bytes32) {
        return CollateralStorage.editionKey(key, edition);
    }

    /// @inheritdoc ISubrosaDcap
    function pckAuthorityId(bytes32 rootId, bytes32 nameHash, uint256 x, uint256 y, uint64 serial)
        external
        pure
        returns (bytes32)
    {
        return CollateralStorage.pckAuthorityId(rootId, nameHash, x, y, serial);
    }

    /// @dev Reverts unless `issuer` is named by the certificate and signed it.
    function _requireIssuedBy(Certificate memory certificate, Certificate memory issuer) private view {
        if (certificate.issuer != issuer.subject) revert IssuerMismatch();
        _requireSignature(certificate.digest, certificate.r, certificate.s, issuer.x, issuer.y);
    }

    /// @dev A root that revokes itself is believed: its list is kept, as one that has run out.
    function _putRootCrl(Certificate memory root, bytes calldata der) private {
        RevocationList memory list = RevocationLists.read(der, 0);
        bool selfRevoked = RevocationLists.contains(list.serials, 0, root.serial);
        uint256 expires = selfRevoked ? list.thisUpdate : Math.min(list.nextUpdate - 1, root.notAfter);
        bytes32 key = CollateralStorage.rootCrlKey(root.keyId);
        if (!_isNews(key, list, expires)) return;
        _checkList(list, root);
        _keepList(key, list, expires);
    }

    function _putPckAuthority(Certificate memory root, bytes calldata certificate, bytes calldata crl)
        private
        returns (bytes32 id)
    {
        Certificate memory authority = Certificates.read(certificate);
        id = CollateralStorage.pckAuthorityId(root.keyId, authority.subject, authority.x, authority.y, authority.serial);
        RevocationList memory list = RevocationLists.read(crl, AUTHORITY_HEADER);
        uint256 place = PackedBytes.start(list.serials);
        PackedBytes.replace(place, authority.x, 32);
        PackedBytes.replace(place + 32, authority.y, 32);
        PackedBytes.replace(place + 64, authority.serial, 8);
        uint256 expires = Math.min(list.nextUpdate - 1, Math.min(authority.notAfter, root.notAfter));
        if (!_isNews(id, list, expires)) return id;

        Certificates.requireAuthority(authority);
        _requireIssuedBy(authority, root);
        _checkList(list, authority);
        _keepList(id, list, expires);
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
        Edition memory edition =
            _edition(root, signer, key, json, header.issueDate, header.nextUpdate, header.evaluation);
        if (!_isKept(edition)) {
            _checkSigned(signer, edition, signature, header.nextUpdate);
            _keepEdition(edition, TcbInfoJson.readLevels(json, offset, header.tdx, signer.serial));
        }
        _update(edition);
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
        Edition memory edition =
            _edition(root, signer, key, json, header.issueDate, header.nextUpdate, header.evaluation);
        if (!_isKept(edition)) {
            _checkSigned(signer, edition, signature, header.nextUpdate);
            _keepEdition(edition, QeIdentity.readRest(json, offset, signer.serial));
        }
        _update(edition);
    }

    /// @dev What a document is, before anything of it is verified.
    function _edition(
        Certificate memory root,
        Certificate memory signer,
        bytes32 key,
        bytes calldata json,
        uint256 issued,
        uint256 nextUpdate,
        uint256 evaluation
    ) private pure returns (Edition memory edition) {
        edition.key = key;
        edition.digest = sha256(json);
        edition.id = CollateralStorage.editionOf(edition.digest, signer.digest);
        edition.ownKey = CollateralStorage.editionKey(key, edition.id);
        edition.issued = issued;
        edition.expires = Math.min(nextUpdate, Math.min(signer.notAfter, root.notAfter));
        edition.evaluation = evaluation;
    }

    /// @dev Whether this very edition was verified before. A root certificate that lasts longer lets it
    /// serve longer.
    function _isKept(Edition memory edition) private view returns (bool) {
        return CollateralStorage.load().records[edition.ownKey].expires() >= edition.expires;
    }

    /// @dev Makes an edition the latest of its subject, if it is that. One that has run out gives way to
    /// whatever was issued after it: Intel publishes editions of higher evaluation numbers early, and
    /// whoever submits one could otherwise keep those in common use out for as long as it liked.
    function _update(Edition memory edition) private {
        mapping(bytes32 => CollateralRecord) storage records = CollateralStorage.load().records;
        CollateralRecord latest = records[edition.key];
        if (edition.issued < latest.issued()) return;
        if (edition.issued == latest.issued() && edition.expires <= latest.expires()) return;
        if (edition.evaluation < latest.evaluation() && block.timestamp <= latest.expires()) return;
        records[edition.key] = records[edition.ownKey];
    }

    /// @dev Whether a list was issued after the kept one, or with it and says something else.
    function _isNews(bytes32 key, RevocationList memory list, uint256 expires) private view returns (bool) {
        CollateralRecord record = CollateralStorage.load().records[key];
        if (list.thisUpdate != record.issued()) return list.thisUpdate > record.issued();
        return expires > record.expires() || CodeBlob.place(list.serials) != record.blob();
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
        Edition memory edition,
        bytes calldata signature,
        uint256 nextUpdate
    ) private view {
        if (block.timestamp < edition.issued || block.timestamp > nextUpdate) {
            revert NotValidNow(edition.issued, nextUpdate);
        }
        if (signature.length != 64) revert SignatureInvalid();
        _requireSignature(edition.digest, signature.word(0), signature.word(32), signer.x, signer.y);
    }

    function _keepList(bytes32 key, RevocationList memory list, uint256 expires) private {
        _keep(key, list.serials, list.thisUpdate, expires, 0);
        emit CollateralStored(key, 0, list.digest, uint40(list.thisUpdate), uint40(expires));
    }

    function _keepEdition(Edition memory edition, bytes memory packed) private {
        _keep(edition.ownKey, packed, edition.issued, edition.expires, edition.evaluation);
        emit CollateralStored(edition.key, edition.id, edition.digest, uint40(edition.issued), uint40(edition.expires));
    }

    function _keep(bytes32 key, bytes memory packed, uint256 issued, uint256 expires, uint256 evaluation) private {
        CollateralStorage.load().records[key] =
            CollateralRecords.create(CodeBlob.write(packed), issued, expires, evaluation);
    }
}
