// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaEpochs} from "../src/interfaces/ISubrosaEpochs.sol";
import {ISubrosaRegistry} from "../src/interfaces/ISubrosaRegistry.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {Entry, EpochOpening, SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {Batches, Fulfillment, FulfillmentGroup} from "./support/Batches.sol";
import {DuoTest} from "./support/DuoTest.sol";

/// @notice What was signed once, shown again elsewhere, later, or in another form.
contract ReplayTest is DuoTest {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// The chain that `setUp` chose. A literal, as an optimizer may take CHAINID for a constant.
    uint256 private constant HOME = 8_453_000;

    address private user = makeAddr("user");
    uint256 private newKey = uint256(keccak256("new signer"));

    // Batches.

    function test_a_batch_is_no_batch_of_another_oracle() public {
        Entry memory entry = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        ISubrosaOracle twin = _deployOracle(address(registry));
        bytes memory packed = Batches.pack(f);
        vm.deal(address(twin), 10 ether);
        vm.expectPartialRevert(ISubrosaTrust.SignerUnknown.selector);
        vm.prank(relayer);
        twin.fulfill(packed);
        assertEq(address(twin).balance, 10 ether);
        assertEq(_fulfill(f), 1, "it is one of its own oracle");
    }

    function test_a_batch_is_no_batch_of_another_chain() public {
        Entry memory entry = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        vm.chainId(HOME + 1);
        vm.expectPartialRevert(ISubrosaTrust.SignerUnknown.selector);
        _fulfill(f);
        vm.chainId(HOME);
        assertEq(_fulfill(f), 1);
    }

    /// @dev On a split chain the same signer may sign anew, but the entries have other digests there.
    function test_an_entry_is_no_entry_of_another_chain() public {
        Entry memory entry = _request(stateful, user, 0);
        vm.chainId(HOME + 1);
        _expectSkip(stateful, _seq(entry), 3);
        assertEq(_fulfill(_batch(_groupOnHead(_list(entry)))), 0);
        skip(2 hours);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.EntryMismatch.selector, stateful, _seq(entry)));
        oracle.refund(entry);
    }

    function test_a_result_is_no_result_of_another_contract_entry_or_predecessor() public {
        Entry memory entry = _request(stateful, user, 0);
        bytes32 other = _registered(_registration(false));

        FulfillmentGroup memory moved = _group(_head(other), _list(entry));
        moved.contractId = other;
        _expectSkip(other, _seq(entry), 3);
        assertEq(_fulfill(_batch(moved)), 0);

        FulfillmentGroup memory rebased = _groupOnHead(_list(entry));
        rebased.previousDigest = keccak256("another past") >> 8 << 8;
        _expectSkip(stateful, _seq(entry), 3);
        assertEq(_fulfill(_batch(rebased)), 0);
        assertEq(_fulfill(_batch(_groupOnHead(_list(entry)))), 1);
    }

    function test_no_second_form_of_a_batchs_signature_is_taken() public {
        Entry memory entry = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        bytes memory genuine = f.signatures[0];
        (bytes32 r, bytes32 vs) = abi.decode(genuine, (bytes32, bytes32));
        uint256 s = uint256(vs) & (type(uint256).max >> 1);

        // The parity flipped: another key.
        f.signatures[0] = abi.encode(r, vs ^ bytes32(uint256(1) << 255));
        vm.expectPartialRevert(ISubrosaTrust.SignerUnknown.selector);
        _fulfill(f);
        // The high twin of s, which overwrites the parity bit of the compact form.
        f.signatures[0] = abi.encode(r, bytes32(ORDER - s));
        vm.expectRevert();
        _fulfill(f);
        // s plus the order does not fit 255 bits either; r plus the order does for few r.
        f.signatures[0] = abi.encode(uint256(r) ^ 1, vs);
        vm.expectRevert();
        _fulfill(f);
        // s zero.
        f.signatures[0] = abi.encode(r, 0);
        vm.expectRevert(ISubrosaOracle.InvalidSignature.selector);
        _fulfill(f);

        f.signatures[0] = genuine;
        assertEq(_fulfill(f), 1);
    }

    function testFuzz_no_high_s_is_taken(uint256 s, bool parity) public {
        Entry memory entry = _request(stateful, user, 0);
        Fulfillment memory f = _batch(_groupOnHead(_list(entry)));
        // Above half the order and still within the 255 bits that the compact form leaves.
        s = bound(s, ORDER / 2 + 1, type(uint256).max >> 1);
        (bytes32 r,) = abi.decode(f.signatures[0], (bytes32, bytes32));
        f.signatures[0] = abi.encode(r, s | (parity ? uint256(1) << 255 : 0));
        vm.expectRevert(ISubrosaOracle.InvalidSignature.selector);
        _fulfill(f);
    }

    // Admissions.

    function test_an_admission_is_none_at_another_registry() public {
        (SignerAdmission memory a, bytes[] memory signatures) = _newAdmission();
        ISubrosaRegistry twin = ISubrosaRegistry(
            deployCode(
                "SubrosaRegistry.sol:SubrosaRegistry",
                abi.encode(authority, uint40(0), MAXIMUM_LEASE, uint40(0), uint40(0))
            )
        );
        twin.setVerifier(vm.addr(verifierKey), true);
        twin.addMeasurement(ROOT, TEE_KIND, MEASUREMENT_HASH);
        twin.addConfig(CONFIG, KEY_GROUP);
        vm.expectPartialRevert(ISubrosaTrust.VerifierUnknown.selector);
        twin.admit(a, signatures);
        registry.admit(a, signatures);
    }

    function test_an_admission_is_none_on_another_chain() public {
        (SignerAdmission memory a, bytes[] memory signatures) = _newAdmission();
        vm.chainId(HOME + 1);
        vm.expectPartialRevert(ISubrosaTrust.VerifierUnknown.selector);
        registry.admit(a, signatures);
        vm.chainId(HOME);
        registry.admit(a, signatures);
    }

    function test_an_admission_shown_again_prolongs_and_restores_nothing() public {
        (SignerAdmission memory a, bytes[] memory signatures) = _newAdmission();
        registry.admit(a, signatures);
        (uint40 lease,,,,,) = registry.signerOf(a.signer);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaTrust.LeaseNotRenewed.selector, a.signer, lease);
        vm.expectRevert(refusal);
        registry.admit(a, signatures);

        // Nor after a renewal: it would take back what that gave.
        skip(1 days);
        SignerAdmission memory later = _admission(a.signer);
        registry.admit(later, _vouch(later, verifierKey));
        (lease,,,,,) = registry.signerOf(a.signer);
        assertEq(lease, later.notAfter);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.LeaseNotRenewed.selector, a.signer, lease));
        registry.admit(a, signatures);

        registry.revokeSigner(a.signer);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, a.signer));
        registry.admit(a, signatures);
    }

    function test_an_admission_kept_back_goes_stale() public {
        (SignerAdmission memory a, bytes[] memory signatures) = _newAdmission();
        vm.roll(a.challengeBlock + 257);
        vm.expectPartialRevert(ISubrosaTrust.ChallengeStale.selector);
        registry.admit(a, signatures);
    }

    function test_no_second_form_of_an_admissions_signature_is_taken() public {
        (SignerAdmission memory a, bytes[] memory signatures) = _newAdmission();
        bytes memory genuine = signatures[0];
        bytes[] memory forms = _forms(genuine);
        for (uint256 i = 0; i < forms.length; ++i) {
            signatures[0] = forms[i];
            vm.expectRevert();
            registry.admit(a, signatures);
        }
        signatures[0] = genuine;
        registry.admit(a, signatures);
    }

    // Epochs.

    function test_an_opening_shown_again_or_elsewhere_opens_nothing() public {
        registry.scheduleEpoch(_schedule(2));
        EpochOpening memory opening = _opening(2);
        bytes memory signature = _signOpening(opening, signerKey);
        address signer = vm.addr(signerKey);
        vm.chainId(HOME + 1);
        vm.expectRevert(ISubrosaTrust.InvalidSignature.selector);
        registry.openEpoch(opening, signer, signature);
        vm.chainId(HOME);

        bytes[] memory forms = _forms(signature);
        for (uint256 i = 0; i < forms.length; ++i) {
            vm.expectRevert(ISubrosaTrust.InvalidSignature.selector);
            registry.openEpoch(opening, signer, forms[i]);
        }
        registry.openEpoch(opening, signer, signature);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaEpochs.EpochNotNext.selector, KEY_GROUP, 2, 2));
        registry.openEpoch(opening, signer, signature);
    }

    function _newAdmission() private view returns (SignerAdmission memory a, bytes[] memory signatures) {
        a = _admission(vm.addr(newKey));
        signatures = _vouch(a, verifierKey);
    }

    /// @dev Other encodings of what a 65-byte signature says, or nearly says.
    function _forms(bytes memory signature) private pure returns (bytes[] memory forms) {
        (bytes32 r, uint256 s, uint8 v) = _split(signature);
        uint8 flipped = v == 27 ? 28 : 27;
        forms = new bytes[](7);
        forms[0] = abi.encodePacked(r, ORDER - s, flipped);
        forms[1] = abi.encodePacked(r, s, flipped);
        forms[2] = abi.encodePacked(r, s, v - 27);
        // EIP-2098.
        forms[3] = abi.encodePacked(r, s | uint256(v - 27) << 255);
        forms[4] = abi.encodePacked(signature, uint8(0));
        forms[5] = abi.encodePacked(r, s);
        forms[6] = abi.encodePacked(r, uint256(0), v);
    }

    function _split(bytes memory signature) private pure returns (bytes32 r, uint256 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}
