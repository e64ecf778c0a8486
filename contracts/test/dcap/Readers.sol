// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CalldataBytes} from "../../src/dcap/CalldataBytes.sol";
import {CodeBlob} from "../../src/dcap/CodeBlob.sol";
import {Dates} from "../../src/dcap/Dates.sol";
import {Der} from "../../src/dcap/Der.sol";
import {JsonText} from "../../src/dcap/JsonText.sol";
import {Sha384} from "../../src/dcap/Sha384.sol";
import {TcbLevels} from "../../src/dcap/TcbLevels.sol";
import {IReaders} from "./IReaders.sol";

/// @notice See `IReaders`. Compiled like what ships.
contract Readers is IReaders {
    function utcTime(bytes13 text) external pure returns (uint256) {
        return Dates.utcTime(uint256(bytes32(text)));
    }

    function generalizedTime(bytes15 text) external pure returns (uint256) {
        return Dates.generalizedTime(uint256(bytes32(text)));
    }

    function iso8601(bytes20 text) external pure returns (uint256) {
        return Dates.iso8601(uint256(bytes32(text)));
    }

    function element(bytes calldata der) external pure returns (uint256 tag, uint256 start, uint256 next) {
        return Der.read(der, 0, der.length);
    }

    function unsigned(bytes calldata der) external pure returns (uint256 value, uint256 next) {
        return Der.unsigned(der, 0, der.length);
    }

    function low64(bytes calldata content) external pure returns (uint256) {
        return Der.low64(content, 0, content.length);
    }

    function integer(bytes calldata json, uint256 maximum) external pure returns (uint256 value, uint256 next) {
        return JsonText.integer(json, 0, maximum);
    }

    function hexadecimal(bytes calldata json) external pure returns (uint256 value, uint256 next) {
        return JsonText.hexadecimal(json, 0, json.length);
    }

    function find(bytes calldata json, uint8 character) external pure returns (uint256) {
        return JsonText.find(json, 0, character);
    }

    function le32(bytes calldata data) external pure returns (uint256) {
        return CalldataBytes.le32(data, 0);
    }

    function sha384(bytes calldata message) external pure returns (bytes memory) {
        return Sha384.hash(message);
    }

    function kept(bytes calldata data) external returns (bytes memory, address) {
        address blob = CodeBlob.write(data);
        return (CodeBlob.read(blob), blob);
    }

    /// @dev One SGX level, with this requirement.
    function meets(uint128 have, uint128 need) external pure returns (bool) {
        bytes memory packed = abi.encodePacked(bytes8(0), uint8(1), need, uint16(0), uint8(1));
        return TcbLevels.matchSgx(packed, have, 0) == 1;
    }
}
