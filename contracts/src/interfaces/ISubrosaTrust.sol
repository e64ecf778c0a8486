// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Why the registry does not trust something
/// @notice What admits signers, what checks them and what governs them says it alike.
interface ISubrosaTrust {
    /// @notice No such measurement was added.
    /// @custom:remedy Check the measurement id; governance has to add the build with `addMeasurement`
    /// first.
    error MeasurementUnknown(bytes32 measurementId);
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
    /// @notice The challenge is not the hash of one of the last 256 blocks, or of the last 8,191 where the
    /// chain keeps them (EIP-2935).
    /// @custom:remedy Get evidence for a fresh challenge and submit it within 256 blocks.
    error ChallengeStale(uint256 challengeBlock, bytes32 challengeBlockHash);
    /// @notice The admission's validity has ended.
    /// @custom:remedy Have the enclave appraised again.
    error AdmissionExpired(uint256 notAfter);
    /// @notice The zero address cannot sign.
    /// @custom:remedy Pass the address in question.
    error ZeroSigner();
    /// @notice The address was admitted before, with another measurement, configuration, product or machine.
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
    /// @notice Who vouched for the signer was revoked: bit n for the voucher with index n.
    /// @custom:remedy Renew the lease with an admission by verifiers that are trusted.
    error VouchersRevoked(address signer, uint16 vouchers);
    /// @notice The family of TEEs is stopped.
    /// @custom:remedy Use another family of TEEs, until governance starts this one again with `setFamily`.
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
    /// @notice The signer, or a configuration, serves another key group.
    /// @custom:remedy Name the key group that the configuration was added for.
    error WrongKeyGroup(uint32 keyGroup, uint32 signerKeyGroup);
    /// @notice The measurement is suspended.
    /// @custom:remedy Wait until governance has lifted or revoked it, or run another trusted build.
    error MeasurementIsSuspended(bytes32 measurementId);
    /// @notice The configuration is suspended.
    /// @custom:remedy Wait until governance has lifted or removed it, or run with another configuration.
    error ConfigIsSuspended(bytes32 configHash);
    /// @notice The signer is suspended.
    /// @custom:remedy Renew the lease, which goes on, and wait until governance has lifted or revoked it.
    error SignerIsSuspended(address signer);
    /// @notice The machine is suspended. Of a signer already admitted only the first 56 bits of its machine's
    /// id are known, and shown here.
    /// @custom:remedy Wait until governance has lifted or denied it, or run on another machine.
    error MachineIsSuspended(bytes32 machineId);
    /// @notice The hardware product is suspended. Of a signer already admitted only the first 16 bits of the
    /// product's id are known, and shown here.
    /// @custom:remedy Wait until governance has lifted or denied it, or run on another product.
    error ProductIsSuspended(uint8 teeKind, bytes32 product);
    /// @notice The family of TEEs is suspended.
    /// @custom:remedy Wait until governance has lifted it or stopped the family, or use another family.
    error FamilyIsSuspended(uint8 teeKind);
    /// @notice Who vouched for the signer, or would have from now on, is suspended: bit n for the voucher with index n.
    /// @custom:remedy Renew the lease with an admission by verifiers that are not suspended, or wait until
    /// governance has lifted it.
    error VouchersSuspended(address signer, uint16 vouchers);
    /// @notice The machine is denied. Of a signer already admitted only the first 56 bits of its machine's id
    /// are known, and shown here.
    /// @custom:remedy Run on another machine.
    error MachineIsDenied(bytes32 machineId);
    /// @notice The family is restricted to machines on a list, and this is not on it.
    /// @custom:remedy Run on a machine for which `isMachineAllowed` holds, or have this one allowed with
    /// `allowMachine`. A platform that gives no identity cannot be.
    error MachineNotAllowed(uint8 teeKind, bytes32 machineId);
    /// @notice The signer's measurement and configuration are not among those of the epoch, or the epoch is
    /// not and was never current.
    /// @custom:remedy Name an epoch in whose `membersOf` both are as a pair.
    error SignerNotOfEpoch(address signer, uint32 keyGroup, uint32 keyEpoch);
}
