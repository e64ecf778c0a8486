// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {P256Fallback} from "./P256Fallback.sol";

/// @title ECDSA on P-256
/// @notice By the precompile at 0x100 (EIP-7951) where the chain had it when this was deployed, else
/// by a contract deployed along with this one.
abstract contract P256Signatures is ISubrosaDcap {
    /// @inheritdoc ISubrosaDcap
    address public immutable p256;

    constructor() {
        address precompile = address(0x100);
        // A valid signature of sha256("123400"), from Wycheproof: a missing precompile returns
        // nothing, like one that finds a signature invalid.
        bool present = _accepts(
            precompile,
            0xbb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023,
            5,
            1,
            0xa71af64de5126a4a4e02b7922d66ce9415ce88a4c9d25514d91082c8725ac957,
            0x5d47723c8fbe580bb369fec9c2665d8e30a435b9932645482e7c9f11e872296b
        );
        p256 = present ? precompile : address(new P256Fallback());
    }

    /// @dev Reverts unless (r, s) is the signature of `digest` by the key (x, y).
    function _requireSignature(bytes32 digest, uint256 r, uint256 s, uint256 x, uint256 y) internal view {
        if (!_accepts(p256, digest, r, s, x, y)) revert SignatureInvalid();
    }

    function _accepts(address verifier, bytes32 digest, uint256 r, uint256 s, uint256 x, uint256 y)
        private
        view
        returns (bool)
    {
        (bool success, bytes memory result) = verifier.staticcall(abi.encode(digest, r, s, x, y));
        return success && result.length == 32 && abi.decode(result, (uint256)) == 1;
    }
}
