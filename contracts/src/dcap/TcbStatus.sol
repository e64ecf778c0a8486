// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";

/// @title How up to date a platform is, in Intel's words
/// @notice The numbers are those of admissions. Statuses converge as in Intel's quote verification
/// library (`convergeTcbStatuses`, `checkForRelaunch`).
library TcbStatus {
    using CalldataBytes for bytes;

    uint256 internal constant UP_TO_DATE = 1;
    uint256 internal constant SW_HARDENING_NEEDED = 2;
    uint256 internal constant CONFIGURATION_NEEDED = 3;
    uint256 internal constant CONFIGURATION_AND_SW_HARDENING_NEEDED = 4;
    uint256 internal constant OUT_OF_DATE = 5;
    uint256 internal constant OUT_OF_DATE_CONFIGURATION_NEEDED = 6;
    uint256 internal constant TD_RELAUNCH_ADVISED = 7;
    uint256 internal constant TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED = 8;
    /// Never returned to anyone.
    uint256 internal constant REVOKED = 15;

    /// Bit n allows status n.
    uint256 internal constant OF_MODULES = 1 << UP_TO_DATE | 1 << OUT_OF_DATE | 1 << REVOKED;
    uint256 internal constant OF_QUOTING_ENCLAVES =
        OF_MODULES | 1 << CONFIGURATION_NEEDED | 1 << OUT_OF_DATE_CONFIGURATION_NEEDED;

    /// @notice Reads a status and the quotation mark that ends it.
    function read(bytes calldata json, uint256 offset) internal pure returns (uint256 status, uint256 next) {
        unchecked {
            if (json.has(offset, 'UpToDate"', 9)) return (UP_TO_DATE, offset + 9);
            if (json.has(offset, 'OutOfDate"', 10)) return (OUT_OF_DATE, offset + 10);
            if (json.has(offset, 'SWHardeningNeeded"', 18)) return (SW_HARDENING_NEEDED, offset + 18);
            if (json.has(offset, 'ConfigurationNeeded"', 20)) return (CONFIGURATION_NEEDED, offset + 20);
            if (json.has(offset, "ConfigurationAndSWHardeningNeede", 32) && json.has(offset + 32, 'd"', 2)) {
                return (CONFIGURATION_AND_SW_HARDENING_NEEDED, offset + 34);
            }
            if (json.has(offset, 'OutOfDateConfigurationNeeded"', 29)) {
                return (OUT_OF_DATE_CONFIGURATION_NEEDED, offset + 29);
            }
            if (json.has(offset, 'Revoked"', 8)) return (REVOKED, offset + 8);
        }
        revert ISubrosaDcap.JsonUnexpected(offset);
    }

    /// @notice A platform's status, given that of its TDX module or quoting enclave, which counts only
    /// if it is out of date or revoked.
    function converge(uint256 platform, uint256 component) internal pure returns (uint256) {
        if (component == REVOKED) return REVOKED;
        if (component != OUT_OF_DATE) return platform;
        if (platform == UP_TO_DATE || platform == SW_HARDENING_NEEDED) return OUT_OF_DATE;
        if (platform == CONFIGURATION_NEEDED || platform == CONFIGURATION_AND_SW_HARDENING_NEEDED) {
            return OUT_OF_DATE_CONFIGURATION_NEEDED;
        }
        return platform;
    }

    /// @notice The status of a TD launched at `launch` on a platform that is now at `current`.
    function relaunch(uint256 launch, uint256 current) internal pure returns (uint256) {
        if (launch != OUT_OF_DATE && launch != OUT_OF_DATE_CONFIGURATION_NEEDED) return launch;
        if (current > CONFIGURATION_AND_SW_HARDENING_NEEDED) return launch;
        bool configure = launch == OUT_OF_DATE_CONFIGURATION_NEEDED || current == CONFIGURATION_NEEDED
            || current == CONFIGURATION_AND_SW_HARDENING_NEEDED;
        return configure ? TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED : TD_RELAUNCH_ADVISED;
    }
}
