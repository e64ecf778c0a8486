// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./SubrosaTypes.sol";

/// @title Every shared struct, for readers of ABIs
/// @notice Nothing implements this. An ABI shows only what some function takes; here is one for each
/// struct that crosses languages without ever being an argument on chain.
interface ISubrosaSchema {
    function entry(Entry calldata) external;
    function outcome(Outcome calldata) external;
    function fulfillment(Fulfillment calldata) external;
    function signedResults(SignedResults calldata) external;
    function signerAdmission(SignerAdmission calldata) external;
    function epochOpening(EpochOpening calldata) external;
    function enclaveConfig(EnclaveConfig calldata) external;
    function reportBinding(ReportBinding calldata) external;
    function deployPlaintext(DeployPlaintext calldata) external;
    function callPlaintext(CallPlaintext calldata) external;
    function queryPlaintext(QueryPlaintext calldata) external;
    function query(Query calldata) external;
    function queryReply(QueryReply calldata) external;
    function contractStatement(ContractStatement calldata) external;
}
