// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What is read twice: by the library functions of `src/dcap` and, written plainly, by
/// `References`. The same calldata must give the same result or be refused by both.
interface IDocuments {
    function utcTime(bytes13 text) external view returns (uint256);

    function generalizedTime(bytes15 text) external view returns (uint256);

    function iso8601(bytes20 text) external view returns (uint256);

    function element(bytes calldata der) external pure returns (uint256 tag, uint256 start, uint256 next);

    function unsigned(bytes calldata der) external pure returns (uint256 value, uint256 next);

    // Structs, as `abi.encode` writes them: their types are those of `src`, which a test cannot import.

    /// @return The `Certificate`.
    function certificate(bytes calldata der) external pure returns (bytes memory);

    /// @return The `RevocationList`, with this much free before its serial numbers.
    function revocationList(bytes calldata der, uint256 headroom) external pure returns (bytes memory);

    /// @return The `Platform`.
    function platform(bytes calldata extension) external pure returns (bytes memory);

    /// @return header The `TcbInfoHeader`.
    /// @return packed The rest, as `TcbLevels` defines it.
    function tcbInfo(bytes calldata json, uint64 signer)
        external
        pure
        returns (bytes memory header, bytes memory packed);

    /// @return header The `QeIdentityHeader`.
    /// @return packed The rest, as `QeIdentity` defines it.
    function qeIdentity(bytes calldata json, uint64 signer)
        external
        pure
        returns (bytes memory header, bytes memory packed);

    /// @return The `Quote`.
    function quote(bytes calldata data) external pure returns (bytes memory);

    function time(bytes calldata der) external pure returns (uint256 unix, uint256 next);
}

/// @notice The library functions of `src/dcap`, callable with calldata.
interface IReaders is IDocuments {
    function low64(bytes calldata content) external pure returns (uint256);

    function integer(bytes calldata json, uint256 maximum) external pure returns (uint256 value, uint256 next);

    function hexadecimal(bytes calldata json) external pure returns (uint256 value, uint256 next);

    function find(bytes calldata json, uint8 character) external pure returns (uint256);

    function le32(bytes calldata data) external pure returns (uint256);

    function sha384(bytes calldata message) external pure returns (bytes memory);

    function kept(bytes calldata data) external returns (bytes memory, address);

    function meets(uint128 have, uint128 need) external pure returns (bool);

    function skip(bytes calldata der, bytes32 expected, uint256 length) external pure returns (uint256 next);

    function status(bytes calldata json) external pure returns (uint256 value, uint256 next);

    function converge(uint256 platformStatus, uint256 component) external pure returns (uint256);

    function relaunch(uint256 launch, uint256 current) external pure returns (uint256);

    function contains(bytes calldata serials, uint256 offset, uint64 serial) external pure returns (bool);

    function matchSgx(bytes calldata packed, uint128 cpuSvn, uint16 pceSvn) external pure returns (uint256);

    function matchTdx(bytes calldata packed, uint128 cpuSvn, uint16 pceSvn, uint128 teeTcbSvn)
        external
        pure
        returns (uint256);

    function module(bytes calldata packed, uint8 version) external pure returns (uint256);

    function quotingEnclave(bytes calldata packed, bytes calldata report) external pure returns (uint256);

    function checkAttributes(bytes calldata report, bool td15) external pure;
}
