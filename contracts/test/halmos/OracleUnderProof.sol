// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaOracle} from "../../src/SubrosaOracle.sol";
import {PriceTable} from "../../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaRegistry} from "../../src/interfaces/ISubrosaRegistry.sol";
import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {Digests} from "../../src/libraries/Digests.sol";
import {HeadSlot} from "../../src/libraries/HeadSlot.sol";
import {LogSlot} from "../../src/libraries/LogSlot.sol";
import {OracleStorage} from "../../src/oracle/OracleStorage.sol";

/// @notice The oracle as it ships, with its storage within a proof's reach.
contract OracleUnderProof is SubrosaOracle {
    constructor(ISubrosaRegistry registry_)
        SubrosaOracle(registry_, PriceTable(68_000, 30_000, 12_000, 12_000, 12, 60, 1_000_000, 1000, 1 days))
    {}

    function headWord(bytes32 contractId) external view returns (uint256) {
        return HeadSlot.unwrap(OracleStorage.load().heads[contractId].word);
    }

    function putHead(bytes32 contractId, uint256 word) external {
        OracleStorage.load().heads[contractId].word = HeadSlot.wrap(word);
    }

    function putLog(bytes32 contractId, uint256 word) external {
        OracleStorage.load().logs[contractId] = LogSlot.wrap(word);
    }

    function slotAt(bytes32 contractId, uint256 position) external view returns (bytes32) {
        return OracleStorage.load().entries[contractId][position];
    }

    function putSlot(bytes32 contractId, uint256 position, bytes32 slot) external {
        OracleStorage.load().entries[contractId][position] = slot;
    }

    function addedTo(bytes32 contractId, uint256 seq) external view returns (uint256) {
        return OracleStorage.load().added[contractId][seq];
    }

    function ownerIs(bytes32 contractId, address owner) external {
        OracleStorage.load().owners[contractId] = owner;
    }

    /// @notice Puts an entry in its place of the ring, with these status bits.
    function putEntry(Entry calldata e, uint8 status) external {
        OracleStorage.load().entries[e.contractId][uint48(e.payment) % 64] = digestOf(e) | bytes32(uint256(status));
    }

    /// @notice An entry's digest, here.
    function digestOf(Entry calldata e) public view returns (bytes32) {
        return Digests.entry(e);
    }

    function digest(
        bytes32 contractId,
        bytes32 previousDigest,
        bytes32 executionHash,
        uint256 settlement,
        uint256 payment
    ) public view returns (bytes32) {
        return Digests.entry(contractId, previousDigest, executionHash, settlement, payment);
    }
}

/// @notice A registry by which everyone is an admitted signer of every epoch: nothing that is proved
/// of the oracle rests on who signed.
contract AdmittingRegistry {
    function checkSigner(address, uint32, uint32) external pure returns (uint256) {
        return 1;
    }

    function isRetired(uint32, uint32) external pure returns (bool) {
        return false;
    }

    function currentEpoch(uint32) external pure returns (uint32) {
        return 3;
    }

    function checkRuntime(uint16) external pure {}

    function runtimeSuccessor(uint16) external pure returns (uint16) {
        return 0;
    }

    function epochRecord(uint32, uint32) external pure returns (bytes32) {
        return keccak256("record");
    }
}
