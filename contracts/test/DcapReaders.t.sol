// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {ISubrosaDcap} from "../src/interfaces/ISubrosaDcap.sol";
import {IReaders} from "./dcap/IReaders.sol";

/// @notice Every reader against the obvious way of writing it.
contract DcapReadersTests is Test {
    IReaders private readers;

    // Found by a whole build only: `forge test` with a filter leaves `test/dcap` uncompiled.
    function setUp() public {
        readers = IReaders(deployCode("test/dcap/Readers.sol:Readers"));
    }

    // Dates.

    function test_known_dates() public view {
        assertEq(readers.utcTime("700101000000Z"), 0);
        assertEq(readers.utcTime("491231235959Z"), 2_524_607_999);
        assertEq(readers.generalizedTime("20240229120000Z"), 1_709_208_000);
        assertEq(readers.generalizedTime("21000301000000Z"), 4_107_542_400);
        assertEq(readers.iso8601("2026-11-06T23:45:11Z"), 1_794_008_711);
        assertEq(readers.iso8601("1970-01-01T00:00:00Z"), 0);
    }

    function test_fuzz_dates_count_days(uint32 day, uint256 second) public view {
        uint256 days_ = bound(day, 0, 29_219);
        second = bound(second, 0, 86_399);
        (uint256 year, uint256 month, uint256 date) = _civil(days_);
        bytes memory text = bytes.concat(
            bytes(vm.toString(year)),
            "-",
            _two(month),
            "-",
            _two(date),
            "T",
            _two(second / 3600),
            ":",
            _two(second / 60 % 60),
            ":",
            _two(second % 60),
            "Z"
        );
        assertEq(readers.iso8601(bytes20(text)), days_ * 86_400 + second);
    }

    function test_dates_that_are_none_are_refused() public {
        string[14] memory texts = [
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "1969-12-31T00:00:00Z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00z",
            "2026/01-01T00:00:00Z",
            "2026-01-01T00-00:00Z",
            "20:6-01-01T00:00:00Z",
            "20/6-01-01T00:00:00Z"
        ];
        for (uint256 i = 0; i < texts.length; ++i) {
            vm.expectPartialRevert(ISubrosaDcap.DateMalformed.selector);
            readers.iso8601(bytes20(bytes(texts[i])));
        }
        vm.expectPartialRevert(ISubrosaDcap.DateMalformed.selector);
        readers.utcTime("260101000000+");
        vm.expectPartialRevert(ISubrosaDcap.DateMalformed.selector);
        readers.generalizedTime("20260101000000+");
        vm.expectPartialRevert(ISubrosaDcap.DateMalformed.selector);
        readers.utcTime(bytes13(hex"b636303130313030303030305a"));
    }

    // DER.

    function test_fuzz_elements_have_minimal_lengths_that_fit(bytes calldata der) public view {
        (bool valid, uint256 start, uint256 next) = _element(der);
        try readers.element(der) returns (uint256 tag, uint256 actualStart, uint256 actualNext) {
            assertTrue(valid);
            assertEq(tag, uint8(der[0]));
            assertEq(actualStart, start);
            assertEq(actualNext, next);
        } catch {
            assertFalse(valid);
        }
    }

    function test_lengths_that_are_not_minimal_are_refused() public {
        _refuseElement(hex"04");
        _refuseElement(hex"0402aa");
        _refuseElement(bytes.concat(hex"04817f", new bytes(0x7f)));
        _refuseElement(bytes.concat(hex"048200ff", new bytes(0xff)));
        _refuseElement(bytes.concat(hex"0483000100", new bytes(0x100)));
        _refuseElement(bytes.concat(hex"0480", new bytes(2)));
        (, uint256 start, uint256 next) = readers.element(bytes.concat(hex"048180", new bytes(0x80)));
        assertEq(next - start, 0x80);
        (, start, next) = readers.element(bytes.concat(hex"04820100", new bytes(0x100)));
        assertEq(next - start, 0x100);
    }

    function test_fuzz_integers_are_read_as_written(uint256 value, uint8 shift) public {
        // Short ones too.
        value >>= shift;
        bytes memory content = abi.encodePacked(value);
        uint256 skip = 0;
        while (skip < 31 && content[skip] == 0) ++skip;
        bytes memory digits = new bytes(32 - skip);
        for (uint256 i = 0; i < digits.length; ++i) {
            digits[i] = content[skip + i];
        }
        if (uint8(digits[0]) > 0x7f) digits = bytes.concat(hex"00", digits);
        bytes memory der = bytes.concat(hex"02", bytes1(uint8(digits.length)), digits);
        (uint256 read, uint256 next) = readers.unsigned(der);
        assertEq(read, value);
        assertEq(next, der.length);
        if (digits.length > 21) vm.expectPartialRevert(ISubrosaDcap.DerMalformed.selector);
        uint256 low = readers.low64(digits);
        if (digits.length <= 21) assertEq(low, uint64(value));
    }

    function test_integers_not_minimal_or_negative_or_large_are_refused() public {
        bytes[5] memory bad = [
            bytes(hex"0200"),
            hex"020180",
            hex"02020001",
            bytes.concat(hex"022201", new bytes(33)),
            bytes.concat(hex"022101", new bytes(32))
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectPartialRevert(ISubrosaDcap.DerMalformed.selector);
            readers.unsigned(bad[i]);
        }
        vm.expectPartialRevert(ISubrosaDcap.DerMalformed.selector);
        readers.low64("");
    }

    // JSON.

    function test_fuzz_numbers_are_read_as_written(uint16 value) public view {
        bytes memory text = bytes.concat(bytes(vm.toString(uint256(value))), ",");
        (uint256 read, uint256 next) = readers.integer(text, type(uint16).max);
        assertEq(read, value);
        assertEq(next, text.length - 1);
    }

    function test_numbers_that_are_none_are_refused() public {
        string[5] memory texts = ["", "x", "00", "01", "256"];
        for (uint256 i = 0; i < texts.length; ++i) {
            vm.expectPartialRevert(ISubrosaDcap.JsonUnexpected.selector);
            readers.integer(bytes(texts[i]), 255);
        }
    }

    function test_fuzz_hexadecimal_digits_are_read_as_written(bytes16 value, uint8 length, uint256 capitals)
        public
        view
    {
        length = uint8(bound(length, 1, 16));
        bytes memory digits = new bytes(2 * uint256(length));
        for (uint256 i = 0; i < digits.length; ++i) {
            uint8 nibble = uint8(value[i / 2]) >> (i % 2 == 0 ? 4 : 0) & 0xf;
            digits[i] = bytes(capitals >> i & 1 == 0 ? "0123456789abcdef" : "0123456789ABCDEF")[nibble];
        }
        (uint256 read, uint256 next) = readers.hexadecimal(digits);
        assertEq(read, uint128(value) >> (128 - 8 * uint256(length)));
        assertEq(next, digits.length);
    }

    function test_every_character_but_the_digits_is_refused() public {
        for (uint256 i = 0; i < 256; ++i) {
            bytes memory text = bytes.concat("1", bytes1(uint8(i)), "23");
            bool digit = (i >= 0x30 && i <= 0x39) || (i >= 0x41 && i <= 0x46) || (i >= 0x61 && i <= 0x66);
            if (!digit) vm.expectPartialRevert(ISubrosaDcap.JsonUnexpected.selector);
            readers.hexadecimal(text);
        }
    }

    function test_fuzz_the_first_of_a_character_is_found(bytes calldata text, uint8 character) public view {
        uint256 expected = 0;
        while (expected < text.length && uint8(text[expected]) != character) ++expected;
        try readers.find(text, character) returns (uint256 found) {
            if (expected < text.length) assertEq(found, expected);
            // Past the end lie zeros here; a reader of a document notices at its end.
            else assertGe(found, text.length);
        } catch {
            assertEq(expected, text.length);
        }
    }

    // The rest.

    function test_fuzz_components_are_compared_one_by_one(uint128 have, uint128 need, uint128 mask) public view {
        // Mostly equal bytes, so that single components decide.
        need = (have & mask) | (need & ~mask);
        bool expected = true;
        for (uint256 i = 0; i < 128; i += 8) {
            if (uint8(have >> i) < uint8(need >> i)) expected = false;
        }
        try readers.meets(have, need) returns (bool met) {
            assertTrue(met && expected);
        } catch {
            assertFalse(expected);
        }
    }

    function test_fuzz_little_endian_numbers(uint32 value) public view {
        bytes memory data = abi.encodePacked(uint8(value), uint8(value >> 8), uint8(value >> 16), uint8(value >> 24));
        assertEq(readers.le32(data), value);
    }

    function test_fuzz_code_keeps_bytes(bytes calldata data) public {
        (bytes memory read, address blob) = readers.kept(data);
        assertEq(read, data);
        assertEq(blob.code, bytes.concat(hex"00", data));
    }

    function test_code_keeps_no_more_than_an_account_may_have() public {
        (bytes memory read,) = readers.kept(new bytes(24_575));
        assertEq(read.length, 24_575);
        vm.expectRevert(abi.encodeWithSignature("BlobTooLarge(uint256)", 24_576));
        readers.kept(new bytes(24_576));
    }

    /// Vectors of FIPS 180-4's examples, and of the longest message of one block.
    function test_sha384_of_known_messages() public {
        assertEq(
            readers.sha384("abc"),
            hex"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
        );
        assertEq(
            readers.sha384(""),
            hex"38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"
        );
        assertEq(
            readers.sha384(new bytes(111)),
            hex"435770712c611be7293a66dd0dc8d1450dc7ff7337bfe115bf058ef2eb9bed09cee85c26963a5bcc0905dc2df7cc6a76"
        );
        vm.expectRevert(abi.encodeWithSignature("MessageTooLong(uint256)", 112));
        readers.sha384(new bytes(112));
    }

    function _refuseElement(bytes memory der) private {
        vm.expectPartialRevert(ISubrosaDcap.DerMalformed.selector);
        readers.element(der);
    }

    function _element(bytes calldata der) private pure returns (bool valid, uint256 start, uint256 next) {
        if (der.length < 2) return (false, 0, 0);
        uint256 length = uint8(der[1]);
        start = 2;
        if (length > 0x7f) {
            uint256 width = length - 0x80;
            if (width == 0 || width > 2 || der.length < 2 + width) return (false, 0, 0);
            length = width == 1 ? uint8(der[2]) : uint256(uint8(der[2])) * 256 + uint8(der[3]);
            if (length < (width == 1 ? 0x80 : 0x100)) return (false, 0, 0);
            start += width;
        }
        next = start + length;
        valid = next <= der.length;
    }

    function _two(uint256 number) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(48 + number / 10), uint8(48 + number % 10));
    }

    /// @dev Year, month and day, by counting.
    function _civil(uint256 days_) private pure returns (uint256 year, uint256 month, uint256 date) {
        year = 1970;
        while (true) {
            uint256 length = _leap(year) ? 366 : 365;
            if (days_ < length) break;
            days_ -= length;
            ++year;
        }
        uint8[12] memory lengths = [31, _leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        while (days_ >= lengths[month]) {
            days_ -= lengths[month];
            ++month;
        }
        return (year, month + 1, days_ + 1);
    }

    function _leap(uint256 year) private pure returns (bool) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    }
}
