// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";

/// @title What the contracts take from their chain, as Ethereum has it
/// @notice Chains that count otherwise have contracts of their own, which override this (`ArbitrumChain`). Which fits
/// a chain, the deployment finds out.
abstract contract Chain {
    /// @dev The number of the block whose header commits to what is stored now.
    function _blockNumber() internal view virtual returns (uint256) {
        return block.number;
    }

    /// @dev The hash of an earlier block; zero if it is not known. The last 256 always are; where there is EIP-2935,
    /// the last 8,191.
    function _blockHash(uint256 number) internal view virtual returns (bytes32) {
        return Blockhash.blockHash(number);
    }

    /// @dev What the chain asks for a transaction with so many bytes of output beside gas, in wei.
    function _dataFee(uint256) internal view virtual returns (uint256) {
        return 0;
    }
}
