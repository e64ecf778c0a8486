// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DcapCollateral, ISubrosaDcap} from "../src/interfaces/ISubrosaDcap.sol";
import {IDocuments} from "./dcap/IReaders.sol";
import {DcapTest} from "./support/DcapTest.sol";

interface IDerMutations {
    function KINDS() external view returns (uint256);
    function count(bytes calldata der) external view returns (uint256);
    function mutate(bytes calldata der, uint256 target, uint256 kind, uint256 seed) external view returns (bytes memory);
}

interface IJsonMutations {
    function mutate(bytes calldata json, uint256 seed) external view returns (bytes memory);
}

/// @notice Every document is read by `src/dcap` and by the references in `test/dcap` alike: changed,
/// cut and extended in every place, it gives the same result or is refused, with an error that the
/// interface names.
contract DcapDocumentsTests is DcapTest {
    /// SubjectPublicKeyInfo of a key on P-256, up to its coordinates.
    uint216 private constant KEY = 0x3059301306072a8648ce3d020106082a8648ce3d03010703420004;

    address private readers;
    address private references;
    IDerMutations private mutations;
    IJsonMutations private texts;
    bytes private certificate;
    bytes private list;
    bytes private extension;
    bytes private tdInfo;
    bytes private sgxInfo;
    bytes private identity;
    mapping(bytes4 => bool) private named;

    // Found by a whole build only: `forge test` with a filter leaves `test/dcap` uncompiled.
    function setUp() public override {
        super.setUp();
        readers = deployCode("test/dcap/Readers.sol:Readers");
        references = deployCode("test/dcap/References.sol:References");
        mutations = IDerMutations(deployCode("test/dcap/DerMutations.sol:DerMutations"));
        texts = IJsonMutations(deployCode("test/dcap/JsonMutations.sol:JsonMutations"));
        DcapCollateral memory collateral = _collateral("tdx");
        certificate = _pck("tdx");
        list = _list();
        tdInfo = collateral.tcbInfo;
        identity = collateral.qeIdentity;
        sgxInfo = _collateral("sgx").tcbInfo;
        uint256[15] memory fields = abi.decode(IDocuments(readers).certificate(certificate), (uint256[15]));
        extension = this.slice(certificate, fields[13], fields[14]);

        bytes4[7] memory errors = [
            ISubrosaDcap.DerMalformed.selector,
            ISubrosaDcap.DateMalformed.selector,
            ISubrosaDcap.JsonUnexpected.selector,
            ISubrosaDcap.ExtensionUnknown.selector,
            ISubrosaDcap.PckFieldsMissing.selector,
            ISubrosaDcap.QuoteMalformed.selector,
            ISubrosaDcap.QuoteUnsupported.selector
        ];
        for (uint256 i = 0; i < errors.length; ++i) {
            named[errors[i]] = true;
        }
    }

    // As they come.

    function test_documents_as_they_come_are_accepted_by_both() public {
        assertTrue(_agree(abi.encodeCall(IDocuments.certificate, (certificate))));
        assertTrue(_agree(abi.encodeCall(IDocuments.certificate, (_collateral("tdx").rootCertificate))));
        assertTrue(_agree(abi.encodeCall(IDocuments.certificate, (_collateral("tdx").tcbSigner))));
        assertTrue(_agree(abi.encodeCall(IDocuments.revocationList, (list, 72))));
        assertTrue(_agree(abi.encodeCall(IDocuments.revocationList, (_collateral("tdx").rootCrl, 0))));
        assertTrue(_agree(abi.encodeCall(IDocuments.platform, (extension))));
        assertTrue(_agree(abi.encodeCall(IDocuments.tcbInfo, (tdInfo, 7))));
        assertTrue(_agree(abi.encodeCall(IDocuments.tcbInfo, (sgxInfo, 7))));
        assertTrue(_agree(abi.encodeCall(IDocuments.qeIdentity, (identity, 7))));
        assertTrue(_agree(abi.encodeCall(IDocuments.quote, (_quote("tdx")))));
        assertTrue(_agree(abi.encodeCall(IDocuments.quote, (_quote("sgx")))));
    }

    // Cut short at every byte, with what was cut off still there: behind an argument lies the rest of
    // the calldata, which a reader must not take for the argument.

    function test_a_certificate_cut_anywhere_is_refused() public {
        _cut(abi.encodeCall(IDocuments.certificate, (certificate)), 0x24, 1);
    }

    function test_a_revocation_list_cut_anywhere_is_refused() public {
        _cut(abi.encodeCall(IDocuments.revocationList, (list, 0)), 0x44, 1);
    }

    function test_an_sgx_extension_cut_anywhere_is_refused() public {
        _cut(abi.encodeCall(IDocuments.platform, (extension)), 0x24, 1);
    }

    function test_tcb_info_cut_anywhere_is_refused() public {
        _cut(abi.encodeCall(IDocuments.tcbInfo, (tdInfo, 7)), 0x44, 7);
        _cut(abi.encodeCall(IDocuments.tcbInfo, (sgxInfo, 7)), 0x44, 7);
    }

    function test_a_quoting_enclave_identity_cut_anywhere_is_refused() public {
        _cut(abi.encodeCall(IDocuments.qeIdentity, (identity, 7)), 0x44, 1);
    }

    function test_a_quote_cut_anywhere_is_refused() public {
        _cut(abi.encodeCall(IDocuments.quote, (_quote("tdx"))), 0x24, 1);
        _cut(abi.encodeCall(IDocuments.quote, (_quote("sgx"))), 0x24, 1);
    }

    // Every element changed in every way.

    function test_every_change_of_a_certificate_is_read_alike() public {
        _changeEvery(certificate, 0);
    }

    function test_every_change_of_a_revocation_list_is_read_alike() public {
        _changeEvery(list, 1);
    }

    function test_every_change_of_an_sgx_extension_is_read_alike() public {
        _changeEvery(extension, 2);
    }

    function test_nothing_may_follow_a_signature() public {
        bytes[2] memory documents = [certificate, list];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory content = this.slice(documents[i], 4, documents[i].length);
            bytes memory same = bytes.concat(hex"3082", bytes2(uint16(content.length)), content);
            assertTrue(_agree(_call(i, same)));
            assertFalse(
                _agree(_call(i, bytes.concat(hex"3082", bytes2(uint16(content.length + 2)), content, hex"0500")))
            );
        }
    }

    /// @dev The signed part ends anywhere within its key, and every length is right.
    function test_a_certificate_that_ends_within_its_key_is_refused() public {
        uint256 key;
        while (uint216(bytes27(this.slice(certificate, key, key + 27))) != KEY) ++key;
        uint256 end = 8 + uint256(uint8(certificate[6])) * 256 + uint8(certificate[7]);
        bytes memory signature = this.slice(certificate, end, certificate.length);
        for (uint256 length = 0; length <= 27 + 64; ++length) {
            bytes memory signed = this.slice(certificate, 8, key + length);
            signed = bytes.concat(hex"3082", bytes2(uint16(signed.length)), signed, signature);
            bytes memory whole = bytes.concat(hex"3082", bytes2(uint16(signed.length)), signed);
            assertFalse(_agree(abi.encodeCall(IDocuments.certificate, (whole))));
        }
    }

    function test_numbers_of_the_tcb_count_in_the_tcb_only() public {
        bytes memory fields = bytes.concat(
            _field(hex"060a2a864886f84d010d0101", bytes.concat(hex"0410", new bytes(16))),
            _field(hex"060a2a864886f84d010d0104", bytes.concat(hex"0406", new bytes(6)))
        );
        bytes memory pce = _field(hex"060b2a864886f84d010d010211", hex"02010d");
        bytes memory cpu = _field(hex"060b2a864886f84d010d010212", bytes.concat(hex"0410", new bytes(16)));
        bytes memory tcb = hex"060a2a864886f84d010d0102";
        assertTrue(_agreeFields(fields, _field(tcb, _sequence(bytes.concat(pce, cpu)))));
        assertFalse(_agreeFields(fields, _field(tcb, _sequence(pce))));
        assertFalse(_agreeFields(fields, _field(tcb, _sequence(cpu))));
        assertFalse(_agreeFields(fields, ""));
        // Fields of the platform that have the numbers of those.
        bytes memory others = bytes.concat(
            _field(hex"060a2a864886f84d010d0111", hex"02010d"),
            _field(hex"060a2a864886f84d010d0112", bytes.concat(hex"0410", new bytes(16)))
        );
        assertFalse(_agreeFields(bytes.concat(fields, others), _field(tcb, _sequence(""))));
        assertTrue(_agreeFields(bytes.concat(fields, others), _field(tcb, _sequence(bytes.concat(pce, cpu)))));
        // An identifier that ends before its number.
        assertFalse(_agreeFields(bytes.concat(fields, _sequence(hex"060a2a864886f84d010d01")), ""));
    }

    function testFuzz_certificates_changed_twice_are_read_alike(uint256[2] calldata seeds) public {
        this.changed(certificate, 0, seeds);
    }

    function testFuzz_revocation_lists_changed_twice_are_read_alike(uint256[2] calldata seeds) public {
        this.changed(list, 1, seeds);
    }

    function testFuzz_sgx_extensions_changed_twice_are_read_alike(uint256[2] calldata seeds) public {
        this.changed(extension, 2, seeds);
    }

    function testFuzz_times_are_read_alike(uint256 tag, bytes13 short, bytes15 long, uint256 part, uint8 value) public {
        // Digits, of which one may be anything.
        bytes memory text = tag % 2 == 0 ? bytes.concat(short) : bytes.concat(long);
        for (uint256 i = 0; i < text.length; ++i) {
            text[i] =
                bytes1(48 + uint8(text[i]) % (i == (tag % 2 == 0 ? 2 : 4) ? 2 : i % 2 == text.length % 2 ? 4 : 10));
        }
        text[text.length - 1] = "Z";
        if (part % 4 == 0) text[(part >> 8) % text.length] = bytes1(value);
        bytes1 actual = tag % 32 == 31 ? bytes1(uint8(tag >> 8)) : tag % 2 == 0 ? bytes1(0x17) : bytes1(0x18);
        _agree(abi.encodeCall(IDocuments.time, (bytes.concat(actual, bytes1(uint8(text.length)), text))));
    }

    function test_the_last_day_of_every_month_is_the_last() public {
        uint16[6] memory ofYears = [uint16(1970), 1999, 2000, 2024, 2100, 9999];
        uint256 accepted;
        for (uint256 y = 0; y < ofYears.length; ++y) {
            for (uint256 month = 0; month <= 13; ++month) {
                for (uint256 day = 28; day <= 32; ++day) {
                    bytes memory text = bytes.concat(bytes(vm.toString(ofYears[y])), _two(month), _two(day), "235959Z");
                    if (_agree(abi.encodeCall(IDocuments.time, (bytes.concat(hex"180f", text))))) ++accepted;
                    _agree(abi.encodeCall(IDocuments.generalizedTime, (bytes15(text))));
                    _agree(abi.encodeCall(IDocuments.utcTime, (bytes13(this.slice(text, 2, 15)))));
                    text = bytes.concat(bytes(vm.toString(ofYears[y])), "-", _two(month), "-", _two(day), "T00:00:00Z");
                    _agree(abi.encodeCall(IDocuments.iso8601, (bytes20(text))));
                }
            }
        }
        // The 28th to the last of twelve months: 7 months with 4 days, 4 with 3, February with 1 or 2.
        assertEq(accepted, 6 * (7 * 4 + 4 * 3 + 1) + 2);
    }

    function testFuzz_any_bytes_are_read_alike(bytes calldata data, uint8 kind) public {
        _agree(_call(kind % 6, data));
        _agree(abi.encodeCall(IDocuments.element, (data)));
        _agree(abi.encodeCall(IDocuments.unsigned, (bytes.concat(hex"02", data))));
        _agree(abi.encodeCall(IDocuments.unsigned, (bytes.concat(hex"02", bytes1(uint8(data.length)), data))));
    }

    // JSON.

    function testFuzz_tcb_info_changed_twice_is_read_alike(uint256[2] calldata seeds, bool tdx) public {
        this.edited(tdx ? tdInfo : sgxInfo, 3, seeds);
    }

    function testFuzz_quoting_enclave_identities_changed_twice_are_read_alike(uint256[2] calldata seeds) public {
        this.edited(identity, 4, seeds);
    }

    function test_every_character_left_out_or_put_twice_is_read_alike() public {
        bytes[2] memory documents = [identity, tdInfo];
        for (uint256 d = 0; d < 2; ++d) {
            for (uint256 i = 0; i < documents[d].length; i += d == 0 ? 1 : 5) {
                this.edited(documents[d], 4 - d, [i << 8, type(uint256).max]);
                this.edited(documents[d], 4 - d, [(i << 8) | 1, type(uint256).max]);
            }
        }
    }

    function testFuzz_levels_in_any_order_are_sorted_alike(uint256 seed, bool tdx) public {
        this.sorted(seed, tdx);
    }

    /// @dev Every count is kept in one byte.
    function test_more_than_255_of_anything_are_refused() public {
        bytes memory one = '{"tcb":{"isvsvn":4},"tcbDate":"2024-03-13T00:00:00Z","tcbStatus":"UpToDate"}';
        bytes memory levels = _split(identity, '"tcbLevels":[');
        _counted(4, levels, "", one, "]}");

        bytes memory before = _split(tdInfo, '"tdxModuleIdentities":[');
        bytes memory after_ = this.slice(tdInfo, _place(tdInfo, '"tcbLevels":[{"tcb":{"sgx') - 2, tdInfo.length);
        bytes memory head = this.slice(
            tdInfo, before.length, _place(tdInfo, ',"tcbLevels":[{"tcb":{"isvsvn"') + bytes(',"tcbLevels":[').length
        );
        _counted(3, before, head, one, bytes.concat("]}", after_));
        _counted(3, before, "", bytes.concat(head, one, "]}"), after_);

        levels = _split(sgxInfo, '"tcbLevels":[');
        one = this.slice(sgxInfo, levels.length, _place(sgxInfo, "},{\"tcb\"") + 1);
        _counted(3, levels, "", one, "]}");
    }

    // Quotes.

    function test_every_byte_of_a_quote_that_says_where_things_are_is_read_alike() public {
        bytes[4] memory quotes = [_quote("tdx"), _quote("sgx"), _quote("tdx"), _quote("sgx")];
        // As of another version: the same fields elsewhere.
        quotes[2][0] = 0x05;
        quotes[3][0] = 0x04;
        for (uint256 q = 0; q < quotes.length; ++q) {
            uint256 body = q % 2 == 0 ? 48 + 584 : 48 + 384;
            for (uint256 i = 0; i < quotes[q].length; ++i) {
                // Nothing within the reports, signatures and keys is looked at.
                if (i > 60 && i < body) i = body;
                if (i == body + 4) i = body + 4 + 128;
                if (i == body + 4 + 134) i = body + 4 + 128 + 384 + 64;
                bytes1 is_ = quotes[q][i];
                for (uint256 bit = 0; bit < 8; ++bit) {
                    quotes[q][i] = is_ ^ bytes1(uint8(1 << bit));
                    _agree(abi.encodeCall(IDocuments.quote, (quotes[q])));
                }
                quotes[q][i] = is_;
            }
        }
    }

    /// @dev What may vary of a quote; `chance` says what does.
    struct Varied {
        uint8 version;
        uint16 algorithm;
        uint32 tee;
        uint8 bodyType;
        uint32[4] lengths;
        uint256 chance;
        uint8 size;
    }

    function testFuzz_quotes_of_any_version_type_and_lengths_are_read_alike(Varied memory v) public {
        v.version = v.version % 7;
        v.bodyType = v.bodyType % 6;
        bool tdx = v.version > 3;
        bytes memory data = bytes.concat(_header(v, tdx), _signed(v, tdx));
        if (!_likely(v.chance, 9)) data = this.slice(data, 0, (v.chance >> 160) % (data.length + 1));
        _agree(abi.encodeCall(IDocuments.quote, (data)));
    }

    function _header(Varied memory v, bool tdx) private pure returns (bytes memory) {
        return bytes.concat(
            bytes2(uint16(v.version) << 8),
            _likely(v.chance, 1) ? bytes2(0x0200) : bytes2(v.algorithm),
            _likely(v.chance, 2) ? (tdx ? bytes4(0x81000000) : bytes4(0)) : bytes4(v.tee),
            bytes4(0),
            _likely(v.chance, 3)
                ? bytes16(0x939a7233f79c4ca9940a0db3957f0607)
                : bytes16(0x939a7233f79c4ca9940a0db3957f0608),
            new bytes(20)
        );
    }

    function _signed(Varied memory v, bool tdx) private pure returns (bytes memory data) {
        uint256 body = [uint256(0), 384, 584, 648, 885, 0][v.version == 5 ? v.bodyType : tdx ? 2 : 1];
        if (v.version == 5) data = bytes.concat(bytes1(v.bodyType), hex"00", _length(v.chance, 4, body, v.lengths[0]));
        uint256 inner = 448 + 2 + 32 + 6 + v.size;
        bytes4 length = _length(v.chance, 5, 128 + (tdx ? 6 : 0) + inner, v.lengths[1]);
        data = bytes.concat(data, new bytes(body), length, new bytes(128));
        if (tdx) data = bytes.concat(data, hex"0600", _length(v.chance, 6, inner, v.lengths[2]));
        data = bytes.concat(data, new bytes(448), _likely(v.chance, 7) ? bytes2(0x2000) : bytes2(0x2001), new bytes(32));
        data = bytes.concat(data, hex"0500", _length(v.chance, 8, v.size, v.lengths[3]), new bytes(v.size));
    }

    // Calls to this contract itself give their memory back.

    function changed(bytes memory der, uint256 kind, uint256[2] calldata seeds) external {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 elements = mutations.count(der);
            der = mutations.mutate(
                der, uint64(seeds[i]) % elements, uint64(seeds[i] >> 64) % mutations.KINDS(), seeds[i] >> 128
            );
            bool accepted = _agree(_call(kind, der));
            // What was refused is no DER any more, perhaps.
            if (!accepted) return;
        }
    }

    function changedOnce(bytes calldata der, uint256 kind, uint256 target, uint256 way, uint256 seed)
        external
        returns (bool)
    {
        return _agree(_call(kind, mutations.mutate(der, target, way, seed)));
    }

    function edited(bytes memory json, uint256 kind, uint256[2] memory seeds) external {
        for (uint256 i = 0; i < 2 && seeds[i] != type(uint256).max; ++i) {
            json = texts.mutate(json, seeds[i]);
            _agree(_call(kind, json));
        }
    }

    function sorted(uint256 seed, bool tdx) external {
        bytes memory source = tdx ? tdInfo : sgxInfo;
        bytes memory text = this.slice(source, 0, _place(source, '"tcbLevels":[{"tcb":{"sgx') + 13);
        uint256 length = 1 + seed % 6;
        for (uint256 i = 0; i < length; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            text = bytes.concat(text, i == 0 ? bytes("") : bytes(","), '{"tcb":{"sgxtcbcomponents":', _few(r));
            text = bytes.concat(text, ',"pcesvn":', bytes(vm.toString((r >> 64) % 3)));
            if (tdx) text = bytes.concat(text, ',"tdxtcbcomponents":', _few(r >> 96));
            text = bytes.concat(text, '},"tcbDate":"2024-03-13T00:00:00Z","tcbStatus":"');
            text = bytes.concat(text, bytes((r >> 192) % 2 == 0 ? "UpToDate" : "Revoked"), '"}');
        }
        assertTrue(_agree(abi.encodeCall(IDocuments.tcbInfo, (bytes.concat(text, "]}"), uint64(seed)))));
    }

    function slice(bytes calldata data, uint256 from, uint256 to) external pure returns (bytes memory) {
        return data[from:to];
    }

    // How documents are compared.

    /// @dev Whether both accept the call. They must agree, also in what they return, and an error must
    /// be one of those that say that a document is malformed.
    function _agree(bytes memory input) private returns (bool success) {
        bytes memory result;
        bytes memory expected;
        bool accepted;
        (success, result) = readers.staticcall(input);
        (accepted, expected) = references.staticcall(input);
        if (success != accepted) {
            emit log_named_bytes("call", input);
            assertEq(success, accepted, success ? "accepted, but malformed" : "refused, but well-formed");
        }
        if (success && keccak256(result) != keccak256(expected)) {
            emit log_named_bytes("call", input);
            assertEq(result, expected);
        }
        if (!success) assertTrue(named[bytes4(result)], vm.toString(result));
    }

    function _call(uint256 kind, bytes memory data) private pure returns (bytes memory) {
        if (kind == 0) return abi.encodeCall(IDocuments.certificate, (data));
        if (kind == 1) return abi.encodeCall(IDocuments.revocationList, (data, 8));
        if (kind == 2) return abi.encodeCall(IDocuments.platform, (data));
        if (kind == 3) return abi.encodeCall(IDocuments.tcbInfo, (data, 7));
        if (kind == 4) return abi.encodeCall(IDocuments.qeIdentity, (data, 7));
        return abi.encodeCall(IDocuments.quote, (data));
    }

    function _agreeFields(bytes memory fields, bytes memory more) private returns (bool) {
        return _agree(abi.encodeCall(IDocuments.platform, (_sequence(bytes.concat(fields, more)))));
    }

    function _field(bytes memory oid, bytes memory value) private pure returns (bytes memory) {
        return _sequence(bytes.concat(oid, value));
    }

    /// @dev Of less than 256 bytes.
    function _sequence(bytes memory content) private pure returns (bytes memory) {
        bytes1 length = bytes1(uint8(content.length));
        return bytes.concat(hex"30", content.length < 0x80 ? bytes("") : bytes(hex"81"), length, content);
    }

    /// @dev The call with every smaller length in the word at `place`, which is that of its document.
    function _cut(bytes memory input, uint256 place, uint256 step) private {
        uint256 length;
        assembly {
            length := mload(add(add(input, 0x20), place))
        }
        for (uint256 i = 0; i < length; i += i + 40 < length ? step : 1) {
            assembly {
                mstore(add(add(input, 0x20), place), i)
            }
            assertFalse(_agree(input), vm.toString(i));
        }
    }

    function _changeEvery(bytes memory der, uint256 kind) private {
        uint256 elements = mutations.count(der);
        uint256 ways = mutations.KINDS();
        uint256 accepted;
        for (uint256 i = 0; i < elements; ++i) {
            for (uint256 way = 0; way < ways; ++way) {
                if (this.changedOnce(der, kind, i, way, uint256(keccak256(abi.encode(i, way))))) ++accepted;
            }
        }
        // Names, and extensions that are not understood, are not looked into.
        assertGt(accepted, elements);
        assertGt(elements * ways - accepted, elements);
    }

    /// @dev 255 of `one` are accepted, 256 are not.
    function _counted(uint256 kind, bytes memory before, bytes memory head, bytes memory one, bytes memory tail)
        private
    {
        bytes memory many = bytes.concat(one, ",");
        for (uint256 i = 0; i < 8; ++i) {
            many = bytes.concat(many, many);
        }
        uint256 piece = one.length + 1;
        many = this.slice(many, 0, many.length - 1);
        before = bytes.concat(before, head);
        bytes memory most = bytes.concat(before, this.slice(many, 0, many.length - piece), tail);
        assertTrue(_agree(_call(kind, most)), "255");
        assertFalse(_agree(_call(kind, bytes.concat(before, many, tail))), "256");
    }

    /// @dev Everything up to the end of the first `mark`.
    function _split(bytes memory text, string memory mark) private view returns (bytes memory) {
        return this.slice(text, 0, _place(text, mark) + bytes(mark).length);
    }

    function _place(bytes memory text, string memory mark) private view returns (uint256 place) {
        place = vm.indexOf(string(text), mark);
        assertLt(place, text.length, mark);
    }

    /// @dev Sixteen components, most of them zero.
    function _few(uint256 r) private pure returns (bytes memory text) {
        text = "[";
        for (uint256 i = 0; i < 16; ++i) {
            bool set = i == 0 || i == 15 || i == r % 16;
            bytes1 svn = bytes1(uint8(48 + (set ? (r >> (2 * i)) % 2 : 0)));
            text = bytes.concat(text, i == 0 ? bytes("") : bytes(","), '{"svn":', svn);
            text = bytes.concat(text, (r >> 40) % 16 == i ? bytes(',"category":"BIOS","type":"x"}') : bytes("}"));
        }
        text = bytes.concat(text, "]");
    }

    function _likely(uint256 chance, uint256 place) private pure returns (bool) {
        return (chance >> (8 * place)) % 16 != 0;
    }

    /// @dev Little-endian: the right length, one beside it, or any other.
    function _length(uint256 chance, uint256 place, uint256 right, uint32 other) private pure returns (bytes4) {
        uint256 kind = (chance >> (8 * place)) % 16;
        uint32 value = uint32(kind == 0 ? other : kind == 1 ? right + 1 : kind == 2 && right > 0 ? right - 1 : right);
        return bytes4(value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24);
    }

    function _two(uint256 number) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(48 + number / 10), uint8(48 + number % 10));
    }

    /// @dev The PCK CA's list, with serial numbers of one byte to twenty and entries with and without
    /// a reason; whoever signed it is not looked at.
    function _list() private view returns (bytes memory) {
        return vm.parseJsonBytes(vm.readFile("test/fixtures/dcap-editions.json"), ".long");
    }
}
