// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {Certificates} from "./Certificates.sol";
import {Der} from "./Der.sol";
import {PackedBytes} from "./PackedBytes.sol";

/// @notice What is used of a certificate revocation list.
struct RevocationList {
    /// keccak256 of the distinguished name, DER.
    bytes32 issuer;
    /// Unix seconds; it runs out at `nextUpdate`.
    uint256 thisUpdate;
    uint256 nextUpdate;
    /// What its issuer signed: SHA-256 of the TBSCertList, and the signature.
    bytes32 digest;
    uint256 r;
    uint256 s;
    /// The low 64 bits of every revoked serial number, 8 bytes each.
    bytes serials;
}

/// @title Certificate revocation lists (RFC 5280, section 5)
/// @notice Complete lists of one issuer only: extensions that say otherwise are critical, and
/// critical extensions are refused. An entry counts whatever its reason and date.
library RevocationLists {
    using CalldataBytes for bytes;
    using Der for bytes;

    /// @notice Reads a list. Nothing is verified.
    /// @param headroom Bytes to leave free before the serial numbers in `serials`.
    function read(bytes calldata der, uint256 headroom) internal pure returns (RevocationList memory list) {
        (uint256 start, uint256 end) = der.enter(0, der.length, Der.SEQUENCE);
        if (end != der.length) revert ISubrosaDcap.DerMalformed(end);
        (uint256 offset, uint256 tbsEnd) = der.enter(start, end, Der.SEQUENCE);
        list.digest = sha256(der[start:tbsEnd]);
        (list.r, list.s) = Certificates.signature(der, tbsEnd, end);

        // Version 2, ecdsa-with-SHA256.
        offset = der.skip(offset, tbsEnd, hex"020101300a06082a8648ce3d040302", 15);
        (list.issuer, offset) = Certificates.name(der, offset, tbsEnd);
        (list.thisUpdate, offset) = der.time(offset, tbsEnd);
        (list.nextUpdate, offset) = der.time(offset, tbsEnd);

        uint256 next = offset;
        (uint256 tag, uint256 inner, uint256 stop) = der.read(offset, tbsEnd);
        if (tag == Der.SEQUENCE) {
            list.serials = _serials(der, inner, stop, headroom);
            next = stop;
            (tag, inner, stop) = der.read(next, tbsEnd);
        } else {
            list.serials = new bytes(headroom);
        }
        if (tag != EXTENSIONS) revert ISubrosaDcap.DerMalformed(next);
        (inner, stop) = der.enter(inner, stop, Der.SEQUENCE);
        // No element ends after the one around it, so these end together.
        if (stop != tbsEnd) revert ISubrosaDcap.DerMalformed(stop);
        _extensions(der, inner, stop);
    }

    /// @notice Whether `serial` (64 bits) is among the 8-byte entries of `serials` from `offset` on.
    function contains(bytes memory serials, uint256 offset, uint256 serial) internal pure returns (bool) {
        unchecked {
            uint256 place = PackedBytes.start(serials) + offset;
            uint256 end = PackedBytes.start(serials) + serials.length;
            for (; place < end; place += 8) {
                if (PackedBytes.take(place, 8) == serial) return true;
            }
            return false;
        }
    }

    function _serials(bytes calldata der, uint256 offset, uint256 end, uint256 headroom)
        private
        pure
        returns (bytes memory serials)
    {
        // An entry takes 20 bytes at least: its header, a serial number, a date.
        uint256 place;
        (serials, place) = PackedBytes.allocate(headroom + 8 * ((end - offset) / 20 + 1));
        unchecked {
            place += headroom;
        }
        while (offset != end) {
            (uint256 entry, uint256 next) = der.enter(offset, end, Der.SEQUENCE);
            (uint256 start, uint256 stop) = der.enter(entry, next, Der.INTEGER);
            if (next - offset < 20) revert ISubrosaDcap.DerMalformed(offset);
            place = PackedBytes.put(place, der.low64(start, stop), 8);
            offset = next;
        }
        PackedBytes.finish(serials, place);
    }

    function _extensions(bytes calldata der, uint256 offset, uint256 end) private pure {
        while (offset != end) {
            uint256 next;
            (offset, next) = der.enter(offset, end, Der.SEQUENCE);
            (, offset) = der.enter(offset, next, Der.OBJECT_IDENTIFIER);
            if (der.has(offset, hex"0101ff", 3)) revert ISubrosaDcap.ExtensionUnknown(offset);
            offset = next;
        }
    }

    /// [0], constructed.
    uint256 private constant EXTENSIONS = 0xa0;
}
