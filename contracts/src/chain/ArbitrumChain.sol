// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ArbGasInfo, ArbSys} from "./IArbitrum.sol";

/// @title What the contracts take from an Arbitrum chain
/// @notice There, `block.number` is (about) the parent chain's and `blockhash` is not a block's hash. Headers, whose
/// state roots proofs are made against, count the chain's own blocks, which a precompile tells.
library ArbitrumChain {
    ArbSys private constant SYSTEM = ArbSys(0x0000000000000000000000000000000000000064);
    ArbGasInfo private constant GAS = ArbGasInfo(0x000000000000000000000000000000000000006C);

    /// @dev EIP-2935, which on these chains counts the chain's own blocks.
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @dev Bytes of a transaction that lands one result, without output, after compression.
    uint256 private constant LANDING_BYTES = 420;

    /// @dev Gas of a byte on the parent chain (EIP-2028), as the precompile's estimate is for.
    uint256 private constant GAS_PER_BYTE = 16;

    /// @notice See `Chain._blockNumber`.
    function blockNumber() internal view returns (uint256) {
        return SYSTEM.arbBlockNumber();
    }

    /// @notice See `Chain._blockHash`. The precompile has the last 256, a minute's worth; older ones are known where the
    /// chain keeps a history.
    function blockHash(uint256 number) internal view returns (bytes32) {
        try SYSTEM.arbBlockHash(number) returns (bytes32 hash) {
            return hash;
        } catch {
            (bool known, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
            return known && answer.length == 32 ? bytes32(answer) : bytes32(0);
        }
    }

    /// @notice See `Chain._dataFee`.
    function dataFee(uint256 outputLimit) internal view returns (uint256) {
        unchecked {
            return GAS.getL1BaseFeeEstimate() * GAS_PER_BYTE * (LANDING_BYTES + outputLimit);
        }
    }
}
