// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CalldataBytes} from "../../src/dcap/CalldataBytes.sol";
import {Certificates} from "../../src/dcap/Certificates.sol";
import {CodeBlob} from "../../src/dcap/CodeBlob.sol";
import {Dates} from "../../src/dcap/Dates.sol";
import {Der} from "../../src/dcap/Der.sol";
import {JsonText} from "../../src/dcap/JsonText.sol";
import {PckExtension} from "../../src/dcap/PckExtension.sol";
import {QeIdentity, QeIdentityHeader} from "../../src/dcap/QeIdentity.sol";
import {Quotes} from "../../src/dcap/Quotes.sol";
import {RevocationLists} from "../../src/dcap/RevocationLists.sol";
import {Sha384} from "../../src/dcap/Sha384.sol";
import {TcbInfoHeader, TcbInfoJson} from "../../src/dcap/TcbInfoJson.sol";
import {TcbLevels} from "../../src/dcap/TcbLevels.sol";
import {TcbStatus} from "../../src/dcap/TcbStatus.sol";
import {TdReports} from "../../src/dcap/TdReports.sol";
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

    function certificate(bytes calldata der) external pure returns (bytes memory) {
        return abi.encode(Certificates.read(der));
    }

    function revocationList(bytes calldata der, uint256 headroom) external pure returns (bytes memory) {
        return abi.encode(RevocationLists.read(der, headroom));
    }

    function platform(bytes calldata extension) external pure returns (bytes memory) {
        return abi.encode(PckExtension.read(extension, 0, extension.length));
    }

    function tcbInfo(bytes calldata json, uint64 signer)
        external
        pure
        returns (bytes memory header, bytes memory packed)
    {
        (TcbInfoHeader memory info, uint256 offset) = TcbInfoJson.readHeader(json);
        return (abi.encode(info), TcbInfoJson.readLevels(json, offset, info.tdx, signer));
    }

    function qeIdentity(bytes calldata json, uint64 signer)
        external
        pure
        returns (bytes memory header, bytes memory packed)
    {
        (QeIdentityHeader memory identity, uint256 offset) = QeIdentity.readHeader(json);
        return (abi.encode(identity), QeIdentity.readRest(json, offset, signer));
    }

    function quote(bytes calldata data) external pure returns (bytes memory) {
        return abi.encode(Quotes.read(data));
    }

    function time(bytes calldata der) external pure returns (uint256 unix, uint256 next) {
        return Der.time(der, 0, der.length);
    }

    function skip(bytes calldata der, bytes32 expected, uint256 length) external pure returns (uint256 next) {
        return Der.skip(der, 0, der.length, expected, length);
    }

    function status(bytes calldata json) external pure returns (uint256 value, uint256 next) {
        return TcbStatus.read(json, 0);
    }

    function converge(uint256 platformStatus, uint256 component) external pure returns (uint256) {
        return TcbStatus.converge(platformStatus, component);
    }

    function relaunch(uint256 launch, uint256 current) external pure returns (uint256) {
        return TcbStatus.relaunch(launch, current);
    }

    function contains(bytes calldata serials, uint256 offset, uint64 serial) external pure returns (bool) {
        return RevocationLists.contains(serials, offset, serial);
    }

    function matchSgx(bytes calldata packed, uint128 cpuSvn, uint16 pceSvn) external pure returns (uint256) {
        return TcbLevels.matchSgx(packed, cpuSvn, pceSvn);
    }

    function matchTdx(bytes calldata packed, uint128 cpuSvn, uint16 pceSvn, uint128 teeTcbSvn)
        external
        pure
        returns (uint256)
    {
        return TcbLevels.matchTdx(packed, cpuSvn, pceSvn, teeTcbSvn);
    }

    function module(bytes calldata packed, uint8 version) external pure returns (uint256) {
        return TcbLevels.module(packed, version);
    }

    function quotingEnclave(bytes calldata packed, bytes calldata report) external pure returns (uint256) {
        return QeIdentity.check(packed, report, 0);
    }

    function checkAttributes(bytes calldata report, bool td15) external pure {
        TdReports.checkAttributes(report, 0, td15);
    }
}
