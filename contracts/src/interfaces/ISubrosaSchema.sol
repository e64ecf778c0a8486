// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./SubrosaTypes.sol";

/// @title Every shared struct, for readers of ABIs
/// @notice Nothing implements this. An ABI shows only what some function takes; here is one for each
/// struct that crosses languages without ever being an argument on chain.
interface ISubrosaSchema {
    /// @notice See `Entry`.
    function entry(Entry calldata) external;
    /// @notice See `Outcome`.
    function outcome(Outcome calldata) external;
    /// @notice See `SignedResults`.
    function signedResults(SignedResults calldata) external;
    /// @notice See `CosignedResults`.
    function cosignedResults(CosignedResults calldata) external;
    /// @notice See `SignerAdmission`.
    function signerAdmission(SignerAdmission calldata) external;
    /// @notice See `EpochMember`.
    function epochMembers(EpochMember[] calldata) external;
    /// @notice See `EpochSchedule`.
    function epochSchedule(EpochSchedule calldata) external;
    /// @notice See `EpochAcknowledgement`.
    function epochAcknowledgement(EpochAcknowledgement calldata) external;
    /// @notice See `EpochOpening`.
    function epochOpening(EpochOpening calldata) external;
    /// @notice See `EnclaveConfig`.
    function enclaveConfig(EnclaveConfig calldata) external;
    /// @notice See `ReportBinding`.
    function reportBinding(ReportBinding calldata) external;
    /// @notice See `AttestationStatement`.
    function attestationStatement(AttestationStatement calldata) external;
    /// @notice See `PresentedAttestation`.
    function presentedAttestation(PresentedAttestation calldata) external;
    /// @notice See `AttestationAnswer`.
    function attestationAnswer(AttestationAnswer calldata) external;
    /// @notice See `DeployPlaintext`.
    function deployPlaintext(DeployPlaintext calldata) external;
    /// @notice See `CallPlaintext`.
    function callPlaintext(CallPlaintext calldata) external;
    /// @notice See `QueryPlaintext`.
    function queryPlaintext(QueryPlaintext calldata) external;
    /// @notice See `Query`.
    function query(Query calldata) external;
    /// @notice See `QueryReply`.
    function queryReply(QueryReply calldata) external;
    /// @notice See `QueryOutput`.
    function queryOutput(QueryOutput calldata) external;
    /// @notice See `ContractStatement`.
    function contractStatement(ContractStatement calldata) external;
}
