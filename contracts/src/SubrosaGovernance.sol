// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {Epochs} from "./registry/Epochs.sol";
import {Facts} from "./registry/Facts.sol";
import {Governance} from "./registry/Governance.sol";
import {Machines} from "./registry/Machines.sol";
import {Products} from "./registry/Products.sol";
import {Runtimes} from "./registry/Runtimes.sol";
import {Suspensions} from "./registry/Suspensions.sol";
import {Terms} from "./registry/Terms.sol";
import {Vouchers} from "./registry/Vouchers.sol";

/// @title SubrosaGovernance
/// @notice The code that `SubrosaRegistry` runs on its own storage for `ISubrosaGovernance`. Called by its own
/// address it governs nothing.
contract SubrosaGovernance is Epochs, Facts, Governance, Machines, Products, Runtimes, Suspensions, Vouchers {
    /// @dev As the registry's, which makes it.
    constructor(
        address authority_,
        uint40 activationDelay_,
        uint40 maximumLease_,
        uint40 openingTimeout_,
        uint40 suspensionCooldown_
    ) AccessManaged(authority_) Terms(activationDelay_, maximumLease_, openingTimeout_, suspensionCooldown_) {}

    function _domainNameHash() internal pure override returns (bytes32) {
        return keccak256("Subrosa Registry");
    }

    function _domainName() internal pure override returns (string memory) {
        return "Subrosa Registry";
    }
}
