// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SignerSlot} from "./SignerSlot.sol";

/// @notice Who signed a batch, as thresholds count: machines 128 ‖ kinds 128. Zero for one signer.
type Quorum is uint256;

using Quorums for Quorum global;

/// @title Counting signers
library Quorums {
    /// @notice Counts signers by their records. Machines are distinct ones, of whatever kind their signers are: of one
    /// that has two, the signer that comes first counts. Signers of one kind whose platform gives no identity
    /// count as one. Kinds of TEE count once each, and only those admitted by separate routes: a voucher stands for
    /// one kind.
    function count(uint256[] memory records) internal pure returns (Quorum) {
        unchecked {
            uint256 machines = 0;
            uint256 kinds = 0;
            uint256 counted = 0;
            uint256 routes = 0;
            for (uint256 i = 0; i < records.length; ++i) {
                SignerSlot slot = SignerSlot.wrap(records[i]);
                if (_seen(records, i, slot)) continue;
                ++machines;
                uint256 kind = 1 << slot.teeKind();
                if (counted & kind != 0 || routes & slot.vouchers() != 0) continue;
                counted |= kind;
                routes |= slot.vouchers();
                ++kinds;
            }
            return Quorum.wrap(machines << 128 | kinds);
        }
    }

    /// @notice Whether there are this many machines of this many kinds.
    function suffices(Quorum quorum, uint256 signers, uint256 kinds) internal pure returns (bool) {
        return Quorum.unwrap(quorum) >> 128 >= signers && Quorum.unwrap(quorum) & type(uint128).max >= kinds;
    }

    /// @dev Whether one of the first `until` records is of the same machine.
    function _seen(uint256[] memory records, uint256 until, SignerSlot slot) private pure returns (bool) {
        for (uint256 i = 0; i < until; ++i) {
            SignerSlot other = SignerSlot.wrap(records[i]);
            if (other.machine() != slot.machine()) continue;
            if (slot.machine() != 0 || other.teeKind() == slot.teeKind()) return true;
        }
        return false;
    }
}
