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

    /// @notice The account that keeps `data`, once it is written; zero for no bytes at all. The address
    /// says what is kept: nobody has the same bytes kept twice.
    function place(bytes memory data) internal view returns (address blob) {
        if (data.length == 0) return address(0);
        uint256 prefix = _prefix(data);
        // Assembly: the length word of `data` holds the prefix for the moment.
        assembly ("memory-safe") {
            let length := mload(data)
            mstore(data, prefix)
            let codeHash := keccak256(add(data, 21), add(length, 11))
            mstore(data, length)
            let preimage := mload(0x40)
            mstore(preimage, or(shl(88, address()), shl(248, 0xff)))
            mstore(add(preimage, 21), 0)
            mstore(add(preimage, 53), codeHash)
            blob := and(keccak256(preimage, 85), 0xffffffffffffffffffffffffffffffffffffffff)
        }
    }

    /// @notice Keeps `data`, if it is not kept already.
    function write(bytes memory data) internal returns (address blob) {
        blob = place(data);
        if (blob.code.length != 0 || data.length == 0) return blob;
        uint256 prefix = _prefix(data);
        // Assembly: Solidity cannot create an account from bytes.
        assembly ("memory-safe") {
            let length := mload(data)
            mstore(data, prefix)
            blob := create2(0, add(data, 21), add(length, 11), 0)
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

    /// @dev What creates an account with the bytes behind it as code. PUSH2 size, DUP1, PUSH1 10,
    /// RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: returns what follows these ten bytes. The
    /// eleventh is the STOP.
    function _prefix(bytes memory data) private pure returns (uint256) {
        uint256 length = data.length;
        if (length > MAXIMUM) revert BlobTooLarge(length);
        return 0x61000080600a3d393df300 | ((length + 1) << 64);
    }
}
