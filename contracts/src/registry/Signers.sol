// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Chain} from "../chain/Chain.sol";
import {ISubrosaSigners} from "../interfaces/ISubrosaSigners.sol";
import {SignerAdmission} from "../interfaces/SubrosaTypes.sol";
import {SignerSlot, SignerSlots} from "../libraries/SignerSlot.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Standing} from "./Standing.sol";
import {Terms} from "./Terms.sol";

/// @title Admitting enclaves' signers
abstract contract Signers is ISubrosaSigners, TypedData, Standing, Terms, Chain {
    bytes32 private constant TYPE_HASH = keccak256(
        "SignerAdmission(address signer,bytes32 transferKeyHash,bytes32 measurementId,bytes32 configHash,bytes32 startHash,bytes32 rootId,uint8 teeKind,bytes32 product,bytes32 machineId,uint8 tcbStatus,uint32 tcbEvaluation,bytes32 policyHash,bytes32 evidenceHash,uint64 challengeBlock,bytes32 challengeBlockHash,address registrant,uint64 notAfter)"
    );

    /// @inheritdoc ISubrosaSigners
    function admit(SignerAdmission calldata admission, bytes[] calldata signatures) external {
        (SignerAdmission memory a, bytes32 structHash) = _read(admission);
        (uint16 vouchers, uint16 suspended) = _checkVerifiers(_typedDataHash(structHash), signatures);
        _checkChallenge(a);
        _enroll(a, vouchers, suspended);
    }

    /// @inheritdoc ISubrosaSigners
    function checkSigner(address signer, uint32 keyGroup, uint32 keyEpoch) external view returns (uint256 record) {
        SignerSlot slot = _checkMember(signer, keyGroup, keyEpoch, RegistryStorage.load().sets[keyGroup][keyEpoch]);
        return SignerSlot.unwrap(slot);
    }

    /// @dev Leases the signer, or renews its lease, once governance's word on everything it rests on has
    /// been heard. That the evidence says what the admission says is for the caller to have checked.
    ///
    /// While something is suspended, nobody new is admitted that rests on it, and who was admitted keeps its
    /// lease, and so its enclave's secrets, without being of any use meanwhile.
    /// @param vouchers Who checked: bit n for the voucher with index n.
    /// @param suspendedVouchers Which of those are suspended.
    function _enroll(SignerAdmission memory a, uint16 vouchers, uint16 suspendedVouchers) internal {
        if (a.signer == address(0)) revert ZeroSigner();
        if (a.notAfter <= block.timestamp) revert AdmissionExpired(a.notAfter);
        if (a.tcbEvaluation > type(uint24).max) revert TcbEvaluationTooLarge(a.tcbEvaluation);

        RegistryStorage.Layout storage $ = RegistryStorage.load();
        SignerSlot known = $.signers[a.signer];
        if (known.isRevoked()) revert SignerIsRevoked(a.signer);
        SignerSlot slot = _slotOf(a, vouchers);
        bool renewed = known.leaseUntil() != 0;
        if (renewed) _checkRenewal(known, slot, a.signer, suspendedVouchers);
        if (_restsOnSuspended(a, suspendedVouchers, renewed)) slot = slot.behind();
        if (known.isSuspended()) {
            if (!renewed) revert SignerIsSuspended(a.signer);
            slot = slot.suspend(true);
        }
        $.signers[a.signer] = slot;
        emit SignerAdmitted(
            a.signer,
            a.measurementId,
            a.machineId,
            a.product,
            a.configHash,
            a.startHash,
            a.transferKeyHash,
            a.evidenceHash,
            a.policyHash,
            a.tcbStatus,
            a.tcbEvaluation,
            slot.leaseUntil()
        );
    }

    /// @dev What the signer's word would be. Nothing it rests on was taken for good.
    function _slotOf(SignerAdmission memory a, uint16 vouchers) private view returns (SignerSlot) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        uint16 measurementIndex = _checkMeasurement(a);
        RegistryStorage.Family storage family = $.families[a.teeKind];
        _checkFamily(family, a.teeKind, a.tcbEvaluation);
        if (family.denials != 0 && $.denied[a.teeKind][a.product]) revert ProductIsDenied(a.teeKind, a.product);
        uint56 machine = SignerSlots.machineOf(a.machineId);
        if (family.restricted || family.machinesBarred) _checkMachine(a.teeKind, machine, family.restricted);
        (uint32 keyGroup, uint16 configIndex) = _checkConfig(a.configHash);
        return SignerSlots.create(
            uint40(Math.min(a.notAfter, block.timestamp + _maximumLease)),
            uint24(a.tcbEvaluation),
            family.generation,
            a.teeKind,
            vouchers,
            SignerSlots.tagOf(a.product),
            uint32(measurementIndex) << 16 | configIndex,
            machine,
            keyGroup
        );
    }

    /// @dev Whether anything that the signer rests on is suspended, which a renewal survives.
    function _restsOnSuspended(SignerAdmission memory a, uint16 suspendedVouchers, bool renewed)
        private
        view
        returns (bool)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Family storage family = $.families[a.teeKind];
        bool measurement = $.measurements[a.measurementId].suspended;
        bool config = $.configs[a.configHash].suspended;
        bool product = family.denials != 0 && $.productTags[a.teeKind][SignerSlots.tagOf(a.product)].suspended;
        bool machine = family.machinesBarred && $.machines[SignerSlots.machineOf(a.machineId)].suspended;
        if (!renewed) {
            if (measurement) revert MeasurementIsSuspended(a.measurementId);
            if (config) revert ConfigIsSuspended(a.configHash);
            if (product) revert ProductIsSuspended(a.teeKind, a.product);
            if (machine) revert MachineIsSuspended(a.machineId);
            if (suspendedVouchers != 0) revert VouchersSuspended(a.signer, suspendedVouchers);
            if (family.suspended) revert FamilyIsSuspended(a.teeKind);
        }
        // A family's is asked for whenever one of its signers acts.
        return measurement || config || product || machine || suspendedVouchers != 0;
    }

    /// @dev The same enclave, whose lease still runs and does not get shorter. What changes nothing is
    /// refused, as whoever shows an admission twice should learn that the second time was for nothing.
    ///
    /// A suspended voucher's word renews what rests on it already and nothing else: whoever stole it would put all
    /// signers on it, and so out of use. What rests on a voucher that was taken away may get a shorter lease from
    /// others, or the longest that a thief could give would keep them out; but never from a suspended one, which
    /// could end it.
    function _checkRenewal(SignerSlot known, SignerSlot slot, address signer, uint16 suspendedVouchers) private view {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        uint256 until = known.leaseUntil();
        if (block.timestamp >= until) revert LeaseEnded(signer, until);
        if (!known.isOfSameEnclave(slot)) revert SignerExists(signer);
        uint16 foreign = suspendedVouchers & ~known.vouchers();
        if (foreign != 0) revert VouchersSuspended(signer, foreign);
        bool captive = suspendedVouchers == 0 && known.vouchers() & ($.revokedVouchers | $.suspendedVouchers) != 0;
        if (slot.leaseUntil() < until && !captive || SignerSlot.unwrap(slot) == SignerSlot.unwrap(known)) {
            revert LeaseNotRenewed(signer, until);
        }
    }

    /// @dev The admission in memory, and its EIP-712 struct hash. All its 17 fields are words, so the hash's
    /// preimage holds it as memory does, behind the type hash. Bits that a field's type has not are hashed
    /// and then ignored: no verifier signs them.
    function _read(SignerAdmission calldata admission)
        private
        pure
        returns (SignerAdmission memory a, bytes32 structHash)
    {
        bytes32 typeHash = TYPE_HASH;
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore(preimage, typeHash)
            a := add(preimage, 0x20)
            calldatacopy(a, admission, 0x220)
            structHash := keccak256(preimage, 0x240)
            mstore(0x40, add(preimage, 0x240))
        }
    }

    /// @dev Reverts unless exactly as many trusted verifiers as the threshold asks for, in ascending
    /// order and so distinct, signed the message. Gives their mask, and that of those who are suspended.
    function _checkVerifiers(bytes32 message, bytes[] calldata signatures)
        private
        view
        returns (uint16 vouchers, uint16 suspended)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        uint256 count = signatures.length;
        if (count == 0) revert WrongSignatureCount(0, $.verifierThreshold);

        address last;
        for (uint256 i = 0; i < count; ++i) {
            (address verifier, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(message, signatures[i]);
            if (failure != ECDSA.RecoverError.NoError) revert InvalidSignature();
            if (verifier <= last) revert VerifiersNotAscending(verifier);
            RegistryStorage.Voucher storage voucher = $.vouchers[verifier];
            uint256 threshold = voucher.threshold;
            if (threshold == 0) revert VerifierUnknown(verifier);
            if (count != threshold) revert WrongSignatureCount(count, threshold);
            uint16 bit = uint16(1) << voucher.index;
            vouchers |= bit;
            if (voucher.suspended) suspended |= bit;
            last = verifier;
        }
    }

    /// @dev Freshness: the challenge cannot have been known before its block, and nothing is taken that is
    /// older than what the chain still tells.
    function _checkChallenge(SignerAdmission memory admission) private view {
        bytes32 known = _blockHash(admission.challengeBlock);
        if (known == 0 || known != admission.challengeBlockHash) {
            revert ChallengeStale(admission.challengeBlock, admission.challengeBlockHash);
        }
    }

    function _checkMeasurement(SignerAdmission memory a) private view returns (uint16 index) {
        bytes32 id = a.measurementId;
        RegistryStorage.Measurement storage m = RegistryStorage.load().measurements[id];
        if (m.activeFrom == 0) revert MeasurementUnknown(id);
        if (m.revoked) revert MeasurementIsRevoked(id);
        if (block.timestamp < m.activeFrom) revert MeasurementNotActive(id, m.activeFrom);
        if (m.teeKind != a.teeKind || m.root != bytes22(a.rootId)) {
            revert MeasurementMismatch(id, a.rootId, a.teeKind);
        }
        return m.index;
    }

    function _checkConfig(bytes32 configHash) private view returns (uint32 keyGroup, uint16 index) {
        RegistryStorage.Config storage config = RegistryStorage.load().configs[configHash];
        if (config.activeFrom == 0 || config.removed) revert ConfigUnknown(configHash);
        if (block.timestamp < config.activeFrom) revert ConfigNotActive(configHash, config.activeFrom);
        return (config.keyGroup, config.index);
    }
}
