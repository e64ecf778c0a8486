// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DerReference} from "./DerReference.sol";

/// @notice Intel's JSON: the same grammar, read by cutting off what was read. Any revert is a refusal.
abstract contract JsonReference is DerReference {
    struct ReferenceInfo {
        bool tdx;
        uint256 fmspc;
        uint256 issueDate;
        uint256 nextUpdate;
        uint256 evaluation;
    }

    struct ReferenceIdentity {
        bool tdx;
        uint256 issueDate;
        uint256 nextUpdate;
        uint256 evaluation;
    }

    struct ReferenceLevel {
        uint256 sgx;
        uint256 pceSvn;
        uint256 tdx;
        uint256 status;
    }

    function tcbInfo(bytes calldata json, uint64 signer)
        external
        pure
        returns (bytes memory header, bytes memory packed)
    {
        ReferenceInfo memory info;
        info.tdx = _starts(json, '{"id":"TDX');
        json = _literal(json, info.tdx ? bytes('{"id":"TDX","version":3,') : bytes('{"id":"SGX","version":3,'));
        (info.issueDate, json) = _dated(_literal(json, '"issueDate":"'));
        (info.nextUpdate, json) = _dated(_literal(json, '","nextUpdate":"'));
        json = _literal(json, '","fmspc":"');
        info.fmspc = uint48(bytes6(_hex(json[:12])));
        json = _literal(json[12:], '","pceId":"');
        _hex(json[:4]);
        (, json) = _number(_literal(json[4:], '","tcbType":'), 65535);
        (info.evaluation, json) = _number(_literal(json, ',"tcbEvaluationDataNumber":'), 65535);
        json = _literal(json, ",");
        return (abi.encode(info), _tcb(json, info.tdx, signer));
    }

    function qeIdentity(bytes calldata json, uint64 signer)
        external
        pure
        returns (bytes memory header, bytes memory packed)
    {
        ReferenceIdentity memory identity;
        identity.tdx = _starts(json, '{"id":"TD_QE"');
        if (!identity.tdx) json = _literal(json, '{"id":"QE","version":2,');
        else if (_starts(json, '{"id":"TD_QE","version":3,')) json = json[26:];
        else json = _literal(json, '{"id":"TD_QE","version":2,');
        (identity.issueDate, json) = _dated(_literal(json, '"issueDate":"'));
        (identity.nextUpdate, json) = _dated(_literal(json, '","nextUpdate":"'));
        (identity.evaluation, json) = _number(_literal(json, '","tcbEvaluationDataNumber":'), 65535);
        header = abi.encode(identity);

        json = _literal(json, ',"miscselect":"');
        bytes memory rest = _hex(json[:8]);
        json = _literal(json[8:], '","miscselectMask":"');
        rest = bytes.concat(rest, _hex(json[:8]));
        json = _literal(json[8:], '","attributes":"');
        rest = bytes.concat(rest, _hex(json[:32]));
        json = _literal(json[32:], '","attributesMask":"');
        rest = bytes.concat(rest, _hex(json[:32]));
        json = _literal(json[32:], '","mrsigner":"');
        packed = bytes.concat(bytes8(signer), _hex(json[:64]));
        uint256 value;
        (value, json) = _number(_literal(json[64:], '","isvprodid":'), 65535);
        packed = bytes.concat(packed, bytes2(uint16(value)), rest);

        json = _literal(json, ',"tcbLevels":[');
        bytes memory levels;
        (levels, json) = _simpleLevels(json, 65535);
        require(keccak256(json) == keccak256("}"));
        packed = bytes.concat(packed, levels);
    }

    function iso8601(bytes20 text) external view returns (uint256) {
        return this.iso8601Of(bytes.concat(text));
    }

    function utcTime(bytes13 text) external view returns (uint256 unix) {
        (unix,) = this.time(bytes.concat(hex"170d", text));
    }

    function generalizedTime(bytes15 text) external view returns (uint256 unix) {
        (unix,) = this.time(bytes.concat(hex"180f", text));
    }

    function iso8601Of(bytes calldata text) external pure returns (uint256) {
        return _iso(text);
    }

    // Parts of them.

    function _tcb(bytes calldata json, bool tdx, uint64 signer) private pure returns (bytes memory packed) {
        packed = bytes.concat(bytes8(signer));
        if (tdx) {
            bytes32 fingerprint;
            (fingerprint, json) = _module(_literal(json, '"tdxModule":{'));
            json = _literal(json, "},");
            uint256 count;
            bytes memory identities;
            if (_starts(json, '"tdxModuleIdentities":[')) {
                json = json[22:];
                do {
                    bytes memory identity;
                    (identity, json) = _moduleIdentity(json[1:]);
                    identities = bytes.concat(identities, identity);
                    ++count;
                } while (json[0] == ",");
                json = _literal(json, "],");
            }
            require(count < 256);
            packed = bytes.concat(packed, fingerprint, bytes1(uint8(count)), identities);
        }
        json = _literal(json, '"tcbLevels":[');
        ReferenceLevel[] memory levels = new ReferenceLevel[](255);
        uint256 length;
        while (true) {
            ReferenceLevel memory level;
            (level, json) = _level(json, tdx);
            levels[length++] = level;
            if (json[0] != ",") break;
            json = json[1:];
        }
        require(keccak256(json) == keccak256("]}"));
        packed = bytes.concat(packed, bytes1(uint8(length)), _sorted(levels, length, tdx));
    }

    /// @dev Highest first; of equals, the one that came first.
    function _sorted(ReferenceLevel[] memory levels, uint256 length, bool tdx)
        private
        pure
        returns (bytes memory packed)
    {
        bool[] memory done = new bool[](length);
        for (uint256 n = 0; n < length; ++n) {
            uint256 best = type(uint256).max;
            for (uint256 i = 0; i < length; ++i) {
                if (!done[i] && (best == type(uint256).max || _higher(levels[i], levels[best]))) best = i;
            }
            done[best] = true;
            ReferenceLevel memory l = levels[best];
            packed = bytes.concat(packed, bytes16(uint128(l.sgx)), bytes2(uint16(l.pceSvn)));
            if (tdx) packed = bytes.concat(packed, bytes16(uint128(l.tdx)));
            packed = bytes.concat(packed, bytes1(uint8(l.status)));
        }
    }

    function _higher(ReferenceLevel memory a, ReferenceLevel memory b) private pure returns (bool) {
        if (a.sgx != b.sgx) return a.sgx > b.sgx;
        if (a.pceSvn != b.pceSvn) return a.pceSvn > b.pceSvn;
        return a.tdx > b.tdx;
    }

    function _level(bytes calldata json, bool tdx)
        private
        pure
        returns (ReferenceLevel memory level, bytes calldata rest)
    {
        (level.sgx, rest) = _components(_literal(json, '{"tcb":{"sgxtcbcomponents":'));
        (level.pceSvn, rest) = _number(_literal(rest, ',"pcesvn":'), 65535);
        if (tdx) (level.tdx, rest) = _components(_literal(rest, ',"tdxtcbcomponents":'));
        (level.status, rest) = _status(rest);
    }

    function _components(bytes calldata json) private pure returns (uint256 all, bytes calldata rest) {
        rest = _literal(json, "[");
        for (uint256 i = 0; i < 16; ++i) {
            uint256 svn;
            (svn, rest) = _number(_literal(rest, '{"svn":'), 255);
            all = all * 256 + svn;
            if (rest[0] != "}") rest = rest[_first(_literal(rest, ',"category":"'), "}") + 13:];
            rest = _literal(rest, i == 15 ? bytes("}]") : bytes("},"));
        }
    }

    function _moduleIdentity(bytes calldata json) private pure returns (bytes memory packed, bytes calldata rest) {
        rest = _literal(json, '{"id":"TDX_');
        bytes memory version = _hex(rest[:2]);
        bytes32 fingerprint;
        bytes memory levels;
        (fingerprint, rest) = _module(_literal(rest[2:], '",'));
        (levels, rest) = _simpleLevels(_literal(rest, ',"tcbLevels":['), 255);
        packed = bytes.concat(version, fingerprint, levels);
        rest = _literal(rest, "}");
    }

    /// @dev Count, and SVN and status of each: up to the bracket that ends them.
    function _simpleLevels(bytes calldata json, uint256 maximum)
        private
        pure
        returns (bytes memory packed, bytes calldata rest)
    {
        uint256 count;
        rest = json;
        while (true) {
            uint256 svn;
            uint256 status;
            (svn, rest) = _number(_literal(rest, '{"tcb":{"isvsvn":'), maximum);
            (status, rest) = _status(rest);
            bytes memory wide = maximum == 255 ? abi.encodePacked(uint8(svn)) : abi.encodePacked(uint16(svn));
            packed = bytes.concat(packed, wide, bytes1(uint8(status)));
            ++count;
            if (rest[0] != ",") break;
            rest = rest[1:];
        }
        require(count < 256);
        return (bytes.concat(bytes1(uint8(count)), packed), _literal(rest, "]"));
    }

    function _module(bytes calldata json) private pure returns (bytes32 fingerprint, bytes calldata rest) {
        rest = _literal(json, '"mrsigner":"');
        bytes memory signer = _hex(rest[:96]);
        rest = _literal(rest[96:], '","attributes":"');
        bytes8 attributes = bytes8(_hex(rest[:16]));
        rest = _literal(rest[16:], '","attributesMask":"');
        fingerprint = keccak256(bytes.concat(signer, attributes & bytes8(_hex(rest[:16]))));
        rest = _literal(rest[16:], '"');
    }

    function _status(bytes calldata json) private pure returns (uint256 value, bytes calldata rest) {
        (, rest) = _dated(_literal(json, '},"tcbDate":"'));
        rest = _literal(rest, '","tcbStatus":"');
        uint256 end = _first(rest, '"');
        bytes32 word = keccak256(rest[:end]);
        if (word == keccak256("UpToDate")) value = 1;
        else if (word == keccak256("SWHardeningNeeded")) value = 2;
        else if (word == keccak256("ConfigurationNeeded")) value = 3;
        else if (word == keccak256("ConfigurationAndSWHardeningNeeded")) value = 4;
        else if (word == keccak256("OutOfDate")) value = 5;
        else if (word == keccak256("OutOfDateConfigurationNeeded")) value = 6;
        else if (word == keccak256("Revoked")) value = 15;
        else revert();
        rest = rest[end + 1:];
        if (_starts(rest, ',"advisoryIDs":[')) rest = rest[_first(rest, "]") + 1:];
        rest = _literal(rest, "}");
    }

    // Values.

    function _first(bytes calldata text, bytes1 character) private pure returns (uint256 place) {
        while (text[place] != character) ++place;
    }

    function _number(bytes calldata text, uint256 maximum) private pure returns (uint256 value, bytes calldata rest) {
        uint256 length;
        while (length < text.length && text[length] >= "0" && text[length] <= "9") ++length;
        require(length > 0 && length < 11 && (length == 1 || text[0] != "0"));
        value = _decimal(text[:length]);
        require(value <= maximum);
        rest = text[length:];
    }

    function _hex(bytes calldata digits) private pure returns (bytes memory value) {
        value = new bytes(digits.length / 2);
        for (uint256 i = 0; i < digits.length; ++i) {
            uint8 c = uint8(digits[i]);
            uint8 nibble;
            if (c >= 48 && c <= 57) nibble = c - 48;
            else if (c >= 97 && c <= 102) nibble = c - 87;
            else if (c >= 65 && c <= 70) nibble = c - 55;
            else revert();
            value[i / 2] |= bytes1(i % 2 == 0 ? nibble << 4 : nibble);
        }
    }

    function _dated(bytes calldata text) private pure returns (uint256 unix, bytes calldata rest) {
        return (_iso(text[:20]), text[20:]);
    }

    function _iso(bytes calldata text) private pure returns (uint256) {
        require(text[4] == "-" && text[7] == "-" && text[10] == "T" && text[13] == ":" && text[16] == ":");
        require(text[19] == "Z");
        return _date(
            [
                _decimal(text[:4]),
                _decimal(text[5:7]),
                _decimal(text[8:10]),
                _decimal(text[11:13]),
                _decimal(text[14:16]),
                _decimal(text[17:19])
            ]
        );
    }
}
