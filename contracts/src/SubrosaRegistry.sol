// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {Activation} from "./registry/Activation.sol";
import {DcapSigners} from "./registry/DcapSigners.sol";
import {Epochs} from "./registry/Epochs.sol";
import {Governance} from "./registry/Governance.sol";
import {Leases} from "./registry/Leases.sol";
import {Products} from "./registry/Products.sol";
import {Runtimes} from "./registry/Runtimes.sol";
import {Vouchers} from "./registry/Vouchers.sol";

/// @title SubrosaRegistry
/// @notice See `ISubrosaRegistry`. It cannot be upgraded; its authority can be replaced by itself.
contract SubrosaRegistry is Epochs, DcapSigners, Governance, Products, Runtimes, Vouchers {
    /// @param authority_ The AccessManager whose roles govern.
    /// @param activationDelay_ Seconds between adding a measurement, configuration or runtime
    /// generation and trusting it.
    /// Zero only for development: users need the time to leave.
    /// @param maximumLease_ The longest lease a signer gets, in seconds.
    constructor(address authority_, uint40 activationDelay_, uint40 maximumLease_)
        AccessManaged(authority_)
        Leases(maximumLease_)
        Activation(activationDelay_)
    {}

    function _domainNameHash() internal pure override returns (bytes32) {
        return keccak256("Subrosa Registry");
    }

    function _domainName() internal pure override returns (string memory) {
        return "Subrosa Registry";
    }
}
