// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, PriceTable} from "./interfaces/ISubrosaOracle.sol";
import {ISubrosaRegistry} from "./interfaces/ISubrosaRegistry.sol";
import {HeadSlot} from "./libraries/HeadSlot.sol";
import {LogSlot} from "./libraries/LogSlot.sol";
import {Changes} from "./oracle/Changes.sol";
import {Fulfillments} from "./oracle/Fulfillments.sol";
import {Logs} from "./oracle/Logs.sol";
import {OracleStorage} from "./oracle/OracleStorage.sol";
import {Pricing} from "./oracle/Pricing.sol";
import {Registrations} from "./oracle/Registrations.sol";
import {Requests} from "./oracle/Requests.sol";

/// @title SubrosaOracle
/// @notice See `ISubrosaOracle`. It has no administrator and cannot be upgraded: enclaves pin its
/// code hash. Who may sign is the registry's to say, and the registry is fixed.
contract SubrosaOracle is Registrations, Requests, Changes, Fulfillments {
    /// @param registry_ The registry that says who may sign.
    /// @param prices_ How much gas is what, on this chain and today.
    constructor(ISubrosaRegistry registry_, PriceTable memory prices_) Logs(registry_) Pricing(prices_) {}

    /// @inheritdoc ISubrosaOracle
    function head(bytes32 contractId) external view returns (uint256 packed) {
        return HeadSlot.unwrap(OracleStorage.load().heads[contractId].word);
    }

    /// @inheritdoc ISubrosaOracle
    function logOf(bytes32 contractId) external view returns (uint256 packed) {
        return LogSlot.unwrap(OracleStorage.load().logs[contractId]);
    }

    /// @inheritdoc ISubrosaOracle
    function extsload(bytes32 slot) external view returns (bytes32 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
    }

    function _domainNameHash() internal pure override returns (bytes32) {
        return keccak256("Subrosa");
    }

    function _domainName() internal pure override returns (string memory) {
        return "Subrosa";
    }
}
