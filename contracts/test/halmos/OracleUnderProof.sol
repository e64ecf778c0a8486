// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaOracle} from "../../src/SubrosaOracle.sol";
import {ISubrosaRegistry} from "../../src/interfaces/ISubrosaRegistry.sol";
import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {Digests} from "../../src/libraries/Digests.sol";
import {HeadSlot} from "../../src/libraries/HeadSlot.sol";
import {LogSlot} from "../../src/libraries/LogSlot.sol";
import {OracleStorage} from "../../src/oracle/OracleStorage.sol";

/// @notice The oracle as it ships, with its storage within a proof's reach.
contract OracleUnderProof is SubrosaOracle {
    constructor(ISubrosaRegistry registry_) SubrosaOracle(registry_) {}

    function headWord(bytes32 contractId) external view returns (uint256) {
        return HeadSlot.unwrap(OracleStorage.load().heads[contractId].word);
    }

    function putLog(bytes32 contractId, uint256 word) external {
        OracleStorage.load().logs[contractId] = LogSlot.wrap(word);
    }

    /// @notice Puts an entry on its log, with these status bits.
    function putEntry(Entry calldata e, uint8 status) external {
        OracleStorage.load().entries[e.contractId][e.seq] = digestOf(e) | bytes32(uint256(status));
    }

    /// @notice An entry's digest, here.
    function digestOf(Entry calldata e) public view returns (bytes32) {
        bytes32 executionHash = Digests.execution(e.context, e.inputHash, e.execution);
        return digest(e.contractId, e.seq, e.previousDigest, executionHash, e.settlement, e.payment);
    }

    function digest(
        bytes32 contractId,
        uint256 seq,
        bytes32 previousDigest,
        bytes32 executionHash,
        uint256 settlement,
        uint256 payment
    ) public view returns (bytes32) {
        return Digests.entry(contractId, seq, previousDigest, executionHash, settlement, payment);
    }
}

/// @notice A registry by which everyone is an admitted signer of this key group: nothing that is proved
/// of the oracle rests on who signed.
contract AdmittingRegistry {
    uint32 public immutable keyGroup;

    constructor(uint32 keyGroup_) {
        keyGroup = keyGroup_;
    }

    function checkSigner(address, uint32, uint32) external view returns (uint256) {
        return keyGroup;
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
