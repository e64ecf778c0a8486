// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaRegistry} from "../../src/SubrosaRegistry.sol";
import {SignerSlot} from "../../src/libraries/SignerSlot.sol";
import {RegistryStorage} from "../../src/registry/RegistryStorage.sol";

/// @notice The registry as it ships, with its storage within a proof's reach.
contract RegistryUnderProof is SubrosaRegistry {
    constructor(address authority_, uint40 activationDelay_, uint40 maximumLease_)
        SubrosaRegistry(authority_, activationDelay_, maximumLease_)
    {}

    /// @notice Takes back what arbitrary storage made of the authority.
    function restoreAuthority(address authority_) external {
        _setAuthority(authority_);
    }

    /// @notice What every way of admitting a signer comes to.
    function enroll(Enrollment calldata enrollment) external {
        _enroll(enrollment);
    }

    function signerWord(address signer) external view returns (uint256) {
        return SignerSlot.unwrap(RegistryStorage.load().signers[signer]);
    }

    function measurement(bytes32 measurementId) external view returns (RegistryStorage.Measurement memory) {
        return RegistryStorage.load().measurements[measurementId];
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
