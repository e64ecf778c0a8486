// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";

/// @notice Where the parts of a quote lie.
struct Quote {
    bool tdx;
    /// Whether the body is that of TDX 1.5, plain or extended.
    bool td15;
    /// The report of the enclave or TD.
    uint256 body;
    /// The attestation key signs the bytes before this place. Its signature (64 bytes) follows 4
    /// bytes after, then the key (64 bytes).
    uint256 signedLength;
    /// The quoting enclave's report (384 bytes), its signature (64), a length (2), 32 bytes that the
    /// report vouches for along with the key.
    uint256 qeReport;
}

/// @title The layout of DCAP quotes
/// @notice Intel SGX DCAP Quoting Library API, appendix A: version 3 of SGX; version 4 and 5 of TDX,
/// with bodies of TDX 1.0, 1.5 and 1.5 extended; ECDSA on P-256; certified by Intel's quoting
/// enclave. Numbers are little-endian.
///
/// Certification data comes last and is not signed. Its length must be right, and its content is not
/// read: the PCK certificate that verifies the quoting enclave's report is the right one. Whoever
/// submits a quote may thus leave the content away, setting its length (and the lengths and the type
/// around it) accordingly, which saves 3.6 KB of calldata. Bytes after the quote are ignored.
library Quotes {
    using CalldataBytes for bytes;

    uint256 internal constant REPORT_DATA_OF_ENCLAVE = 320;
    uint256 internal constant ENCLAVE_REPORT = 384;
    uint256 private constant HEADER = 48;
    uint256 private constant BODY_HEADER = 6;
    uint256 private constant TD_REPORT_10 = 584;
    uint256 private constant TD_REPORT_15 = 648;
    uint256 private constant TD_REPORT_15_EXTENDED = 885;
    uint256 private constant SIGNATURE_AND_KEY = 128;

    /// @notice Finds the parts.
    function read(bytes calldata data) internal pure returns (Quote memory quote) {
        unchecked {
            if (data.length < HEADER + BODY_HEADER) revert ISubrosaDcap.QuoteMalformed();
            uint256 version = data.le16(0);
            uint256 teeType = data.le32(4);
            // ECDSA-256-with-P-256, and the quoting enclave's vendor: Intel.
            if (data.le16(2) != 2 || data.number(12, 16) != 0x939a7233f79c4ca9940a0db3957f0607) {
                revert ISubrosaDcap.QuoteUnsupported();
            }
            quote.body = HEADER;
            quote.tdx = true;
            if (version == 3 && teeType == 0) {
                quote.tdx = false;
                quote.signedLength = HEADER + ENCLAVE_REPORT;
            } else if (version == 4 && teeType == 0x81) {
                quote.signedLength = HEADER + TD_REPORT_10;
            } else if (version == 5 && teeType == 0x81) {
                quote.body += BODY_HEADER;
                uint256 size = _bodySize(data.le16(HEADER));
                quote.td15 = size != TD_REPORT_10;
                quote.signedLength = quote.body + size;
                if (data.le32(HEADER + 2) != size) revert ISubrosaDcap.QuoteMalformed();
            } else {
                revert ISubrosaDcap.QuoteUnsupported();
            }
            _findReport(data, quote);
        }
    }

    function _bodySize(uint256 bodyType) private pure returns (uint256) {
        if (bodyType == 2) return TD_REPORT_10;
        if (bodyType == 3) return TD_REPORT_15;
        if (bodyType == 4) return TD_REPORT_15_EXTENDED;
        revert ISubrosaDcap.QuoteUnsupported();
    }

    /// @dev Follows the lengths: of everything after the signed part; from version 4 on, of what
    /// certifies the key; of what the quoting enclave adds; of its certification data.
    function _findReport(bytes calldata data, Quote memory quote) private pure {
        unchecked {
            uint256 end = _within(quote.signedLength + 4, 0, data.length);
            end = _within(end, data.le32(quote.signedLength), data.length);
            uint256 offset = _within(quote.signedLength + 4, SIGNATURE_AND_KEY, end);
            if (quote.tdx) {
                uint256 start = _within(offset, 6, end);
                end = _within(start, data.le32(offset + 2), end);
                offset = start;
            }
            quote.qeReport = offset;
            offset = _within(offset, ENCLAVE_REPORT + 64 + 2, end);
            if (data.le16(offset - 2) != 32) revert ISubrosaDcap.QuoteMalformed();
            uint256 certification = _within(offset, 32 + 6, end);
            _within(certification, data.le32(certification - 4), end);
        }
    }

    function _within(uint256 offset, uint256 length, uint256 end) private pure returns (uint256 next) {
        unchecked {
            next = offset + length;
            if (next > end) revert ISubrosaDcap.QuoteMalformed();
        }
    }
}
