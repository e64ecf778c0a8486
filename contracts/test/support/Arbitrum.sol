// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ArbGasInfo, ArbSys} from "../../src/chain/IArbitrum.sol";

/// @notice A stand-in for the precompile at 0x64 of Arbitrum chains, after its documentation: the chain's own number,
/// and the hashes of the last 256 of its own blocks.
contract FakeArbSys is ArbSys {
    uint256 private _number;

    /// @notice The chain goes on.
    function mine(uint256 number) external {
        _number = number;
    }

    function arbBlockNumber() external view returns (uint256) {
        return _number;
    }

    function arbBlockHash(uint256 number) external view returns (bytes32) {
        if (number >= _number || number + 256 < _number) revert InvalidBlockNumber(number, _number);
        return keccak256(abi.encode("block of Arbitrum", number));
    }
}

/// @notice A stand-in for the history that such a chain may keep at EIP-2935's address, by its own numbers.
contract FakeHistory {
    fallback(bytes calldata data) external returns (bytes memory) {
        uint256 number = abi.decode(data, (uint256));
        uint256 current = ArbSys(0x0000000000000000000000000000000000000064).arbBlockNumber();
        if (number >= current || number + 393_168 < current) revert();
        return abi.encode(keccak256(abi.encode("block of Arbitrum", number)));
    }
}

/// @notice A stand-in for the precompile at 0x6C.
contract FakeArbGasInfo is ArbGasInfo {
    uint256 private _estimate;

    function set(uint256 estimate) external {
        _estimate = estimate;
    }

    function getL1BaseFeeEstimate() external view returns (uint256) {
        return _estimate;
    }
}
