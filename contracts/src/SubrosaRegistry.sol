// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {SubrosaGovernance} from "./SubrosaGovernance.sol";
import {ISubrosaGovernance} from "./interfaces/ISubrosaGovernance.sol";
import {DcapSigners} from "./registry/DcapSigners.sol";
import {RegistryStorage} from "./registry/RegistryStorage.sol";
import {Terms} from "./registry/Terms.sol";

/// @title SubrosaRegistry
/// @notice See `ISubrosaRegistry`, of which it answers everything. It cannot be upgraded; its authority can
/// be replaced by itself. What admits and checks signers is here; for all else, it runs the code of a
/// `SubrosaGovernance` that it made when it was deployed: together they are larger than a contract may be.
contract SubrosaRegistry is AccessManaged, DcapSigners {
    /// @dev Never another: the registry's own code holds the address, so its code hash commits to both.
    address private immutable _governance;

    /// @param authority_ The AccessManager whose roles govern.
    /// @param activationDelay_ Seconds between adding a measurement, configuration or runtime
    /// generation and trusting it.
    /// Zero only for development: users need the time to leave.
    /// @param maximumLease_ The longest lease a signer gets, in seconds.
    /// @param openingTimeout_ For how many seconds the opening of an epoch cannot be replaced by another.
    /// @param suspensionCooldown_ For how many seconds what was lifted cannot be suspended again: time to
    /// revoke it, or to replace whoever suspends for no reason.
    constructor(
        address authority_,
        uint40 activationDelay_,
        uint40 maximumLease_,
        uint40 openingTimeout_,
        uint40 suspensionCooldown_
    ) AccessManaged(authority_) Terms(activationDelay_, maximumLease_, openingTimeout_, suspensionCooldown_) {
        RegistryStorage.load().verifierThreshold = 1;
        emit ISubrosaGovernance.VerifierThresholdChanged(1);
        _governance = address(
            new SubrosaGovernance(authority_, activationDelay_, maximumLease_, openingTimeout_, suspensionCooldown_)
        );
    }

    /// @dev Runs governance's code on this contract's storage, and ends as it does.
    fallback() external {
        address governance = _governance;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), governance, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }

    function _domainNameHash() internal pure override returns (bytes32) {
        return keccak256("Subrosa Registry");
    }

    function _domainName() internal pure override returns (string memory) {
        return "Subrosa Registry";
    }
}
