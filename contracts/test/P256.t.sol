// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

/// @notice The Solidity fallback against the precompile (EIP-7951), which this chain has.
contract P256Tests is Test {
    uint256 private constant ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    uint256 private constant PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff;
    address private fallback_;

    function setUp() public {
        fallback_ = deployCode("P256Fallback.sol:P256Fallback");
    }

    /// forge-config: default.fuzz.runs = 128
    /// forge-config: soak.fuzz.runs = 10000
    function testFuzz_valid_signatures_are_accepted_by_both(uint256 secret, bytes32 digest, bool high) public view {
        bytes memory input = _signed(secret, digest, high);
        assertTrue(_agree(input));
    }

    /// forge-config: default.fuzz.runs = 128
    /// forge-config: soak.fuzz.runs = 10000
    function testFuzz_changed_signatures_are_judged_alike(uint256 secret, bytes32 digest, uint256 index, uint8 change)
        public
        view
    {
        bytes memory input = _signed(secret, digest, false);
        index = bound(index, 0, 159);
        input[index] ^= bytes1(change);
        assertEq(_agree(input), change == 0);
    }

    /// forge-config: default.fuzz.runs = 128
    /// forge-config: soak.fuzz.runs = 10000
    function testFuzz_arbitrary_words_are_judged_alike(bytes32[5] calldata words) public view {
        _agree(abi.encode(words));
    }

    function test_edges_are_judged_alike() public view {
        bytes memory valid = _signed(7, keccak256("edge"), false);
        uint256[8] memory values = [uint256(0), 1, ORDER - 1, ORDER, ORDER + 1, PRIME, PRIME - 1, type(uint256).max];
        for (uint256 word = 0; word < 5; ++word) {
            for (uint256 i = 0; i < values.length; ++i) {
                bytes memory input = bytes.concat(valid);
                uint256 value = values[i];
                assembly {
                    mstore(add(add(input, 0x20), mul(word, 0x20)), value)
                }
                _agree(input);
            }
        }
        // The point at infinity as a key, and inputs of another length.
        _agree(abi.encode(keccak256("edge"), 1, 1, 0, 0));
        _agree("");
        _agree(bytes.concat(valid, hex"00"));
        bytes memory short = new bytes(159);
        _agree(short);
    }

    /// forge-config: default.fuzz.runs = 128
    /// forge-config: soak.fuzz.runs = 10000
    function testFuzz_a_negated_key_is_judged_alike(uint256 secret, bytes32 digest) public view {
        bytes memory input = _signed(secret, digest, false);
        uint256 y;
        assembly {
            y := mload(add(input, 0xa0))
            mstore(add(input, 0xa0), sub(0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff, y))
        }
        // R = u1 G + u2 Q, and u1 is zero if the digest is: then the negated key gives the point of the same x.
        assertEq(_agree(input), uint256(digest) % ORDER == 0);
    }

    function _signed(uint256 secret, bytes32 digest, bool high) private pure returns (bytes memory) {
        secret = bound(secret, 1, ORDER - 1);
        (uint256 x, uint256 y) = vm.publicKeyP256(secret);
        (bytes32 r, bytes32 s) = vm.signP256(secret, digest);
        if (high != (uint256(s) > ORDER / 2)) s = bytes32(ORDER - uint256(s));
        return abi.encode(digest, r, s, x, y);
    }

    function _agree(bytes memory input) private view returns (bool valid) {
        (bool done, bytes memory expected) = address(0x100).staticcall(input);
        (bool alsoDone, bytes memory actual) = fallback_.staticcall(input);
        assertTrue(done && alsoDone);
        assertEq(actual, expected);
        return expected.length == 32;
    }
}
