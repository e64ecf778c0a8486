// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";

/// @title Dates in certificates and in Intel's JSON, as Unix seconds
library Dates {
    /// @notice UTCTime `YYMMDDHHMMSSZ` (RFC 5280, 4.1.2.5.1): 13 bytes, the highest of `text`.
    function utcTime(uint256 text) internal pure returns (uint256) {
        if (uint8(text >> 152) != 0x5a) revert ISubrosaDcap.DateMalformed(bytes32(text));
        uint256 digits = _digits(text, 0xffffffffffffffffffffffff << 160);
        uint256 year = _pair(digits, 0);
        unchecked {
            return _unix(text, year < 50 ? 2000 + year : 1900 + year, digits << 16);
        }
    }

    /// @notice GeneralizedTime `YYYYMMDDHHMMSSZ` (RFC 5280, 4.1.2.5.2): 15 bytes, the highest of `text`.
    function generalizedTime(uint256 text) internal pure returns (uint256) {
        if (uint8(text >> 136) != 0x5a) revert ISubrosaDcap.DateMalformed(bytes32(text));
        uint256 digits = _digits(text, 0xffffffffffffffffffffffffffff << 144);
        unchecked {
            return _unix(text, _pair(digits, 0) * 100 + _pair(digits, 1), digits << 32);
        }
    }

    /// @notice `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, as Intel writes it): 20 bytes, the highest of `text`.
    function iso8601(uint256 text) internal pure returns (uint256) {
        if (text & SEPARATORS_MASK != SEPARATORS) revert ISubrosaDcap.DateMalformed(bytes32(text));
        uint256 together = (text & (0xffffffff << 224)) | ((text << 8) & (0xffff << 208))
            | ((text << 16) & (0xffff << 192)) | ((text << 24) & (0xffff << 176)) | ((text << 32) & (0xffff << 160))
            | ((text << 40) & (0xffff << 144)) | (0x5a << 136);
        return generalizedTime(together);
    }

    /// @dev The digits' values in the bytes of `mask`.
    function _digits(uint256 text, uint256 mask) private pure returns (uint256 values) {
        values = (text & mask) ^ (ZEROS & mask);
        // A value above nine carries into its byte's highest bit, or has it set.
        unchecked {
            if ((values | (values + (OVER_NINE & mask))) & HIGH_BITS != 0) {
                revert ISubrosaDcap.DateMalformed(bytes32(text));
            }
        }
    }

    /// @dev The number that the pair of digits at `index` writes.
    function _pair(uint256 digits, uint256 index) private pure returns (uint256) {
        unchecked {
            uint256 pair = (digits >> (240 - 16 * index)) & 0xffff;
            return (pair >> 8) * 10 + (pair & 0xff);
        }
    }

    /// @dev `digits` are month, day, hour, minute, second. Days are counted from 1 March of year 0,
    /// so that the leap day is the last of a year.
    function _unix(uint256 text, uint256 year, uint256 digits) private pure returns (uint256) {
        unchecked {
            uint256 month = _pair(digits, 0);
            uint256 day = _pair(digits, 1);
            uint256 hour = _pair(digits, 2);
            uint256 minute = _pair(digits, 3);
            uint256 second = _pair(digits, 4);
            uint256 last = uint8(LAST_DAYS >> (8 * month));
            // Of the years that 25 divides, those leap that 16 divides.
            if (month == 2 && year & (year % 25 == 0 ? 15 : 3) == 0) ++last;
            if (year < 1970 || day == 0 || day > last || hour > 23 || minute > 59 || second > 59) {
                revert ISubrosaDcap.DateMalformed(bytes32(text));
            }
            if (month < 3) {
                month += 12;
                --year;
            }
            uint256 daysSoFar =
                year * 365 + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 - EPOCH_DAYS;
            return ((daysSoFar * 24 + hour) * 60 + minute) * 60 + second;
        }
    }

    /// Days from 1 March of year 0 to 1 January 1970.
    uint256 private constant EPOCH_DAYS = 719_468;
    /// The last day of the month whose number is that of the byte, from the lowest; zero if there is
    /// no such month.
    uint256 private constant LAST_DAYS = 0x1f1e1f1e1f1f1e1f1e1f1c1f00;
    uint256 private constant ZEROS = 0x3030303030303030303030303030303030303030303030303030303030303030;
    uint256 private constant OVER_NINE = 0x7676767676767676767676767676767676767676767676767676767676767676;
    uint256 private constant HIGH_BITS = 0x8080808080808080808080808080808080808080808080808080808080808080;
    /// `-`, `-`, `T`, `:`, `:`, `Z`.
    uint256 private constant SEPARATORS = 0x000000002d00002d00005400003a00003a00005a000000000000000000000000;
    uint256 private constant SEPARATORS_MASK = 0x00000000ff0000ff0000ff0000ff0000ff0000ff000000000000000000000000;
}
