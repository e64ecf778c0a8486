// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {DcapRegistration, EpochOpening, SignerAdmission} from "./SubrosaTypes.sol";

/// @title The registry: who may sign results, and under which epochs' keys
/// @notice Governance says which builds (measurements), which configurations, which verifiers and which
/// runtime generations are trusted. Adding one takes effect after a delay that users can use to leave; taking one away takes
/// effect at once, on signers already admitted too: the next `checkSigner` refuses them. Verifiers admit
/// enclaves' signers for a lease, which can be renewed until it ends. Admitted signers open epochs.
interface ISubrosaRegistry is IERC5267 {
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

    /// @notice A signer was admitted, or, where the same signer was before, its lease was renewed: what
    /// counts is the last of a signer's events. `policyHash` is zero if it was admitted by its quote.
    event SignerAdmitted(
        address indexed signer,
        bytes32 indexed measurementId,
        bytes32 indexed machineId,
        bytes32 product,
        bytes32 configHash,
        bytes32 startHash,
        bytes32 transferKeyHash,
        bytes32 evidenceHash,
        bytes32 policyHash,
        uint8 tcbStatus,
        uint32 tcbEvaluation,
        uint40 leaseUntil
    );

    /// @notice A signer was revoked, for good.
    event SignerRevoked(address indexed signer);

    /// @notice An epoch was opened; `epochRecord` gives H["epoch"] of these values.
    event EpochOpened(
        uint32 indexed keyGroup,
        uint32 indexed keyEpoch,
        address indexed signer,
        bytes32 publicKeyHash,
        bytes32 configHash,
        bytes32 measurementSetHash,
        uint256 recovery
    );

    /// @notice A runtime generation was added; contracts can be in it from `activeFrom` (Unix seconds).
    event RuntimeAdded(uint16 indexed generation, uint40 activeFrom);

    /// @notice A runtime generation was withdrawn, for good; its contracts belong on `successor`, which is
    /// zero if it had not been active and so has none.
    event RuntimeWithdrawn(uint16 indexed generation, uint16 indexed successor);

    /// @notice No such measurement was added.
    /// @custom:remedy Check the measurement id; governance has to add the build with `addMeasurement`
    /// first.
    error MeasurementUnknown(bytes32 measurementId);
    /// @notice The measurement was added before, and perhaps revoked.
    /// @custom:remedy Nothing needs doing if it is active; a revoked build cannot be added again.
    error MeasurementExists(bytes32 measurementId);
    /// @notice The measurement is not trusted yet.
    /// @custom:remedy Wait until `activeFrom`.
    error MeasurementNotActive(bytes32 measurementId, uint256 activeFrom);
    /// @notice The measurement was revoked.
    /// @custom:remedy Run the successor that `measurementOf` names, or another trusted build.
    error MeasurementIsRevoked(bytes32 measurementId);
    /// @notice The measurement belongs to another root or TEE kind than the admission says.
    /// @custom:remedy Fill root and TEE kind from the evidence that the measurement came from.
    error MeasurementMismatch(bytes32 measurementId, bytes32 rootId, uint8 teeKind);
    /// @notice No such configuration was added, or it was removed.
    /// @custom:remedy Run with a configuration that governance added, or have it added with
    /// `addConfig`.
    error ConfigUnknown(bytes32 configHash);
    /// @notice The configuration was added before, and perhaps removed.
    /// @custom:remedy Nothing needs doing if it is active; a removed configuration cannot be added
    /// again.
    error ConfigExists(bytes32 configHash);
    /// @notice The configuration is not trusted yet.
    /// @custom:remedy Wait until `activeFrom`.
    error ConfigNotActive(bytes32 configHash, uint256 activeFrom);
    /// @notice The admission carries another number of signatures than the threshold.
    /// @custom:remedy Pass exactly as many signatures as `verifierThreshold` says.
    error WrongSignatureCount(uint256 count, uint256 threshold);
    /// @notice A signature is malformed, or malleable (high s).
    /// @custom:remedy Pass 65 bytes r ‖ s ‖ v with low s, made by the key that is said to sign.
    error InvalidSignature();
    /// @notice A signature is not by a trusted verifier.
    /// @custom:remedy Use a verifier for which `isVerifier` holds; one retired or revoked is none. An unknown address also results from
    /// signing other contents, or for another chain or registry.
    error VerifierUnknown(address verifier);
    /// @notice Signatures are not in ascending order of their verifiers' addresses.
    /// @custom:remedy Sort the signatures by their verifiers' addresses; each verifier counts once.
    error VerifiersNotAscending(address verifier);
    /// @notice The threshold cannot be zero.
    /// @custom:remedy Pass at least one.
    error ZeroThreshold();
    /// @notice The challenge is not the hash of one of the last 256 blocks, or of the last 8,191 where the
    /// chain keeps them (EIP-2935).
    /// @custom:remedy Get evidence for a fresh challenge and submit it within that many blocks.
    error ChallengeStale(uint256 challengeBlock, bytes32 challengeBlockHash);
    /// @notice The admission's validity has ended.
    /// @custom:remedy Have the enclave appraised again.
    error AdmissionExpired(uint256 notAfter);
    /// @notice The zero address cannot sign.
    /// @custom:remedy Pass the address in question.
    error ZeroSigner();
    /// @notice The address was admitted before, with another measurement, configuration or product.
    /// @custom:remedy Renew with evidence of the same enclave; another enclave makes a new signer.
    error SignerExists(address signer);
    /// @notice The admission brings a signer nothing: its lease is as long already, until `leaseUntil`.
    /// @custom:remedy Nothing needs doing if it was shown before; to renew, have the enclave appraised
    /// again, against newer collateral if that is what ends the lease.
    error LeaseNotRenewed(address signer, uint256 leaseUntil);
    /// @notice The signer was never admitted.
    /// @custom:remedy Submit the signer's admission first.
    error SignerUnknown(address signer);
    /// @notice The signer was revoked.
    /// @custom:remedy Restart the enclave, which makes a new signer, unless governance objects to the
    /// machine.
    error SignerIsRevoked(address signer);
    /// @notice The signer's lease has ended, and its address is used up.
    /// @custom:remedy Restart the enclave, which makes a new signer, and renew its lease in time.
    error LeaseEnded(address signer, uint256 leaseUntil);
    /// @notice The signer was admitted with another measurement or configuration.
    /// @custom:remedy Name the measurement and the configuration that `SignerAdmitted` shows for this
    /// signer.
    error BindingMismatch(address signer, bytes32 measurementId, bytes32 configHash);
    /// @notice The TCB that the signer's evidence was appraised against is too old.
    /// @custom:remedy Update the platform's firmware and have it appraised against newer collateral.
    error TcbTooOld(uint8 teeKind, uint32 tcbEvaluation, uint32 minimum);
    /// @notice Nobody said how old the TCB of this family may be, so no signer registers by its quote.
    /// @custom:remedy Have governance set the family's minimum TCB evaluation number (`setFamily`).
    error TcbMinimumUnset(uint8 teeKind);
    /// @notice TCB evaluation numbers are below 2^24.
    /// @custom:remedy Check the verifier: vendors count from one, and no such number is published.
    error TcbEvaluationTooLarge(uint32 tcbEvaluation);
    /// @notice The hardware product is denied. Of a signer already admitted only the first 16 bits of the
    /// product's id are known, and shown here.
    /// @custom:remedy Run on another product, until governance allows this one again.
    error ProductIsDenied(uint8 teeKind, bytes32 product);
    /// @notice The hardware product is not denied.
    /// @custom:remedy Check TEE kind and product id with `isDenied`.
    error ProductNotDenied(uint8 teeKind, bytes32 product);
    /// @notice Who vouched for the signer was revoked: bit n for the voucher with index n.
    /// @custom:remedy Renew the lease with an admission by verifiers that are trusted.
    error VouchersRevoked(address signer, uint16 vouchers);
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
    /// @notice This would ask less of the family of TEEs than is asked now.
    /// @custom:remedy Pass at least the `current` minimum, which `familyOf` gives; asking less is for
    /// `setFamily`.
    error FamilyNotRestricted(uint8 teeKind, uint32 minimumTcbEvaluation, uint32 current);
    /// @notice The family of TEEs is stopped.
    /// @custom:remedy Use another family of TEEs until governance lifts the stop.
    error FamilyIsStopped(uint8 teeKind);
    /// @notice No signer is registered by a quote here.
    /// @custom:remedy Register by a verifier's admission; governance names no contract that verifies
    /// quotes.
    error DcapNotAccepted();
    /// @notice Governance does not accept platforms with this TCB status.
    /// @custom:remedy Update the platform until its TCB status is one that `dcapVerification` accepts.
    error TcbStatusRefused(uint8 tcbStatus);
    /// @notice The quote binds other keys, another configuration, or another challenge.
    /// @custom:remedy Get a fresh quote for exactly this signer, transfer key, configuration, block and
    /// caller.
    error ReportDataMismatch();
    /// @notice The TD was not started with this configuration.
    /// @custom:remedy Start the TD with the configuration that is registered.
    error ConfigRegisterMismatch(bytes32 configHash);
    /// @notice The epoch is not the one after the group's current epoch.
    /// @custom:remedy Read `currentEpoch`; another enclave of the group may have been faster, which is
    /// no fault.
    error EpochNotNext(uint32 keyGroup, uint32 keyEpoch, uint32 currentEpoch);
    /// @notice The signer serves another key group.
    /// @custom:remedy Name the key group that the signer's configuration serves.
    error WrongKeyGroup(uint32 keyGroup, uint32 signerKeyGroup);
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

    /// @notice Admits a signer for which enough verifiers vouch. Anyone may call it; a caller that
    /// finds `LeaseNotRenewed` was merely overtaken. The lease ends with the admission's `notAfter` or
    /// after `maximumLease`, whichever is sooner.
    ///
    /// For a signer whose lease runs, with the same measurement, configuration and product, this renews
    /// the lease: evaluation number and vouchers are then the new admission's, and the end may be later
    /// but not sooner. An address whose lease has ended is used up.
    /// @param admission What the verifiers signed (EIP-712).
    /// @param signatures r ‖ s ‖ v of exactly the threshold's number of verifiers, in ascending order
    /// of their addresses.
    function admit(SignerAdmission calldata admission, bytes[] calldata signatures) external;

    /// @notice Admits a signer whose quote verifies on chain, without any verifier, or renews its lease as
    /// `admit` does. Measurement, configuration, product, TCB status and evaluation number must be
    /// accepted. The lease ends when the first piece of the collateral runs out or after
    /// `maximumLease`, whichever is sooner.
    ///
    /// The caller chooses among the TCB infos and QE identities in force, which Intel keeps serving for
    /// older evaluation numbers too: the family must have a minimum.
    ///
    /// The report data must be sha256(abi.encode(`ReportBinding`)) ‖ sha256(domain ‖ hash of the challenge
    /// block ‖ caller), so nobody can register with another's quote, nor with one made for a client. A TD's RTMR3 must be the value
    /// that its configuration gives it.
    function registerSignerDcap(DcapRegistration calldata registration) external;

    /// @notice Reverts unless the signer may sign results of this epoch now.
    /// @return record The signer's word; see `SignerSlot`.
    function checkSigner(address signer, uint32 keyGroup, uint32 keyEpoch) external view returns (uint256 record);

    /// @notice Whether an epoch was retired, and the notice given is over.
    function isRetired(uint32 keyGroup, uint32 keyEpoch) external view returns (bool);

    /// @notice Opens the next epoch of a key group, if nobody was faster.
    /// @param opening What the signer signed (EIP-712).
    /// @param measurementId The measurement the signer was admitted with.
    /// @param signer An admitted signer whose configuration is the opening's and serves its group.
    /// @param signature r ‖ s ‖ v.
    function openEpoch(EpochOpening calldata opening, bytes32 measurementId, address signer, bytes calldata signature)
        external;

    /// @notice Trusts a build from `activationDelay` seconds on. Governance only.
    /// @return measurementId H["measurement"](rootId, teeKind, measurementHash).
    function addMeasurement(bytes32 rootId, uint8 teeKind, bytes32 measurementHash)
        external
        returns (bytes32 measurementId);

    /// @notice Stops trusting a build, at once and for good, active or not. Governance only.
    /// @param successor The measurement to use instead, which was added and not revoked; zero for none.
    function revokeMeasurement(bytes32 measurementId, bytes32 successor) external;

    /// @notice Admits signers with this configuration, for this key group, from `activationDelay`
    /// seconds on. A configuration says which chain, which contracts and which proof of the chain an
    /// enclave believes, so trusting the wrong one is as bad as trusting the wrong build. Governance
    /// only.
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
    /// trust back, the delay is the authority's to impose.
    function setFamily(uint8 teeKind, uint32 minimumTcbEvaluation, bool stopped) external;

    /// @notice Raises the least TCB evaluation number a family's signers need, or stops the family, at
    /// once and for signers already admitted too. It gives nothing back: that is `setFamily`. Governance
    /// only.
    /// @param minimumTcbEvaluation At least what is asked now, see `familyOf`.
    /// @param stop Whether to stop the family; if not, a stop it has stays.
    function restrictFamily(uint8 teeKind, uint32 minimumTcbEvaluation, bool stop) external;

    /// @notice Names the contract that verifies DCAP quotes (`ISubrosaDcap`), zero for none, and the
    /// TCB statuses accepted of them, bit n for status n. A contract that is replaced is retired, as a
    /// verifier is: leases run on. Governance only; the delay for naming one is the authority's to impose.
    function setDcap(address dcap, uint16 acceptedTcbStatuses) external;

    /// @notice Accepts these TCB statuses, bit n for status n, of no quote any more, at once; accepting one
    /// again is for `setDcap`, and one that was scheduled before has to be cancelled. Signers keep no status:
    /// leases of those already admitted run on and end within `maximumLease`, as they are not renewed. To
    /// stop them at once, `restrictFamily`. Governance only.
    function refuseTcbStatuses(uint16 statuses) external;

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

    /// @notice The newest epoch of a key group; zero if none was opened.
    function currentEpoch(uint32 keyGroup) external view returns (uint32);

    /// @notice H["epoch"] of an epoch's opening; zero if it was not opened.
    function epochRecord(uint32 keyGroup, uint32 keyEpoch) external view returns (bytes32);

    /// @notice What is known of a signer.
    /// @return leaseUntil Unix seconds; zero if never admitted.
    /// @return tcbEvaluation TCB evaluation number of its appraisal.
    /// @return teeKind Its family of TEEs.
    /// @return keyGroup The key group it serves.
    /// @return revoked Whether it was revoked.
    function signerOf(address signer)
        external
        view
        returns (uint40 leaseUntil, uint32 tcbEvaluation, uint8 teeKind, uint32 keyGroup, bool revoked);

    /// @notice What a signer's lease rests on beside its measurement and configuration.
    /// @return vouchers Who vouched for it: bit n for the voucher with index n, see `voucherOf`.
    /// @return product The first 16 bits of its product's id.
    function foundationOf(address signer) external view returns (uint16 vouchers, uint16 product);

    /// @notice What is known of a measurement.
    /// @return activeFrom Unix seconds from which it is trusted; zero if never added.
    /// @return teeKind Its family of TEEs.
    /// @return revoked Whether it was revoked.
    /// @return successor The measurement to use instead; zero for none.
    function measurementOf(bytes32 measurementId)
        external
        view
        returns (uint40 activeFrom, uint8 teeKind, bool revoked, bytes32 successor);

    /// @notice What is known of a configuration.
    /// @return activeFrom Unix seconds from which signers are admitted; zero if never added.
    /// @return keyGroup The key group it serves.
    /// @return removed Whether it was removed.
    function configOf(bytes32 configHash) external view returns (uint40 activeFrom, uint32 keyGroup, bool removed);

    /// @notice What is asked of a family of TEEs.
    function familyOf(uint8 teeKind) external view returns (uint32 minimumTcbEvaluation, bool stopped);

    /// @notice Whether a hardware product is denied.
    function isDenied(uint8 teeKind, bytes32 product) external view returns (bool);

    /// @notice What is known of a verifier's key or of a contract that verifies DCAP quotes.
    /// @return seated Whether it has an index. If not, no lease rests on it.
    /// @return index Its bit in `foundationOf`.
    /// @return vacated Unix seconds since which it vouches for nobody; zero if it may vouch.
    /// @return revoked Whether it was revoked.
    function voucherOf(address voucher) external view returns (bool seated, uint8 index, uint40 vacated, bool revoked);

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
