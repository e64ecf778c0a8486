// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaDcap} from "../interfaces/ISubrosaDcap.sol";
import {CollateralStorage} from "./CollateralStorage.sol";
import {Sha384} from "./Sha384.sol";

/// @title The configuration register of TDs
/// @notice A TD extends RTMR3, which starts at zero, with SHA-384 of its configuration's hash, once
/// and before anything else can: RTMR3 = SHA-384(48 zero bytes ‖ SHA-384(configHash)).
abstract contract ConfigRegisters is ISubrosaDcap {
    /// @inheritdoc ISubrosaDcap
    function putConfigRegister(bytes32 configHash) external {
        CollateralStorage.load().configRegisterHashes[configHash] = _compute(configHash);
    }

    /// @inheritdoc ISubrosaDcap
    function configRegisterHash(bytes32 configHash) external view returns (bytes32 hash) {
        hash = CollateralStorage.load().configRegisterHashes[configHash];
        if (hash == 0) hash = _compute(configHash);
    }

    function _compute(bytes32 configHash) private pure returns (bytes32) {
        bytes memory extension = Sha384.hash(abi.encode(configHash));
        return keccak256(Sha384.hash(bytes.concat(new bytes(48), extension)));
    }
}
