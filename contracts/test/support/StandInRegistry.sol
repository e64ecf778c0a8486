// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What the oracle asks of a registry, answered as a test says. The registry has tests of its own.
contract StandInRegistry {
    mapping(address signer => uint256 record) private records;
    mapping(uint32 keyGroup => uint32) public currentEpoch;
    mapping(uint32 keyGroup => mapping(uint32 keyEpoch => bool)) public isRetired;
    mapping(uint16 generation => bool) private counts;
    mapping(uint16 generation => uint16) public runtimeSuccessor;

    error SignerUnknown(address signer);
    error EpochUnknown(uint32 keyGroup, uint32 keyEpoch);
    error RuntimeUnknown(uint16 generation);

    function admit(address signer, uint256 record) external {
        // A record is never zero.
        records[signer] = record | 1 << 255;
    }

    function dismiss(address signer) external {
        delete records[signer];
    }

    function openEpoch(uint32 keyGroup) external {
        ++currentEpoch[keyGroup];
    }

    function retire(uint32 keyGroup, uint32 keyEpoch) external {
        isRetired[keyGroup][keyEpoch] = true;
    }

    function addRuntime(uint16 generation) external {
        counts[generation] = true;
    }

    function withdrawRuntime(uint16 generation, uint16 successor) external {
        counts[generation] = false;
        runtimeSuccessor[generation] = successor;
    }

    function checkSigner(address signer, uint32 keyGroup, uint32 keyEpoch) external view returns (uint256 record) {
        record = records[signer];
        if (record == 0) revert SignerUnknown(signer);
        if (keyEpoch == 0 || keyEpoch > currentEpoch[keyGroup]) revert EpochUnknown(keyGroup, keyEpoch);
    }

    function checkRuntime(uint16 generation) external view {
        if (!counts[generation]) revert RuntimeUnknown(generation);
    }

    function epochRecord(uint32 keyGroup, uint32 keyEpoch) external pure returns (bytes32) {
        return keccak256(abi.encode("record", keyGroup, keyEpoch));
    }
}
