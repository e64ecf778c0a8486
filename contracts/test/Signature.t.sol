// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {Batches, Fulfillment} from "./support/Batches.sol";
import {DuoTest} from "./support/DuoTest.sol";

/// @notice What a batch's signature and signer must be, by the registry itself.
contract SignatureTest is DuoTest {
    address private user = makeAddr("user");
    Entry private entry;

    function setUp() public override {
        super.setUp();
        entry = _request(stateful, user, 0);
    }

    function test_a_batch_signed_for_another_chain_is_refused() public {
        Fulfillment memory f = _valid();
        f.signatures[0] = _compact(signerKey, Batches.message(f, block.chainid + 1, address(oracle)));
        _expectStrangerRefused(f);
    }

    function test_a_batch_signed_for_another_oracle_is_refused() public {
        Fulfillment memory f = _valid();
        f.signatures[0] = _compact(signerKey, Batches.message(f, block.chainid, address(registry)));
        _expectStrangerRefused(f);
    }

    function test_a_batch_does_not_survive_a_chain_split() public {
        Fulfillment memory f = _valid();
        vm.chainId(block.chainid + 1);
        _expectStrangerRefused(f);
    }

    function testFuzz_no_changed_byte_of_a_result_is_accepted(uint8 field, uint8 bit) public {
        Fulfillment memory f = _valid();
        uint256 mask = 1 << bit;
        field %= 6;
        if (field == 0) f.groups[0].items[0].result ^= mask | 1 << 200;
        if (field == 1) f.groups[0].items[0].data[bit % 32] ^= 0x01;
        if (field == 2) f.groups[0].start ^= mask;
        if (field == 3) f.payee = address(uint160(1 << (bit % 160)));
        if (field == 4) f.groups[0].contractId ^= bytes32(mask);
        if (field == 5) f.groups[0].items[0].payment ^= 1 << (112 + bit % 144);
        // The length of the public output must stay within the data to get as far as the signature.
        uint256 length = f.groups[0].items[0].result & 0x7fffffff;
        if (f.groups[0].items[0].result & 0x80000000 != 0) length += 32;
        if (length > f.groups[0].items[0].data.length) return;
        _expectStrangerRefused(f);
    }

    function test_a_result_moved_between_public_and_sealed_output_is_refused() public {
        Fulfillment memory f = _valid();
        f.groups[0].items[0].result -= 1;
        _expectStrangerRefused(f);
    }

    function test_the_malleable_twin_of_a_signature_is_refused() public {
        Fulfillment memory f = _valid();
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        (bytes32 r, bytes32 vs) = abi.decode(f.signatures[0], (bytes32, bytes32));
        uint256 s = uint256(vs) & (type(uint256).max >> 1);
        // In compact form a high s cannot even be written; it runs into the parity bit.
        f.signatures[0] = abi.encode(r, bytes32((order - s) | ((uint256(vs) >> 255) ^ 1) << 255));
        vm.expectRevert();
        _fulfill(f);
    }

    function test_a_signature_of_zeros_is_refused() public {
        Fulfillment memory f = _valid();
        f.signatures[0] = new bytes(64);
        vm.expectRevert(ISubrosaOracle.InvalidSignature.selector);
        _fulfill(f);
    }

    function test_a_signer_that_was_not_admitted_is_refused() public {
        Fulfillment memory f = _valid();
        uint256 stranger = uint256(keccak256("stranger"));
        _signBatch(f, stranger);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerUnknown.selector, vm.addr(stranger)));
        _fulfill(f);
    }

    function test_a_signer_serves_its_own_key_group() public {
        Fulfillment memory f = _valid();
        f.keyGroup = KEY_GROUP + 1;
        _signBatch(f, signerKey);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.WrongKeyGroup.selector, KEY_GROUP + 1, KEY_GROUP));
        _fulfill(f);
    }

    function test_revoking_a_signer_works_on_the_next_batch() public {
        Fulfillment memory f = _valid();
        registry.revokeSigner(vm.addr(signerKey));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, vm.addr(signerKey)));
        _fulfill(f);
    }

    function test_revoking_a_measurement_works_on_the_next_batch() public {
        Fulfillment memory f = _valid();
        registry.revokeMeasurement(measurement, 0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, measurement));
        _fulfill(f);
    }

    function test_stopping_a_family_works_on_the_next_batch() public {
        Fulfillment memory f = _valid();
        registry.setFamily(TEE_KIND, 0, true);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.FamilyIsStopped.selector, TEE_KIND));
        _fulfill(f);
        registry.setFamily(TEE_KIND, 17, false);
        assertEq(_fulfill(f), 1);
    }

    function test_raising_the_minimum_tcb_works_on_the_next_batch() public {
        Fulfillment memory f = _valid();
        registry.setFamily(TEE_KIND, 18, false);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.TcbTooOld.selector, TEE_KIND, 17, 18));
        _fulfill(f);
    }

    function test_a_lease_ends() public {
        Fulfillment memory f = _valid();
        (uint40 leaseUntil,,,,,) = registry.signerOf(vm.addr(signerKey));
        vm.warp(leaseUntil);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.LeaseEnded.selector, vm.addr(signerKey), leaseUntil));
        _fulfill(f);
        vm.warp(leaseUntil - 1);
        assertEq(_fulfill(f), 1);
    }

    function test_the_domain_is_published() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address where,,) =
            oracle.eip712Domain();
        assertEq(fields, hex"0f");
        assertEq(name, "Subrosa");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(where, address(oracle));
    }

    function _valid() private view returns (Fulfillment memory) {
        return _batch(_groupOnHead(_list(entry)));
    }

    /// @dev A signature over something else recovers to an address that nobody admitted.
    function _expectStrangerRefused(Fulfillment memory f) private {
        vm.expectPartialRevert(ISubrosaTrust.SignerUnknown.selector);
        _fulfill(f);
    }
}
