// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {JsonText} from "./JsonText.sol";
import {PackedBytes} from "./PackedBytes.sol";
import {TcbInfoJson} from "./TcbInfoJson.sol";
import {TcbStatus} from "./TcbStatus.sol";

/// @notice What a QE identity says of itself.
struct QeIdentityHeader {
    bool tdx;
    /// Unix seconds, both inclusive.
    uint256 issueDate;
    uint256 nextUpdate;
    uint256 evaluation;
}

/// @title The identity of Intel's quoting enclaves (Intel PCS API v4, `GET /qe/identity`)
/// @notice Version 2, or 3 for TDX. Packed without padding: signer's serial number 8 ‖ MRSIGNER 32 ‖
/// ISVPRODID 2 ‖ MISCSELECT 4 ‖ its mask 4 ‖ ATTRIBUTES 16 ‖ their mask 16 ‖ count 1 ‖ (ISVSVN 2 ‖
/// status 1) each.
library QeIdentity {
    using CalldataBytes for bytes;
    using JsonText for bytes;

    /// @notice Reads everything up to the evaluation number.
    /// @return header What it says.
    /// @return offset Where the rest starts.
    function readHeader(bytes calldata json) internal pure returns (QeIdentityHeader memory header, uint256 offset) {
        header.tdx = json.has(7, "TD_", 3);
        if (header.tdx) {
            bool later = json.has(24, "3", 1);
            offset = json.expect(
                0, later ? bytes32('{"id":"TD_QE","version":3,') : bytes32('{"id":"TD_QE","version":2,'), 26
            );
        } else {
            offset = json.expect(0, '{"id":"QE","version":2,', 23);
        }
        offset = json.expect(offset, '"issueDate":"', 13);
        (header.issueDate, offset) = json.date(offset);
        offset = json.expect(offset, '","nextUpdate":"', 16);
        (header.nextUpdate, offset) = json.date(offset);
        offset = json.expect(offset, '","tcbEvaluationDataNumber":', 28);
        (header.evaluation, offset) = json.integer(offset, type(uint16).max);
    }

    /// @notice Reads the rest, from `offset` to the end.
    /// @param signer Low 64 bits of the signer's serial number.
    function readRest(bytes calldata json, uint256 offset, uint256 signer) internal pure returns (bytes memory packed) {
        uint256 place;
        (packed, place) = PackedBytes.allocate(json.length);
        place = PackedBytes.put(place, signer, 8);
        (offset, place) = _identity(json, offset, place);
        offset = json.expect(offset, ',"tcbLevels":', 13);

        uint256 counter = place;
        uint256 count;
        uint256 value;
        place = PackedBytes.put(place, 0, 1);
        if (!json.has(offset, "[", 1)) revert ISubrosaDcap.JsonUnexpected(offset);
        do {
            unchecked {
                ++offset;
                ++count;
            }
            offset = json.expect(offset, '{"tcb":{"isvsvn":', 17);
            (value, offset) = json.integer(offset, type(uint16).max);
            place = PackedBytes.put(place, value, 2);
            (value, offset) = TcbInfoJson.status(json, offset);
            place = PackedBytes.put(place, value, 1);
        } while (json.has(offset, ",", 1));
        offset = json.expect(offset, "]}", 2);
        if (offset != json.length || count > 0xff) revert ISubrosaDcap.JsonUnexpected(offset);
        PackedBytes.set(counter, count);
        PackedBytes.finish(packed, place);
    }

    /// @notice The status of the quoting enclave whose report lies at `report`.
    /// Reverts unless it is the one that the identity names.
    function check(bytes memory packed, bytes calldata quote, uint256 report) internal pure returns (uint256) {
        unchecked {
            uint256 place = PackedBytes.start(packed) + 8;
            // The report's fields: MISCSELECT at 16, ATTRIBUTES at 48, MRSIGNER at 128, ISVPRODID at
            // 256, ISVSVN at 258. Bit 1 of the first attribute byte is DEBUG.
            uint256 attributes = quote.number(report + 48, 16);
            if (attributes >> 120 & 0x02 != 0) revert ISubrosaDcap.DebugMode();
            uint256 attributesMask = PackedBytes.take(place + 58, 16);
            uint256 miscSelectMask = PackedBytes.take(place + 38, 4);
            if (
                quote.word(report + 128) != PackedBytes.take(place, 32)
                    || quote.le16(report + 256) != PackedBytes.take(place + 32, 2)
                    || quote.number(report + 16, 4) & miscSelectMask != PackedBytes.take(place + 34, 4) & miscSelectMask
                    || attributes & attributesMask != PackedBytes.take(place + 42, 16) & attributesMask
            ) revert ISubrosaDcap.QuotingEnclaveUnknown();
            return _match(place + 74, quote.le16(report + 258));
        }
    }

    function _match(uint256 place, uint256 isvSvn) private pure returns (uint256 status) {
        unchecked {
            uint256 count = PackedBytes.take(place, 1);
            ++place;
            for (; count != 0; --count) {
                if (isvSvn >= PackedBytes.take(place, 2)) {
                    status = PackedBytes.take(place + 2, 1);
                    if (TcbStatus.OF_QUOTING_ENCLAVES >> status & 1 == 0) revert ISubrosaDcap.TcbLevelNotFound();
                    return status;
                }
                place += 3;
            }
        }
        revert ISubrosaDcap.TcbLevelNotFound();
    }

    /// @dev `,"miscselect":"…",…,"isvprodid":1`.
    function _identity(bytes calldata json, uint256 offset, uint256 place) private pure returns (uint256, uint256) {
        uint256 miscSelect;
        uint256 value;
        offset = json.expect(offset, ',"miscselect":"', 15);
        (miscSelect, offset) = json.hexadecimal(offset, 8);
        offset = json.expect(offset, '","miscselectMask":"', 20);
        (value, offset) = json.hexadecimal(offset, 8);
        PackedBytes.put(place + 34, miscSelect << 32 | value, 8);
        offset = json.expect(offset, '","attributes":"', 16);
        (value, offset) = json.hexadecimal(offset, 32);
        PackedBytes.put(place + 42, value, 16);
        offset = json.expect(offset, '","attributesMask":"', 20);
        (value, offset) = json.hexadecimal(offset, 32);
        PackedBytes.put(place + 58, value, 16);
        offset = json.expect(offset, '","mrsigner":"', 14);
        (value, offset) = json.hexadecimal(offset, 32);
        PackedBytes.replace(place, value, 16);
        (value, offset) = json.hexadecimal(offset, 32);
        PackedBytes.replace(place + 16, value, 16);
        offset = json.expect(offset, '","isvprodid":', 14);
        (value, offset) = json.integer(offset, type(uint16).max);
        PackedBytes.replace(place + 32, value, 2);
        return (offset, place + 74);
    }
}
