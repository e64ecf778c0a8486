// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaGovernance} from "./ISubrosaGovernance.sol";
import {ISubrosaSigners} from "./ISubrosaSigners.sol";

/// @title The registry: who may sign results, and under which epochs' keys
/// @notice Governance says which builds (measurements), which configurations, which verifiers and which
/// runtime generations are trusted. Adding one takes effect after a delay that users can use to leave.
/// There are two ways to take one away, both of which take effect at once on signers already admitted too:
/// suspending, which is undone, and revoking, which is for good. Verifiers admit enclaves' signers for a
/// lease, which can be renewed until it ends. Admitted signers open the epochs that governance scheduled.
interface ISubrosaRegistry is ISubrosaSigners, ISubrosaGovernance {}
