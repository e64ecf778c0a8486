// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DcapClaims, DcapCollateral, ISubrosaDcap} from "../src/interfaces/ISubrosaDcap.sol";
import {DcapTest} from "./support/DcapTest.sol";

/// @notice Which quotes are accepted, with which collateral, and what they are taken to say.
contract DcapTests is DcapTest {
    // Every case of the fixtures.

    function test_every_case_is_judged_as_expected() public {
        uint256 count = vm.parseJsonUint(json, ".count");
        uint256 accepted;
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < count; ++i) {
            if (this.judge(vm.readLine("test/fixtures/dcap-cases.jsonl"))) ++accepted;
            vm.revertToState(snapshot);
        }
        assertGt(accepted, 30);
        assertGt(count - accepted, 120);
    }

    /// @dev Judges one case and compares. External, so that its memory is given back.
    function judge(string calldata line) external returns (bool success) {
        string memory name = vm.parseJsonString(line, ".name");
        uint256 status = vm.parseJsonUint(line, ".status");
        bytes memory result;
        (success, result) = address(this).call(abi.encodeCall(this.verify, (line)));
        assertEq(success, status != 0, string.concat(name, ": ", vm.toString(result)));
        if (success) {
            assertEq(abi.decode(result, (DcapClaims)).tcbStatus, status, name);
        } else {
            assertEq(bytes4(result), bytes4(vm.parseJsonBytes(line, ".error")), name);
        }
    }

    /// @dev Submits the collateral of a case and verifies its quote.
    function verify(string calldata line) external returns (DcapClaims memory claims) {
        string memory base = vm.parseJsonString(line, ".base");
        dcap.putCollateral(_collateral(base, line));
        bytes memory quote = _override(line, ".quote", _quote(base));
        return dcap.verifyQuote(quote, _override(line, ".pck", _pck(base)), rootId, pckAuthority, 0, 0);
    }

    function _override(string memory line, string memory key, bytes memory usual) private view returns (bytes memory) {
        return vm.keyExistsJson(line, key) ? vm.parseJsonBytes(line, key) : usual;
    }

    // Claims.

    function test_claims_of_a_td_are_what_its_report_says() public {
        assertEq(dcap.putCollateral(_collateral("tdx")), pckAuthority);
        bytes memory quote = _quote("tdx");
        DcapClaims memory claims = _verify(quote);
        bytes memory signed = _slice(quote, 0, 632);
        assertEq(claims.rootId, rootId);
        assertEq(claims.teeKind, 1);
        assertEq(claims.measurementHash, vm.parseJsonBytes32(json, ".registration.tdxMeasurement"));
        assertEq(claims.configRegisterHash, keccak256(vm.parseJsonBytes(json, ".registration.rtmr3")));
        assertEq(abi.encode(claims.reportDataHigh, claims.reportDataLow), _slice(quote, 568, 64));
        assertEq(claims.evidenceHash, keccak256(signed));
        assertEq(claims.tcbEvaluation, 19);
        assertEq(claims.expires, block.timestamp + 29 days - 1);
        bytes32 ppid = keccak256(abi.encodePacked(bytes16(0x6f8f57715090da2632453988d9a1501b)));
        assertEq(claims.machineId, keccak256(abi.encode(keccak256("subrosa.v1.machine"), rootId, ppid)));
    }

    function test_claims_of_an_enclave_are_what_its_report_says() public {
        dcap.putCollateral(_collateral("sgx"));
        bytes memory quote = _quote("sgx");
        DcapClaims memory claims = _verify(quote);
        assertEq(claims.teeKind, 2);
        assertEq(claims.measurementHash, vm.parseJsonBytes32(json, ".registration.sgxMeasurement"));
        assertEq(claims.configRegisterHash, 0);
        assertEq(abi.encode(claims.reportDataHigh, claims.reportDataLow), _slice(quote, 368, 64));
        assertEq(claims.evidenceHash, keccak256(_slice(quote, 0, 432)));
    }

    /// forge-config: default.fuzz.runs = 256
    /// forge-config: soak.fuzz.runs = 2000
    function testFuzz_a_changed_byte_is_refused_or_changes_nothing(uint256 index, uint8 change) public {
        vm.assume(change != 0);
        dcap.putCollateral(_collateral("tdx"));
        bytes memory quote = _quote("tdx");
        DcapClaims memory claims = _verify(quote);
        index = bound(index, 0, quote.length - 1);
        quote[index] ^= bytes1(change);
        try dcap.verifyQuote(quote, _pck("tdx"), rootId, pckAuthority, 0, 0) returns (DcapClaims memory other) {
            assertEq(abi.encode(other), abi.encode(claims));
            assertGt(index, 631, "a signed byte");
        } catch {}
    }

    /// forge-config: default.fuzz.runs = 256
    /// forge-config: soak.fuzz.runs = 2000
    function testFuzz_a_changed_byte_of_a_certificate_or_list_is_refused(uint256 index, uint8 change, uint8 part)
        public
    {
        vm.assume(change != 0);
        DcapCollateral memory collateral = _collateral("tdx");
        bytes memory pck = _pck("tdx");
        part = part % 6;
        bytes memory changed = part == 0
            ? collateral.rootCrl
            : part == 1
                ? collateral.pckAuthority
                : part == 2
                    ? collateral.pckCrl
                    : part == 3 ? collateral.tcbSigner : part == 4 ? collateral.tcbInfo : pck;
        index = bound(index, 0, changed.length - 1);
        changed[index] ^= bytes1(change);
        try dcap.putCollateral(collateral) {
            vm.expectRevert();
            dcap.verifyQuote(_quote("tdx"), pck, rootId, pckAuthority, 0, 0);
        } catch {}
    }

    // Keeping collateral.

    function test_collateral_not_newer_is_left_alone() public {
        dcap.putCollateral(_collateral("tdx"));
        DcapCollateral memory again = _collateral("tdx");
        // Were these looked at any closer, they would be found wanting.
        again.tcbInfoSignature = "";
        again.qeIdentitySignature = "";
        vm.recordLogs();
        assertEq(dcap.putCollateral(again), pckAuthority);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_collateral_serves_until_its_last_second() public {
        dcap.putCollateral(_collateral("tdx"));
        bytes memory quote = _quote("tdx");
        uint256 expires = _verify(quote).expires;
        vm.warp(expires);
        _verify(quote);
        vm.warp(expires + 1);
        bytes32 key = dcap.rootCrlKey(rootId);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.CollateralExpired.selector, key, expires));
        dcap.verifyQuote(quote, _pck("tdx"), rootId, pckAuthority, 0, 0);
    }

    function test_every_piece_has_its_key() public {
        DcapCollateral memory collateral = _collateral("tdx");
        vm.expectEmit(true, true, true, true, address(dcap));
        emit ISubrosaDcap.CollateralStored(
            dcap.tcbInfoKey(rootId, 1, 0x00a06f4c0000),
            _edition(collateral.tcbInfo, collateral.tcbSigner),
            sha256(collateral.tcbInfo),
            uint40(block.timestamp - 1 days),
            uint40(block.timestamp + 29 days)
        );
        dcap.putCollateral(collateral);
        _expectKept(dcap.rootCrlKey(rootId), 0, false);
        _expectKept(pckAuthority, 0, true);
        _expectKept(dcap.tcbInfoKey(rootId, 1, 0x00a06f4c0000), 20, true);
        _expectKept(dcap.qeIdentityKey(rootId, 1), 19, true);
        (, uint40 issued,,) = dcap.collateralOf(dcap.qeIdentityKey(rootId, 2));
        assertEq(issued, 0);
    }

    function test_only_pinned_roots_are_roots() public view {
        assertTrue(dcap.isRoot(rootId));
        assertFalse(dcap.isRoot(keccak256("another")));
    }

    function test_evidence_of_one_root_does_not_pass_for_anothers() public {
        dcap.putCollateral(_collateral("tdx"));
        bytes memory quote = _quote("tdx");
        bytes memory pck = _pck("tdx");
        bytes32 other = keccak256("another");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaDcap.CollateralMissing.selector, dcap.rootCrlKey(other)));
        dcap.verifyQuote(quote, pck, other, pckAuthority, 0, 0);
    }

    function test_other_collateral_does_not_pass_for_a_pck_authority() public {
        dcap.putCollateral(_collateral("tdx"));
        bytes memory quote = _quote("tdx");
        bytes memory pck = _pck("tdx");
        bytes32[3] memory keys =
            [dcap.rootCrlKey(rootId), dcap.tcbInfoKey(rootId, 1, 0x00a06f4c0000), dcap.qeIdentityKey(rootId, 1)];
        for (uint256 i = 0; i < keys.length; ++i) {
            vm.expectRevert(ISubrosaDcap.IssuerMismatch.selector);
            dcap.verifyQuote(quote, pck, rootId, keys[i], 0, 0);
        }
    }

    function test_newer_collateral_of_a_lower_evaluation_number_is_not_the_latest() public {
        dcap.putCollateral(_collateral("tdx"));
        DcapCollateral memory next = _collateral("tdx");
        next.tcbInfo = vm.parseJsonBytes(json, ".later.lower.tcbInfo");
        next.tcbInfoSignature = vm.parseJsonBytes(json, ".later.lower.tcbInfoSignature");
        bytes32 key = dcap.tcbInfoKey(rootId, 1, 0x00a06f4c0000);
        (address blob,,,) = dcap.collateralOf(key);
        dcap.putCollateral(next);
        (address same,,, uint16 evaluation) = dcap.collateralOf(key);
        assertEq(same, blob);
        assertEq(evaluation, 20);

        next.tcbInfo = vm.parseJsonBytes(json, ".later.higher.tcbInfo");
        next.tcbInfoSignature = vm.parseJsonBytes(json, ".later.higher.tcbInfoSignature");
        dcap.putCollateral(next);
        (same,,, evaluation) = dcap.collateralOf(key);
        assertNotEq(same, blob);
        assertEq(evaluation, 21);
        assertEq(_verify(_quote("tdx")).tcbStatus, 2);
    }

    // Configuration registers.

    function test_a_configuration_register_is_the_same_kept_or_not() public {
        bytes32 config = vm.parseJsonBytes32(json, ".registration.configHash");
        bytes32 expected = keccak256(vm.parseJsonBytes(json, ".registration.rtmr3"));
        assertEq(dcap.configRegisterHash(config), expected);
        dcap.putConfigRegister(config);
        assertEq(dcap.configRegisterHash(config), expected);
    }

    function test_the_precompile_verifies_where_there_is_one() public view {
        assertEq(dcap.p256(), address(0x100));
    }

    function _expectKept(bytes32 key, uint256 evaluation, bool hasBlob) private view {
        (address blob, uint40 issued, uint40 expires, uint16 number) = dcap.collateralOf(key);
        assertEq(blob.code.length > 1, hasBlob);
        if (hasBlob) assertEq(uint8(blob.code[0]), 0);
        assertEq(issued, block.timestamp - 1 days);
        assertGe(expires, block.timestamp + 29 days - 1);
        assertEq(number, evaluation);
    }

    function _slice(bytes memory data, uint256 start, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = data[start + i];
        }
    }
}
