// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {JsonText} from "./JsonText.sol";
import {PackedBytes} from "./PackedBytes.sol";
import {TcbLevels} from "./TcbLevels.sol";
import {TcbStatus} from "./TcbStatus.sol";

/// @notice What TCB info says of itself.
struct TcbInfoHeader {
    bool tdx;
    /// 48 bits.
    uint256 fmspc;
    /// Unix seconds, both inclusive.
    uint256 issueDate;
    uint256 nextUpdate;
    uint256 evaluation;
}

/// @title TCB info, version 3 (Intel PCS API v4, `GET /tcb`)
/// @notice Reads the signed JSON in one pass and packs what matching needs; `TcbLevels` has the
/// format. Levels come out in the order in which Intel's library tries them, whatever the JSON's.
library TcbInfoJson {
    using CalldataBytes for bytes;
    using JsonText for bytes;

    /// @notice Reads everything before the TDX module and the levels.
    /// @return header What it says.
    /// @return offset Where the rest starts.
    function readHeader(bytes calldata json) internal pure returns (TcbInfoHeader memory header, uint256 offset) {
        header.tdx = json.has(7, "TDX", 3);
        offset =
            json.expect(0, header.tdx ? bytes32('{"id":"TDX","version":3,') : bytes32('{"id":"SGX","version":3,'), 24);
        offset = json.expect(offset, '"issueDate":"', 13);
        (header.issueDate, offset) = json.date(offset);
        offset = json.expect(offset, '","nextUpdate":"', 16);
        (header.nextUpdate, offset) = json.date(offset);
        offset = json.expect(offset, '","fmspc":"', 11);
        (header.fmspc, offset) = json.hexadecimal(offset, 12);
        offset = json.expect(offset, '","pceId":"', 11);
        (, offset) = json.hexadecimal(offset, 4);
        offset = json.expect(offset, '","tcbType":', 12);
        (, offset) = json.integer(offset, type(uint16).max);
        offset = json.expect(offset, ',"tcbEvaluationDataNumber":', 27);
        (header.evaluation, offset) = json.integer(offset, type(uint16).max);
        offset = json.expect(offset, ",", 1);
    }

    /// @notice Reads the rest, from `offset` to the end.
    /// @param signer Low 64 bits of the signer's serial number.
    function readLevels(bytes calldata json, uint256 offset, bool tdx, uint256 signer)
        internal
        pure
        returns (bytes memory packed)
    {
        // Every field packed is written longer in the JSON.
        uint256 place;
        (packed, place) = PackedBytes.allocate(json.length);
        place = PackedBytes.put(place, signer, 8);
        if (tdx) (offset, place) = _modules(json, offset, place);
        offset = json.expect(offset, '"tcbLevels":[', 13);
        place = _levels(json, offset, place, tdx);
        PackedBytes.finish(packed, place);
    }

    function _modules(bytes calldata json, uint256 offset, uint256 place) private pure returns (uint256, uint256) {
        uint256 fingerprint;
        offset = json.expect(offset, '"tdxModule":{', 13);
        (fingerprint, offset) = _module(json, offset);
        offset = json.expect(offset, "},", 2);
        place = PackedBytes.put(place, fingerprint, 32);

        uint256 counter = place;
        uint256 count;
        place = PackedBytes.put(place, 0, 1);
        if (json.has(offset, '"tdxModuleIdentities":[', 23)) {
            unchecked {
                offset += 22;
            }
            // A bracket before the first, commas between.
            do {
                unchecked {
                    ++offset;
                    ++count;
                }
                (offset, place) = _identity(json, offset, place);
            } while (json.has(offset, ",", 1));
            offset = json.expect(offset, "],", 2);
        }
        if (count > 0xff) revert ISubrosaDcap.JsonUnexpected(offset);
        PackedBytes.set(counter, count);
        return (offset, place);
    }

    /// @dev `{"id":"TDX_03",…,"tcbLevels":[…]}`.
    function _identity(bytes calldata json, uint256 offset, uint256 place) private pure returns (uint256, uint256) {
        uint256 value;
        offset = json.expect(offset, '{"id":"TDX_', 11);
        (value, offset) = json.hexadecimal(offset, 2);
        place = PackedBytes.put(place, value, 1);
        offset = json.expect(offset, '",', 2);
        (value, offset) = _module(json, offset);
        place = PackedBytes.put(place, value, 32);
        offset = json.expect(offset, ',"tcbLevels":', 13);

        uint256 counter = place;
        uint256 count;
        place = PackedBytes.put(place, 0, 1);
        if (!json.has(offset, "[", 1)) revert ISubrosaDcap.JsonUnexpected(offset);
        do {
            unchecked {
                ++offset;
                ++count;
            }
            offset = json.expect(offset, '{"tcb":{"isvsvn":', 17);
            (value, offset) = json.integer(offset, type(uint8).max);
            place = PackedBytes.put(place, value, 1);
            (value, offset) = status(json, offset);
            place = PackedBytes.put(place, value, 1);
        } while (json.has(offset, ",", 1));
        if (count > 0xff) revert ISubrosaDcap.JsonUnexpected(offset);
        PackedBytes.set(counter, count);
        return (json.expect(offset, "]}", 2), place);
    }

    /// @dev `"mrsigner":"…","attributes":"…","attributesMask":"…"`.
    function _module(bytes calldata json, uint256 offset) private pure returns (uint256 fingerprint, uint256) {
        uint256 high;
        uint256 middle;
        uint256 low;
        uint256 attributes;
        uint256 mask;
        offset = json.expect(offset, '"mrsigner":"', 12);
        (high, offset) = json.hexadecimal(offset, 32);
        (middle, offset) = json.hexadecimal(offset, 32);
        (low, offset) = json.hexadecimal(offset, 32);
        offset = json.expect(offset, '","attributes":"', 16);
        (attributes, offset) = json.hexadecimal(offset, 16);
        offset = json.expect(offset, '","attributesMask":"', 20);
        (mask, offset) = json.hexadecimal(offset, 16);
        offset = json.expect(offset, '"', 1);
        fingerprint = TcbLevels.moduleFingerprint(high, middle, low, attributes & mask);
        return (fingerprint, offset);
    }

    function _levels(bytes calldata json, uint256 offset, uint256 place, bool tdx) private pure returns (uint256) {
        uint256 size = tdx ? TcbLevels.TDX_LEVEL : TcbLevels.SGX_LEVEL;
        uint256 counter = place;
        place = PackedBytes.put(place, 0, 1);
        uint256 first = place;
        unchecked {
            --offset;
            do {
                ++offset;
                offset = _level(json, offset, place, tdx);
                _sort(first, place, size);
                place += size;
            } while (json.has(offset, ",", 1));
            uint256 count = (place - first) / size;
            offset = json.expect(offset, "]}", 2);
            if (offset != json.length || count > 0xff) revert ISubrosaDcap.JsonUnexpected(offset);
            PackedBytes.set(counter, count);
        }
        return place;
    }

    function _level(bytes calldata json, uint256 offset, uint256 place, bool tdx) private pure returns (uint256) {
        uint256 components;
        uint256 value;
        offset = json.expect(offset, '{"tcb":{"sgxtcbcomponents":', 27);
        (components, offset) = _components(json, offset);
        place = PackedBytes.put(place, components, 16);
        offset = json.expect(offset, ',"pcesvn":', 10);
        (value, offset) = json.integer(offset, type(uint16).max);
        place = PackedBytes.put(place, value, 2);
        components = 0;
        if (tdx) {
            offset = json.expect(offset, ',"tdxtcbcomponents":', 20);
            (components, offset) = _components(json, offset);
            place = PackedBytes.put(place, components, 16);
        }
        (value, offset) = status(json, offset);
        PackedBytes.put(place, value, 1);
        return offset;
    }

    /// @dev `[{"svn":4,"category":"BIOS","type":"…"},{"svn":0},…]`: sixteen, into 128 bits.
    function _components(bytes calldata json, uint256 offset) private pure returns (uint256 svns, uint256) {
        unchecked {
            for (uint256 i = 0; i < 16; ++i) {
                offset = json.expect(offset, i == 0 ? bytes32('[{"svn":') : bytes32(',{"svn":'), 8);
                uint256 svn;
                (svn, offset) = json.integer(offset, type(uint8).max);
                svns = (svns << 8) | svn;
                if (!json.has(offset, "}", 1)) {
                    offset = json.expect(offset, ',"category":"', 13);
                    offset = json.find(offset, 0x7d);
                }
                ++offset;
            }
        }
        return (svns, json.expect(offset, "]", 1));
    }

    /// @notice Reads `},"tcbDate":"…","tcbStatus":"…","advisoryIDs":[…]}`, the end of every level.
    function status(bytes calldata json, uint256 offset) internal pure returns (uint256 value, uint256) {
        offset = json.expect(offset, '},"tcbDate":"', 13);
        (, offset) = json.date(offset);
        offset = json.expect(offset, '","tcbStatus":"', 15);
        (value, offset) = TcbStatus.read(json, offset);
        if (json.has(offset, ',"advisoryIDs":[', 16)) {
            offset = json.find(offset, 0x5d);
            unchecked {
                ++offset;
            }
        }
        return (value, json.expect(offset, "}", 1));
    }

    /// @dev Moves the level at `place` before those from `first` on that are lower than it: components,
    /// PCESVN and TDX components, in this order, as one number. Intel's come sorted already.
    function _sort(uint256 first, uint256 place, uint256 size) private pure {
        unchecked {
            uint256 target = place;
            while (target != first && TcbLevels.isHigher(place, target - size, size)) target -= size;
            if (target == place) return;
            uint256 highLength = size < 33 ? size - 1 : 32;
            uint256 high = PackedBytes.take(place, highLength);
            uint256 low = PackedBytes.take(place + highLength, size - highLength);
            PackedBytes.move(target, target + size, place - target);
            PackedBytes.replace(target, high, highLength);
            PackedBytes.replace(target + highLength, low, size - highLength);
        }
    }
}
