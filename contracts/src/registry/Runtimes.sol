// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Withdrawing runtime generations
/// @notice A generation says what executing a contract means. One that turns out to be broken is
/// withdrawn, and names the later one that its contracts move to.
abstract contract Runtimes is AccessManaged, ISubrosaRegistry {
    /// @inheritdoc ISubrosaRegistry
    function withdrawRuntime(uint16 generation, uint16 successor) external restricted {
        mapping(uint256 => uint16) storage successors = RegistryStorage.load().runtimeSuccessors;
        if (successors[generation] != 0) revert RuntimeIsWithdrawn(generation);
        // Ascending, so following successors ends.
        if (successor <= generation) revert RuntimeNotLater(generation, successor);
        if (successors[successor] != 0) revert RuntimeIsWithdrawn(successor);

        successors[generation] = successor;
        emit RuntimeWithdrawn(generation, successor);
    }

    /// @inheritdoc ISubrosaRegistry
    function runtimeSuccessor(uint16 generation) external view returns (uint16) {
        return RegistryStorage.load().runtimeSuccessors[generation];
    }
}
