// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";

/// @title Comparing an enclave's view of the chain with the chain
library Anchors {
    /// @notice Reverts if the block is known to have another hash, or not to exist yet. The last 256
    /// hashes are always known; where EIP-2935 is active, the last 8,191. Of older blocks nothing is
    /// known and any hash passes: an anchor proves inclusion, and entries are checked by digest. So
    /// does any hash of the current block, as nodes simulate a transaction in the newest block whose
    /// hash they just reported.
    function check(uint256 number, bytes32 hash) internal view {
        if (number >= block.number) {
            if (number == block.number) return;
            revert ISubrosaOracle.AnchorInFuture(number, block.number);
        }
        bytes32 known = Blockhash.blockHash(number);
        if (known != hash && known != 0) revert ISubrosaOracle.AnchorMismatch(number, known, hash);
    }
}
