// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaGovernance} from "../interfaces/ISubrosaGovernance.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Terms} from "./Terms.sol";

/// @title Which runtime generations contracts run in
/// @notice A generation says what executing a contract means. One is added as a build is, ahead of time.
/// One that turns out to be broken is withdrawn, and names the later one that its contracts move to, which
/// must count already: whoever withdraws one in a hurry chooses among what others have had time to look at.
abstract contract Runtimes is AccessManaged, ISubrosaGovernance, Terms {
    /// @inheritdoc ISubrosaGovernance
    function addRuntime(uint16 generation) external restricted {
        RegistryStorage.Runtime storage runtime = RegistryStorage.load().runtimes[generation];
        if (runtime.activeFrom != 0) revert RuntimeExists(generation);

        uint40 activeFrom = _activation();
        runtime.activeFrom = activeFrom;
        emit RuntimeAdded(generation, activeFrom);
    }

    /// @inheritdoc ISubrosaGovernance
    function withdrawRuntime(uint16 generation, uint16 successor) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Runtime storage runtime = $.runtimes[generation];
        if (runtime.activeFrom == 0) revert RuntimeUnknown(generation);
        if (runtime.withdrawn) revert RuntimeIsWithdrawn(generation);
        // No contract can be in one that does not count yet, so none needs a place to go to.
        if (successor != 0 || block.timestamp >= runtime.activeFrom) {
            // Ascending, so following successors ends.
            if (successor <= generation) revert RuntimeNotLater(generation, successor);
            checkRuntime(successor);
            $.runtimeSuccessors[generation] = successor;
        }
        runtime.withdrawn = true;
        emit RuntimeWithdrawn(generation, successor);
    }

    /// @inheritdoc ISubrosaGovernance
    function checkRuntime(uint16 generation) public view {
        RegistryStorage.Runtime storage runtime = RegistryStorage.load().runtimes[generation];
        if (runtime.activeFrom == 0) revert RuntimeUnknown(generation);
        if (runtime.withdrawn) revert RuntimeIsWithdrawn(generation);
        if (block.timestamp < runtime.activeFrom) revert RuntimeNotActive(generation, runtime.activeFrom);
    }

    /// @inheritdoc ISubrosaGovernance
    function runtimeOf(uint16 generation) external view returns (uint40 activeFrom, bool withdrawn, uint16 successor) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Runtime storage runtime = $.runtimes[generation];
        return (runtime.activeFrom, runtime.withdrawn, $.runtimeSuccessors[generation]);
    }

    /// @inheritdoc ISubrosaGovernance
    function runtimeSuccessor(uint16 generation) external view returns (uint16 successor) {
        mapping(uint256 => uint16) storage successors = RegistryStorage.load().runtimeSuccessors;
        uint16 next = successors[generation];
        while (next != 0) {
            successor = next;
            next = successors[next];
        }
    }
}
