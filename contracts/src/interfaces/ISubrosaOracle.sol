// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {Entry, Fulfillment} from "./SubrosaTypes.sol";
import {ISubrosaRegistry} from "./ISubrosaRegistry.sol";

/// @notice What a confidential contract is registered with.
struct Registration {
    /// H["code"](salt, engine, keccak256(code), keccak256(init)); the input hash of entry 0.
    bytes32 codeCommitment;
    /// The context of entry 0: whatever the deployer asserts.
    bytes32 context;
    /// The group of enclaves that will hold the contract's keys. It must have an open epoch.
    uint32 keyGroup;
    /// How final a block must be before an enclave executes what it holds.
    uint8 finalityClass;
    /// The price table and engine version that executes the contract's entries. The registry must have it
    /// active and not withdrawn (`checkRuntime`).
    uint16 runtimeGeneration;
    /// Whether entries are executed in any order, on no state.
    bool stateless;
    /// Whether only the owner and the callers it names may append requests, from the first on; as in
    /// `Policy`, by which it can be changed.
    bool restricted;
    /// Fuel limit of the constructor (entry 0).
    uint64 fuelLimit;
    /// The part of every fee that is never refunded, in gwei.
    uint40 executionChargeGwei;
    /// Least time, in seconds, between a request and its deadline.
    uint24 minimumDeadline;
    /// Largest callback gas limit a request may name, at most 10,000,000; zero forbids callbacks.
    uint32 maximumCallbackGas;
    /// Seconds between announcing other code and running it, for users to leave in; zero if the code
    /// never changes. Fixed for good. Zero for a stateless contract.
    uint32 upgradeDelay;
    /// Unix seconds after which the refundable part of entry 0's fee may be taken back.
    uint48 deadline;
}

/// @notice What an owner may change without touching what entries mean.
struct Policy {
    /// As in `Registration`. Holds for entries appended from now on, like every field here.
    uint40 executionChargeGwei;
    /// As in `Registration`.
    uint24 minimumDeadline;
    /// As in `Registration`, the limit included.
    uint32 maximumCallbackGas;
    /// Whether only the owner and the callers it named may append requests.
    bool restricted;
    /// Whether no requests are taken. Entries already on the log are still executed.
    bool paused;
}

/// @title The oracle: what was asked of confidential contracts, and what was answered
/// @notice Every confidential contract has a log of entries. `request` appends to it and escrows a
/// fee; `fulfill` takes signed results in log order, pays whoever submitted them and calls the
/// requesters back; `refund` returns the fee of an entry that missed its deadline.
///
/// Three things are kept apart. *Execution*: an entry is pending or executed, once, in log order.
/// *Payment*: its fee is open, paid or refunded. *Callback*: due, done, failed or expired. A refund
/// does not take an entry off the log, and a failing callback does not hold the log up.
interface ISubrosaOracle is IERC5267 {
    /// @notice A confidential contract was registered.
    event Registered(bytes32 indexed contractId, address indexed owner, bytes32 codeCommitment);

    /// @notice An entry was appended. With `contractId`, the block and the digest of the entry
    /// before, this is the whole of `Entry`.
    /// @param seq Position in the log.
    /// @param context See `Entry.context`.
    /// @param execution See `Entry.execution`.
    /// @param settlement See `Entry.settlement`.
    /// @param payment See `Entry.payment`.
    /// @param input The bytes whose hash is `Entry.inputHash`; for entry 0 and upgrades the 32 bytes of
    /// the code commitment, which is the input hash itself.
    event EntryAppended(
        bytes32 indexed contractId,
        uint256 seq,
        bytes32 context,
        uint256 execution,
        uint256 settlement,
        uint256 payment,
        bytes input
    );

    /// @notice An entry was executed. Its fee goes to the sender of the transaction's `fulfill`.
    /// @param result See `FulfillmentItem.result`.
    /// @param data See `FulfillmentItem.data`.
    event EntryFulfilled(bytes32 indexed contractId, uint256 seq, uint256 result, bytes data);

    /// @notice Items of a group were not applied.
    /// @param seq The first entry concerned.
    /// @param reason 1 already executed (later items of the group may still have been applied);
    /// 2 the group does not continue the head; 3 the entry is not on the log; 4 the entry belongs to
    /// another key epoch than the signature names. For 2 to 4 the rest of the group was skipped.
    event ItemsSkipped(bytes32 indexed contractId, uint256 seq, uint8 reason);

    /// @notice The batch ended before this entry, for lack of gas. Nothing of it was consumed.
    /// @param requiredGas What must be left for the entry to be taken.
    event BatchEnded(bytes32 indexed contractId, uint256 seq, uint256 requiredGas);

    /// @notice A callback reverted or ran out of the gas its request had named. Whoever wants to
    /// try again passes these values to `retryCallback`.
    event CallbackFailed(bytes32 indexed contractId, uint256 seq, uint256 settlement, uint8 status);

    /// @notice A callback that had failed was made.
    event CallbackRetried(bytes32 indexed contractId, uint256 seq);

    /// @notice The refundable part of an entry's fee was returned to its requester.
    event Refunded(bytes32 indexed contractId, uint256 seq, address indexed requester, uint256 amount);

    /// @notice A payment could not be pushed and waits for `withdraw`.
    event PaymentDeferred(address indexed account, uint256 amount);

    /// @notice A waiting payment was taken.
    event Withdrawn(address indexed account, address indexed recipient, uint256 amount);

    /// @notice A contract's policy was changed.
    event PolicyChanged(bytes32 indexed contractId, Policy policy);

    /// @notice A caller was allowed to append requests to a restricted contract, or no longer.
    event CallerChanged(bytes32 indexed contractId, address indexed caller, bool allowed);

    /// @notice Other code was announced, or the announcement withdrawn (`codeCommitment` is zero). From
    /// `readyAt` (Unix seconds) on the owner can append the upgrade.
    event UpgradeAnnounced(bytes32 indexed contractId, bytes32 codeCommitment, uint48 readyAt);

    /// @notice An ownership transfer was offered.
    event OwnershipOffered(bytes32 indexed contractId, address indexed owner, address indexed candidate);

    /// @notice A contract has a new owner.
    event OwnershipTransferred(bytes32 indexed contractId, address indexed previousOwner, address indexed owner);

    /// @notice No contract has this id.
    /// @custom:remedy Check the id and that this is the oracle it was registered with: ids differ per
    /// chain and oracle.
    error UnknownContract(bytes32 contractId);
    /// @notice A code commitment is never zero.
    /// @custom:remedy Pass the commitment that the client computed from salt, engine, code and
    /// constructor arguments.
    error ZeroCodeCommitment();
    /// @notice The key group has no open epoch.
    /// @custom:remedy Choose a key group whose enclaves are running, or wait until one of them opens
    /// its first epoch.
    error NoEpoch(uint32 keyGroup);
    /// @notice The contract takes no requests.
    /// @custom:remedy Wait for the owner to unpause; entries already on the log are not affected.
    error ContractPaused(bytes32 contractId);
    /// @notice The contract is restricted and this account is not among its callers.
    /// @custom:remedy Ask through a caller that the owner allowed, or have the owner call `setCaller`.
    error CallerNotAllowed(bytes32 contractId, address caller);
    /// @notice Only the contract's owner may do this.
    /// @custom:remedy Send from the account that `ownerOf` names.
    error NotOwner(bytes32 contractId, address caller);
    /// @notice Only the account to which ownership was offered may do this.
    /// @custom:remedy Have the owner offer the contract to this account with `transferOwnership`.
    error NotCandidate(bytes32 contractId, address caller);
    /// @notice The terms set a flag, or a bit, that means nothing yet.
    /// @custom:remedy Leave every bit zero that the documentation of `request` does not name;
    /// `SubrosaConsumer` packs terms.
    error UnknownTerms(uint256 terms);
    /// @notice The input is too long.
    /// @custom:remedy Send less, or send a reference to data that the confidential contract can check
    /// by its hash.
    error InputTooLong(uint256 length, uint256 maximum);
    /// @notice The deadline is earlier than the contract's policy allows.
    /// @custom:remedy Name a deadline at or after `earliest`, with a margin for the time until the
    /// transaction is mined.
    error DeadlineTooEarly(uint256 deadline, uint256 earliest);
    /// @notice The callback gas limit is larger than the contract's policy allows.
    /// @custom:remedy Name at most `maximum`, or have the owner raise it with `setPolicy`.
    error CallbackGasTooHigh(uint256 gasLimit, uint256 maximum);
    /// @notice The policy promises callbacks more gas than any transaction can carry (EIP-7825), and
    /// an entry with such a callback would hold its log up for ever.
    /// @custom:remedy Name at most `maximum`.
    error MaximumCallbackGasTooHigh(uint256 gasLimit, uint256 maximum);
    /// @notice The execution charge, in wei, is higher than the terms agree to: it was raised after the
    /// requester had looked.
    /// @custom:remedy Read the charge from `logOf` again and name one that is acceptable, or zero for any.
    error ChargeTooHigh(uint256 executionCharge, uint256 maximum);
    /// @notice The contract is in another key epoch than the terms name, so its enclaves could not open
    /// the input.
    /// @custom:remedy Encrypt anew for `keyEpoch`, once its keys are checked.
    error OtherEpoch(bytes32 contractId, uint32 keyEpoch);
    /// @notice The value sent does not cover the execution charge.
    /// @custom:remedy Send at least the execution charge, which `logOf` gives; relayers may want more
    /// to make it worth their gas.
    error FeeTooLow(uint256 fee, uint256 executionCharge);
    /// @notice The value sent does not fit the 96 bits of a fee.
    /// @custom:remedy Send less than 2^96 wei.
    error FeeTooHigh(uint256 fee);
    /// @notice The log has taken all the entries it can number.
    /// @custom:remedy Register the contract anew; a log numbers 2^48 entries.
    error LogFull(bytes32 contractId);
    /// @notice The group's current epoch is another one than named.
    /// @custom:remedy Examine the keys of `currentEpoch` and name that one.
    error EpochNotCurrent(uint32 keyGroup, uint32 currentEpoch);
    /// @notice The contract is in the newest epoch of its group.
    /// @custom:remedy Nothing needs doing; call again after the group opened its next epoch.
    error EpochNotNewer(bytes32 contractId, uint32 keyEpoch);
    /// @notice The contract was registered with code that never changes.
    /// @custom:remedy Register a new contract; this one keeps its code.
    error NotUpgradable(bytes32 contractId);
    /// @notice A stateless contract's entries are executed in no order, so no entry can change its code
    /// for those after it.
    /// @custom:remedy Register with an upgrade delay of zero, or a stateful contract.
    error StatelessUpgrade();
    /// @notice No other code is announced.
    /// @custom:remedy Announce it with `announceUpgrade` first.
    error UpgradeNotAnnounced(bytes32 contractId);
    /// @notice The time for users to leave is not over.
    /// @custom:remedy Wait until `readyAt`.
    error UpgradeNotReady(bytes32 contractId, uint256 readyAt);
    /// @notice The code was changed as often as versions can be numbered.
    /// @custom:remedy Register a new contract; versions have 16 bits.
    error CodeVersionsExhausted(bytes32 contractId);
    /// @notice A contract moves to later runtime generations only.
    /// @custom:remedy Name a generation above `generation`, which the contract is in.
    error GenerationNotNewer(bytes32 contractId, uint16 generation);
    /// @notice The anchor lies in the future.
    /// @custom:remedy Submit when the chain has reached the anchor. If it never does, the chain counts
    /// `block.number` otherwise than its blocks.
    error AnchorInFuture(uint256 anchorNumber, uint256 blockNumber);
    /// @notice The block has another hash than the anchor says.
    /// @custom:remedy The enclave saw another branch of the chain: have it execute again on the
    /// canonical one.
    error AnchorMismatch(uint256 anchorNumber, bytes32 expected, bytes32 found);
    /// @notice An item claims more public output than it has data.
    /// @custom:remedy Pass the batch exactly as the enclave signed it.
    error OutputLengthTooLong(uint256 group, uint256 item);
    /// @notice The signature is malformed, or malleable (high s).
    /// @custom:remedy Pass the signature as the enclave made it (EIP-2098, low s).
    error InvalidSignature();
    /// @notice The entry given is not on the log.
    /// @custom:remedy Rebuild the entry from `EntryAppended`, its block and the digest of the entry
    /// before.
    error EntryMismatch(bytes32 contractId, uint256 seq);
    /// @notice The deadline has not passed.
    /// @custom:remedy Try again after the deadline.
    error DeadlineNotPassed(uint256 deadline);
    /// @notice The entry was executed, and its fee paid.
    /// @custom:remedy Nothing is due: the fee was paid for the result, which `EntryFulfilled` carries.
    error AlreadyExecuted(bytes32 contractId, uint256 seq);
    /// @notice The entry was refunded.
    /// @custom:remedy Nothing is due: the money was pushed to the requester or waits for its
    /// `withdraw`.
    error AlreadyRefunded(bytes32 contractId, uint256 seq);
    /// @notice The fee has no refundable part.
    /// @custom:remedy Nothing is due: the whole fee was the execution charge.
    error NothingToRefund(bytes32 contractId, uint256 seq);
    /// @notice No failed callback with these values waits to be made again.
    /// @custom:remedy Take settlement word and status from `CallbackFailed` and the output from
    /// `EntryFulfilled`; it may have been retried already.
    error NoFailedCallback(bytes32 contractId, uint256 seq);
    /// @notice The request wanted no callback after its deadline.
    /// @custom:remedy Nothing can be called any more; read the output from `EntryFulfilled`.
    error CallbackExpired(bytes32 contractId, uint256 seq);
    /// @notice The callback reverted again; it can be tried later.
    /// @custom:remedy Find out why the requester reverts, or send more gas, and try again.
    error CallbackReverted(bytes32 contractId, uint256 seq);
    /// @notice The transaction has too little gas to give the callback what its request named.
    /// @custom:remedy Send the transaction with a higher gas limit.
    error InsufficientGas(uint256 available, uint256 required);
    /// @notice No payment waits for this account.
    /// @custom:remedy Nothing is due: `balanceOf` says what waits for an account.
    error NothingToWithdraw(address account);
    /// @notice The recipient did not take the payment.
    /// @custom:remedy Name a recipient that accepts a plain transfer.
    error WithdrawalFailed(address recipient);

    /// @notice Registers a confidential contract and appends entry 0, its deployment. The value sent
    /// is the fee for executing that entry.
    /// @return contractId H["contract-id"](chainId, oracle, deployer, deployer's nonce).
    function register(Registration calldata registration) external payable returns (bytes32 contractId);

    /// @notice Appends a call to a contract's log. The value sent is the whole fee, of which the
    /// contract's execution charge is never refunded.
    /// @param contractId Whom to ask.
    /// @param context What the requester asserts about on whose behalf it asks; see `Entry`.
    /// @param terms Packed, high to low: executionFlags 16 ‖ settlementFlags 16 ‖ fuelLimit 64 ‖
    /// callbackGasLimit 32 ‖ deadline 48 ‖ maximumChargeGwei 40 ‖ keyEpoch 32 ‖ zero 8. Execution flag
    /// bit 0: the input is an envelope; bit 1: that envelope's key opens a session, which later
    /// envelopes name instead of carrying a key. Settlement flag bit 0: no callback after the deadline.
    /// The last two fields hold the contract to what the requester saw, zero to anything: without
    /// them its owner could raise the charge, or move to another epoch, before the request is mined.
    /// @param input The call, in the clear or as an envelope; at most 120 KiB.
    /// @return seq The entry's position in the log.
    function request(bytes32 contractId, bytes32 context, uint256 terms, bytes calldata input)
        external
        payable
        returns (uint48 seq);

    /// @notice Appends an entry that moves a contract to the newest epoch of its key group. Its input
    /// is abi.encode(uint32 previousEpoch, uint32 newEpoch, bytes32 epochRecord); its payment word
    /// names the new epoch. The value sent is the fee; the deadline is the policy's minimum. Only the
    /// owner.
    /// @param epoch The newest epoch, whose keys the owner has examined: if another one was opened in
    /// the meantime, nothing is appended.
    /// @return seq The entry's position in the log.
    function advanceEpoch(bytes32 contractId, uint32 epoch) external payable returns (uint48 seq);

    /// @notice Announces other code for a contract that was registered with an upgrade delay; zero
    /// withdraws the announcement. Announcing again starts the delay anew. Only the owner.
    /// @param codeCommitment As in `Registration`.
    function announceUpgrade(bytes32 contractId, bytes32 codeCommitment) external;

    /// @notice Appends the announced upgrade, once its delay is over. Entries after it run the new
    /// code, unless its constructor fails, on the storage that the old code left; the fuel is for that
    /// constructor. The value sent is the fee. Only the owner.
    ///
    /// Like entry 0 it holds the log up until the enclaves have the code.
    /// @param fuelLimit Fuel limit of the constructor.
    /// @param deadline Unix seconds; as for a request.
    /// @return seq The entry's position in the log.
    function upgrade(bytes32 contractId, uint64 fuelLimit, uint48 deadline) external payable returns (uint48 seq);

    /// @notice Appends an entry that moves a contract to a later runtime generation. Its input is
    /// abi.encode(uint16 previousGeneration, uint16 newGeneration, uint48 headSeq): enclaves that no
    /// longer have an entry's generation execute it in the new one if its position is at least
    /// `headSeq`, so withdrawing a runtime does not hold logs up. The value sent is the fee; the
    /// deadline is the policy's minimum. The owner names any later generation that the registry has active
    /// and not withdrawn (`checkRuntime`); anyone may name the one that takes over from the contract's, if
    /// that was withdrawn (`runtimeSuccessor`).
    ///
    /// Enclaves are shown at most 65,536 entries between one and this: whoever appends more in front of
    /// it has the pending ones before those wait for a build that still has their generation.
    /// @return seq The entry's position in the log.
    function changeRuntime(bytes32 contractId, uint16 generation) external payable returns (uint48 seq);

    /// @notice Applies a batch of signed results. Anyone may call it and is paid the fees.
    ///
    /// Reverts if the anchor is wrong, the signature is invalid or the signer is not admitted. Apart
    /// from that every group stands for itself: items already executed are passed over, and an item
    /// that cannot be applied takes only the rest of its own group with it. A batch that was wholly
    /// applied before succeeds cheaply and changes nothing. When too little gas is left for an item,
    /// the batch ends before it.
    /// @return executed How many entries were executed by this call.
    function fulfill(Fulfillment calldata fulfillment) external returns (uint256 executed);

    /// @notice Makes a callback that had failed, with all the gas there is, at least with what the
    /// request had named. Reverts if it fails again.
    /// @param settlement The entry's settlement word; as in `CallbackFailed`.
    /// @param status The result's status; as in `CallbackFailed`.
    /// @param output The public output; from `EntryFulfilled`.
    function retryCallback(bytes32 contractId, uint256 seq, uint256 settlement, uint8 status, bytes calldata output)
        external;

    /// @notice Returns an unexecuted entry's fee, less the execution charge, to its requester once
    /// the deadline has passed. The entry stays on the log and will still be executed, for the
    /// execution charge. Anyone may call it.
    function refund(Entry calldata entry) external;

    /// @notice Sends what waits for the caller to `recipient`.
    /// @return amount In wei.
    function withdraw(address payable recipient) external returns (uint256 amount);

    /// @notice Changes a contract's policy. Only the owner.
    function setPolicy(bytes32 contractId, Policy calldata policy) external;

    /// @notice Allows an account to append requests to a restricted contract, or no longer. Only the
    /// owner, who is always allowed.
    function setCaller(bytes32 contractId, address caller, bool allowed) external;

    /// @notice Offers a contract to another account; the zero address withdraws the offer. Only the
    /// owner.
    function transferOwnership(bytes32 contractId, address candidate) external;

    /// @notice Takes a contract that was offered to the caller.
    function acceptOwnership(bytes32 contractId) external;

    /// @notice How far a contract's log is executed.
    /// @return seq The number of entries executed. Zero for a stateless contract.
    /// @return commitment The commitment to the state after them; low six bytes zero.
    function head(bytes32 contractId) external view returns (uint48 seq, bytes32 commitment);

    /// @notice A contract's log word; zero if there is no such contract.
    /// @return packed High to low: minimumDeadline 24 ‖ maximumCallbackGas 32 ‖ executionChargeGwei 40
    /// ‖ flags 8 (bit 0 stateless, 1 restricted, 2 paused) ‖ finalityClass 8 ‖ runtimeGeneration 16 ‖
    /// codeVersion 16 ‖ keyEpoch 32 ‖ keyGroup 32 ‖ nextSeq 48.
    function logOf(bytes32 contractId) external view returns (uint256 packed);

    /// @notice A contract's terms of upgrade, and the upgrade announced.
    /// @return delay In seconds; zero if the code never changes.
    /// @return codeCommitment What is announced; zero if nothing is.
    /// @return readyAt Unix seconds from which it can be appended.
    function upgradeOf(bytes32 contractId) external view returns (uint32 delay, bytes32 codeCommitment, uint48 readyAt);

    /// @notice An entry's slot; zero if there is no such entry.
    /// @return slot The digest (248 bits) and the status byte: bit 0 refunded, bit 1 callback failed,
    /// bit 2 executed (entries of stateless contracts only).
    function entryDigest(bytes32 contractId, uint256 seq) external view returns (bytes32 slot);

    /// @notice The owner of a contract; zero if there is no such contract.
    function ownerOf(bytes32 contractId) external view returns (address);

    /// @notice The account to which a contract is offered; zero if none.
    function candidateOf(bytes32 contractId) external view returns (address);

    /// @notice The nonce that the account's next registration will use.
    function nonceOf(address deployer) external view returns (uint256);

    /// @notice The id that a registration by this account with this nonce has or will have.
    function contractIdOf(address deployer, uint256 nonce) external view returns (bytes32);

    /// @notice Whether an account may append requests while the contract is restricted.
    function isCaller(bytes32 contractId, address account) external view returns (bool);

    /// @notice What waits for an account to withdraw, in wei.
    function balanceOf(address account) external view returns (uint256);

    /// @notice The registry that says who may sign.
    function registry() external view returns (ISubrosaRegistry);
}
