// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {Dates} from "./Dates.sol";

/// @title A reader of DER (X.690) in calldata
/// @notice Strict: definite, minimal lengths of at most two bytes; one-byte tags; nothing reaches
/// past the end of what contains it. The caller keeps `end` within the bytes' length.
library Der {
    using CalldataBytes for bytes;

    uint256 internal constant BOOLEAN = 0x01;
    uint256 internal constant INTEGER = 0x02;
    uint256 internal constant BIT_STRING = 0x03;
    uint256 internal constant OCTET_STRING = 0x04;
    uint256 internal constant OBJECT_IDENTIFIER = 0x06;
    uint256 internal constant UTC_TIME = 0x17;
    uint256 internal constant GENERALIZED_TIME = 0x18;
    uint256 internal constant SEQUENCE = 0x30;

    /// @notice Reads the header of the element at `offset`.
    /// @return tag Its tag.
    /// @return start Where its content starts.
    /// @return next Where its content ends and the next element starts; never past `end`.
    function read(bytes calldata der, uint256 offset, uint256 end)
        internal
        pure
        returns (uint256 tag, uint256 start, uint256 next)
    {
        unchecked {
            uint256 header = der.word(offset);
            tag = header >> 248;
            uint256 length = (header >> 240) & 0xff;
            start = offset + 2;
            if (length > 0x7f) {
                if (length == 0x81) {
                    length = (header >> 232) & 0xff;
                    if (length < 0x80) revert ISubrosaDcap.DerMalformed(offset);
                    start = offset + 3;
                } else {
                    if (length != 0x82) revert ISubrosaDcap.DerMalformed(offset);
                    length = (header >> 224) & 0xffff;
                    if (length < 0x100) revert ISubrosaDcap.DerMalformed(offset);
                    start = offset + 4;
                }
            }
            next = start + length;
            if (next > end) revert ISubrosaDcap.DerMalformed(offset);
        }
    }

    /// @notice The same, of an element that must have this tag.
    function enter(bytes calldata der, uint256 offset, uint256 end, uint256 expected)
        internal
        pure
        returns (uint256 start, uint256 next)
    {
        uint256 tag;
        (tag, start, next) = read(der, offset, end);
        if (tag != expected) revert ISubrosaDcap.DerMalformed(offset);
    }

    /// @notice Steps over these very bytes, `length` of them, at most 32.
    function skip(bytes calldata der, uint256 offset, uint256 end, bytes32 expected, uint256 length)
        internal
        pure
        returns (uint256 next)
    {
        unchecked {
            next = offset + length;
        }
        if (next > end || !der.has(offset, expected, length)) revert ISubrosaDcap.DerMalformed(offset);
    }

    /// @notice Reads an INTEGER from 0 to 2^256 - 1, minimally encoded.
    function unsigned(bytes calldata der, uint256 offset, uint256 end)
        internal
        pure
        returns (uint256 value, uint256 next)
    {
        uint256 start;
        (start, next) = enter(der, offset, end, INTEGER);
        unchecked {
            uint256 length = next - start;
            if (length == 0) revert ISubrosaDcap.DerMalformed(offset);
            uint256 head = der.word(start) >> 240;
            if (head & 0x8000 != 0) revert ISubrosaDcap.DerMalformed(offset);
            if (head >> 8 == 0 && length > 1) {
                if (head & 0x80 == 0) revert ISubrosaDcap.DerMalformed(offset);
                ++start;
                --length;
            }
            if (length > 32) revert ISubrosaDcap.DerMalformed(offset);
            value = der.number(start, length);
        }
    }

    /// @notice Reads a UTCTime or GeneralizedTime as Unix seconds.
    function time(bytes calldata der, uint256 offset, uint256 end) internal pure returns (uint256 unix, uint256 next) {
        uint256 tag;
        uint256 start;
        (tag, start, next) = read(der, offset, end);
        unchecked {
            if (tag == UTC_TIME && next - start == 13) {
                unix = Dates.utcTime(der.word(start));
            } else if (tag == GENERALIZED_TIME && next - start == 15) {
                unix = Dates.generalizedTime(der.word(start));
            } else {
                revert ISubrosaDcap.DerMalformed(offset);
            }
        }
    }

    /// @notice The low 64 bits of the INTEGER with this content: how serial numbers are told apart
    /// here. Intel draws them at random, so two that agree in these bits are not met by chance, and
    /// if they were, the certificate that is not revoked would be taken for the one that is.
    function low64(bytes calldata der, uint256 start, uint256 next) internal pure returns (uint256) {
        unchecked {
            uint256 length = next - start;
            if (length == 0 || length > 21) revert ISubrosaDcap.DerMalformed(start);
            return uint64(length > 8 ? der.number(next - 8, 8) : der.number(start, length));
        }
    }
}
