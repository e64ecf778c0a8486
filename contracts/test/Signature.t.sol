// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {Entry, Fulfillment} from "../src/interfaces/SubrosaTypes.sol";
import {History} from "./support/History.sol";
import {OracleTest} from "./support/OracleTest.sol";

/// @notice What a batch's signature, signer and anchor must be.
contract SignatureTest is OracleTest {
    address private user = makeAddr("user");
    Entry private entry;

    function setUp() public override {
        super.setUp();
        entry = _request(stateful, user, 0);
    }

    function test_a_batch_signed_for_another_chain_is_refused() public {
        Fulfillment memory f = _valid();
        (f.r, f.vs) = vm.signCompact(signerKey, _batchMessage(f, block.chainid + 1, address(oracle)));
        _expectStrangerRefused(f);
    }

    function test_a_batch_signed_for_another_oracle_is_refused() public {
        Fulfillment memory f = _valid();
        (f.r, f.vs) = vm.signCompact(signerKey, _batchMessage(f, block.chainid, address(registry)));
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
        if (field == 3) f.measurementId ^= bytes32(mask);
        if (field == 4) f.configHash ^= bytes32(mask);
        if (field == 5) f.keyEpoch ^= uint32(1 << (bit % 32));
        // The length of the public output must stay within the data to get as far as the signature.
        if (uint32(f.groups[0].items[0].result) > f.groups[0].items[0].data.length) return;
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
        uint256 s = uint256(f.vs) & (type(uint256).max >> 1);
        uint256 v = uint256(f.vs) >> 255;
        // In compact form a high s cannot even be written; it runs into the parity bit.
        f.vs = bytes32((order - s) | (v ^ 1) << 255);
        vm.expectRevert();
        _fulfill(f);
    }

    function test_a_signature_of_zeros_is_refused() public {
        Fulfillment memory f = _valid();
        f.r = 0;
        f.vs = 0;
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

    function test_a_wrong_anchor_is_refused_where_it_can_be_seen() public {
        _expectAnchorRefused(block.number - 1);
        _expectAnchorRefused(block.number - 256);
    }

    function test_an_anchor_beyond_256_blocks_is_looked_up_in_the_history_contract() public {
        uint256 number = block.number - 300;
        History.keep(number, keccak256("real"));

        Fulfillment memory f = _anchored(number, keccak256("forged"));
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubrosaOracle.AnchorMismatch.selector, number, keccak256("real"), keccak256("forged")
            )
        );
        _fulfill(f);
        assertEq(_fulfill(_anchored(number, keccak256("real"))), 1);
    }

    function test_an_anchor_that_nobody_remembers_is_taken() public {
        assertEq(_fulfill(_anchored(block.number - 600, keccak256("long ago"))), 1);
    }

    function test_an_anchor_in_the_newest_block_is_taken_and_in_the_future_is_not() public {
        Fulfillment memory f = _anchored(block.number + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.AnchorInFuture.selector, block.number + 1, block.number));
        _fulfill(f);
        assertEq(_fulfill(_anchored(block.number, keccak256("newest"))), 1);
    }

    function test_the_domain_is_published() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address at,,) =
            oracle.eip712Domain();
        assertEq(fields, hex"0f");
        assertEq(name, "Subrosa");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(at, address(oracle));
    }

    function _valid() private view returns (Fulfillment memory) {
        return _batch(_groupOnHead(_list(entry)));
    }

    function _anchored(uint256 number, bytes32 hash) private view returns (Fulfillment memory f) {
        f = _valid();
        f.anchorNumber = uint64(number);
        f.anchorHash = hash;
        _signBatch(f, signerKey);
    }

    function _expectAnchorRefused(uint256 number) private {
        Fulfillment memory f = _anchored(number, keccak256("forged"));
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubrosaOracle.AnchorMismatch.selector, number, blockhash(number), keccak256("forged")
            )
        );
        _fulfill(f);
    }

    /// @dev A signature over something else recovers to an address that nobody admitted.
    function _expectStrangerRefused(Fulfillment memory f) private {
        vm.expectPartialRevert(ISubrosaTrust.SignerUnknown.selector);
        _fulfill(f);
    }
}
