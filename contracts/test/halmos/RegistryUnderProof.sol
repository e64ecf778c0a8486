// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
import {EpochSet} from "../../src/libraries/EpochSet.sol";
import {SignerSlot} from "../../src/libraries/SignerSlot.sol";
import {DcapSigners} from "../../src/registry/DcapSigners.sol";
import {Epochs} from "../../src/registry/Epochs.sol";
import {Facts} from "../../src/registry/Facts.sol";
import {Governance} from "../../src/registry/Governance.sol";
import {Machines} from "../../src/registry/Machines.sol";
import {Products} from "../../src/registry/Products.sol";
import {RegistryStorage} from "../../src/registry/RegistryStorage.sol";
import {Runtimes} from "../../src/registry/Runtimes.sol";
import {Suspensions} from "../../src/registry/Suspensions.sol";
import {Terms} from "../../src/registry/Terms.sol";
import {Vouchers} from "../../src/registry/Vouchers.sol";

/// @notice The registry and its governance in one contract, which is too large to ship, with its storage within a
/// proof's reach.
contract RegistryUnderProof is
    Epochs,
    Facts,
    Governance,
    Machines,
    Products,
    Runtimes,
    Suspensions,
    Vouchers,
    DcapSigners
{
    constructor(address authority_, uint40 activationDelay_, uint40 maximumLease_)
        AccessManaged(authority_)
        Terms(activationDelay_, maximumLease_, 1 hours, 7 days)
    {}

    function _domainNameHash() internal pure override returns (bytes32) {
        return keccak256("Subrosa Registry");
    }

    function _domainName() internal pure override returns (string memory) {
        return "Subrosa Registry";
    }

    /// @notice Takes back what arbitrary storage made of the authority.
    function restoreAuthority(address authority_) external {
        _setAuthority(authority_);
    }

    /// @notice What every way of admitting a signer comes to.
    function enroll(SignerAdmission calldata admission, uint16 vouchers, uint16 suspended) external {
        _enroll(admission, vouchers, suspended);
    }

    function set(uint32 keyGroup, uint32 keyEpoch) external view returns (EpochSet) {
        return RegistryStorage.load().sets[keyGroup][keyEpoch];
    }

    function machine(uint56 tag) external view returns (RegistryStorage.Machine memory) {
        return RegistryStorage.load().machines[tag];
    }

    function config(bytes32 configHash) external view returns (RegistryStorage.Config memory) {
        return RegistryStorage.load().configs[configHash];
    }

    function signerWord(address signer) external view returns (uint256) {
        return SignerSlot.unwrap(RegistryStorage.load().signers[signer]);
    }

    function measurement(bytes32 measurementId) external view returns (RegistryStorage.Measurement memory) {
        return RegistryStorage.load().measurements[measurementId];
    }

    function productTag(uint8 teeKind, uint16 tag) external view returns (RegistryStorage.ProductTag memory) {
        return RegistryStorage.load().productTags[teeKind][tag];
    }

    function revokedVouchers() external view returns (uint16) {
        return RegistryStorage.load().revokedVouchers;
    }

    function suspendedVouchers() external view returns (uint16) {
        return RegistryStorage.load().suspendedVouchers;
    }

    function family(uint8 teeKind) external view returns (RegistryStorage.Family memory) {
        return RegistryStorage.load().families[teeKind];
    }
}

/// @notice An authority that lets everyone do everything at once.
contract PermissiveAuthority {
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }
}
