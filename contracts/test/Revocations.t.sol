// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaGovernance} from "../src/interfaces/ISubrosaGovernance.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {EpochMember, Entry, SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {Fulfillment} from "./support/Batches.sol";
import {DuoTest} from "./support/DuoTest.sol";

/// @notice Whatever is taken away, the very next batch of a signer that rests on it is refused, and none
/// of a signer that does not.
contract RevocationsTests is DuoTest {
    uint256 private constant OTHER = uint256(keccak256("a signer that shares nothing with the first"));
    uint256 private constant OTHER_VERIFIER = uint256(keccak256("another verifier"));
    bytes32 private constant OTHER_CONFIG = keccak256("another configuration");
    bytes32 private constant OTHER_PRODUCT = keccak256("another product");

    Entry private entry;
    bytes32 private otherMeasurement;
    bool private both;

    function setUp() public override {
        super.setUp();
        registry.setVerifier(vm.addr(OTHER_VERIFIER), true);
        registry.addConfig(OTHER_CONFIG, KEY_GROUP);
        otherMeasurement = registry.addMeasurement(ROOT, TEE_KIND, keccak256("another build"));
        SignerAdmission memory a = _admission(vm.addr(OTHER));
        (a.measurementId, a.configHash, a.product) = (otherMeasurement, OTHER_CONFIG, OTHER_PRODUCT);
        registry.admit(a, _vouch(a, OTHER_VERIFIER));
        both = true;
        _openEpoch(2);
        vm.recordLogs();
        vm.prank(owner);
        oracle.advanceEpoch{value: FEE}(stateful, 2);
        Entry memory moved = _appended();
        _note(moved);
        Fulfillment memory f = _batch(_groupOnHead(_list(moved)));
        f.keyEpoch = 2;
        _signBatch(f, signerKey);
        assertEq(_fulfill(f), 1);
        entry = _request(stateful, address(this), 0);
    }

    /// @dev From the second epoch on, both signers'.
    function _members() internal view override returns (EpochMember[] memory members) {
        if (!both) return super._members();
        members = new EpochMember[](2);
        bool first = measurement < otherMeasurement;
        members[first ? 0 : 1] = EpochMember(measurement, CONFIG);
        members[first ? 1 : 0] = EpochMember(otherMeasurement, OTHER_CONFIG);
    }

    function test_a_measurement() public {
        registry.revokeMeasurement(measurement, 0);
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, measurement));
    }

    function test_a_configuration() public {
        registry.removeConfig(CONFIG);
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, CONFIG));
    }

    function test_a_verifier() public {
        registry.revokeVerifier(vm.addr(verifierKey));
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, vm.addr(signerKey), 1));
    }

    function test_a_verifier_that_was_retired_before() public {
        registry.setVerifier(vm.addr(verifierKey), false);
        registry.revokeVerifier(vm.addr(verifierKey));
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, vm.addr(signerKey), 1));
    }

    function test_a_product() public {
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.ProductDenied(TEE_KIND, PRODUCT);
        registry.denyProduct(TEE_KIND, PRODUCT);
        assertTrue(registry.isDenied(TEE_KIND, PRODUCT));
        assertFalse(registry.isDenied(TEE_KIND + 1, PRODUCT));
        bytes32 tag = bytes32(bytes2(PRODUCT));
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.ProductIsDenied.selector, TEE_KIND, tag));
    }

    function test_a_signer() public {
        registry.revokeSigner(vm.addr(signerKey));
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, vm.addr(signerKey)));
    }

    function test_everything_at_once_and_the_first_is_named() public {
        registry.revokeVerifier(vm.addr(verifierKey));
        registry.denyProduct(TEE_KIND, PRODUCT);
        registry.removeConfig(CONFIG);
        registry.revokeMeasurement(measurement, 0);
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, measurement));
    }

    function test_what_was_taken_before_an_admission_concerns_later_ones_too() public {
        // The signer is admitted in the family's newest generation, and the next thing taken is its own.
        registry.denyProduct(TEE_KIND, keccak256("a third product"));
        uint256 key = uint256(keccak256("later"));
        _admit(key);
        Fulfillment memory f = _valid(key);
        registry.removeConfig(CONFIG);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, CONFIG));
        _fulfill(f);
    }

    function test_a_product_allowed_again_has_its_leases_again() public {
        registry.denyProduct(TEE_KIND, PRODUCT);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.ProductIsDenied.selector, TEE_KIND, PRODUCT));
        registry.denyProduct(TEE_KIND, PRODUCT);
        SignerAdmission memory a = _admission(address(99));
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.ProductIsDenied.selector, TEE_KIND, PRODUCT));
        registry.admit(a, signatures);

        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.ProductAllowed(TEE_KIND, PRODUCT);
        registry.allowProduct(TEE_KIND, PRODUCT);
        assertFalse(registry.isDenied(TEE_KIND, PRODUCT));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaGovernance.ProductNotDenied.selector, TEE_KIND, PRODUCT));
        registry.allowProduct(TEE_KIND, PRODUCT);
        registry.admit(a, signatures);
        assertEq(_fulfill(_valid(signerKey)), 1);
    }

    /// @dev Two products of a family may share the 16 bits that signers keep: the denial of either stops
    /// both, and only the denied one's admissions.
    function test_a_signer_whose_product_looks_like_a_denied_one_is_refused() public {
        bytes32 twin = PRODUCT ^ bytes32(uint256(1));
        bytes32 tag = bytes32(bytes2(PRODUCT));
        registry.denyProduct(TEE_KIND, twin);
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.ProductIsDenied.selector, TEE_KIND, tag));
        registry.denyProduct(TEE_KIND, PRODUCT);
        registry.allowProduct(TEE_KIND, PRODUCT);
        _expectStopped(abi.encodeWithSelector(ISubrosaTrust.ProductIsDenied.selector, TEE_KIND, tag));
        // One admitted later is in the newest generation: it is not confused with the twin.
        uint256 key = uint256(keccak256("later"));
        _admit(key);
        assertEq(_groupOf(vm.addr(key)), KEY_GROUP);
        registry.allowProduct(TEE_KIND, twin);
        assertEq(_groupOf(vm.addr(signerKey)), KEY_GROUP);
    }

    function test_another_familys_denial_is_no_concern() public {
        registry.denyProduct(TEE_KIND + 1, PRODUCT);
        assertEq(_fulfill(_valid(signerKey)), 1);
    }

    /// @dev The batch was signed before anything was taken; the other signer's is still taken afterwards.
    function _expectStopped(bytes memory why) private {
        Fulfillment memory f = _valid(signerKey);
        vm.expectRevert(why);
        _fulfill(f);
        uint256 snapshot = vm.snapshotState();
        assertEq(_fulfill(_valid(OTHER)), 1, "who does not rest on it goes on");
        vm.revertToStateAndDelete(snapshot);
    }

    function _valid(uint256 key) private view returns (Fulfillment memory f) {
        f = _batch(_groupOnHead(_list(entry)));
        f.keyEpoch = 2;
        _signBatch(f, key);
    }
}
