// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Policy, PriceTable, Registration} from "./ISubrosaOracle.sol";
import {ISubrosaOracle} from "./ISubrosaOracle.sol";

/// @notice Where an entry stands.
struct EntryStatus {
    /// Whether the log has such a position.
    bool exists;
    /// Whether it was executed.
    bool executed;
    /// The digest of a pending entry; zero for one that was executed, whose slot may be another's.
    bytes32 digest;
    /// Of a pending entry: callback part and charge were returned.
    bool refunded;
    /// Of a pending entry: there will be no callback.
    bool cancelled;
    /// Of a pending entry: the landing part was returned.
    bool reclaimed;
    /// Of a pending entry: by how much its landing part was topped up, in gwei.
    uint256 addedFee;
    /// Of an executed entry: a callback is to be made, see `ISubrosaOracle.retryCallback`.
    bool callbackDue;
    /// Of an executed entry: a refund is to be taken, see `ISubrosaOracle.refundExecuted`.
    bool refundDue;
}

/// @notice What later entries of a contract's log will mean.
struct Versions {
    uint32 keyGroup;
    uint32 keyEpoch;
    uint16 codeVersion;
    uint16 runtimeGeneration;
    uint8 finalityClass;
    bool stateless;
    bool world;
    bool abandonedOnRetirement;
    bool abandoned;
}

/// @notice How many signers a contract asks for, and the lower threshold announced.
struct ThresholdView {
    uint8 signers;
    uint8 kinds;
    uint8 nextSigners;
    uint8 nextKinds;
    /// Unix seconds from which the next counts; zero if none is announced.
    uint48 from;
}

/// @title Views of an oracle, for people and indexers
/// @notice The oracle has no room for them: this contract reads its storage word by word (`extsload`) and says what
/// the words mean. It holds nothing and decides nothing.
interface ISubrosaLens {
    /// @notice The oracle that is looked at.
    function oracle() external view returns (ISubrosaOracle);

    /// @notice Where an entry stands. For an executed entry of a stateless contract that another has taken the slot
    /// of since, `exists` and `executed` are all that is left.
    function statusOf(bytes32 contractId, uint256 seq) external view returns (EntryStatus memory);

    /// @notice The positions of a stateful contract's pending entries: from the first on, up to before the second.
    function pendingOf(bytes32 contractId) external view returns (uint256 from, uint256 to);

    /// @notice How many of a stateless contract's pending entries were appended in this epoch of its key group, and need
    /// its keys.
    function pendingIn(bytes32 contractId, uint32 keyEpoch) external view returns (uint256);

    /// @notice A contract's policy, in the units of `Policy`.
    function policyOf(bytes32 contractId) external view returns (Policy memory);

    /// @notice What later entries will mean.
    function versionsOf(bytes32 contractId) external view returns (Versions memory);

    /// @notice A contract's threshold.
    function thresholdOf(bytes32 contractId) external view returns (ThresholdView memory);

    /// @notice A contract's terms of upgrade, and the upgrade announced.
    /// @return delay In seconds; zero if the code never changes.
    /// @return codeCommitment What is announced; zero if nothing is.
    /// @return readyAt Unix seconds from which it can be appended, for 30 days.
    function upgradeOf(bytes32 contractId) external view returns (uint32 delay, bytes32 codeCommitment, uint48 readyAt);

    /// @notice A slot of a contract's log.
    ///
    /// Slots form a ring of 64: entry n is written to slot n mod 64, unless what lies there is still pending,
    /// else to slot n | 2^48, of its own. So a slot is an entry's only if it holds its digest.
    /// @return slot The digest (248 bits) and the status byte: bit 0 callback part and charge returned, bit 1
    /// callback cancelled, bit 2 executed (stateless contracts only), bit 3 topped up, bit 4 landing part
    /// returned.
    function slotOf(bytes32 contractId, uint256 position) external view returns (bytes32 slot);

    /// @notice How many contracts an epoch's keys are needed for. One that moved on counts until the entry that says so is
    /// executed, and a stateless one until all its entries of that epoch are, too.
    function contractsIn(uint32 keyGroup, uint32 keyEpoch) external view returns (uint256);

    /// @notice The account to which a contract is offered; zero if none.
    function candidateOf(bytes32 contractId) external view returns (address);

    /// @notice Whether an account may append requests while the contract is restricted.
    function isCaller(bytes32 contractId, address account) external view returns (bool);

    /// @notice The nonce that the account's next registration will use.
    function nonceOf(address deployer) external view returns (uint256);

    /// @notice The id that a registration by this account with this nonce has or will have.
    function contractIdOf(address deployer, uint256 nonce) external view returns (bytes32);

    /// @notice What a request costs while the base fee is this, in wei: for `eth_call`, in which many nodes set the
    /// base fee to zero.
    /// @param baseFee In wei; of the newest block, with what it may rise by until the request is mined.
    function quoteAt(
        uint256 baseFee,
        bytes32 contractId,
        uint256 inputLength,
        uint256 outputLength,
        uint256 callbackGas,
        uint256 fuelLimit
    ) external view returns (uint256 fee);

    /// @notice What entry 0 of such a contract costs while the base fee is this, in wei.
    function quoteRegistration(uint256 baseFee, Registration calldata registration) external view returns (uint256 fee);

    /// @notice How much gas is what to the oracle.
    function prices() external view returns (PriceTable memory);
}
