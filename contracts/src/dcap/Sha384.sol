// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title SHA-384 (FIPS 180-4) of messages of at most 111 bytes, which take one block
/// @notice No precompile computes it. About SHA384_GAS gas.
library Sha384 {
    /// @notice The message is longer than one block holds.
    error MessageTooLong(uint256 length);

    /// @notice The hash, 48 bytes.
    function hash(bytes memory message) internal pure returns (bytes memory) {
        uint256 length = message.length;
        if (length > 111) revert MessageTooLong(length);
        bytes memory block_ =
            bytes.concat(message, hex"80", new bytes(111 - length), new bytes(14), bytes2(uint16(length * 8)));
        uint64[8] memory state = [
            0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939, 0x67332667ffc00b31,
            0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4
        ];
        _compress(state, block_);
        return abi.encodePacked(
            bytes8(state[0]), bytes8(state[1]), bytes8(state[2]), bytes8(state[3]), bytes8(state[4]), bytes8(state[5])
        );
    }

    function _compress(uint64[8] memory state, bytes memory block_) private pure {
        unchecked {
            uint64[80] memory w;
            for (uint256 t = 0; t < 16; ++t) {
                uint64 word;
                for (uint256 i = 0; i < 8; ++i) word = (word << 8) | uint8(block_[8 * t + i]);
                w[t] = word;
            }
            for (uint256 t = 16; t < 80; ++t) {
                uint64 a = w[t - 2];
                uint64 b = w[t - 15];
                w[t] = (_rotate(a, 19) ^ _rotate(a, 61) ^ (a >> 6)) + w[t - 7]
                    + (_rotate(b, 1) ^ _rotate(b, 8) ^ (b >> 7)) + w[t - 16];
            }
            uint64[8] memory v;
            for (uint256 i = 0; i < 8; ++i) v[i] = state[i];
            bytes memory k = ROUND_CONSTANTS;
            for (uint256 t = 0; t < 80; ++t) _round(v, w[t], _constant(k, t));
            for (uint256 i = 0; i < 8; ++i) state[i] += v[i];
        }
    }

    /// @dev a to h are v[0] to v[7].
    function _round(uint64[8] memory v, uint64 w, uint64 k) private pure {
        unchecked {
            uint64 e = v[4];
            uint64 first = v[7] + (_rotate(e, 14) ^ _rotate(e, 18) ^ _rotate(e, 41)) + ((e & v[5]) ^ (~e & v[6])) + k + w;
            uint64 a = v[0];
            uint64 second =
                (_rotate(a, 28) ^ _rotate(a, 34) ^ _rotate(a, 39)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
            v[7] = v[6];
            v[6] = v[5];
            v[5] = e;
            v[4] = v[3] + first;
            v[3] = v[2];
            v[2] = v[1];
            v[1] = a;
            v[0] = first + second;
        }
    }

    function _rotate(uint64 x, uint256 n) private pure returns (uint64) {
        unchecked {
            return (x >> n) | (x << (64 - n));
        }
    }

    function _constant(bytes memory k, uint256 t) private pure returns (uint64 value) {
        assembly ("memory-safe") {
            value := shr(192, mload(add(add(k, 0x20), shl(3, t))))
        }
    }

    /// Fractional parts of the cube roots of the first eighty primes, 64 bits each.
    bytes private constant ROUND_CONSTANTS =
        hex"428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc3956c25bf348b538"
        hex"59f111f1b605d019923f82a4af194f9bab1c5ed5da6d8118d807aa98a303024212835b0145706fbe"
        hex"243185be4ee4b28c550c7dc3d5ffb4e272be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235"
        hex"c19bf174cf692694e49b69c19ef14ad2efbe4786384f25e30fc19dc68b8cd5b5240ca1cc77ac9c65"
        hex"2de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5983e5152ee66dfab"
        hex"a831c66d2db43210b00327c898fb213fbf597fc7beef0ee4c6e00bf33da88fc2d5a79147930aa725"
        hex"06ca6351e003826f142929670a0e6e7027b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed"
        hex"53380d139d95b3df650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353b"
        hex"a2bfe8a14cf10364a81a664bbc423001c24b8b70d0f89791c76c51a30654be30d192e819d6ef5218"
        hex"d69906245565a910f40e35855771202a106aa07032bbd1b819a4c116b8d2d0c81e376c085141ab53"
        hex"2748774cdf8eeb9934b0bcb5e19b48a8391c0cb3c5c95a634ed8aa4ae3418acb5b9cca4f7763e373"
        hex"682e6ff3d6b2b8a3748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec"
        hex"90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532bca273eceea26619c"
        hex"d186b8c721c0c207eada7dd6cde0eb1ef57d4f7fee6ed17806f067aa72176fba0a637dc5a2c898a6"
        hex"113f9804bef90dae1b710b35131c471b28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc"
        hex"431d67c49c100d4c4cc5d4becb3e42b6597f299cfc657e2a5fcb6fab3ad6faec6c44198c4a475817";
}
