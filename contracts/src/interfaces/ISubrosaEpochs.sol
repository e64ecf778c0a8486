// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaTrust} from "./ISubrosaTrust.sol";
import {EpochAcknowledgement, EpochMember, EpochOpening, EpochSchedule} from "./SubrosaTypes.sol";

/// @title Epochs of key groups: from being scheduled to being retired
/// @notice Governance schedules an epoch: who may hold its secret, and what must become of the secret before
/// anyone relies on it. One of those who may hold it draws it and opens the epoch; when it is acknowledged
/// as its recovery policy asks, the epoch is current, and contracts are registered in it.
interface ISubrosaEpochs is ISubrosaTrust {
    /// @notice An epoch was scheduled, perhaps in place of what was scheduled for it before.
    event EpochScheduled(
        uint32 indexed keyGroup,
        uint32 indexed keyEpoch,
        EpochMember[] members,
        bytes32 setHash,
        uint256 recovery,
        address[] custodians,
        bool continues,
        uint40 notBefore
    );

    /// @notice An epoch was opened; H["epoch"] of these values is what is acknowledged.
    event EpochOpened(
        uint32 indexed keyGroup,
        uint32 indexed keyEpoch,
        address indexed signer,
        bytes32 publicKeyHash,
        bytes32 configHash,
        bytes32 setHash,
        uint256 recovery
    );

    /// @notice A signer acknowledged an opening. `holders` is how many distinct machines there are now.
    event EpochAcknowledged(
        uint32 indexed keyGroup, uint32 indexed keyEpoch, address indexed signer, bool holdsPrevious, uint256 holders
    );

    /// @notice Custodians acknowledged an opening.
    event EpochEntrusted(uint32 indexed keyGroup, uint32 indexed keyEpoch, uint256 custodians);

    /// @notice An epoch became its group's current one; `epochRecord` gives `record`.
    event EpochBecameCurrent(uint32 indexed keyGroup, uint32 indexed keyEpoch, bytes32 record);

    /// @notice An epoch will be retired.
    event EpochRetired(uint32 indexed keyGroup, uint32 indexed keyEpoch, uint40 retiredFrom);

    /// @notice The epoch is not the one after the group's current epoch.
    /// @custom:remedy Read `currentEpoch`; another enclave of the group may have been faster, which is
    /// no fault.
    error EpochNotNext(uint32 keyGroup, uint32 keyEpoch, uint32 currentEpoch);
    /// @notice Governance scheduled no such epoch.
    /// @custom:remedy Have it scheduled with `scheduleEpoch`.
    error EpochNotScheduled(uint32 keyGroup, uint32 keyEpoch);
    /// @notice The epoch is scheduled for later.
    /// @custom:remedy Wait until `notBefore`.
    error EpochNotDue(uint32 keyGroup, uint32 keyEpoch, uint256 notBefore);
    /// @notice The epoch is open, and may be acknowledged until `replaceableFrom`.
    /// @custom:remedy Acknowledge that opening, or wait until it may be replaced.
    error EpochIsOpen(uint32 keyGroup, uint32 keyEpoch, uint256 replaceableFrom);
    /// @notice The opening names another set or recovery policy than was scheduled, or another configuration
    /// than its signer's.
    /// @custom:remedy Propose the epoch anew, with the members of `scheduleOf` and the configuration that the
    /// signer was admitted with.
    error EpochMismatch(uint32 keyGroup, uint32 keyEpoch);
    /// @notice The opening was shown before since the epoch was scheduled.
    /// @custom:remedy While it is the last, acknowledge it; otherwise propose the epoch anew, by an enclave that draws
    /// another secret, or have it scheduled again.
    error OpeningRepeated(uint32 keyGroup, uint32 keyEpoch, bytes32 record);
    /// @notice No such opening waits to be acknowledged.
    /// @custom:remedy Read `openingOf`; it may be current already, or another was made in its place.
    error OpeningUnknown(uint32 keyGroup, uint32 keyEpoch, bytes32 record);
    /// @notice The epoch's custodians have other addresses, or another number of them.
    /// @custom:remedy Pass all of those in `EpochScheduled`, in ascending order and as many as the recovery policy
    /// says; none if it is not custodians'.
    error CustodiansMismatch(uint32 keyGroup, uint32 keyEpoch);
    /// @notice Fewer or more custodians signed than the threshold asks for.
    /// @custom:remedy Pass exactly the threshold's number of signatures, and nothing for the other custodians.
    error WrongCustodianCount(uint256 count, uint256 threshold);
    /// @notice The set has no members, or more than eight, or not in ascending order.
    /// @custom:remedy Pass one to eight members, ascending by measurement and then by configuration.
    error EpochSetMalformed(uint32 keyGroup, uint32 keyEpoch);
    /// @notice No such recovery policy.
    /// @custom:remedy Pack one as `EpochOpening` says, with zeros elsewhere.
    error RecoveryUnknown(uint256 recovery);
    /// @notice There is no epoch before the first.
    /// @custom:remedy Schedule it with `continues` false.
    error NothingToContinue(uint32 keyGroup, uint32 keyEpoch);
    /// @notice The epoch is current, or was never opened, so that its contracts would have nowhere to go.
    /// @custom:remedy Retire it once a later epoch is current.
    error EpochNotPast(uint32 keyGroup, uint32 keyEpoch, uint32 currentEpoch);
    /// @notice The epoch is, or will be, retired.
    /// @custom:remedy Nothing needs doing.
    error EpochIsRetired(uint32 keyGroup, uint32 keyEpoch);
    /// @notice The notice is shorter than `activationDelay`.
    /// @custom:remedy Give at least that many seconds.
    error NoticeTooShort(uint256 notice, uint256 minimum);

    /// @notice Schedules the epoch after the current one, or another in its place while nobody has opened it
    /// or nobody acknowledged its opening in time. Governance only.
    function scheduleEpoch(EpochSchedule calldata schedule) external;

    /// @notice Opens the epoch after the current one as it was scheduled, if nobody was faster. If its recovery
    /// policy asks for nothing more, it is current at once. One that was not acknowledged in time can still be, as long
    /// as no other replaces it, and is not made a second time for the same schedule.
    /// @param opening What the signer signed (EIP-712).
    /// @param signer An admitted signer whose measurement and configuration are in the set.
    /// @param signature r ‖ s ‖ v.
    function openEpoch(EpochOpening calldata opening, address signer, bytes calldata signature) external;

    /// @notice Says that a signer's enclave holds the secret of an epoch that was opened, and perhaps that of
    /// the epoch before as well. Makes the epoch current if nothing is missing any more: of `replicas(k)`
    /// with k above one, signers on k distinct machines, of which the one that opened it is one, and of which
    /// none is a machine whose platform gives no identity; and a signer that holds both secrets where the
    /// epoch continues the one before.
    /// @param acknowledgement What the signer signed (EIP-712).
    /// @param signer An admitted signer whose measurement and configuration are in the set.
    /// @param signature r ‖ s ‖ v.
    function acknowledgeEpoch(EpochAcknowledgement calldata acknowledgement, address signer, bytes calldata signature)
        external;

    /// @notice Says that the custodians hold their shares of an epoch's secret.
    /// @param acknowledgement What they signed (EIP-712), with `holdsPrevious` false.
    /// @param custodians All of them, as scheduled.
    /// @param signatures For each of them r ‖ s ‖ v, or nothing; as many as the threshold.
    function entrustEpoch(
        EpochAcknowledgement calldata acknowledgement,
        address[] calldata custodians,
        bytes[] calldata signatures
    ) external;

    /// @notice Retires a past epoch once the notice is over: contracts in it are then advanced or abandoned, as
    /// they chose. Governance only.
    /// @param notice Seconds, at least `activationDelay`.
    function retireEpoch(uint32 keyGroup, uint32 keyEpoch, uint40 notice) external;

    /// @notice The newest epoch of a key group that became current; zero if none did.
    function currentEpoch(uint32 keyGroup) external view returns (uint32);

    /// @notice H["epoch"] of an epoch's opening; zero if it never became current.
    function epochRecord(uint32 keyGroup, uint32 keyEpoch) external view returns (bytes32);

    /// @notice Whether an epoch is retired now.
    function isRetired(uint32 keyGroup, uint32 keyEpoch) external view returns (bool);

    /// @notice From when on an epoch is retired, Unix seconds; zero if it will not be.
    function retiredFrom(uint32 keyGroup, uint32 keyEpoch) external view returns (uint40);

    /// @notice Who may hold an epoch's secret.
    function membersOf(uint32 keyGroup, uint32 keyEpoch) external view returns (EpochMember[] memory members);

    /// @notice What was scheduled of an epoch.
    /// @return setHash H["epoch-set"] of `membersOf`; zero if nothing was.
    /// @return recovery See `EpochOpening`.
    /// @return custodiansHash keccak256 of the ABI-encoded addresses of its custodians; zero for none.
    /// @return notBefore Unix seconds.
    /// @return continues Whether a signer has to hold the secret of the epoch before as well.
    function scheduleOf(uint32 keyGroup, uint32 keyEpoch)
        external
        view
        returns (bytes32 setHash, uint256 recovery, bytes32 custodiansHash, uint40 notBefore, bool continues);

    /// @notice How far an epoch's opening has come.
    /// @return record H["epoch"] of the last opening; zero if there is none.
    /// @return openedAt Unix seconds.
    /// @return holders Distinct machines, or custodians, that hold the secret.
    /// @return continued Whether one of them holds the secret of the epoch before as well.
    function openingOf(uint32 keyGroup, uint32 keyEpoch)
        external
        view
        returns (bytes32 record, uint40 openedAt, uint8 holders, bool continued);

    /// @notice For how many seconds an opening cannot be replaced by another.
    function openingTimeout() external view returns (uint40);
}
