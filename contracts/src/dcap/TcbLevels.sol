// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {PackedBytes} from "./PackedBytes.sol";
import {TcbStatus} from "./TcbStatus.sol";

/// @title Matching a platform with packed TCB info
/// @notice The format, without padding: signer's serial number 8 ‖ for TDX: fingerprint of
/// `tdxModule` 32 ‖ count 1 ‖ module identities ‖ count 1 ‖ levels.
///
/// A module identity: version 1 ‖ fingerprint 32 ‖ count 1 ‖ (ISVSVN 1 ‖ status 1) each.
/// A level: SGX components 16 ‖ PCESVN 2 ‖ for TDX: TDX components 16 ‖ status 1.
///
/// A module's fingerprint is keccak256(MRSIGNER 48 ‖ attributes & mask 8): bits outside the mask must
/// be zero, so the masked attributes are the only ones that pass.
library TcbLevels {
    uint256 internal constant SGX_LEVEL = 19;
    uint256 internal constant TDX_LEVEL = 35;

    /// @notice The status of an SGX platform.
    function matchSgx(bytes memory packed, uint256 cpuSvn, uint256 pceSvn) internal pure returns (uint256) {
        unchecked {
            uint256 place = PackedBytes.start(packed) + 8;
            uint256 count = PackedBytes.take(place, 1);
            ++place;
            uint256 have = _spread(cpuSvn);
            for (; count != 0; --count) {
                uint256 level = PackedBytes.take(place, SGX_LEVEL);
                if (_meets(have, level >> 24) && pceSvn >= uint16(level >> 8)) return uint8(level);
                place += SGX_LEVEL;
            }
        }
        revert ISubrosaDcap.TcbLevelNotFound();
    }

    /// @notice The status of a TDX platform whose TDX components are `teeTcbSvn` (128 bits, the first
    /// highest), converged with that of its TDX module.
    /// @dev The first two components are the module's ISVSVN and version. A module with a version is
    /// judged by its identity, and the two components then count in no level.
    function matchTdx(bytes memory packed, uint256 cpuSvn, uint256 pceSvn, uint256 teeTcbSvn)
        internal
        pure
        returns (uint256 status)
    {
        (uint256 place, uint256 identity) = _find(packed, uint8(teeTcbSvn >> 112));
        uint256 relevant = identity == 0 ? type(uint128).max : type(uint128).max >> 16;
        status = _matchTdxLevels(place, _spread(cpuSvn), pceSvn, _spread(teeTcbSvn), relevant);
        if (identity != 0) status = TcbStatus.converge(status, _matchModule(identity, teeTcbSvn >> 120));
    }

    /// @notice The fingerprint that the module with this version must have.
    function module(bytes memory packed, uint256 version) internal pure returns (uint256) {
        unchecked {
            (, uint256 identity) = _find(packed, version);
            uint256 place = identity == 0 ? PackedBytes.start(packed) + 8 : identity + 1;
            return PackedBytes.take(place, 32);
        }
    }

    /// @notice A module's fingerprint.
    /// @param high The first 16 bytes of MRSIGNER; then the next and the last.
    /// @param attributes 64 bits.
    function moduleFingerprint(uint256 high, uint256 middle, uint256 low, uint256 attributes)
        internal
        pure
        returns (uint256)
    {
        return uint256(keccak256(abi.encodePacked(uint128(high), uint128(middle), uint128(low), uint64(attributes))));
    }

    /// @notice Whether the level at a place is higher than another, status aside.
    function isHigher(uint256 place, uint256 other, uint256 size) internal pure returns (bool) {
        unchecked {
            if (size == SGX_LEVEL) return PackedBytes.take(place, 18) > PackedBytes.take(other, 18);
            uint256 a = PackedBytes.take(place, 32);
            uint256 b = PackedBytes.take(other, 32);
            return a > b || (a == b && PackedBytes.take(place + 32, 2) > PackedBytes.take(other + 32, 2));
        }
    }

    /// @dev Where the levels start, and where the identity of a module version is: zero for version
    /// zero, which has none.
    function _find(bytes memory packed, uint256 version) private pure returns (uint256 place, uint256 identity) {
        unchecked {
            place = PackedBytes.start(packed) + 40;
            uint256 count = PackedBytes.take(place, 1);
            ++place;
            for (; count != 0; --count) {
                if (identity == 0 && version != 0 && PackedBytes.take(place, 1) == version) identity = place;
                place += 34 + 2 * PackedBytes.take(place + 33, 1);
            }
            if (identity == 0 && version != 0) revert ISubrosaDcap.TdxModuleUnknown(version);
        }
    }

    function _matchTdxLevels(uint256 place, uint256 have, uint256 pceSvn, uint256 haveTdx, uint256 relevant)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 count = PackedBytes.take(place, 1);
            ++place;
            for (; count != 0; --count) {
                uint256 level = PackedBytes.take(place, 18);
                if (
                    pceSvn >= uint16(level) && _meets(have, level >> 16)
                        && _meets(haveTdx, PackedBytes.take(place + 18, 16) & relevant)
                ) return PackedBytes.take(place + 34, 1);
                place += TDX_LEVEL;
            }
        }
        revert ISubrosaDcap.TcbLevelNotFound();
    }

    function _matchModule(uint256 identity, uint256 isvSvn) private pure returns (uint256 status) {
        unchecked {
            uint256 place = identity + 34;
            for (uint256 count = PackedBytes.take(identity + 33, 1); count != 0; --count) {
                if (isvSvn >= PackedBytes.take(place, 1)) {
                    status = PackedBytes.take(place + 1, 1);
                    if (TcbStatus.OF_MODULES >> status & 1 == 0) revert ISubrosaDcap.TcbLevelNotFound();
                    return status;
                }
                place += 2;
            }
        }
        revert ISubrosaDcap.TcbLevelNotFound();
    }

    /// @dev Sixteen bytes into sixteen lanes of two.
    function _spread(uint256 components) private pure returns (uint256) {
        return (components & LANES) | ((components >> 8 & LANES) << 128);
    }

    /// @dev Whether no component of `have` (spread) is below that of `need` (128 bits): the ninth bit
    /// of a lane survives the subtraction unless it must lend.
    function _meets(uint256 have, uint256 need) private pure returns (bool) {
        unchecked {
            return ((have | NINTH) - _spread(need)) & NINTH == NINTH;
        }
    }

    uint256 private constant LANES = 0x00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant NINTH = 0x0100010001000100010001000100010001000100010001000100010001000100;
}
