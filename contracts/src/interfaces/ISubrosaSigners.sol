// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {ISubrosaTrust} from "./ISubrosaTrust.sol";
import {DcapRegistration, SignerAdmission} from "./SubrosaTypes.sol";

/// @title Admitting signers, and checking them
interface ISubrosaSigners is IERC5267, ISubrosaTrust {
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

    /// @notice Admits a signer for which enough verifiers vouch. Anyone may call it; a caller that
    /// finds `LeaseNotRenewed` was merely overtaken. The lease ends with the admission's `notAfter` or
    /// after `maximumLease`, whichever is sooner.
    ///
    /// For a signer whose lease runs, with the same measurement, configuration, product and machine, this
    /// renews the lease, even while any of them is suspended: evaluation number and vouchers are then the new
    /// admission's, and the end may be later but not sooner, unless who vouched before is suspended or revoked
    /// and none of the new ones is. A suspended verifier renews only what it vouched for before. An address
    /// whose lease has ended is used up.
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
    /// The report data must be sha256(abi.encode(`ReportBinding`)) ‖ sha256(hash of the challenge
    /// block ‖ caller), so nobody can register with another's quote. A TD's RTMR3 must be the value
    /// that its configuration gives it.
    function registerSignerDcap(DcapRegistration calldata registration) external;

    /// @notice Reverts unless the signer may sign results of this epoch now: admitted, lease running, its
    /// measurement and configuration a pair of the epoch's set, neither it nor anything it rests on revoked
    /// or suspended, its family not stopped and its TCB recent enough. Of a product 16 bits are compared, so
    /// that one signer in 65,536 is refused for a denied product of the same family that it does not run on.
    /// @return record High to low: leaseUntil 40 ‖ tcbEvaluation 24 ‖ generation 24 ‖ teeKind 8 ‖ flags 8 ‖
    /// vouchers 16 ‖ product 16 ‖ measurementIndex 16 ‖ configIndex 16 ‖ machine 56 ‖ keyGroup 32. See
    /// `signerOf` and `foundationOf`.
    function checkSigner(address signer, uint32 keyGroup, uint32 keyEpoch) external view returns (uint256 record);
}
