// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaEpochs} from "./ISubrosaEpochs.sol";
import {ISubrosaMachines} from "./ISubrosaMachines.sol";
import {ISubrosaSuspensions} from "./ISubrosaSuspensions.sol";
import {ISubrosaTrust} from "./ISubrosaTrust.sol";

/// @title What the registry trusts, and who says so
interface ISubrosaGovernance is ISubrosaTrust, ISubrosaEpochs, ISubrosaMachines, ISubrosaSuspensions {
    /// @notice A measurement was added; it is trusted from `activeFrom` (Unix seconds).
    event MeasurementAdded(
        bytes32 indexed measurementId, bytes32 indexed rootId, uint8 teeKind, bytes32 measurementHash, uint40 activeFrom
    );

    /// @notice A measurement was revoked, for good. `successor` says which to use instead, if any.
    event MeasurementRevoked(bytes32 indexed measurementId, bytes32 indexed successor);

    /// @notice A configuration was added; signers with it are admitted from `activeFrom`.
    event ConfigAdded(bytes32 indexed configHash, uint32 indexed keyGroup, uint40 activeFrom);

    /// @notice A configuration was removed, for good: no signer may sign with it.
    event ConfigRemoved(bytes32 indexed configHash);

    /// @notice A verifier's key was added or retired. Leases it vouched for run on.
    event VerifierChanged(address indexed verifier, bool trusted);

    /// @notice A verifier's key was revoked, for good: leases it vouched for are void.
    event VerifierRevoked(address indexed verifier);

    /// @notice The number of verifiers that must vouch for a signer was changed.
    event VerifierThresholdChanged(uint16 threshold);

    /// @notice What is asked of a family of TEEs was changed.
    event FamilyChanged(uint8 indexed teeKind, uint32 minimumTcbEvaluation, bool stopped);

    /// @notice What verifies DCAP quotes, and which TCB statuses are accepted of them, was changed.
    event DcapChanged(address indexed dcap, uint16 acceptedTcbStatuses);

    /// @notice A contract that verifies DCAP quotes was revoked, for good: leases it vouched for are void.
    /// If it was the one in use, none is in use now.
    event DcapRevoked(address indexed dcap);

    /// @notice A hardware product was denied; see `SignerAdmission` for its id.
    event ProductDenied(uint8 indexed teeKind, bytes32 indexed product);

    /// @notice A hardware product that was denied is allowed again.
    event ProductAllowed(uint8 indexed teeKind, bytes32 indexed product);

    /// @notice A signer was revoked, for good.
    event SignerRevoked(address indexed signer);

    /// @notice A runtime generation was added; contracts can be in it from `activeFrom` (Unix seconds).
    event RuntimeAdded(uint16 indexed generation, uint40 activeFrom);

    /// @notice A runtime generation was withdrawn, for good; its contracts belong on `successor`, which is
    /// zero if it had not been active and so has none.
    event RuntimeWithdrawn(uint16 indexed generation, uint16 indexed successor);

    /// @notice The measurement was added before, and perhaps revoked.
    /// @custom:remedy Nothing needs doing if it is active; a revoked build cannot be added again.
    error MeasurementExists(bytes32 measurementId);
    /// @notice All 65,535 indices of measurements, or of configurations, were given out.
    /// @custom:remedy Deploy another registry.
    error NoIndexLeft();
    /// @notice The configuration was added before, and perhaps removed.
    /// @custom:remedy Nothing needs doing if it is active; a removed configuration cannot be added
    /// again.
    error ConfigExists(bytes32 configHash);
    /// @notice The threshold cannot be zero.
    /// @custom:remedy Pass at least one.
    error ZeroThreshold();
    /// @notice The hardware product is not denied.
    /// @custom:remedy Check TEE kind and product id with `isDenied`.
    error ProductNotDenied(uint8 teeKind, bytes32 product);
    /// @notice The verifier's key or DCAP contract was revoked before, for good.
    /// @custom:remedy Nothing needs doing if it was to be revoked; to trust a verifier again, give it a
    /// new key, and a DCAP contract, deploy it anew.
    error VoucherIsRevoked(address voucher);
    /// @notice The address is in use as a verifier's key and cannot be the DCAP contract, or the reverse.
    /// @custom:remedy Use the function for what the address is in use as, or another address.
    error VoucherInUse(address voucher);
    /// @notice All 16 indices are those of verifiers and DCAP contracts that may vouch, or that did within
    /// the last `maximumLease` seconds.
    /// @custom:remedy Retire a verifier with `setVerifier` and wait for `maximumLease` seconds, at most.
    error NoVoucherIndex();
    /// @notice No such runtime generation was added.
    /// @custom:remedy Name a generation that enclaves have and governance added; it has to be added with
    /// `addRuntime` first.
    error RuntimeUnknown(uint16 generation);
    /// @notice The runtime generation was added before, and perhaps withdrawn.
    /// @custom:remedy Nothing needs doing if it is active; a withdrawn generation cannot be added again.
    error RuntimeExists(uint16 generation);
    /// @notice The runtime generation does not count yet.
    /// @custom:remedy Wait until `activeFrom`.
    error RuntimeNotActive(uint16 generation, uint256 activeFrom);
    /// @notice The runtime generation was withdrawn.
    /// @custom:remedy Nothing needs doing if it was to be withdrawn; otherwise name the one that
    /// `runtimeSuccessor` gives for it.
    error RuntimeIsWithdrawn(uint16 generation);
    /// @notice A generation's successor must be a later one. Only a generation that is not active yet is
    /// withdrawn without a successor (zero).
    /// @custom:remedy Name a generation with a higher number that is active.
    error RuntimeNotLater(uint16 generation, uint16 successor);

    /// @notice Trusts a build from `activationDelay` seconds on. There is room for 65,535. Governance only.
    /// @return measurementId H["measurement"](rootId, teeKind, measurementHash).
    function addMeasurement(bytes32 rootId, uint8 teeKind, bytes32 measurementHash)
        external
        returns (bytes32 measurementId);

    /// @notice Stops trusting a build, at once and for good, active or not. Governance only.
    /// @param successor The measurement to use instead, which was added and not revoked; zero for none.
    function revokeMeasurement(bytes32 measurementId, bytes32 successor) external;

    /// @notice Admits signers with this configuration, for this key group, from `activationDelay`
    /// seconds on. A configuration says which chain, which contracts and which proof of the chain an
    /// enclave believes, so trusting the wrong one is as bad as trusting the wrong build. There is room for
    /// 65,535. Governance only.
    function addConfig(bytes32 configHash, uint32 keyGroup) external;

    /// @notice Stops trusting a configuration, at once and for good, active or not. Governance only.
    function removeConfig(bytes32 configHash) external;

    /// @notice Trusts a verifier's key, or retires it: it vouches for nobody from then on, and leases that
    /// it vouched for run on. There is room for 16 of them, the DCAP contract included; the place of one
    /// that was retired is free again after `maximumLease` seconds. Governance only; the delay for adding is
    /// the authority's to impose.
    function setVerifier(address verifier, bool trusted) external;

    /// @notice Revokes a verifier's key at once and for good, trusted, retired or never seen. No signer
    /// for which it vouched may sign from then on, unless its lease was renewed without it. Governance only.
    function revokeVerifier(address verifier) external;

    /// @notice Sets how many verifiers must vouch for a signer. Governance only.
    function setVerifierThreshold(uint16 threshold) external;

    /// @notice Sets the least TCB evaluation number a family's signers need and whether the family is
    /// stopped, up or down. Takes effect on signers already admitted. Governance only; as this can give
    /// trust back, the delay is the authority's to impose. To stop a family before it is over, `suspend`.
    function setFamily(uint8 teeKind, uint32 minimumTcbEvaluation, bool stopped) external;

    /// @notice Names the contract that verifies DCAP quotes (`ISubrosaDcap`), zero for none, and the
    /// TCB statuses accepted of them, bit n for status n. A contract that is replaced is retired, as a
    /// verifier is: leases run on, of quotes with a status that is not accepted any more too. Governance only; the
    /// delay for naming one is the authority's to impose.
    function setDcap(address dcap, uint16 acceptedTcbStatuses) external;

    /// @notice Revokes a contract that verifies DCAP quotes at once and for good, in use, retired or never
    /// seen. No signer that it admitted may sign from then on, unless its lease was renewed otherwise. If it
    /// was in use, no signer is admitted by a quote until governance names another. Governance only.
    function revokeDcap(address dcap) external;

    /// @notice Denies a hardware product, at once: its signers are neither admitted nor may they sign.
    /// Governance only.
    /// @param product See `SignerAdmission`. The id is derived from the kind: with another `teeKind` than
    /// its own, this denies nothing that exists.
    function denyProduct(uint8 teeKind, bytes32 product) external;

    /// @notice Allows a hardware product again, as when the vendor mended it. Leases it had go on.
    /// Governance only; the delay is the authority's to impose.
    function allowProduct(uint8 teeKind, bytes32 product) external;

    /// @notice Revokes a signer at once and for good, admitted or not. Governance only.
    function revokeSigner(address signer) external;

    /// @notice Lets contracts be in a runtime generation from `activationDelay` seconds on. Contracts in a
    /// generation that no enclave has stand still, so one is added once builds that have it are trusted.
    /// Governance only.
    function addRuntime(uint16 generation) external;

    /// @notice Withdraws a runtime generation, at once and for good, active or not: no contract is
    /// registered with it or moved to it any more, and anyone may move those in it to its successor.
    /// Governance only.
    /// @param successor A later generation, which is active and not withdrawn itself; zero if `generation`
    /// is not active yet.
    function withdrawRuntime(uint16 generation, uint16 successor) external;

    /// @notice What is known of a signer.
    /// @return leaseUntil Unix seconds; zero if never admitted.
    /// @return tcbEvaluation TCB evaluation number of its appraisal.
    /// @return teeKind Its family of TEEs.
    /// @return keyGroup The key group it serves.
    /// @return revoked Whether it was revoked.
    /// @return suspended Whether it is suspended itself.
    function signerOf(address signer)
        external
        view
        returns (uint40 leaseUntil, uint32 tcbEvaluation, uint8 teeKind, uint32 keyGroup, bool revoked, bool suspended);

    /// @notice What a signer's lease rests on.
    /// @return measurementId Its measurement.
    /// @return configHash Its configuration.
    /// @return vouchers Who vouched for it: bit n for the voucher with index n, see `voucherOf`.
    /// @return product The first 16 bits of its product's id.
    /// @return machine The first 56 bits of its machine's id; zero if its platform gives none.
    function foundationOf(address signer)
        external
        view
        returns (bytes32 measurementId, bytes32 configHash, uint16 vouchers, uint16 product, uint56 machine);

    /// @notice What is known of a measurement.
    /// @return activeFrom Unix seconds from which it is trusted; zero if never added.
    /// @return teeKind Its family of TEEs.
    /// @return revoked Whether it was revoked.
    /// @return successor The measurement to use instead; zero for none.
    /// @return suspended Whether it is suspended.
    /// @return index Its index in signers' records and epochs' sets, from one.
    function measurementOf(bytes32 measurementId)
        external
        view
        returns (uint40 activeFrom, uint8 teeKind, bool revoked, bytes32 successor, bool suspended, uint16 index);

    /// @notice The measurement with an index; zero if none has it.
    function measurementAt(uint16 index) external view returns (bytes32 measurementId);

    /// @notice What is known of a configuration.
    /// @return activeFrom Unix seconds from which signers are admitted; zero if never added.
    /// @return keyGroup The key group it serves.
    /// @return removed Whether it was removed.
    /// @return suspended Whether it is suspended.
    /// @return index Its index in signers' records and epochs' sets, from one.
    function configOf(bytes32 configHash)
        external
        view
        returns (uint40 activeFrom, uint32 keyGroup, bool removed, bool suspended, uint16 index);

    /// @notice The configuration with an index; zero if none has it.
    function configAt(uint16 index) external view returns (bytes32 configHash);

    /// @notice What is asked of a family of TEEs.
    function familyOf(uint8 teeKind) external view returns (uint32 minimumTcbEvaluation, bool stopped, bool suspended);

    /// @notice Whether a hardware product is denied.
    function isDenied(uint8 teeKind, bytes32 product) external view returns (bool);

    /// @notice What is known of a verifier's key or of a contract that verifies DCAP quotes.
    /// @return seated Whether it has an index. If not, no lease rests on it.
    /// @return index Its bit in `foundationOf`.
    /// @return vacated Unix seconds since which it vouches for nobody; zero if it may vouch.
    /// @return revoked Whether it was revoked.
    /// @return suspended Whether it is suspended.
    function voucherOf(address voucher)
        external
        view
        returns (bool seated, uint8 index, uint40 vacated, bool revoked, bool suspended);

    /// @notice Whether a verifier's key is trusted.
    function isVerifier(address verifier) external view returns (bool);

    /// @notice How many verifiers must vouch for a signer.
    function verifierThreshold() external view returns (uint16);

    /// @notice What verifies DCAP quotes, zero if nothing does, and the TCB statuses accepted of them.
    function dcapVerification() external view returns (address dcap, uint16 acceptedTcbStatuses);

    /// @notice Reverts unless contracts can be registered with this runtime generation, or moved to it, now:
    /// added, active, and not withdrawn.
    function checkRuntime(uint16 generation) external view;

    /// @notice What is known of a runtime generation.
    /// @return activeFrom Unix seconds from which contracts can be in it; zero if never added.
    /// @return withdrawn Whether it was withdrawn.
    /// @return successor What `withdrawRuntime` named; zero for nothing. It may be withdrawn by now.
    function runtimeOf(uint16 generation) external view returns (uint40 activeFrom, bool withdrawn, uint16 successor);

    /// @notice The generation that contracts in one that was withdrawn belong on; zero for one that was not.
    /// Where a successor was withdrawn in turn, this is the last of them: always active, never withdrawn.
    function runtimeSuccessor(uint16 generation) external view returns (uint16 successor);

    /// @notice Seconds between adding a measurement, configuration or runtime generation and trusting it.
    function activationDelay() external view returns (uint40);

    /// @notice The longest lease a signer gets, in seconds.
    function maximumLease() external view returns (uint40);
}
