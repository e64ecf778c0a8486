// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice The library functions of `src/dcap`, callable with calldata.
interface IReaders {
    function utcTime(bytes13 text) external pure returns (uint256);

    function generalizedTime(bytes15 text) external pure returns (uint256);

    function iso8601(bytes20 text) external pure returns (uint256);

    function element(bytes calldata der) external pure returns (uint256 tag, uint256 start, uint256 next);

    function unsigned(bytes calldata der) external pure returns (uint256 value, uint256 next);

    function low64(bytes calldata content) external pure returns (uint256);

    function integer(bytes calldata json, uint256 maximum) external pure returns (uint256 value, uint256 next);

    function hexadecimal(bytes calldata json) external pure returns (uint256 value, uint256 next);

    function find(bytes calldata json, uint8 character) external pure returns (uint256);

    function le32(bytes calldata data) external pure returns (uint256);

    function sha384(bytes calldata message) external pure returns (bytes memory);

    function kept(bytes calldata data) external returns (bytes memory, address);

    function meets(uint128 have, uint128 need) external pure returns (bool);
}
