// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CalldataBytes} from "./CalldataBytes.sol";
import {Der} from "./Der.sol";

/// @notice What a PCK certificate says of its platform.
struct Platform {
    /// keccak256 of the Platform Provisioning ID, 16 bytes.
    bytes32 ppidHash;
    /// The sixteen component SVNs, the first one highest: 128 bits.
    uint256 cpuSvn;
    uint256 pceSvn;
    /// 48 bits.
    uint256 fmspc;
}

/// @title The SGX extension of PCK certificates
/// @notice Intel SGX PCK Certificate and CRL Profile Specification, 1.3.5: a sequence of pairs of an
/// object identifier below 1.2.840.113741.1.13.1 and a value. Fields not used here are stepped over.
library PckExtension {
    using CalldataBytes for bytes;
    using Der for bytes;

    /// @notice Reads the extension whose content lies from `offset` to `end`.
    function read(bytes calldata der, uint256 offset, uint256 end) internal pure returns (Platform memory platform) {
        uint256 stop;
        (offset, stop) = der.enter(offset, end, Der.SEQUENCE);
        if (stop != end) revert ISubrosaDcap.DerMalformed(stop);
        uint256 seen;
        while (offset != end) {
            uint256 field;
            uint256 value;
            (field, value, offset) = _entry(der, offset, end, OID, 11);
            if (field == PPID) {
                value = der.skip(value, offset, hex"0410", 2);
                if (offset - value != 16) revert ISubrosaDcap.DerMalformed(value);
                platform.ppidHash = keccak256(der[value:offset]);
            } else if (field == TCB) {
                seen |= _tcb(der, value, offset, platform);
            } else if (field == FMSPC) {
                value = der.skip(value, offset, hex"0406", 2);
                if (offset - value != 6) revert ISubrosaDcap.DerMalformed(value);
                platform.fmspc = der.number(value, 6);
            } else {
                // Else number 17 would pass for PCESVN, which has it below TCB.
                continue;
            }
            seen = _once(seen, field, offset);
        }
        if (seen & REQUIRED != REQUIRED) revert ISubrosaDcap.PckFieldsMissing(seen);
    }

    function _tcb(bytes calldata der, uint256 offset, uint256 end, Platform memory platform)
        private
        pure
        returns (uint256 seen)
    {
        uint256 stop;
        (offset, stop) = der.enter(offset, end, Der.SEQUENCE);
        if (stop != end) revert ISubrosaDcap.DerMalformed(stop);
        while (offset != end) {
            uint256 field;
            uint256 value;
            (field, value, offset) = _entry(der, offset, end, TCB_OID, 12);
            // Numbers from 1 to 16 are the components, which CPUSVN repeats.
            if (field == PCESVN) {
                (platform.pceSvn,) = der.unsigned(value, offset);
                if (platform.pceSvn > 0xffff) revert ISubrosaDcap.DerMalformed(value);
                seen = _once(seen, field, offset);
            } else if (field == CPUSVN) {
                value = der.skip(value, offset, hex"0410", 2);
                if (offset - value != 16) revert ISubrosaDcap.DerMalformed(value);
                platform.cpuSvn = der.number(value, 16);
                seen = _once(seen, field, offset);
            }
        }
    }

    /// @dev Reads a pair: the last number of its identifier, and where its value lies.
    function _entry(bytes calldata der, uint256 offset, uint256 end, bytes32 oid, uint256 length)
        private
        pure
        returns (uint256 field, uint256 value, uint256 next)
    {
        (offset, next) = der.enter(offset, end, Der.SEQUENCE);
        offset = der.skip(offset, next, oid, length);
        if (offset == next) revert ISubrosaDcap.DerMalformed(offset);
        field = der.number(offset, 1);
        unchecked {
            value = offset + 1;
        }
    }

    function _once(uint256 seen, uint256 field, uint256 offset) private pure returns (uint256) {
        if (seen >> field & 1 != 0) revert ISubrosaDcap.DerMalformed(offset);
        return seen | 1 << field;
    }

    uint256 private constant PPID = 1;
    uint256 private constant TCB = 2;
    uint256 private constant FMSPC = 4;
    uint256 private constant PCESVN = 17;
    uint256 private constant CPUSVN = 18;
    uint256 private constant REQUIRED = 1 << PPID | 1 << TCB | 1 << FMSPC | 1 << PCESVN | 1 << CPUSVN;
    /// OBJECT IDENTIFIER of ten bytes: 1.2.840.113741.1.13.1 and one more number.
    bytes32 private constant OID = hex"060a2a864886f84d010d01";
    /// Of eleven bytes: 1.2.840.113741.1.13.1.2 and one more number.
    bytes32 private constant TCB_OID = hex"060b2a864886f84d010d0102";
}
