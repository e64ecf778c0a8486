// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {TcbLevels} from "./TcbLevels.sol";

/// @title What a TD's report says
/// @notice Intel TDX DCAP Quoting Library API, A.3.2: TEE_TCB_SVN at 0, MRSIGNERSEAM at 64,
/// SEAMATTRIBUTES at 112, TDATTRIBUTES at 120, MRTD at 136, RTMR0 to RTMR3 from 328 on, 48 bytes
/// each, REPORTDATA at 520; in TDX 1.5 TEE_TCB_SVN2 at 584, MRSERVICETD at 600.
library TdReports {
    using CalldataBytes for bytes;

    uint256 internal constant TEE_TCB_SVN_2 = 584;
    uint256 internal constant REPORT_DATA = 520;

    /// @notice keccak256(MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2).
    function measurementHash(bytes calldata quote, uint256 body) internal pure returns (bytes32) {
        unchecked {
            return keccak256(bytes.concat(quote[body + 136:body + 184], quote[body + 328:body + 472]));
        }
    }

    /// @notice keccak256(RTMR3).
    function configRegisterHash(bytes calldata quote, uint256 body) internal pure returns (bytes32) {
        unchecked {
            return keccak256(quote[body + 472:body + 520]);
        }
    }

    /// @notice The TDX module's fingerprint, as `TcbLevels` defines it.
    function moduleFingerprint(bytes calldata quote, uint256 body) internal pure returns (uint256) {
        unchecked {
            return TcbLevels.moduleFingerprint(
                quote.number(body + 64, 16),
                quote.number(body + 80, 16),
                quote.number(body + 96, 16),
                quote.number(body + 112, 8)
            );
        }
    }

    /// @notice Reverts unless the TD is neither debugged, profiled nor migratable, has no service TD,
    /// keeps reserved attributes zero (TDX Module ABI, 348551-008, table 3.23) and disables
    /// virtualization exceptions on pages the host takes away.
    function checkAttributes(bytes calldata quote, uint256 body, bool td15) internal pure {
        unchecked {
            uint256 attributes = quote.number(body + 120, 8);
            if (attributes & FORBIDDEN != 0 || attributes & SEPT_VE_DISABLE == 0) {
                revert ISubrosaDcap.TdAttributesRefused(bytes8(uint64(attributes)));
            }
            if (td15 && (quote.word(body + 600) | quote.number(body + 632, 16)) != 0) {
                revert ISubrosaDcap.ServiceTdRefused();
            }
        }
    }

    /// Bits 0 to 15 (debug, profiling, reserved), 17 (SERVTD_EXT), 23 to 26 (reserved), 29
    /// (MIGRATABLE), 32 to 61 (reserved); the first byte has bits 0 to 7.
    uint256 private constant FORBIDDEN = 0xffff8227ffffff3f;
    /// Bit 28.
    uint256 private constant SEPT_VE_DISABLE = 0x0000001000000000;
}
