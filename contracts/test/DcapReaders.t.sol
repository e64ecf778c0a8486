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

    function testFuzz_dates_count_days(uint32 day, uint256 second) public view {
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

    function testFuzz_elements_have_minimal_lengths_that_fit(bytes calldata der) public view {
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

    function testFuzz_integers_are_read_as_written(uint256 value, uint8 shift) public {
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

    function testFuzz_numbers_are_read_as_written(uint16 value) public view {
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

    function testFuzz_hexadecimal_digits_are_read_as_written(bytes16 value, uint8 length, uint256 capitals)
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

    function testFuzz_the_first_of_a_character_is_found(bytes calldata text, uint8 character) public view {
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

    function testFuzz_components_are_compared_one_by_one(uint128 have, uint128 need, uint128 mask) public view {
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

    function testFuzz_little_endian_numbers(uint32 value) public view {
        bytes memory data = abi.encodePacked(uint8(value), uint8(value >> 8), uint8(value >> 16), uint8(value >> 24));
        assertEq(readers.le32(data), value);
    }

    function testFuzz_code_keeps_bytes(bytes calldata data) public {
        (bytes memory read, address blob) = readers.kept(data);
        assertEq(read, data);
        assertEq(blob.code, data.length == 0 ? bytes("") : bytes.concat(hex"00", data));
        // Kept once, and found again by what it is.
        (, address again) = readers.kept(data);
        assertEq(again, blob);
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

    function test_sha384_of_every_length() public {
        string memory editions = vm.readFile("test/fixtures/dcap-editions.json");
        for (uint256 length = 0; length < 112; ++length) {
            bytes memory message = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                message[i] = bytes1(uint8(i * 7 + length));
            }
            bytes memory expected = vm.parseJsonBytes(editions, string.concat(".sha384[", vm.toString(length), "]"));
            assertEq(readers.sha384(message), expected, vm.toString(length));
        }
    }

    function testFuzz_code_that_cannot_be_created_is_noticed(uint256 allowance) public {
        // 200 gas a byte to keep, 16 a word to copy: not enough for some, and for nothing else too little.
        allowance = bound(allowance, 600_000, 4_900_000);
        try readers.kept{gas: allowance}(new bytes(24_575)) {
            revert("kept");
        } catch (bytes memory reason) {
            // With 1/64 of the gas left there is enough to say so, or nothing is said.
            assertTrue(reason.length == 0 || bytes4(reason) == bytes4(keccak256("BlobNotWritten()")));
            if (allowance > 2_000_000) assertEq(reason, abi.encodeWithSignature("BlobNotWritten()"));
        }
    }

    // Levels.

    /// @dev Up to eight levels with requirements of 0 to 3, against the obvious comparison.
    function testFuzz_sgx_levels_are_tried_in_order(uint256 seed, uint8 count) public view {
        count = count % 9;
        bytes memory packed = abi.encodePacked(bytes8(0), count);
        uint128 have = _svns(seed);
        uint16 pce = uint16(seed % 4);
        uint256 expected;
        for (uint256 i = 0; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            uint128 need = _svns(r) & _svns(r >> 128);
            uint8 status = uint8(1 + i);
            packed = bytes.concat(packed, abi.encodePacked(need, uint16(r % 4), status));
            if (expected == 0 && _meets(have, need) && pce >= r % 4) expected = status;
        }
        (bool found, uint256 actual) = _try(abi.encodeCall(IReaders.matchSgx, (packed, have, pce)));
        assertEq(found, expected != 0);
        assertEq(actual, expected);
    }

    function testFuzz_tdx_levels_and_modules_are_tried_in_order(uint256 seed, uint8 count, uint8 modules) public view {
        uint128 tdx = _svns(seed >> 3);
        (bytes memory packed, uint256 fingerprint, uint256 moduleStatus) = _modules(seed, modules % 4, tdx);
        (bytes memory levels, uint256 expected) = _levels(seed, count % 6, tdx);
        packed = bytes.concat(packed, levels);
        (bool found, uint256 actual) =
            _try(abi.encodeCall(IReaders.matchTdx, (packed, _svns(seed), uint16(seed % 4), tdx)));
        bool complete = fingerprint != 0 && expected != 0 && moduleStatus != 0 && moduleStatus != 2;
        assertEq(found, complete);
        if (complete) assertEq(actual, readers.converge(expected, moduleStatus));
        (found, actual) = _try(abi.encodeCall(IReaders.module, (packed, uint8(tdx >> 112))));
        assertEq(found, fingerprint != 0);
        assertEq(actual, fingerprint);
    }

    /// @dev Versions and SVNs from 0 to 3; a module without version has fingerprint 77.
    function _modules(uint256 seed, uint8 count, uint128 tdx)
        private
        pure
        returns (bytes memory packed, uint256 fingerprint, uint256 status)
    {
        packed = abi.encodePacked(bytes8(0), bytes32(uint256(77)), count);
        uint8 version = uint8(tdx >> 112);
        if (version == 0) (fingerprint, status) = (77, 1);
        for (uint256 i = 0; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "module", i)));
            uint8 levels = uint8(r >> 8) % 3;
            packed = bytes.concat(packed, abi.encodePacked(uint8(r % 4), bytes32(i + 1), levels));
            bool chosen = fingerprint == 0 && uint8(r % 4) == version;
            if (chosen) fingerprint = i + 1;
            for (uint256 l = 0; l < levels; ++l) {
                uint8 each = [1, 5, 15, 2][(r >> (16 + 2 * l)) % 4];
                packed = bytes.concat(packed, abi.encodePacked(uint8(3 - l), each));
                if (chosen && status == 0 && uint8(tdx >> 120) >= 3 - l) status = each;
            }
        }
    }

    function _levels(uint256 seed, uint8 count, uint128 tdx)
        private
        pure
        returns (bytes memory packed, uint256 expected)
    {
        packed = bytes.concat(bytes1(count));
        for (uint256 i = 0; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            uint128 need = _svns(r) & _svns(r >> 128);
            uint128 needTdx = _svns(r >> 1) & _svns(r >> 127);
            packed = bytes.concat(packed, abi.encodePacked(need, uint16(r % 4), needTdx, uint8(1 + i)));
            // The identity of a module with a version judges its two components.
            if (uint8(tdx >> 112) != 0) needTdx &= type(uint128).max >> 16;
            bool met = _meets(_svns(seed), need) && seed % 4 >= r % 4 && _meets(tdx, needTdx);
            if (expected == 0 && met) expected = 1 + i;
        }
    }

    struct Enclave {
        bytes4 misc;
        bytes16 attributes;
        bytes32 signer;
        uint16 product;
        uint16 svn;
    }

    function testFuzz_a_quoting_enclave_is_the_one_that_the_identity_names(
        Enclave memory e,
        bytes4 miscMask,
        bytes16 mask,
        uint8 way,
        uint8 bit
    ) public view {
        e.attributes &= ~bytes16(uint128(2 << 120));
        e.svn = e.svn % 8;
        bytes memory report = _enclaveReport(e);
        bool debug = way % 6 == 5;
        if (debug) report[48] |= 0x02;
        // In one place another value: outside of the mask it does not count.
        bool same = true;
        if (way % 6 == 1) (e.signer, same) = (e.signer ^ bytes32(1 << bit), false);
        if (way % 6 == 2) (e.product, same) = (e.product ^ uint16(1 << (bit % 16)), false);
        if (way % 6 == 3) {
            bytes4 flipped = bytes4(uint32(1 << (bit % 32)));
            (e.misc, same) = (e.misc ^ flipped, miscMask & flipped == 0);
        }
        if (way % 6 == 4) {
            bytes16 flipped = bytes16(uint128(1 << (bit % 128)));
            (e.attributes, same) = (e.attributes ^ flipped, mask & flipped == 0);
        }
        bytes memory packed = abi.encodePacked(bytes8(0), e.signer, e.product, e.misc, miscMask, e.attributes, mask);
        packed = bytes.concat(packed, abi.encodePacked(uint8(2), uint16(5), uint8(1), uint16(3), uint8(5)));
        (bool found, uint256 status) = _try(abi.encodeCall(IReaders.quotingEnclave, (packed, report)));
        assertEq(found, !debug && same && e.svn >= 3);
        if (found) assertEq(status, e.svn >= 5 ? 1 : 5);
    }

    function _enclaveReport(Enclave memory e) private pure returns (bytes memory report) {
        report = new bytes(384);
        _write(report, 16, bytes.concat(e.misc));
        _write(report, 48, bytes.concat(e.attributes));
        _write(report, 128, bytes.concat(e.signer));
        _write(report, 256, abi.encodePacked(uint8(e.product), uint8(e.product >> 8), uint8(e.svn), uint8(e.svn >> 8)));
    }

    // Statuses.

    function test_every_status_is_read_up_to_its_quotation_mark() public {
        string[7] memory words = [
            "UpToDate",
            "SWHardeningNeeded",
            "ConfigurationNeeded",
            "ConfigurationAndSWHardeningNeeded",
            "OutOfDate",
            "OutOfDateConfigurationNeeded",
            "Revoked"
        ];
        for (uint256 i = 0; i < words.length; ++i) {
            bytes memory word = bytes(words[i]);
            (uint256 value, uint256 next) = readers.status(bytes.concat(word, '"'));
            assertEq(value, i == 6 ? 15 : i + 1);
            assertEq(next, word.length + 1);
            for (uint256 place = 0; place <= word.length; ++place) {
                bytes memory other = bytes.concat(word, '"');
                other[place] ^= 0x01;
                vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.JsonUnexpected.selector, 0));
                readers.status(other);
            }
        }
    }

    /// @dev Intel's `convergeTcbStatuses`, as a table: rows are platforms, columns components.
    function test_statuses_converge_as_in_the_table() public view {
        uint8[9] memory outdated = [0, 5, 5, 6, 6, 5, 6, 7, 8];
        for (uint256 platform = 1; platform <= 8; ++platform) {
            for (uint256 component = 1; component <= 15; ++component) {
                uint256 expected = component == 15 ? 15 : component == 5 ? outdated[platform] : platform;
                assertEq(readers.converge(platform, component), expected);
            }
        }
        assertEq(readers.converge(15, 1), 15);
        assertEq(readers.converge(15, 5), 15);
        assertEq(readers.converge(15, 15), 15);
    }

    /// @dev Intel's `checkForRelaunch`: rows are statuses at launch, columns current ones.
    function test_a_relaunch_is_advised_as_in_the_table() public view {
        for (uint256 launch = 1; launch <= 8; ++launch) {
            for (uint256 current = 1; current <= 8; ++current) {
                uint256 expected = launch;
                if (launch == 5 && (current == 1 || current == 2)) expected = 7;
                if (launch == 5 && (current == 3 || current == 4)) expected = 8;
                if (launch == 6 && current <= 4) expected = 8;
                assertEq(readers.relaunch(launch, current), expected);
            }
        }
    }

    // TDs.

    /// @dev TDX Module ABI, 348551-008, table 3.23: what may be set is 16 (PKS in TDX 1.5: LASS), 18 to
    /// 22, 27, 28, 30, 31, 62 and 63; 28 must be.
    function testFuzz_attributes_of_tds(uint64 attributes, uint256 service, bool td15) public {
        bytes memory report = new bytes(648);
        for (uint256 i = 0; i < 8; ++i) {
            report[120 + i] = bytes1(uint8(attributes >> (8 * i)));
        }
        uint64 allowed = 1 << 16 | uint64(0x1f) << 18 | 3 << 27 | uint64(3) << 30 | uint64(3) << 62;
        if (attributes & ~allowed != 0 || attributes >> 28 & 1 == 0) {
            vm.expectPartialRevert(ISubrosaDcap.TdAttributesRefused.selector);
            readers.checkAttributes(report, td15);
            attributes = attributes & allowed | 1 << 28;
            for (uint256 i = 0; i < 8; ++i) {
                report[120 + i] = bytes1(uint8(attributes >> (8 * i)));
            }
        }
        readers.checkAttributes(report, td15);
        report[600 + service % 48] = bytes1(uint8(service >> 8) | 1);
        if (td15) vm.expectRevert(ISubrosaDcap.ServiceTdRefused.selector);
        readers.checkAttributes(report, td15);
    }

    function test_every_attribute_alone() public {
        uint64 allowed = 1 << 16 | uint64(0x1f) << 18 | 3 << 27 | uint64(3) << 30 | uint64(3) << 62;
        for (uint256 bit = 0; bit < 64; ++bit) {
            bytes memory report = new bytes(648);
            report[123] = 0x10;
            report[120 + bit / 8] |= bytes1(uint8(1 << (bit % 8)));
            if (allowed >> bit & 1 == 0) vm.expectPartialRevert(ISubrosaDcap.TdAttributesRefused.selector);
            readers.checkAttributes(report, true);
        }
    }

    // Lists.

    function testFuzz_a_serial_number_is_found_among_others(uint64[] calldata serials, uint64 serial, uint8 headroom)
        public
        view
    {
        bytes memory all = new bytes(headroom);
        bool expected;
        for (uint256 i = 0; i < serials.length; ++i) {
            all = bytes.concat(all, bytes8(serials[i]));
            expected = expected || serials[i] == serial;
        }
        assertEq(readers.contains(all, headroom, serial), expected);
        if (serials.length != 0) assertTrue(readers.contains(all, headroom, serials[serial % serials.length]));
    }

    function testFuzz_only_the_very_bytes_are_stepped_over(bytes32 expected, uint8 length, uint8 place, uint8 change)
        public
    {
        length = uint8(bound(length, 1, 32));
        bytes memory der = new bytes(length);
        _write(der, 0, bytes.concat(expected));
        assertEq(readers.skip(der, expected, length), length);
        vm.assume(change != 0);
        der[place % length] ^= bytes1(change);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.DerMalformed.selector, 0));
        readers.skip(der, expected, length);
        der[place % length] ^= bytes1(change);
        assembly {
            mstore(der, sub(length, 1))
        }
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.DerMalformed.selector, 0));
        readers.skip(der, expected, length);
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

    /// @dev A call that may revert for no level, or an unknown module, and for no other reason.
    function _try(bytes memory input) private view returns (bool success, uint256 value) {
        bytes memory result;
        (success, result) = address(readers).staticcall(input);
        if (success) return (true, abi.decode(result, (uint256)));
        bytes4 reason = bytes4(result);
        assertTrue(
            reason == ISubrosaDcap.TcbLevelNotFound.selector || reason == ISubrosaDcap.TdxModuleUnknown.selector
                || reason == ISubrosaDcap.QuotingEnclaveUnknown.selector || reason == ISubrosaDcap.DebugMode.selector
        );
    }

    /// @dev Sixteen numbers from 0 to 3.
    function _svns(uint256 seed) private pure returns (uint128) {
        return uint128(uint256(keccak256(abi.encode(seed)))) & 0x03030303030303030303030303030303;
    }

    function _meets(uint128 have, uint128 need) private pure returns (bool) {
        for (uint256 i = 0; i < 128; i += 8) {
            if (uint8(have >> i) < uint8(need >> i)) return false;
        }
        return true;
    }

    function _write(bytes memory data, uint256 place, bytes memory part) private pure {
        for (uint256 i = 0; i < part.length && place + i < data.length; ++i) {
            data[place + i] = part[i];
        }
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
