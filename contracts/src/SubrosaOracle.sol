// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "./interfaces/ISubrosaOracle.sol";
import {ISubrosaRegistry} from "./interfaces/ISubrosaRegistry.sol";
import {Digests} from "./libraries/Digests.sol";
import {HeadSlot} from "./libraries/HeadSlot.sol";
import {LogSlot} from "./libraries/LogSlot.sol";
import {Changes} from "./oracle/Changes.sol";
import {Fulfillments} from "./oracle/Fulfillments.sol";
import {Logs} from "./oracle/Logs.sol";
import {OracleStorage} from "./oracle/OracleStorage.sol";

/// @title SubrosaOracle
/// @notice See `ISubrosaOracle`. It has no administrator and cannot be upgraded: enclaves pin its
/// code hash. Who may sign is the registry's to say, and the registry is fixed.
contract SubrosaOracle is Changes, Fulfillments {
    /// @param registry_ The registry that says who may sign.
    constructor(ISubrosaRegistry registry_) Logs(registry_) {}

    /// @inheritdoc ISubrosaOracle
    function head(bytes32 contractId) external view returns (uint48 seq, bytes32 commitment) {
        HeadSlot slot = OracleStorage.load().heads[contractId].word;
        return (uint48(slot.seq()), slot.commitment());
    }

    /// @inheritdoc ISubrosaOracle
    function logOf(bytes32 contractId) external view returns (uint256 packed) {
        return LogSlot.unwrap(OracleStorage.load().logs[contractId]);
    }

    /// @inheritdoc ISubrosaOracle
    function entryDigest(bytes32 contractId, uint256 seq) external view returns (bytes32 slot) {
        return OracleStorage.load().entries[contractId][seq];
    }

    /// @inheritdoc ISubrosaOracle
    function nonceOf(address deployer) external view returns (uint256) {
        return OracleStorage.load().nonces[deployer];
    }

    /// @inheritdoc ISubrosaOracle
    function contractIdOf(address deployer, uint256 nonce) external view returns (bytes32) {
        return Digests.contractId(address(this), deployer, nonce);
    }

    function _domainName() internal pure override returns (string memory) {
        return "Subrosa";
    }
}
