// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PackedBytes} from "./PackedBytes.sol";

/// @title SHA-384 (FIPS 180-4) of messages of at most 111 bytes, which take one block
/// @notice No precompile computes it. 64-bit words are kept in 256 bits: what a sum or a rotation
/// leaves above them is cut off when a word is next stored.
library Sha384 {
    /// @notice The message is longer than one block holds.
    error MessageTooLong(uint256 length);

    /// @notice The hash, 48 bytes.
    function hash(bytes memory message) internal pure returns (bytes memory digest) {
        uint256 length = message.length;
        if (length > 111) revert MessageTooLong(length);
        bytes memory padded = bytes.concat(message, hex"80", new bytes(125 - length), bytes2(uint16(length * 8)));
        uint256[8] memory state = _initial();
        _compress(state, _schedule(PackedBytes.start(padded)));
        uint256 place;
        (digest, place) = PackedBytes.allocate(48);
        for (uint256 i = 0; i < 6; ++i) {
            place = PackedBytes.put(place, state[i], 8);
        }
        PackedBytes.finish(digest, place);
    }

    /// @dev The message schedule (6.4.2, step 1): 80 words of 32 bytes.
    /// @param block_ Place of the 128 bytes.
    /// @return first Place of the first word.
    function _schedule(uint256 block_) private pure returns (uint256 first) {
        unchecked {
            (, first) = PackedBytes.allocate(80 * 32);
            uint256 place = first;
            for (uint256 t = 0; t < 16; ++t) {
                place = PackedBytes.put(place, PackedBytes.take(block_ + 8 * t, 8), 32);
            }
            for (uint256 t = 16; t < 80; ++t) {
                uint256 a = PackedBytes.take(place - 2 * 32, 32);
                uint256 b = PackedBytes.take(place - 15 * 32, 32);
                uint256 aa = a | (a << 64);
                uint256 bb = b | (b << 64);
                uint256 sum = ((aa >> 19) ^ (aa >> 61) ^ (a >> 6)) + ((bb >> 1) ^ (bb >> 8) ^ (b >> 7))
                    + PackedBytes.take(place - 7 * 32, 32) + PackedBytes.take(place - 16 * 32, 32);
                place = PackedBytes.put(place, sum & WORD, 32);
            }
        }
    }

    /// @dev The eighty rounds (6.4.2, steps 2 to 4).
    function _compress(uint256[8] memory state, uint256 schedule) private pure {
        unchecked {
            bytes memory constants = ROUND_CONSTANTS;
            uint256 k = PackedBytes.start(constants);
            (uint256 a, uint256 b, uint256 c, uint256 d) = (state[0], state[1], state[2], state[3]);
            (uint256 e, uint256 f, uint256 g, uint256 h) = (state[4], state[5], state[6], state[7]);
            for (uint256 end = schedule + 80 * 32; schedule != end; schedule += 32) {
                uint256 first = e | (e << 64);
                first = ((first >> 14) ^ (first >> 18) ^ (first >> 41)) + ((e & f) ^ (~e & g)) + h
                    + PackedBytes.take(k, 8) + PackedBytes.take(schedule, 32);
                uint256 second = a | (a << 64);
                second = ((second >> 28) ^ (second >> 34) ^ (second >> 39)) + ((a & b) ^ (a & c) ^ (b & c));
                (h, g, f, e) = (g, f, e, (d + first) & WORD);
                (d, c, b, a) = (c, b, a, (first + second) & WORD);
                k += 8;
            }
            (state[0], state[1], state[2], state[3]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d);
            (state[4], state[5], state[6], state[7]) = (state[4] + e, state[5] + f, state[6] + g, state[7] + h);
        }
    }

    function _initial() private pure returns (uint256[8] memory) {
        return [
            uint256(0xcbbb9d5dc1059ed8),
            0x629a292a367cd507,
            0x9159015a3070dd17,
            0x152fecd8f70e5939,
            0x67332667ffc00b31,
            0x8eb44a8768581511,
            0xdb0c2e0d64f98fa7,
            0x47b5481dbefa4fa4
        ];
    }

    uint256 private constant WORD = type(uint64).max;
    /// Fractional parts of the cube roots of the first eighty primes, 64 bits each.
    bytes private constant ROUND_CONSTANTS = hex"428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc"
        hex"3956c25bf348b53859f111f1b605d019923f82a4af194f9bab1c5ed5da6d8118"
        hex"d807aa98a303024212835b0145706fbe243185be4ee4b28c550c7dc3d5ffb4e2"
        hex"72be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235c19bf174cf692694"
        hex"e49b69c19ef14ad2efbe4786384f25e30fc19dc68b8cd5b5240ca1cc77ac9c65"
        hex"2de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5"
        hex"983e5152ee66dfaba831c66d2db43210b00327c898fb213fbf597fc7beef0ee4"
        hex"c6e00bf33da88fc2d5a79147930aa72506ca6351e003826f142929670a0e6e70"
        hex"27b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed53380d139d95b3df"
        hex"650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353b"
        hex"a2bfe8a14cf10364a81a664bbc423001c24b8b70d0f89791c76c51a30654be30"
        hex"d192e819d6ef5218d69906245565a910f40e35855771202a106aa07032bbd1b8"
        hex"19a4c116b8d2d0c81e376c085141ab532748774cdf8eeb9934b0bcb5e19b48a8"
        hex"391c0cb3c5c95a634ed8aa4ae3418acb5b9cca4f7763e373682e6ff3d6b2b8a3"
        hex"748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec"
        hex"90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532b"
        hex"ca273eceea26619cd186b8c721c0c207eada7dd6cde0eb1ef57d4f7fee6ed178"
        hex"06f067aa72176fba0a637dc5a2c898a6113f9804bef90dae1b710b35131c471b"
        hex"28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc431d67c49c100d4c"
        hex"4cc5d4becb3e42b6597f299cfc657e2a5fcb6fab3ad6faec6c44198c4a475817";
}
