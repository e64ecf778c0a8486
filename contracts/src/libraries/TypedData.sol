// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title An EIP-712 domain that is always that of the running chain
/// @notice The separator is computed on every use, from the live chain id. A cached one would be an
/// immutable, and the contract's code hash, which enclaves pin, would differ from chain to chain.
abstract contract TypedData is IERC5267 {
    bytes32 private constant DOMAIN_TYPE_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant VERSION_HASH = keccak256("1");

    /// @notice What an EIP-712 message with this struct hash is signed as.
    function _typedDataHash(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator =
            keccak256(abi.encode(DOMAIN_TYPE_HASH, _domainNameHash(), VERSION_HASH, block.chainid, address(this)));
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    /// @notice The hash of the domain's name, as a constant.
    function _domainNameHash() internal pure virtual returns (bytes32);

    /// @notice The domain's name.
    function _domainName() internal pure virtual returns (string memory);

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (hex"0f", _domainName(), "1", block.chainid, address(this), bytes32(0), new uint256[](0));
    }
}
