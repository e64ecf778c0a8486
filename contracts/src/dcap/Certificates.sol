// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {Der} from "./Der.sol";

/// @notice What is used of an X.509 certificate.
struct Certificate {
    /// Low 64 bits.
    uint256 serial;
    /// keccak256 of the distinguished name, DER.
    bytes32 issuer;
    bytes32 subject;
    /// Unix seconds, both inclusive.
    uint256 notBefore;
    uint256 notAfter;
    /// SHA-256 of the SubjectPublicKeyInfo, DER.
    bytes32 keyId;
    uint256 x;
    uint256 y;
    /// What its issuer signed: SHA-256 of the TBSCertificate, and the signature.
    bytes32 digest;
    uint256 r;
    uint256 s;
    bool isAuthority;
    /// First byte of the KeyUsage bits: digitalSignature is 0x80, keyCertSign 0x04, cRLSign 0x02.
    uint256 keyUsage;
    /// Where the content of Intel's SGX extension lies; both zero if there is none.
    uint256 sgxStart;
    uint256 sgxEnd;
}

/// @title X.509 certificates (RFC 5280) of Intel's SGX hierarchy
/// @notice P-256 and SHA-256 throughout (Intel SGX PCK Certificate and CRL Profile Specification).
/// Extensions that are critical and not understood are refused.
library Certificates {
    using CalldataBytes for bytes;
    using Der for bytes;

    /// @notice Reads a certificate. Nothing is verified.
    function read(bytes calldata der) internal pure returns (Certificate memory certificate) {
        (uint256 start, uint256 end) = der.enter(0, der.length, Der.SEQUENCE);
        if (end != der.length) revert ISubrosaDcap.DerMalformed(end);
        (uint256 offset, uint256 tbsEnd) = der.enter(start, end, Der.SEQUENCE);
        certificate.digest = sha256(der[start:tbsEnd]);
        (certificate.r, certificate.s) = signature(der, tbsEnd, end);

        uint256 next;
        // Version 3.
        offset = der.skip(offset, tbsEnd, hex"a003020102", 5);
        (start, next) = der.enter(offset, tbsEnd, Der.INTEGER);
        certificate.serial = der.low64(start, next);
        offset = der.skip(next, tbsEnd, ECDSA_WITH_SHA256, 12);
        (certificate.issuer, offset) = name(der, offset, tbsEnd);

        (start, next) = der.enter(offset, tbsEnd, Der.SEQUENCE);
        (certificate.notBefore, start) = der.time(start, next);
        (certificate.notAfter, start) = der.time(start, next);
        if (start != next) revert ISubrosaDcap.DerMalformed(start);
        (certificate.subject, offset) = name(der, next, tbsEnd);

        next = der.skip(offset, tbsEnd, P256_KEY, 27);
        certificate.x = der.word(next);
        unchecked {
            certificate.y = der.word(next + 32);
            next += 64;
        }
        if (next > tbsEnd) revert ISubrosaDcap.DerMalformed(offset);
        certificate.keyId = sha256(der[offset:next]);

        (start, offset) = der.enter(next, tbsEnd, EXTENSIONS);
        (start, next) = der.enter(start, offset, Der.SEQUENCE);
        // No element ends after the one around it, so these end together.
        if (next != tbsEnd) revert ISubrosaDcap.DerMalformed(next);
        while (start != next) start = _extension(der, start, next, certificate);
    }

    /// @notice Reverts unless the certificate is valid now and its holder may certify others and
    /// their revocation.
    function requireAuthority(Certificate memory certificate) internal view {
        requireValid(certificate);
        if (!certificate.isAuthority || certificate.keyUsage & 0x06 != 0x06) revert ISubrosaDcap.CertificateRole();
    }

    /// @notice Reverts unless the certificate is valid now and its holder may sign but not certify.
    function requireSigner(Certificate memory certificate) internal view {
        requireValid(certificate);
        if (certificate.isAuthority || certificate.keyUsage & 0x80 == 0) revert ISubrosaDcap.CertificateRole();
    }

    /// @notice Reverts unless the certificate is valid now.
    function requireValid(Certificate memory certificate) internal view {
        if (block.timestamp < certificate.notBefore || block.timestamp > certificate.notAfter) {
            revert ISubrosaDcap.NotValidNow(certificate.notBefore, certificate.notAfter);
        }
    }

    /// @notice Reads a distinguished name: keccak256 of its DER.
    function name(bytes calldata der, uint256 offset, uint256 end) internal pure returns (bytes32 hash, uint256 next) {
        (, next) = der.enter(offset, end, Der.SEQUENCE);
        hash = keccak256(der[offset:next]);
    }

    /// @notice Reads what follows the signed part of certificates and revocation lists: ecdsa-with-SHA256
    /// and the signature (RFC 5480), which ends at `end`.
    function signature(bytes calldata der, uint256 offset, uint256 end) internal pure returns (uint256 r, uint256 s) {
        offset = der.skip(offset, end, ECDSA_WITH_SHA256, 12);
        uint256 next;
        (offset, next) = der.enter(offset, end, Der.BIT_STRING);
        // No unused bits.
        offset = der.skip(offset, next, hex"00", 1);
        (offset, next) = der.enter(offset, next, Der.SEQUENCE);
        (r, offset) = der.unsigned(offset, next);
        (s, offset) = der.unsigned(offset, next);
        // No element ends after the one around it, so these end together.
        if (offset != end) revert ISubrosaDcap.DerMalformed(offset);
    }

    function _extension(bytes calldata der, uint256 offset, uint256 end, Certificate memory certificate)
        private
        pure
        returns (uint256 next)
    {
        (offset, next) = der.enter(offset, end, Der.SEQUENCE);
        uint256 oid = offset;
        (, offset) = der.enter(offset, next, Der.OBJECT_IDENTIFIER);
        bool critical = der.has(offset, hex"0101ff", 3);
        unchecked {
            if (critical) offset += 3;
        }
        (uint256 start, uint256 stop) = der.enter(offset, next, Der.OCTET_STRING);
        if (stop != next) revert ISubrosaDcap.DerMalformed(stop);

        if (der.has(oid, KEY_USAGE, 5)) {
            (start, offset) = der.enter(start, stop, Der.BIT_STRING);
            // Unused bits and one byte, or two.
            unchecked {
                if (offset != stop || stop - start < 2 || stop - start > 3) revert ISubrosaDcap.DerMalformed(start);
                certificate.keyUsage = der.number(start + 1, 1);
            }
        } else if (der.has(oid, BASIC_CONSTRAINTS, 5)) {
            (start, offset) = der.enter(start, stop, Der.SEQUENCE);
            if (offset != stop) revert ISubrosaDcap.DerMalformed(offset);
            certificate.isAuthority = start != stop && der.has(start, hex"0101ff", 3);
        } else if (der.has(oid, SGX, 11)) {
            certificate.sgxStart = start;
            certificate.sgxEnd = stop;
        } else if (critical) {
            revert ISubrosaDcap.ExtensionUnknown(offset);
        }
    }

    /// [3], constructed.
    uint256 private constant EXTENSIONS = 0xa3;
    /// AlgorithmIdentifier 1.2.840.10045.4.3.2.
    bytes32 private constant ECDSA_WITH_SHA256 = hex"300a06082a8648ce3d040302";
    /// SubjectPublicKeyInfo of an uncompressed key on prime256v1, up to its coordinates.
    bytes32 private constant P256_KEY = hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004";
    /// 2.5.29.15.
    bytes32 private constant KEY_USAGE = hex"0603551d0f";
    /// 2.5.29.19.
    bytes32 private constant BASIC_CONSTRAINTS = hex"0603551d13";
    /// 1.2.840.113741.1.13.1.
    bytes32 private constant SGX = hex"06092a864886f84d010d01";
}
