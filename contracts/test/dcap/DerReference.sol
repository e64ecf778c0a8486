// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDocuments} from "./IReaders.sol";

/// @notice Certificates, revocation lists and the SGX extension, read with slices that the compiler
/// checks: any revert is a refusal.
abstract contract DerReference is IDocuments {
    /// @dev In the order of `Certificate`.
    struct ReferenceCertificate {
        uint256 serial;
        bytes32 issuer;
        bytes32 subject;
        uint256 notBefore;
        uint256 notAfter;
        bytes32 keyId;
        uint256 x;
        uint256 y;
        bytes32 digest;
        uint256 r;
        uint256 s;
        bool isAuthority;
        uint256 keyUsage;
        uint256 sgxStart;
        uint256 sgxEnd;
    }

    struct ReferenceList {
        bytes32 issuer;
        uint256 thisUpdate;
        uint256 nextUpdate;
        bytes32 digest;
        uint256 r;
        uint256 s;
        bytes serials;
    }

    struct ReferencePlatform {
        bytes32 ppidHash;
        uint256 cpuSvn;
        uint256 pceSvn;
        uint256 fmspc;
    }

    bytes private constant ECDSA = hex"300a06082a8648ce3d040302";
    bytes private constant KEY = hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004";
    bytes private constant TRUE = hex"0101ff";

    function element(bytes calldata der) external pure returns (uint256 tag, uint256 start, uint256 next) {
        bytes calldata content;
        bytes calldata rest;
        (tag, content, rest) = _next(der);
        return (tag, der.length - rest.length - content.length, der.length - rest.length);
    }

    function unsigned(bytes calldata der) external pure returns (uint256 value, uint256 next) {
        bytes calldata rest;
        (value, rest) = _unsigned(der);
        return (value, der.length - rest.length);
    }

    function time(bytes calldata der) external pure returns (uint256 unix, uint256 next) {
        bytes calldata rest;
        (unix, rest) = _time(der);
        return (unix, der.length - rest.length);
    }

    function certificate(bytes calldata der) external pure returns (bytes memory) {
        ReferenceCertificate memory c;
        bytes calldata tbs = _signed(der);
        c.digest = sha256(tbs);
        (c.r, c.s) = _signature(der);
        (, tbs,) = _next(tbs);

        tbs = _literal(tbs, hex"a003020102");
        bytes calldata part;
        (part, tbs) = _tagged(tbs, 0x02);
        c.serial = _low64(part);
        tbs = _literal(tbs, ECDSA);
        (c.issuer, tbs) = _name(tbs);
        (part, tbs) = _tagged(tbs, 0x30);
        (c.notBefore, part) = _time(part);
        (c.notAfter, part) = _time(part);
        require(part.length == 0);
        (c.subject, tbs) = _name(tbs);
        part = _literal(tbs, KEY);
        (c.x, c.y) = (uint256(bytes32(part[:32])), uint256(bytes32(part[32:64])));
        c.keyId = sha256(tbs[:91]);

        part = _only(tbs[91:], 0xa3);
        part = _only(part, 0x30);
        while (part.length != 0) {
            bytes calldata extension;
            (extension, part) = _tagged(part, 0x30);
            _extension(der, extension, c);
        }
        return abi.encode(c);
    }

    function revocationList(bytes calldata der, uint256 headroom) external pure returns (bytes memory) {
        ReferenceList memory list;
        bytes calldata tbs = _signed(der);
        list.digest = sha256(tbs);
        (list.r, list.s) = _signature(der);
        (, tbs,) = _next(tbs);

        tbs = _literal(_literal(tbs, hex"020101"), ECDSA);
        (list.issuer, tbs) = _name(tbs);
        (list.thisUpdate, tbs) = _time(tbs);
        (list.nextUpdate, tbs) = _time(tbs);
        list.serials = new bytes(headroom);
        bytes calldata part;
        if (tbs[0] == 0x30) {
            (part, tbs) = _tagged(tbs, 0x30);
            while (part.length != 0) {
                bytes calldata entry;
                uint256 before = part.length;
                (entry, part) = _tagged(part, 0x30);
                require(before - part.length >= 20);
                (entry,) = _tagged(entry, 0x02);
                list.serials = bytes.concat(list.serials, bytes8(uint64(_low64(entry))));
            }
        }
        part = _only(_only(tbs, 0xa0), 0x30);
        while (part.length != 0) {
            bytes calldata extension;
            (extension, part) = _tagged(part, 0x30);
            (, extension) = _tagged(extension, 0x06);
            require(!_starts(extension, TRUE));
        }
        return abi.encode(list);
    }

    function platform(bytes calldata extension) external pure returns (bytes memory) {
        ReferencePlatform memory p;
        bytes calldata fields = _only(extension, 0x30);
        bool[256] memory seen;
        bytes calldata entry;
        while (fields.length != 0) {
            (entry, fields) = _tagged(fields, 0x30);
            entry = _literal(entry, hex"060a2a864886f84d010d01");
            uint8 field = uint8(entry[0]);
            // Of the others there may be several.
            require(!seen[field] || (field != 1 && field != 2 && field != 4));
            seen[field] = true;
            if (field == 1) p.ppidHash = keccak256(_octets(entry[1:], 16));
            if (field == 2) _tcb(_only(entry[1:], 0x30), p);
            if (field == 4) p.fmspc = uint48(bytes6(_octets(entry[1:], 6)));
        }
        require(seen[1] && seen[2] && seen[4]);
        return abi.encode(p);
    }

    // Parts of them.

    function _tcb(bytes calldata fields, ReferencePlatform memory p) private pure {
        bool pce;
        bool cpu;
        bytes calldata entry;
        while (fields.length != 0) {
            (entry, fields) = _tagged(fields, 0x30);
            entry = _literal(entry, hex"060b2a864886f84d010d0102");
            uint8 field = uint8(entry[0]);
            if (field == 17) {
                require(!pce);
                pce = true;
                (p.pceSvn,) = _unsigned(entry[1:]);
                require(p.pceSvn < 65536);
            }
            if (field == 18) {
                require(!cpu);
                cpu = true;
                p.cpuSvn = uint128(bytes16(_octets(entry[1:], 16)));
            }
        }
        require(pce && cpu);
    }

    function _extension(bytes calldata der, bytes calldata extension, ReferenceCertificate memory c) private pure {
        (bytes calldata oid, bytes calldata value) = _tagged(extension, 0x06);
        bool critical = _starts(value, TRUE);
        if (critical) value = value[3:];
        value = _only(value, 0x04);
        bytes32 id = keccak256(oid);
        if (id == keccak256(hex"551d0f")) {
            value = _only(value, 0x03);
            require(value.length == 2 || value.length == 3);
            c.keyUsage = uint8(value[1]);
        } else if (id == keccak256(hex"551d13")) {
            value = _only(value, 0x30);
            c.isAuthority = _starts(value, TRUE);
        } else if (id == keccak256(hex"2a864886f84d010d01")) {
            uint256 place;
            assembly ("memory-safe") {
                place := sub(value.offset, der.offset)
            }
            (c.sgxStart, c.sgxEnd) = (place, place + value.length);
        } else {
            require(!critical);
        }
    }

    /// @dev The signed part, header included.
    function _signed(bytes calldata der) private pure returns (bytes calldata) {
        bytes calldata whole = _only(der, 0x30);
        (, bytes calldata rest) = _tagged(whole, 0x30);
        return whole[:whole.length - rest.length];
    }

    function _signature(bytes calldata der) private pure returns (uint256 r, uint256 s) {
        (, bytes calldata rest) = _tagged(_only(der, 0x30), 0x30);
        rest = _only(_literal(_only(_literal(rest, ECDSA), 0x03), hex"00"), 0x30);
        (r, rest) = _unsigned(rest);
        (s, rest) = _unsigned(rest);
        require(rest.length == 0);
    }

    function _name(bytes calldata der) private pure returns (bytes32, bytes calldata rest) {
        (, rest) = _tagged(der, 0x30);
        return (keccak256(der[:der.length - rest.length]), rest);
    }

    function _octets(bytes calldata der, uint256 length) private pure returns (bytes calldata content) {
        content = _only(der, 0x04);
        require(content.length == length);
    }

    function _low64(bytes calldata content) private pure returns (uint256 value) {
        require(content.length > 0 && content.length <= 21);
        for (uint256 i = 0; i < content.length; ++i) {
            value = (value * 256 + uint8(content[i])) % 2 ** 64;
        }
    }

    function _unsigned(bytes calldata der) private pure returns (uint256 value, bytes calldata rest) {
        bytes calldata content;
        (content, rest) = _tagged(der, 0x02);
        require(uint8(content[0]) < 0x80);
        if (content.length > 1 && content[0] == 0) {
            require(uint8(content[1]) >= 0x80);
            content = content[1:];
        }
        require(content.length <= 32);
        for (uint256 i = 0; i < content.length; ++i) {
            value = value * 256 + uint8(content[i]);
        }
    }

    function _time(bytes calldata der) private pure returns (uint256 unix, bytes calldata rest) {
        uint256 tag;
        bytes calldata text;
        (tag, text, rest) = _next(der);
        require((tag == 0x17 && text.length == 13) || (tag == 0x18 && text.length == 15));
        require(text[text.length - 1] == "Z");
        uint256 year = _decimal(text[:2]);
        if (tag == 0x17) year += year < 50 ? 2000 : 1900;
        else year = _decimal(text[:4]);
        text = text[tag == 0x17 ? 2 : 4:];
        unix = _date(
            [
                year,
                _decimal(text[:2]),
                _decimal(text[2:4]),
                _decimal(text[4:6]),
                _decimal(text[6:8]),
                _decimal(text[8:10])
            ]
        );
    }

    // Elements.

    function _next(bytes calldata der) private pure returns (uint256 tag, bytes calldata content, bytes calldata rest) {
        tag = uint8(der[0]);
        uint256 length = uint8(der[1]);
        rest = der[2:];
        if (length > 127) {
            uint256 width = length - 128;
            require(width == 1 || width == 2);
            length = 0;
            for (uint256 i = 0; i < width; ++i) {
                length = length * 256 + uint8(rest[i]);
            }
            require(length > 127 && (width == 1 || length > 255));
            rest = rest[width:];
        }
        content = rest[:length];
        rest = rest[length:];
    }

    function _tagged(bytes calldata der, uint256 expected)
        private
        pure
        returns (bytes calldata content, bytes calldata rest)
    {
        uint256 tag;
        (tag, content, rest) = _next(der);
        require(tag == expected);
    }

    /// @dev The content of an element with nothing after it.
    function _only(bytes calldata der, uint256 expected) private pure returns (bytes calldata content) {
        bytes calldata rest;
        (content, rest) = _tagged(der, expected);
        require(rest.length == 0);
    }

    function _literal(bytes calldata der, bytes memory expected) internal pure returns (bytes calldata rest) {
        require(_starts(der, expected));
        return der[expected.length:];
    }

    function _starts(bytes calldata data, bytes memory expected) internal pure returns (bool) {
        return data.length >= expected.length && keccak256(data[:expected.length]) == keccak256(expected);
    }

    // Dates.

    function _decimal(bytes calldata digits) internal pure returns (uint256 value) {
        for (uint256 i = 0; i < digits.length; ++i) {
            require(digits[i] >= "0" && digits[i] <= "9");
            value = value * 10 + uint8(digits[i]) - 48;
        }
    }

    /// @dev Year, month, day, hour, minute, second.
    function _date(uint256[6] memory part) internal pure returns (uint256 count) {
        uint256 year = part[0];
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        uint8[12] memory lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        require(year >= 1970 && part[1] >= 1 && part[1] <= 12 && part[2] >= 1 && part[2] <= lengths[part[1] - 1]);
        require(part[3] < 24 && part[4] < 60 && part[5] < 60);
        uint256 past = year - 1;
        // Days before 1970: 719,162, with a leap year in four, but for three centuries in four.
        count = past * 365 + past / 4 - past / 100 + past / 400 - 719_162;
        for (uint256 i = 0; i < part[1] - 1; ++i) {
            count += lengths[i];
        }
        return (((count + part[2] - 1) * 24 + part[3]) * 60 + part[4]) * 60 + part[5];
    }
}
