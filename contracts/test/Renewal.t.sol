// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaSigners} from "../src/interfaces/ISubrosaSigners.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @notice A lease is renewed by what would admit the same enclave, until it ends.
contract RenewalTests is RegistryTest {
    uint256 private constant SECOND = uint256(keccak256("second verifier"));

    address private signer;
    uint40 private until;

    function setUp() public override {
        super.setUp();
        registry.setVerifier(vm.addr(SECOND), true);
        signer = vm.addr(signerKey);
        (until,,,,,) = registry.signerOf(signer);
    }

    function test_a_renewal_takes_everything_from_the_new_admission() public {
        skip(3 days);
        SignerAdmission memory a = _admission(signer);
        a.tcbEvaluation = 19;
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaSigners.SignerAdmitted(
            signer,
            measurement,
            a.machineId,
            PRODUCT,
            CONFIG,
            a.startHash,
            a.transferKeyHash,
            a.evidenceHash,
            a.policyHash,
            a.tcbStatus,
            19,
            uint40(a.notAfter)
        );
        registry.admit(a, _vouch(a, SECOND));
        (uint40 leaseUntil, uint32 tcb, uint8 kind, uint32 keyGroup, bool revoked,) = registry.signerOf(signer);
        assertEq(leaseUntil, until + 3 days);
        assertEq(tcb, 19);
        assertEq(kind, TEE_KIND);
        assertEq(keyGroup, KEY_GROUP);
        assertFalse(revoked);
        (,, uint16 vouchers, uint16 product,) = registry.foundationOf(signer);
        assertEq(vouchers, 1 << 1, "the second verifier's, and not the first's any more");
        assertEq(bytes2(product), bytes2(PRODUCT));

        vm.warp(until);
        assertEq(_groupOf(signer), KEY_GROUP);
        vm.warp(leaseUntil);
        _expectCheck(abi.encodeWithSelector(ISubrosaTrust.LeaseEnded.selector, signer, leaseUntil));
    }

    function test_a_renewal_is_no_longer_than_the_maximum_from_now() public {
        skip(1 days);
        SignerAdmission memory a = _admission(signer);
        a.notAfter = type(uint64).max;
        registry.admit(a, _vouch(a, verifierKey));
        (uint40 leaseUntil,,,,,) = registry.signerOf(signer);
        assertEq(leaseUntil, block.timestamp + MAXIMUM_LEASE);
    }

    function test_an_address_whose_lease_has_ended_is_used_up() public {
        bytes memory ended = abi.encodeWithSelector(ISubrosaTrust.LeaseEnded.selector, signer, until);
        vm.warp(until);
        _expectRefused(_admission(signer), ended);
        vm.warp(until + 365 days);
        _expectRefused(_admission(signer), ended);
    }

    function test_the_last_second_is_in_time() public {
        vm.warp(until - 1);
        SignerAdmission memory a = _admission(signer);
        registry.admit(a, _vouch(a, verifierKey));
        vm.warp(until);
        assertEq(_groupOf(signer), KEY_GROUP);
    }

    function test_a_lease_does_not_get_shorter() public {
        bytes memory refusal = abi.encodeWithSelector(ISubrosaTrust.LeaseNotRenewed.selector, signer, until);
        SignerAdmission memory a = _admission(signer);
        a.notAfter = until - 1;
        a.tcbEvaluation = 20;
        _expectRefused(a, refusal);
        a.notAfter = until;
        a.tcbEvaluation = 17;
        _expectRefused(a, refusal);
        // As long, and better: collateral that ends a lease was renewed only in part.
        a.tcbEvaluation = 20;
        registry.admit(a, _vouch(a, verifierKey));
        (, uint32 tcb,,,,) = registry.signerOf(signer);
        assertEq(tcb, 20);
    }

    function test_another_enclave_cannot_take_over_a_signer() public {
        skip(1 days);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaTrust.SignerExists.selector, signer);
        SignerAdmission memory a = _admission(signer);
        a.measurementId = registry.addMeasurement(ROOT, TEE_KIND, keccak256("another build"));
        _expectRefused(a, refusal);

        a = _admission(signer);
        a.configHash = keccak256("another configuration");
        registry.addConfig(a.configHash, KEY_GROUP);
        _expectRefused(a, refusal);

        a = _admission(signer);
        a.product = keccak256("another product");
        _expectRefused(a, refusal);

        a = _admission(signer);
        a.teeKind = TEE_KIND + 1;
        a.measurementId = registry.addMeasurement(ROOT, TEE_KIND + 1, MEASUREMENT_HASH);
        _expectRefused(a, refusal);
    }

    function test_a_renewal_is_judged_as_an_admission_is() public {
        skip(1 days);
        SignerAdmission memory a = _admission(signer);
        registry.setFamily(TEE_KIND, 18, false);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.TcbTooOld.selector, TEE_KIND, 17, 18));
        registry.setFamily(TEE_KIND, 17, false);
        registry.denyProduct(TEE_KIND, PRODUCT);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.ProductIsDenied.selector, TEE_KIND, PRODUCT));
        registry.allowProduct(TEE_KIND, PRODUCT);
        registry.removeConfig(CONFIG);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, CONFIG));
        registry.revokeMeasurement(measurement, 0);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, measurement));
        registry.revokeSigner(signer);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, signer));
    }

    function test_a_renewal_by_others_outlives_the_voucher_that_admitted() public {
        registry.revokeVerifier(vm.addr(verifierKey));
        _expectCheck(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, signer, 1));
        SignerAdmission memory a = _admission(signer);
        registry.admit(a, _vouch(a, SECOND));
        assertEq(_groupOf(signer), KEY_GROUP);
        registry.revokeVerifier(vm.addr(SECOND));
        _expectCheck(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, signer, 2));
    }

    function _expectCheck(bytes memory why) private {
        vm.expectRevert(why);
        registry.checkSigner(signer, KEY_GROUP, 1);
    }

    function _expectRefused(SignerAdmission memory a, bytes memory why) private {
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.expectRevert(why);
        registry.admit(a, signatures);
    }
}
