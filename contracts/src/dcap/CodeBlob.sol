// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Bytes kept as the code of an account
/// @notice From three words on this is cheaper to write than storage (32,000 gas and 200 a byte,
/// against 22,100 a slot) and far cheaper to read (2,600 gas in all, against 2,100 a slot). The code
/// starts with STOP, so that calling it does nothing.
library CodeBlob {
    /// @notice The most bytes a blob holds: EIP-170, less the STOP.
    uint256 internal constant MAXIMUM = 24_575;

    /// @notice More bytes than an account's code can hold.
    error BlobTooLarge(uint256 length);
    /// @notice The account could not be created.
    error BlobNotWritten();

    /// @notice Keeps `data`.
    function write(bytes memory data) internal returns (address blob) {
        uint256 length = data.length;
        if (length > MAXIMUM) revert BlobTooLarge(length);
        // PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: returns what
        // follows these ten bytes. The eleventh is the STOP.
        uint256 prefix = 0x61000080600a3d393df300 | ((length + 1) << 64);
        // Assembly: Solidity cannot create an account from bytes. The length word of `data` holds
        // the prefix for the moment.
        assembly ("memory-safe") {
            mstore(data, prefix)
            blob := create(0, add(data, 21), add(length, 11))
            mstore(data, length)
        }
        if (blob == address(0)) revert BlobNotWritten();
    }

    /// @notice What `blob` keeps; nothing, if it is no account with code.
    function read(address blob) internal view returns (bytes memory data) {
        assembly ("memory-safe") {
            data := mload(0x40)
            let size := extcodesize(blob)
            let length := sub(size, gt(size, 0))
            mstore(0x40, add(data, and(add(length, 0x3f), not(0x1f))))
            mstore(data, length)
            extcodecopy(blob, add(data, 0x20), 1, length)
        }
    }
}
