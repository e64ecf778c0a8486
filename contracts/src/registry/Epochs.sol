// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ISubrosaEpochs} from "../interfaces/ISubrosaEpochs.sol";
import {ISubrosaTrust} from "../interfaces/ISubrosaTrust.sol";
import {EpochAcknowledgement, EpochOpening} from "../interfaces/SubrosaTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {SignerSlot} from "../libraries/SignerSlot.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Schedules} from "./Schedules.sol";
import {Standing} from "./Standing.sol";

/// @title Opening and acknowledging epochs
/// @notice An opening is kept beside the epochs until it is acknowledged: what enclaves prove was never
/// replaced.
abstract contract Epochs is ISubrosaTrust, TypedData, Standing, Schedules {
    bytes32 private constant OPENING = keccak256(
        "EpochOpening(uint32 keyGroup,uint32 keyEpoch,bytes32 publicKeyHash,bytes32 configHash,bytes32 setHash,uint256 recovery)"
    );
    bytes32 private constant ACKNOWLEDGEMENT =
        keccak256("EpochAcknowledgement(uint32 keyGroup,uint32 keyEpoch,bytes32 record,bool holdsPrevious)");

    /// @inheritdoc ISubrosaEpochs
    function openEpoch(EpochOpening calldata opening, address signer, bytes calldata signature) external {
        (uint32 keyGroup, uint32 keyEpoch) = (opening.keyGroup, opening.keyEpoch);
        _checkSigned(keccak256(abi.encode(OPENING, opening)), signer, signature);
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        _checkNext(keyGroup, keyEpoch);
        RegistryStorage.Epoch storage epoch = $.schedules[keyGroup][keyEpoch];
        if (epoch.set.isEmpty()) revert EpochNotScheduled(keyGroup, keyEpoch);
        if (block.timestamp < epoch.notBefore) revert EpochNotDue(keyGroup, keyEpoch, epoch.notBefore);
        _checkReplaceable(epoch, keyGroup, keyEpoch);

        SignerSlot slot = _checkMember(signer, keyGroup, keyEpoch, epoch.set);
        if (
            opening.setHash != epoch.setHash || opening.recovery != epoch.recovery
                || opening.configHash != $.configHashes[slot.configIndex()]
        ) revert EpochMismatch(keyGroup, keyEpoch);
        // What was revoked since it was scheduled shall not receive the secret.
        _checkMembers(epoch.set, keyGroup);

        bytes32 record = Digests.epoch(opening);
        // Its signature lies open: anyone could keep an opening alive whose enclave is gone.
        mapping(uint256 => bool) storage shown = $.holders[record];
        if (shown[epoch.schedules]) revert OpeningRepeated(keyGroup, keyEpoch, record);
        shown[epoch.schedules] = true;
        epoch.opening = record;
        epoch.openedAt = uint40(block.timestamp);
        (epoch.holders, epoch.continued) = (0, false);
        emit EpochOpened(
            keyGroup, keyEpoch, signer, opening.publicKeyHash, opening.configHash, opening.setHash, opening.recovery
        );
        _count(epoch, slot.machine());
        _settle(epoch, keyGroup, keyEpoch);
    }

    /// @inheritdoc ISubrosaEpochs
    function acknowledgeEpoch(EpochAcknowledgement calldata acknowledgement, address signer, bytes calldata signature)
        external
    {
        _checkSigned(keccak256(abi.encode(ACKNOWLEDGEMENT, acknowledgement)), signer, signature);
        RegistryStorage.Epoch storage epoch = _pending(acknowledgement);
        (uint32 keyGroup, uint32 keyEpoch) = (acknowledgement.keyGroup, acknowledgement.keyEpoch);
        SignerSlot slot = _checkMember(signer, keyGroup, keyEpoch, epoch.set);
        if (acknowledgement.holdsPrevious) {
            if (!slot.isOf(RegistryStorage.load().sets[keyGroup][keyEpoch - 1])) {
                revert SignerNotOfEpoch(signer, keyGroup, keyEpoch - 1);
            }
            epoch.continued = true;
        }
        _count(epoch, slot.machine());
        emit EpochAcknowledged(keyGroup, keyEpoch, signer, acknowledgement.holdsPrevious, epoch.holders);
        _settle(epoch, keyGroup, keyEpoch);
    }

    /// @inheritdoc ISubrosaEpochs
    function entrustEpoch(
        EpochAcknowledgement calldata acknowledgement,
        address[] calldata custodians,
        bytes[] calldata signatures
    ) external {
        RegistryStorage.Epoch storage epoch = _pending(acknowledgement);
        (uint32 keyGroup, uint32 keyEpoch) = (acknowledgement.keyGroup, acknowledgement.keyEpoch);
        if (
            keccak256(abi.encode(custodians)) != epoch.custodiansHash || signatures.length != custodians.length
                || acknowledgement.holdsPrevious
        ) revert CustodiansMismatch(keyGroup, keyEpoch);

        bytes32 structHash = keccak256(abi.encode(ACKNOWLEDGEMENT, acknowledgement));
        uint256 count;
        for (uint256 i = 0; i < custodians.length; ++i) {
            if (signatures[i].length == 0) continue;
            _checkSigned(structHash, custodians[i], signatures[i]);
            ++count;
        }
        uint256 threshold = _threshold(epoch.recovery);
        if (count != threshold) revert WrongCustodianCount(count, threshold);
        epoch.holders = uint8(count);
        emit EpochEntrusted(keyGroup, keyEpoch, count);
        _settle(epoch, keyGroup, keyEpoch);
    }

    /// @inheritdoc ISubrosaEpochs
    function currentEpoch(uint32 keyGroup) external view returns (uint32) {
        return RegistryStorage.load().currentEpochs[keyGroup];
    }

    /// @inheritdoc ISubrosaEpochs
    function epochRecord(uint32 keyGroup, uint32 keyEpoch) external view returns (bytes32) {
        return RegistryStorage.load().epochs[keyGroup][keyEpoch];
    }

    /// @inheritdoc ISubrosaEpochs
    function openingOf(uint32 keyGroup, uint32 keyEpoch)
        external
        view
        returns (bytes32 record, uint40 openedAt, uint8 holders, bool continued)
    {
        RegistryStorage.Epoch storage epoch = RegistryStorage.load().schedules[keyGroup][keyEpoch];
        return (epoch.opening, epoch.openedAt, epoch.holders, epoch.continued);
    }

    /// @dev The epoch whose opening is acknowledged, which is not current yet.
    function _pending(EpochAcknowledgement calldata acknowledgement)
        private
        view
        returns (RegistryStorage.Epoch storage epoch)
    {
        (uint32 keyGroup, uint32 keyEpoch) = (acknowledgement.keyGroup, acknowledgement.keyEpoch);
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        epoch = $.schedules[keyGroup][keyEpoch];
        if (acknowledgement.record == 0 || epoch.opening != acknowledgement.record || $.epochs[keyGroup][keyEpoch] != 0)
        {
            revert OpeningUnknown(keyGroup, keyEpoch, acknowledgement.record);
        }
    }

    /// @dev Counts a machine that holds the secret, once for each opening.
    function _count(RegistryStorage.Epoch storage epoch, uint56 machine) private {
        if (epoch.recovery >> 248 != REPLICAS || machine == 0) return;
        // An opening can be made again once the epoch is scheduled anew, with the same record.
        bytes32 opening = keccak256(abi.encode(epoch.opening, epoch.openedAt));
        mapping(uint256 => bool) storage holders = RegistryStorage.load().holders[opening];
        if (holders[machine]) return;
        holders[machine] = true;
        ++epoch.holders;
    }

    /// @dev Makes the epoch current if nothing is missing.
    function _settle(RegistryStorage.Epoch storage epoch, uint32 keyGroup, uint32 keyEpoch) private {
        if (epoch.continues && !epoch.continued) return;
        uint256 kind = epoch.recovery >> 248;
        uint256 threshold = _threshold(epoch.recovery);
        // One replica is the one that opened it, wherever that runs.
        if (kind == REPLICAS && threshold > 1 && epoch.holders < threshold) return;
        if (kind == CUSTODIANS && epoch.holders < threshold) return;

        RegistryStorage.Layout storage $ = RegistryStorage.load();
        $.currentEpochs[keyGroup] = keyEpoch;
        $.sets[keyGroup][keyEpoch] = epoch.set;
        $.epochs[keyGroup][keyEpoch] = epoch.opening;
        emit EpochBecameCurrent(keyGroup, keyEpoch, epoch.opening);
    }

    function _checkSigned(bytes32 structHash, address signer, bytes calldata signature) private view {
        (address recovered, ECDSA.RecoverError failure,) =
            ECDSA.tryRecoverCalldata(_typedDataHash(structHash), signature);
        if (failure != ECDSA.RecoverError.NoError || recovered != signer) revert InvalidSignature();
    }
}
