// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SignerSlot} from "../../src/libraries/SignerSlot.sol";

/// @notice Makes signers' words by trying which bit is read as which field, so that it is of no matter where the
/// registry keeps them.
library SignerWords {
    /// @param vouchers Bit n: admitted by the voucher with index n.
    function create(uint8 kind, uint256 machine, uint16 vouchers) internal pure returns (uint256 word) {
        return uint256(kind) << _kind() | uint256(vouchers) << _vouchers() | machine << _machine();
    }

    /// @notice Whether words say what machine a signer is on.
    function knowMachines() internal pure returns (bool) {
        return _machine() != 256;
    }

    function _kind() private pure returns (uint256 bit) {
        while (SignerSlot.wrap(1 << bit).teeKind() != 1) ++bit;
    }

    function _vouchers() private pure returns (uint256 bit) {
        while (SignerSlot.wrap(1 << bit).vouchers() != 1) ++bit;
    }

    function _machine() private pure returns (uint256 bit) {
        while (bit < 256 && SignerSlot.wrap(1 << bit).machine() != 1) ++bit;
    }
}
