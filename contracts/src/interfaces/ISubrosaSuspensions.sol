// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaTrust} from "./ISubrosaTrust.sol";

/// @title Suspending what the registry trusts
/// @notice What is suspended admits no new signer, and signers that rest on it neither sign nor open or
/// acknowledge epochs. They may renew their leases, so that no enclave loses its secrets because it was
/// under suspicion. A suspension lasts until it is lifted; what is not sound after all is revoked.
interface ISubrosaSuspensions is ISubrosaTrust {
    /// @notice What can be suspended, and the id it goes by. `teeKind` is zero except where it is named.
    enum Subject {
        /// Its measurement id.
        Measurement,
        /// Its configHash.
        Configuration,
        /// The address of a verifier's key or of a contract that verifies DCAP quotes, in the low 160 bits.
        Voucher,
        /// Its address, in the low 160 bits.
        Signer,
        /// Its machine id, of which the first 56 bits count.
        Machine,
        /// Its product id, of which the first 16 bits count, and its TEE kind.
        Product,
        /// Zero, and its TEE kind.
        Family
    }

    /// @notice Something was suspended.
    event Suspended(Subject indexed subject, uint8 indexed teeKind, bytes32 indexed id);

    /// @notice A suspension was lifted.
    event Lifted(Subject indexed subject, uint8 indexed teeKind, bytes32 indexed id);

    /// @notice It is suspended already.
    /// @custom:remedy Nothing needs doing.
    error AlreadySuspended(Subject subject, uint8 teeKind, bytes32 id);
    /// @notice It is not suspended.
    /// @custom:remedy Check subject, TEE kind and id with `suspensionOf`.
    error NotSuspended(Subject subject, uint8 teeKind, bytes32 id);
    /// @notice Its suspension was lifted less than `suspensionCooldown` seconds ago.
    /// @custom:remedy Have it revoked, or wait until `until`.
    error LiftedLately(Subject subject, uint8 teeKind, bytes32 id, uint256 until);
    /// @notice Nothing goes by this TEE kind and id.
    /// @custom:remedy Pass the id as `Subject` describes it, and zero for what it does not name.
    error NoSuchSubject(Subject subject, uint8 teeKind, bytes32 id);

    /// @notice Suspends something at once, unless its suspension was lifted lately. Governance only, and
    /// without delay: nothing that it does is for good.
    function suspend(Subject subject, uint8 teeKind, bytes32 id) external;

    /// @notice Lifts a suspension. Governance only; the delay is the authority's to impose.
    function lift(Subject subject, uint8 teeKind, bytes32 id) external;

    /// @notice What is known of a suspension.
    /// @return suspended Whether it is in force.
    /// @return lifted Unix seconds at which it was last lifted; zero if never.
    function suspensionOf(Subject subject, uint8 teeKind, bytes32 id)
        external
        view
        returns (bool suspended, uint40 lifted);

    /// @notice For how many seconds what was lifted cannot be suspended again.
    function suspensionCooldown() external view returns (uint40);
}
