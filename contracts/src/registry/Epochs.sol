// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {EpochOpening} from "../interfaces/SubrosaTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Signers} from "./Signers.sol";

/// @title Opening key epochs
abstract contract Epochs is Signers {
    bytes32 private constant TYPE_HASH = keccak256(
        "EpochOpening(uint32 keyGroup,uint32 keyEpoch,bytes32 publicKeyHash,bytes32 configHash,bytes32 measurementSetHash,uint256 recovery)"
    );

    /// @inheritdoc ISubrosaRegistry
    function openEpoch(EpochOpening calldata opening, bytes32 measurementId, address signer, bytes calldata signature)
        external
    {
        bytes32 message = _typedDataHash(keccak256(abi.encode(TYPE_HASH, opening)));
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(message, signature);
        if (failure != ECDSA.RecoverError.NoError || recovered != signer) revert InvalidSignature();

        uint32 signerKeyGroup = _checkSigner(signer, measurementId, opening.configHash);
        if (signerKeyGroup != opening.keyGroup) revert WrongKeyGroup(opening.keyGroup, signerKeyGroup);

        RegistryStorage.Layout storage $ = RegistryStorage.load();
        uint32 current = $.currentEpochs[opening.keyGroup];
        if (opening.keyEpoch == 0 || opening.keyEpoch - 1 != current) {
            revert EpochNotNext(opening.keyGroup, opening.keyEpoch, current);
        }
        $.currentEpochs[opening.keyGroup] = opening.keyEpoch;
        $.epochs[opening.keyGroup][opening.keyEpoch] = Digests.epoch(opening);
        emit EpochOpened(
            opening.keyGroup,
            opening.keyEpoch,
            signer,
            opening.publicKeyHash,
            opening.configHash,
            opening.measurementSetHash,
            opening.recovery
        );
    }

    /// @inheritdoc ISubrosaRegistry
    function currentEpoch(uint32 keyGroup) external view returns (uint32) {
        return RegistryStorage.load().currentEpochs[keyGroup];
    }

    /// @inheritdoc ISubrosaRegistry
    function epochRecord(uint32 keyGroup, uint32 keyEpoch) external view returns (bytes32) {
        return RegistryStorage.load().epochs[keyGroup][keyEpoch];
    }
}
