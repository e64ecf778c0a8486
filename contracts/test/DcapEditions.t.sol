// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DcapClaims, DcapCollateral, ISubrosaDcap} from "../src/interfaces/ISubrosaDcap.sol";
import {DcapTest} from "./support/DcapTest.sol";

/// @notice Which edition of a piece of collateral is kept, whom it revokes, and how long it serves.
contract DcapEditionsTests is DcapTest {
    string private editions;
    bytes32[3] private keys;

    function setUp() public override {
        super.setUp();
        editions = vm.readFile("test/fixtures/dcap-editions.json");
        keys = [dcap.rootCrlKey(rootId), pckAuthority, dcap.qeIdentityKey(rootId, 1)];
    }

    // Who is revoked.

    function test_a_revoked_pck_certificate_is_found_wherever_it_stands() public {
        _refusedWith("pckLists", "pckCrl", _serial("machine"));
    }

    function test_a_revoked_pck_authority_is_found_wherever_it_stands() public {
        _refusedWith("rootLists", "rootCrl", _serial("authority"));
    }

    function test_a_revoked_tcb_signer_is_found_wherever_it_stands() public {
        _refusedWith("signerLists", "rootCrl", _serial("signer"));
    }

    function test_lists_of_other_serial_numbers_revoke_nobody() public {
        string[3] memory lists = ["pckListOfOthers", "pckListOfNeighbours", "long"];
        for (uint256 i = 0; i < lists.length; ++i) {
            dcap = _deploy();
            DcapCollateral memory collateral = _collateral("tdx");
            collateral.pckCrl = _bytes(string.concat(".", lists[i]));
            dcap.putCollateral(collateral);
            assertEq(_verify(_quote("tdx")).tcbStatus, 1);
        }
    }

    /// @dev What was kept before is judged by the newest list.
    function test_a_later_root_list_revokes_what_was_kept_before() public {
        dcap.putCollateral(_collateral("tdx"));
        assertEq(_verify(_quote("tdx")).tcbStatus, 1);
        bytes memory revoking = _bytes(".signerLists[0]");
        DcapCollateral memory collateral = _rootOnly();
        // As old as the one kept, and it says something else.
        collateral.rootCrl = revoking;
        dcap.putCollateral(collateral);
        bytes memory quote = _quote("tdx");
        bytes memory pck = _pck("tdx");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.CertificateRevoked.selector, _serial("signer")));
        dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, 0);

        dcap = _deploy();
        collateral = _collateral("tdx");
        collateral.rootCrl = "";
        dcap.putCollateral(collateral);
        collateral = _rootOnly();
        collateral.rootCrl = revoking;
        dcap.putCollateral(collateral);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.CertificateRevoked.selector, _serial("signer")));
        dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, 0);
    }

    // Which edition.

    /// @dev Intel serves editions of higher evaluation numbers to whoever asks for them early.
    function test_an_early_edition_shuts_no_other_out() public {
        DcapCollateral memory collateral = _collateral("tdx");
        dcap.putCollateral(collateral);
        bytes32 first = _edition(collateral.qeIdentity, collateral.tcbSigner);
        _putIdentity("early");
        assertEq(_verifyBy(0).tcbEvaluation, 20, "the latest is the early one; the TCB info has 20");
        assertEq(_verifyBy(first).tcbEvaluation, 19);

        vm.warp(vm.getBlockTimestamp() + 5 days);
        bytes32 usual = _putIdentity("usual");
        assertEq(_verifyBy(0).tcbEvaluation, 20);
        assertEq(_verifyBy(usual).tcbEvaluation, 19);

        vm.warp(vm.getBlockTimestamp() + 5 days + 1);
        bytes memory quote = _quote("tdx");
        bytes memory pck = _pck("tdx");
        vm.expectPartialRevert(ISubrosaDcap.CollateralExpired.selector);
        dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, 0);
        // Kept already, it becomes the latest without being verified again.
        vm.recordLogs();
        _putIdentity("usual");
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(_verifyBy(0).tcbEvaluation, 19);
    }

    function test_an_edition_that_nobody_submitted_is_named() public {
        DcapCollateral memory collateral = _collateral("tdx");
        dcap.putCollateral(collateral);
        dcap.putCollateral(_collateral("sgx"));
        // Of a quoting enclave, but of SGX's.
        bytes32 other = _edition(_collateral("sgx").qeIdentity, collateral.tcbSigner);
        bytes32 key = dcap.editionKey(keys[2], other);
        bytes memory quote = _quote("tdx");
        bytes memory pck = _pck("tdx");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.CollateralMissing.selector, key));
        dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, other);
        key = dcap.editionKey(dcap.tcbInfoKey(rootId, 1, 0x00a06f4c0000), other);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.CollateralMissing.selector, key));
        dcap.verifyQuote(quote, pck, rootId, pckAuthority, other, 0);
    }

    /// @dev Intel has certified one key more than once.
    function test_certificates_of_one_key_stand_side_by_side() public {
        uint256 now_ = block.timestamp;
        DcapCollateral memory sibling = _collateral("tdx");
        sibling.pckAuthority = _bytes(".siblings.pckAuthority");
        sibling.tcbSigner = _bytes(".siblings.tcbSigner");
        DcapCollateral memory usual = _collateral("tdx");
        bytes32 authority = dcap.putCollateral(sibling);
        assertNotEq(authority, pckAuthority);
        assertEq(_verifyUnder(authority, 0).expires, now_ + 10 days);
        dcap.putCollateral(usual);
        assertEq(_verifyBy(0).expires, now_ + 29 days - 1, "what serves longer is the latest");
        dcap.putCollateral(sibling);
        assertEq(_verifyBy(0).expires, now_ + 29 days - 1);

        bytes32 edition = _edition(sibling.qeIdentity, sibling.tcbSigner);
        assertEq(_verifyBy(edition).expires, now_ + 10 days);
        DcapCollateral memory revoking = _rootOnly();
        revoking.rootCrl = _bytes(".siblings.revoking");
        dcap.putCollateral(revoking);
        _verifyBy(0);
        bytes memory quote = _quote("tdx");
        bytes memory pck = _pck("tdx");
        bytes memory reason = abi.encodeWithSelector(ISubrosaDcap.CertificateRevoked.selector, _serial("sibling"));
        vm.expectRevert(reason);
        dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, edition);
        vm.expectRevert(reason);
        dcap.verifyQuote(quote, pck, rootId, authority, 0, 0);
    }

    function test_a_root_certificate_that_lasts_longer_lets_everything_serve_longer() public {
        uint256 now_ = block.timestamp;
        DcapCollateral memory collateral = _collateral("tdx");
        bytes memory usual = collateral.rootCertificate;
        collateral.rootCertificate = _bytes(".siblings.rootCertificate");
        dcap.putCollateral(collateral);
        bytes32 edition = _edition(collateral.qeIdentity, collateral.tcbSigner);
        assertEq(_verifyBy(edition).expires, now_ + 10 days);
        collateral.rootCertificate = usual;
        dcap.putCollateral(collateral);
        assertEq(_verifyBy(edition).expires, now_ + 29 days - 1);
        assertEq(_verifyBy(0).expires, now_ + 29 days - 1);
    }

    function test_lists_that_say_the_same_are_kept_in_one_place() public {
        DcapCollateral memory collateral = _collateral("tdx");
        collateral.pckCrl = _bytes(".pckListOfOthers");
        dcap.putCollateral(collateral);
        (address first, uint40 issued,,) = dcap.collateralOf(pckAuthority);
        assertGt(first.code.length, 1);
        _put("newer");
        (address second, uint40 later,,) = dcap.collateralOf(pckAuthority);
        assertEq(second, first);
        assertGt(later, issued);
    }

    function test_only_a_newer_edition_of_no_lower_evaluation_replaces_what_is_kept() public {
        dcap.putCollateral(_collateral("tdx"));
        uint40[3] memory first = _issued();
        _put("older");
        _assertIssued(first);
        _put("same");
        _assertIssued(first);
        _put("newer");
        uint40 issued = uint40(vm.parseJsonUint(editions, ".newer.issued"));
        _assertIssued([issued, issued, issued]);
        _put("same");
        _assertIssued([issued, issued, issued]);

        // Lists have no evaluation number.
        _put("newerOfLowerEvaluation");
        uint40 last = uint40(vm.parseJsonUint(editions, ".newerOfLowerEvaluation.issued"));
        _assertIssued([last, last, issued]);
        assertEq(_verify(_quote("tdx")).tcbStatus, 1);
    }

    function test_an_older_edition_serves_where_there_is_none() public {
        _put("older");
        uint40 issued = uint40(vm.parseJsonUint(editions, ".older.issued"));
        _assertIssued([issued, issued, issued]);
        // And the usual one replaces it.
        dcap.putCollateral(_collateral("tdx"));
        _assertIssued([issued + 3600, issued + 3600, issued + 3600]);
    }

    /// @dev Of what has run out nothing is taken, newer or not.
    function test_an_edition_is_refused_outside_its_time() public {
        uint256 issued = vm.parseJsonUint(editions, ".newer.issued");
        DcapCollateral[3] memory each;
        for (uint256 i = 0; i < 3; ++i) {
            each[i] = _rootOnly();
        }
        each[0].rootCrl = _bytes(".newer.rootCrl");
        each[1].pckAuthority = _collateral("tdx").pckAuthority;
        each[1].pckCrl = _bytes(".newer.pckCrl");
        each[2].tcbSigner = _collateral("tdx").tcbSigner;
        each[2].qeIdentity = _bytes(".newer.qeIdentity");
        each[2].qeIdentitySignature = _bytes(".newer.qeIdentitySignature");
        uint256 until = vm.parseJsonUint(json, ".now") + 29 days;
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory reason = abi.encodeWithSelector(ISubrosaDcap.NotValidNow.selector, issued, until);
            vm.warp(issued - 1);
            vm.expectRevert(reason);
            dcap.putCollateral(each[i]);
            // A list's last second is the one before `nextUpdate`, that of JSON is `nextUpdate`.
            uint256 last = i == 2 ? until : until - 1;
            vm.warp(last + 1);
            vm.expectRevert(reason);
            dcap.putCollateral(each[i]);
            vm.warp(last);
            dcap.putCollateral(each[i]);
            (, uint40 kept, uint40 expires,) = dcap.collateralOf(keys[i]);
            assertEq(kept, issued);
            assertEq(expires, last);
        }
        vm.warp(issued);
        dcap = _deploy();
        for (uint256 i = 0; i < 3; ++i) {
            dcap.putCollateral(each[i]);
        }
    }

    function test_each_piece_that_has_run_out_is_named() public {
        // In the order in which a verification asks for them.
        DcapCollateral memory collateral = _collateral("tdx");
        dcap.putCollateral(collateral);
        uint256 end = _verify(_quote("tdx")).expires;
        bytes memory quote = _quote("tdx");
        bytes memory pck = _pck("tdx");
        bytes32[4] memory order = [keys[0], keys[1], keys[2], dcap.tcbInfoKey(rootId, 1, 0x00a06f4c0000)];
        for (uint256 i = 0; i < order.length; ++i) {
            (,, uint40 expires,) = dcap.collateralOf(order[i]);
            vm.warp(expires + 1);
            vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.CollateralExpired.selector, order[i], expires));
            dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, 0);
            _extend(order[i], end + 300 days);
        }
        DcapClaims memory claims = dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, 0);
        assertEq(claims.expires, end + 300 days);
    }

    // Roots.

    function test_collateral_of_one_root_is_not_taken_by_another_contract() public {
        bytes32[] memory roots = new bytes32[](2);
        roots[0] = keccak256("another");
        roots[1] = keccak256("a third");
        dcap = ISubrosaDcap(deployCode("SubrosaDcap.sol:SubrosaDcap", abi.encode(roots)));
        DcapCollateral memory collateral = _collateral("tdx");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.RootUnknown.selector, rootId));
        dcap.putCollateral(collateral);
        assertTrue(dcap.isRoot(roots[0]) && dcap.isRoot(roots[1]));
        assertFalse(dcap.isRoot(rootId));
    }

    function test_a_root_alone_is_taken_and_nothing_kept() public {
        vm.recordLogs();
        assertEq(dcap.putCollateral(_rootOnly()), 0);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    // Where there is no precompile.

    function test_without_the_precompile_a_contract_verifies_and_says_the_same() public {
        dcap.putCollateral(_collateral("tdx"));
        bytes memory expected = abi.encode(_verify(_quote("tdx")));
        bytes[4] memory answers = [bytes(""), abi.encode(2), hex"01", abi.encode(1, 0)];
        for (uint256 i = 0; i < answers.length; ++i) {
            vm.mockCall(address(0x100), bytes(""), answers[i]);
            dcap = _deploy();
            vm.clearMockedCalls();
            assertNotEq(dcap.p256(), address(0x100));
            assertGt(dcap.p256().code.length, 0);
        }
        vm.mockCallRevert(address(0x100), bytes(""), "");
        dcap = _deploy();
        assertNotEq(dcap.p256(), address(0x100));
        dcap.putCollateral(_collateral("tdx"));
        bytes memory quote = _quote("tdx");
        assertEq(abi.encode(_verify(quote)), expected);
        quote[200] ^= 0x01;
        bytes memory pck = _pck("tdx");
        vm.expectRevert(ISubrosaDcap.SignatureInvalid.selector);
        dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, 0);
    }

    function _refusedWith(string memory lists, string memory part, uint64 serial) private {
        bytes memory quote = _quote("tdx");
        bytes memory pck = _pck("tdx");
        for (uint256 i = 0; i < 3; ++i) {
            dcap = _deploy();
            DcapCollateral memory collateral = _collateral("tdx");
            bytes memory list = _bytes(string.concat(".", lists, "[", vm.toString(i), "]"));
            if (keccak256(bytes(part)) == keccak256("pckCrl")) collateral.pckCrl = list;
            else collateral.rootCrl = list;
            dcap.putCollateral(collateral);
            vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.CertificateRevoked.selector, serial));
            dcap.verifyQuote(quote, pck, rootId, pckAuthority, 0, 0);
        }
    }

    function _put(string memory edition) private {
        string memory from = string.concat(".", edition);
        DcapCollateral memory collateral = _collateral("tdx");
        collateral.tcbInfo = "";
        collateral.rootCrl = _bytes(string.concat(from, ".rootCrl"));
        collateral.pckCrl = _bytes(string.concat(from, ".pckCrl"));
        collateral.qeIdentity = _bytes(string.concat(from, ".qeIdentity"));
        collateral.qeIdentitySignature = _bytes(string.concat(from, ".qeIdentitySignature"));
        dcap.putCollateral(collateral);
    }

    /// @dev Submits the fixture's identity of a quoting enclave. Gives its edition.
    function _putIdentity(string memory of_) private returns (bytes32) {
        DcapCollateral memory collateral = _rootOnly();
        collateral.tcbSigner = _collateral("tdx").tcbSigner;
        collateral.qeIdentity = _bytes(string.concat(".", of_, ".qeIdentity"));
        collateral.qeIdentitySignature = _bytes(string.concat(".", of_, ".qeIdentitySignature"));
        dcap.putCollateral(collateral);
        return _edition(collateral.qeIdentity, collateral.tcbSigner);
    }

    function _verifyBy(bytes32 qeIdentity) private view returns (DcapClaims memory) {
        return _verifyUnder(pckAuthority, qeIdentity);
    }

    function _verifyUnder(bytes32 authority, bytes32 qeIdentity) private view returns (DcapClaims memory) {
        return dcap.verifyQuote(_quote("tdx"), _pck("tdx"), rootId, authority, 0, qeIdentity);
    }

    function _rootOnly() private view returns (DcapCollateral memory collateral) {
        collateral.rootCertificate = _collateral("tdx").rootCertificate;
    }

    function _issued() private view returns (uint40[3] memory issued) {
        for (uint256 i = 0; i < 3; ++i) {
            (, issued[i],,) = dcap.collateralOf(keys[i]);
        }
    }

    function _assertIssued(uint40[3] memory expected) private view {
        assertEq(abi.encode(_issued()), abi.encode(expected));
    }

    /// @dev Sets when a record runs out, in place.
    function _extend(bytes32 key, uint256 until) private {
        bytes32 location = 0x0e5f8f523a21fd3ef12a1d7648c50792a5beadb6b4b3ba40a15c67850c60ee00;
        bytes32 slot = keccak256(abi.encode(key, location));
        uint256 record = uint256(vm.load(address(dcap), slot));
        record = (record & ~(uint256(type(uint40).max) << 200)) | (until << 200);
        vm.store(address(dcap), slot, bytes32(record));
    }

    function _bytes(string memory path) private view returns (bytes memory) {
        return vm.parseJsonBytes(editions, path);
    }

    /// @dev Low 64 bits of the serial number of the stand-in's certificate.
    function _serial(string memory of_) private view returns (uint64) {
        return uint64(vm.parseJsonUint(editions, string.concat(".serials.", of_)));
    }
}
