// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaGovernance} from "../src/interfaces/ISubrosaGovernance.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @notice Whose word a lease rests on, and that a place among the vouchers never stands for two.
contract VouchersTests is RegistryTest {
    address private verifier;
    address private signer;

    function setUp() public override {
        super.setUp();
        verifier = vm.addr(verifierKey);
        signer = vm.addr(signerKey);
    }

    function test_vouchers_get_the_lowest_free_index() public {
        _assertVoucher(verifier, true, 0, 0, false);
        _assertVoucher(_verifier(2), false, 0, 0, false);
        registry.setVerifier(_verifier(2), true);
        _assertVoucher(_verifier(2), true, 1, 0, false);
        registry.setDcap(address(0xdca9), 2);
        _assertVoucher(address(0xdca9), true, 2, 0, false);
        _assertVoucher(address(0), false, 0, 0, false);
        (,, uint16 vouchers,,) = registry.foundationOf(signer);
        assertEq(vouchers, 1);
    }

    function test_naming_a_verifier_twice_changes_nothing() public {
        registry.setVerifier(verifier, true);
        _assertVoucher(verifier, true, 0, 0, false);
        registry.setVerifier(_verifier(2), false);
        _assertVoucher(_verifier(2), false, 0, 0, false);
        registry.setVerifier(verifier, false);
        uint40 retired = uint40(block.timestamp);
        skip(1 days);
        registry.setVerifier(verifier, false);
        _assertVoucher(verifier, true, 0, retired, false);
    }

    function test_leases_of_a_retired_verifier_run_on() public {
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.VerifierChanged(verifier, false);
        registry.setVerifier(verifier, false);
        assertEq(_groupOf(signer), KEY_GROUP);
        SignerAdmission memory a = _admission(address(99));
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VerifierUnknown.selector, verifier));
        registry.admit(a, signatures);
    }

    function test_a_retired_verifier_can_be_revoked_and_can_come_back() public {
        registry.setVerifier(verifier, false);
        registry.setVerifier(_verifier(2), true);
        skip(1 days);
        registry.setVerifier(verifier, true);
        _assertVoucher(verifier, true, 0, 0, false);
        registry.setVerifier(verifier, false);
        uint40 retired = uint40(block.timestamp);
        skip(1 days);
        registry.revokeVerifier(verifier);
        _assertVoucher(verifier, true, 0, retired, true);
        _expectVoid(1);
    }

    function test_a_revoked_verifier_vouches_never_again() public {
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.VerifierRevoked(verifier);
        registry.revokeVerifier(verifier);
        assertFalse(registry.isVerifier(verifier));
        _assertVoucher(verifier, true, 0, uint40(block.timestamp), true);
        _expectVoid(1);

        bytes memory revoked = abi.encodeWithSelector(ISubrosaGovernance.VoucherIsRevoked.selector, verifier);
        vm.expectRevert(revoked);
        registry.revokeVerifier(verifier);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(revoked);
            registry.setVerifier(verifier, true);
            vm.expectRevert(revoked);
            registry.setDcap(verifier, 2);
            skip(MAXIMUM_LEASE + 1);
        }
    }

    function test_a_key_can_be_revoked_before_anyone_trusts_it() public {
        registry.revokeVerifier(_verifier(2));
        assertEq(_groupOf(signer), KEY_GROUP, "nobody rests on it");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaGovernance.VoucherIsRevoked.selector, _verifier(2)));
        registry.setVerifier(_verifier(2), true);
        vm.expectRevert(ISubrosaTrust.ZeroSigner.selector);
        registry.revokeVerifier(address(0));
    }

    function test_one_revoked_voucher_of_several_is_enough() public {
        registry.setVerifier(_verifier(2), true);
        registry.setVerifier(_verifier(3), true);
        registry.setVerifierThreshold(2);
        uint256 key = uint256(keccak256("by two"));
        SignerAdmission memory a = _admission(vm.addr(key));
        bytes[] memory signatures = new bytes[](2);
        (uint256 low, uint256 high) = _verifier(2) < _verifier(3) ? (uint256(2), uint256(3)) : (uint256(3), uint256(2));
        signatures[0] = _vouchOne(a, low);
        signatures[1] = _vouchOne(a, high);
        registry.admit(a, signatures);
        (,, uint16 vouchers,,) = registry.foundationOf(a.signer);
        assertEq(vouchers, 1 << 1 | 1 << 2);

        registry.revokeVerifier(verifier);
        assertEq(_groupOf(a.signer), KEY_GROUP, "it did not vouch for this one");
        registry.revokeVerifier(_verifier(3));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, a.signer, 1 << 2));
        registry.checkSigner(a.signer, KEY_GROUP, 1);
    }

    function test_the_threshold_holds_for_verifiers_of_before_and_after() public {
        registry.setVerifier(_verifier(2), true);
        registry.setVerifier(_verifier(3), true);
        registry.setVerifier(_verifier(3), false);
        registry.setVerifierThreshold(2);
        assertFalse(registry.isVerifier(_verifier(3)), "a threshold makes no verifiers");
        registry.setVerifier(_verifier(4), true);
        uint256[3] memory keys = [verifierKey, 2, 4];
        SignerAdmission memory a = _admission(address(99));
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes[] memory one = _vouch(a, keys[i]);
            vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.WrongSignatureCount.selector, 1, 2));
            registry.admit(a, one);
        }
        registry.setVerifierThreshold(1);
        for (uint256 i = 0; i < keys.length; ++i) {
            a = _admission(address(uint160(100 + i)));
            registry.admit(a, _vouch(a, keys[i]));
        }
    }

    function test_sixteen_indices_and_no_more() public {
        for (uint256 i = 1; i < 16; ++i) {
            registry.setVerifier(_verifier(i), true);
            _assertVoucher(_verifier(i), true, uint8(i), 0, false);
        }
        vm.expectRevert(ISubrosaGovernance.NoVoucherIndex.selector);
        registry.setVerifier(_verifier(16), true);
        vm.expectRevert(ISubrosaGovernance.NoVoucherIndex.selector);
        registry.setDcap(address(0xdca9), 2);
    }

    function test_an_index_passes_on_when_no_lease_of_its_holders_can_run() public {
        SignerAdmission memory a = _admission(address(99));
        a.notAfter = type(uint64).max;
        registry.admit(a, _vouch(a, verifierKey));
        registry.setVerifier(verifier, false);
        for (uint256 i = 1; i < 16; ++i) {
            registry.setVerifier(_verifier(i), true);
        }
        skip(MAXIMUM_LEASE - 1);
        vm.expectRevert(ISubrosaGovernance.NoVoucherIndex.selector);
        registry.setVerifier(_verifier(16), true);
        assertEq(_groupOf(address(99)), KEY_GROUP, "the longest lease");

        skip(1);
        vm.expectPartialRevert(ISubrosaTrust.LeaseEnded.selector);
        registry.checkSigner(address(99), KEY_GROUP, 1);
        registry.setVerifier(_verifier(16), true);
        _assertVoucher(_verifier(16), true, 0, 0, false);
        _assertVoucher(verifier, false, 0, 0, false);

        // What becomes of the former holder is no concern of the new one's signers, and the reverse.
        a = _admission(address(100));
        registry.admit(a, _vouch(a, 16));
        registry.revokeVerifier(verifier);
        assertEq(_groupOf(a.signer), KEY_GROUP);
        registry.setVerifier(_verifier(1), false);
        skip(MAXIMUM_LEASE);
        registry.setVerifier(_verifier(17), true);
        _assertVoucher(_verifier(17), true, 1, 0, false);
    }

    function test_a_revoked_voucher_leaves_no_mark_on_its_index() public {
        registry.revokeVerifier(verifier);
        for (uint256 i = 1; i < 16; ++i) {
            registry.setVerifier(_verifier(i), true);
        }
        skip(MAXIMUM_LEASE);
        registry.setVerifier(_verifier(16), true);
        _assertVoucher(_verifier(16), true, 0, 0, false);
        SignerAdmission memory a = _admission(address(99));
        registry.admit(a, _vouch(a, 16));
        // Something is taken, so that everything is looked up.
        registry.denyProduct(TEE_KIND, keccak256("another product"));
        assertEq(_groupOf(a.signer), KEY_GROUP);
    }

    function test_an_address_is_a_verifier_or_the_dcap_contract() public {
        bytes memory inUse = abi.encodeWithSelector(ISubrosaGovernance.VoucherInUse.selector, verifier);
        vm.expectRevert(inUse);
        registry.setDcap(verifier, 2);
        vm.expectRevert(inUse);
        registry.revokeDcap(verifier);
        address dcap = address(0xdca9);
        registry.setDcap(dcap, 2);
        inUse = abi.encodeWithSelector(ISubrosaGovernance.VoucherInUse.selector, dcap);
        vm.expectRevert(inUse);
        registry.setVerifier(dcap, true);
        vm.expectRevert(inUse);
        registry.revokeVerifier(dcap);
    }

    function _expectVoid(uint16 vouchers) private {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, signer, vouchers));
        registry.checkSigner(signer, KEY_GROUP, 1);
    }

    function _verifier(uint256 key) private pure returns (address) {
        return vm.addr(key);
    }

    function _assertVoucher(address who, bool seated, uint8 index, uint40 vacated, bool revoked) private view {
        (bool s, uint8 i, uint40 v, bool r,) = registry.voucherOf(who);
        assertEq(s, seated, "seated");
        assertEq(i, index, "index");
        assertEq(v, vacated, "vacated");
        assertEq(r, revoked, "revoked");
    }
}
