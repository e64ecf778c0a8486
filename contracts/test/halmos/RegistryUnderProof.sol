// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaRegistry} from "../../src/SubrosaRegistry.sol";
import {SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
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
    function enroll(SignerAdmission calldata admission, uint16 vouchers) external {
        _enroll(admission, vouchers);
    }

    function signerWord(address signer) external view returns (uint256) {
        return SignerSlot.unwrap(RegistryStorage.load().signers[signer]);
    }

    function measurement(bytes32 measurementId) external view returns (RegistryStorage.Measurement memory) {
        return RegistryStorage.load().measurements[measurementId];
    }

    function isRemoved(bytes32 configHash) external view returns (bool) {
        return RegistryStorage.load().configs[configHash].removed;
    }

    /// @notice How many denied products share a tag.
    function deniedTag(uint8 teeKind, uint16 tag) external view returns (uint256) {
        return RegistryStorage.load().deniedTags[teeKind][tag];
    }

    function revokedVouchers() external view returns (uint16) {
        return RegistryStorage.load().revokedVouchers;
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
