// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {Entry, Outstanding} from "./SubrosaTypes.sol";
import {ISubrosaRegistry} from "./ISubrosaRegistry.sol";

/// @notice What a confidential contract is registered with.
struct Registration {
    /// H["code"](salt, engine, keccak256(code), keccak256(init)); the input hash of entry 0.
    bytes32 codeCommitment;
    /// The context of entry 0: whatever the deployer asserts.
    bytes32 context;
    /// The group of enclaves that will hold the contract's keys. It must have an open epoch.
    uint32 keyGroup;
    /// The epoch the code was encrypted for, which must be the group's current one.
    uint32 keyEpoch;
    /// How final a block must be before an enclave executes what it holds.
    uint8 finalityClass;
    /// The price table and engine version that executes the contract's entries. The registry must have it
    /// active and not withdrawn (`checkRuntime`).
    uint16 runtimeGeneration;
    /// Whether entries are executed in any order, on no state.
    bool stateless;
    /// Whether the contract is a world: one state with many contracts in it. Entries then name their target.
    bool world;
    /// What the code sees as its chain: 0 the chain the oracle is on, 1 Oasis Sapphire. Below 16.
    uint8 profile;
    /// Whether the contract may be abandoned by anyone once its epoch is retired, rather than advanced.
    bool abandonedOnRetirement;
    /// Fuel limit of the constructor (entry 0).
    uint64 fuelLimit;
    /// Seconds between announcing other code and running it, for users to leave in; zero if the code
    /// never changes. A lower threshold has to be announced as long. Fixed for good. Zero for a stateless
    /// contract.
    uint32 upgradeDelay;
    /// Unix seconds after which what of entry 0's fee is not for landing it may be taken back.
    uint48 deadline;
    /// How many enclaves must sign a result, and how many kinds of TEE must be among them; see
    /// `setThreshold`. Zero or one for one signature.
    uint8 signers;
    uint8 kinds;
    Policy policy;
}

/// @notice What an owner may change without touching what entries mean. Holds for entries appended from
/// then on.
struct Policy {
    /// The owner's charge for a request that is answered in time, in gwei. Kept as four to five decimal
    /// digits and an exponent, rounded up.
    uint64 chargeGwei;
    /// Gas is priced at the block's base fee times this, in sixteenths: 24 is one and a half.
    uint8 baseFeeSixteenths;
    /// But at least at this, in wei. Kept as three to four decimal digits and an exponent, rounded up.
    uint64 gasPriceFloor;
    /// Least time, in seconds, between a request and its deadline.
    uint24 minimumDeadline;
    /// Largest callback gas limit a request may name, at most 10,000,000; zero forbids callbacks.
    uint24 maximumCallbackGas;
    /// Whether only the owner and the callers it named may append requests.
    bool restricted;
    /// Whether no requests are taken. Entries already on the log are still executed.
    bool paused;
}

/// @notice One of several requests that are made together; see `request`.
struct Call {
    bytes32 context;
    uint256 terms;
    bytes input;
}

/// @notice How much gas is what; fixed when the oracle is deployed, as gas prices differ between chains and
/// change with time.
struct PriceTable {
    /// Gas of landing an entry's result without output or callback.
    uint32 landing;
    /// Gas of recording that a callback failed, or that an entry was late.
    uint32 record;
    /// Gas of making a callback, without the callback's own.
    uint32 callback;
    /// Gas of each signature after the first, for contracts that ask for several.
    uint16 signature;
    /// Gas a byte of input.
    uint16 inputByte;
    /// Gas a byte of promised output: calldata (with its floor), event and hashing.
    uint16 outputByte;
    /// Fuel for which nothing is asked.
    uint48 includedFuel;
    /// Fuel beyond it that is asked one gas for.
    uint32 fuelPerGas;
    /// Seconds for which a failed callback's rest pays for making it succeed.
    uint32 grace;
}

/// @title The oracle: what was asked of confidential contracts, and what was answered
/// @notice Every confidential contract has a log of entries. `request` appends to it and escrows a
/// fee; `fulfill` takes signed results in log order, credits whoever landed them and calls the
/// requesters back.
///
/// Three things are kept apart. *Execution*: an entry is pending or executed, once, in log order.
/// *Payment*: its fee is open, paid or refunded. *Callback*: due, done, failed or expired. A refund
/// does not take an entry off the log, and a failing callback does not hold the log up.
///
/// A fee has three parts. The *landing part* pays whoever lands the result, in time or late, and is never
/// refunded; what a request brings beyond the other parts is added to it, as is what `addFee` brings. If
/// nothing is landed within 30 days of the deadline it can be taken back. The *callback part* pays for the
/// callback; it is refunded when the result is late or the callback cancelled. The *charge* is the
/// contract's owner's, for results in time.
interface ISubrosaOracle is IERC5267 {
    /// @notice A confidential contract was registered.
    event Registered(bytes32 indexed contractId, address indexed owner, bytes32 codeCommitment);

    /// @notice An entry was appended. With `contractId` this is the whole of `Entry`.
    /// @param previousDigest See `Entry.previousDigest`.
    /// @param context See `Entry.context`.
    /// @param execution See `Entry.execution`.
    /// @param settlement See `Entry.settlement`.
    /// @param payment See `Entry.payment`; its low 48 bits are the position in the log.
    /// @param refundTo See `Entry.refundTo`.
    /// @param input The bytes whose hash is `Entry.inputHash`; for entry 0 and upgrades the 32 bytes of
    /// the code commitment, which is the input hash itself.
    event EntryAppended(
        bytes32 indexed contractId,
        bytes32 previousDigest,
        bytes32 context,
        uint256 execution,
        uint256 settlement,
        uint256 payment,
        address refundTo,
        bytes input
    );

    /// @notice An entry was executed.
    /// @param outcome Packed, high to low: new commitment 160 (its first bits; `head` has all of them) ‖ status 8 ‖
    /// fuelBucket 8 ‖ outputLength 32 (with the flag for sealed logs; see `fulfill`) ‖ seq 48.
    /// @param data See `fulfill`.
    event EntryFulfilled(bytes32 indexed contractId, uint256 outcome, bytes data);

    /// @notice Items of a group were not applied.
    /// @param seq The first entry concerned.
    /// @param reason 1 already executed (later items of the group may still have been applied);
    /// 2 the group does not continue the head; 3 the entry is not on the log; 4 the contract asks for more
    /// signers, or signers of more kinds. For 2 to 4 the rest of the group was skipped.
    event ItemsSkipped(bytes32 indexed contractId, uint256 seq, uint8 reason);

    /// @notice The batch ended before this entry, for lack of gas. Nothing of it was consumed.
    /// @param requiredGas What must be left for the entry to be taken.
    event BatchEnded(bytes32 indexed contractId, uint256 seq, uint256 requiredGas);

    /// @notice Something is left to be done about an executed entry; see `retryCallback` and
    /// `refundExecuted`.
    /// @param flags Bit 0: a callback is due. Bit 1: what is held is for the refund's recipient.
    event EntryOutstanding(bytes32 indexed contractId, uint256 seq, uint8 flags, Outstanding outstanding);

    /// @notice A callback that was due was made.
    /// @param reward Wei credited to whoever made it.
    event CallbackMade(bytes32 indexed contractId, uint256 seq, address indexed maker, uint256 reward);

    /// @notice Parts of an entry's fee were returned.
    event Refunded(bytes32 indexed contractId, uint256 seq, address indexed recipient, uint256 amount);

    /// @notice An entry's callback was cancelled by its requester.
    event Cancelled(bytes32 indexed contractId, uint256 seq);

    /// @notice An entry's landing part was topped up.
    event FeeAdded(bytes32 indexed contractId, uint256 seq, address indexed payer, uint256 amount);

    /// @notice A payment could not be pushed and waits for `withdraw`.
    event PaymentDeferred(address indexed account, uint256 amount);

    /// @notice A waiting payment was taken.
    event Withdrawn(address indexed account, address indexed recipient, uint256 amount);

    /// @notice A contract's policy was changed.
    event PolicyChanged(bytes32 indexed contractId, Policy policy);

    /// @notice A caller was allowed to append requests to a restricted contract, or no longer.
    event CallerChanged(bytes32 indexed contractId, address indexed caller, bool allowed);

    /// @notice Other code was announced, or the announcement withdrawn (`codeCommitment` is zero). From
    /// `readyAt` (Unix seconds) on the owner can append the upgrade, for 30 days.
    event UpgradeAnnounced(bytes32 indexed contractId, bytes32 codeCommitment, uint48 readyAt);

    /// @notice A contract asks for this many signers of this many kinds from `from` (Unix seconds) on.
    event ThresholdChanged(bytes32 indexed contractId, uint8 signers, uint8 kinds, uint48 from);

    /// @notice A contract left its retired epoch for good: nothing of it will be executed any more.
    event Abandoned(bytes32 indexed contractId, uint32 keyGroup, uint32 keyEpoch);

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
    /// @notice The owner's charge, in gwei, is higher than the terms agree to: it was raised after the
    /// requester had looked.
    /// @custom:remedy Read the policy again and name a charge that is acceptable, or zero for any.
    error ChargeTooHigh(uint256 chargeGwei, uint256 maximumGwei);
    /// @notice The contract runs another version of its code than the terms name.
    /// @custom:remedy Look at the new code's commitment, and name its version or none.
    error OtherCode(bytes32 contractId, uint16 codeVersion);
    /// @notice The contract is in another key epoch than the terms name, so its enclaves could not open
    /// the input.
    /// @custom:remedy Encrypt anew for `keyEpoch`, once its keys are checked.
    error OtherEpoch(bytes32 contractId, uint32 keyEpoch);
    /// @notice The value sent does not cover the three parts of the fee at this block's base fee.
    /// @custom:remedy Send at least `required` wei. From a contract, read `quote` in the same transaction;
    /// from an account, leave room for the base fee to rise (12.5 percent a block), which goes to the
    /// landing part.
    error FeeTooLow(uint256 fee, uint256 required);
    /// @notice The value sent does not fit the 48 bits of a part of the fee in gwei.
    /// @custom:remedy Send less than 2^48 gwei.
    error FeeTooHigh(uint256 fee);
    /// @notice The value sent is not a whole number of gwei.
    /// @custom:remedy Round up to the next gwei, as `quote` does.
    error FeeNotInGwei(uint256 fee);
    /// @notice Nothing was sent to top an entry up by.
    /// @custom:remedy Send a gwei at least.
    error ZeroFee();
    /// @notice Fuel has no price.
    /// @custom:remedy Deploy the oracle with a price table in which some fuel is worth a gas.
    error ZeroFuelPerGas();
    /// @notice No requests were named.
    /// @custom:remedy Name one at least.
    error NoRequests();
    /// @notice No such profile.
    /// @custom:remedy Name one that `Registration` documents.
    error UnknownProfile(uint8 profile);
    /// @notice The log has taken all the entries it can number.
    /// @custom:remedy Register the contract anew; a log numbers 2^40 entries.
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
    /// @notice The upgrade was announced too long ago for anyone to expect it.
    /// @custom:remedy Announce it again.
    error UpgradeExpired(bytes32 contractId, uint256 expiredAt);
    /// @notice The contract's code never changes, and so its threshold never does.
    /// @custom:remedy Keep the threshold, or register a new contract.
    error ThresholdFixed(bytes32 contractId);
    /// @notice No more than 16 signers can sign, of no more kinds than signers.
    /// @custom:remedy Ask for fewer.
    error ThresholdTooHigh(uint8 signers, uint8 kinds);
    /// @notice The contract is not one that can be abandoned now.
    /// @custom:remedy Nothing needs doing while its epoch is not retired; one that is not registered to be
    /// abandoned is moved with `advanceEpoch`.
    error NotAbandonable(bytes32 contractId);
    /// @notice The code was changed as often as versions can be numbered.
    /// @custom:remedy Register a new contract; versions have 16 bits.
    error CodeVersionsExhausted(bytes32 contractId);
    /// @notice A contract moves to later runtime generations only.
    /// @custom:remedy Name a generation above `generation`, which the contract is in.
    error GenerationNotNewer(bytes32 contractId, uint16 generation);
    /// @notice The batch ends in the middle, goes on behind its end, has no item or no signature, or an item that
    /// claims more public output than it has data.
    /// @custom:remedy Pack the batch as `fulfill` says.
    /// @param position The byte of the batch from which on it does not decode.
    error MalformedBatch(uint256 position);
    /// @notice Further signers are not in ascending order, or one of them signed twice.
    /// @custom:remedy Sort the signatures after the first by the address of who made them.
    error SignersNotAscending(address signer);
    /// @notice The signature is malformed, or malleable (high s).
    /// @custom:remedy Pass the signature as the enclave made it (EIP-2098, low s).
    error InvalidSignature();
    /// @notice The entry given is not on the log.
    /// @custom:remedy Take the entry's fields from `EntryAppended`; after a reorganization another one may
    /// have its position.
    error EntryMismatch(bytes32 contractId, uint256 seq);
    /// @notice The deadline has not passed.
    /// @custom:remedy Try again after the deadline.
    error DeadlineNotPassed(uint256 deadline);
    /// @notice The entry was executed.
    /// @custom:remedy What is left of its fee, if it was late, is returned by `refundExecuted`; otherwise it
    /// was paid for the result, which `EntryFulfilled` carries.
    error AlreadyExecuted(bytes32 contractId, uint256 seq);
    /// @notice The parts of the fee that are asked for were returned.
    /// @custom:remedy Nothing is due: the money was pushed to the recipient or waits for its
    /// `withdraw`.
    error AlreadyRefunded(bytes32 contractId, uint256 seq);
    /// @notice There is nothing to return.
    /// @custom:remedy Nothing is due: the whole fee was for landing the result.
    error NothingToRefund(bytes32 contractId, uint256 seq);
    /// @notice The entry asks for no callback, or it was cancelled.
    /// @custom:remedy Nothing needs doing.
    error NothingToCancel(bytes32 contractId, uint256 seq);
    /// @notice Only the requester may do this.
    /// @custom:remedy Call it from the account that asked; a consumer does it for its users.
    error NotRequester(bytes32 contractId, uint256 seq);
    /// @notice Nothing is left to be done about this entry, or not with these values.
    /// @custom:remedy Take them from the newest `EntryOutstanding` of the entry; it may have been settled
    /// already.
    error NothingOutstanding(bytes32 contractId, uint256 seq);
    /// @notice The request wanted no callback after its deadline, and the time in which a failed one can
    /// be made is over.
    /// @custom:remedy Nothing can be called any more; read the output from `EntryFulfilled`.
    error CallbackExpired(bytes32 contractId, uint256 seq);
    /// @notice What is left of the fee is held for whoever makes the callback.
    /// @custom:remedy Have the callback made with `retryCallback`, or wait until `until` (Unix seconds).
    error HeldForCallback(uint256 until);
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
    /// is the fee for executing that entry; the lens says how much.
    /// @return contractId H["contract-id"](chainId, oracle, deployer, deployer's nonce).
    function register(Registration calldata registration) external payable returns (bytes32 contractId);

    /// @notice Appends a call to a contract's log. The value sent is the fee: at least what `quote` says in
    /// this block. What it is more is added to the landing part.
    /// @param contractId Whom to ask.
    /// @param context What the requester asserts about on whose behalf it asks; see `Entry`.
    /// @param terms Packed, high to low: executionFlags 8 ‖ settlementFlags 8 ‖ fuelLimit 64 ‖
    /// callbackGasLimit 32 ‖ deadline 48 ‖ outputLimit 24 ‖ keyEpoch 32 ‖ codeVersion 16 ‖ maximumCharge 20 ‖
    /// zero 4. Execution flag bit 0: the input is an envelope; bit 1: that envelope's key opens a session,
    /// which later envelopes name instead of carrying a key. Settlement flag bit 0: no callback after the
    /// deadline. outputLimit: bytes of public and sealed output together that are paid for.
    /// The last three fields hold the contract to what the requester saw, zero to anything: keyEpoch; the code
    /// version plus one; the largest charge, in gwei, as mantissa 15 ‖ decimal exponent 5. Without them the
    /// owner could raise the charge, or change code or epoch, before the request is mined.
    /// @param refundTo Whom refunds go to; zero for the sender.
    /// @param input The call, in the clear or as an envelope; at most 120 KiB.
    /// @return seq The entry's position in the log.
    function request(bytes32 contractId, bytes32 context, uint256 terms, address refundTo, bytes calldata input)
        external
        payable
        returns (uint48 seq);

    /// @notice Appends several calls to a contract's log, in order. The value sent is the sum of their fees;
    /// what it is more is added to the last one's landing part.
    /// @return first The first one's position in the log; the others follow it.
    function requestMany(bytes32 contractId, address refundTo, Call[] calldata calls)
        external
        payable
        returns (uint48 first);

    /// @notice What a request costs in this block, in wei, with fuel up to `PriceTable.includedFuel`.
    /// @dev In an `eth_call` many nodes set the base fee to zero: take it from the last block's header then and
    /// price it with the lens.
    /// @param inputLength Bytes.
    /// @param outputLength Bytes of public and sealed output, as in the terms.
    /// @param callbackGas The callback's gas limit; zero for none.
    function quote(bytes32 contractId, uint256 inputLength, uint256 outputLength, uint256 callbackGas)
        external
        view
        returns (uint256 fee);

    /// @notice The same for a request with this much fuel.
    function quote(
        bytes32 contractId,
        uint256 inputLength,
        uint256 outputLength,
        uint256 callbackGas,
        uint256 fuelLimit
    ) external view returns (uint256 fee);

    /// @notice Tops up the landing part of a pending entry, by the value sent, which is not zero. Anyone may. It is never
    /// refunded but where the landing part is.
    function addFee(Entry calldata entry) external payable;

    /// @notice Returns the callback part of a pending entry; there will be no callback. The entry is executed
    /// all the same, and the charge stays owed if that is in time. Only the requester.
    function cancel(Entry calldata entry) external;

    /// @notice Appends an entry that moves a contract to the newest epoch of its key group. Its input
    /// is abi.encode(uint32 previousEpoch, uint32 newEpoch, bytes32 epochRecord); its payment word
    /// names the new epoch. The value sent is the fee; the deadline is the policy's minimum. Only the
    /// owner; anyone once the contract's epoch is retired, if the contract is not to be abandoned then.
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

    /// @notice Gives up a contract that was registered to be abandoned once its epoch is retired, as it now is:
    /// it counts for the epoch no more and takes no requests. Anyone may.
    ///
    /// For an epoch that pending entries leave (`advanceEpoch`) it counts on until they are executed: have them first.
    function abandon(bytes32 contractId) external;

    /// @notice Applies a batch of signed results. Anyone may call it. What it earns is credited to the payee that
    /// the first signer named, or to the sender if that is zero, and waits for `withdraw`.
    ///
    /// Reverts if the batch is malformed, a signature is invalid or a signer may not sign results of the
    /// epoch. Apart from that every group stands for itself: items already executed are passed over, and an
    /// item that cannot be applied takes only the rest of its own group with it. A batch that was wholly
    /// applied before succeeds cheaply and changes nothing. When too little gas is left for an item, the
    /// batch ends before it.
    ///
    /// How a batch is packed; all numbers are big-endian, nothing is padded, and nothing follows the last
    /// group:
    ///
    /// batch = payee 20 ‖ keyGroup 4 ‖ keyEpoch 4 ‖ zero 3 ‖ number of signatures 1 (1 to 16) ‖ signatures ‖
    /// groups.
    ///
    /// signature = r 32 ‖ vs 32 (EIP-2098). The first is over `SignedResults`, the others over
    /// `CosignedResults`, in ascending order of their signers.
    ///
    /// group = contractId 32 ‖ start 32 ‖ previousDigest 31 ‖ number of items 1 (from 1) ‖ items.
    ///
    /// start = commitment 26 ‖ seq 6: the head this group continues, seq being the number of entries executed
    /// and so the position of the first item. For a stateless contract commitment and previousDigest are zero,
    /// and there is one item.
    ///
    /// item = executionHash 32 ‖ settlement 32 ‖ landing 6 ‖ callback 6 ‖ charge 6 ‖ result 32 ‖ dataLength 4 ‖
    /// data.
    ///
    /// result = new commitment 26 ‖ status 1 ‖ fuelBucket 1 ‖ outputLength 4, of which the highest bit says that
    /// the last 32 bytes of the data are the hash of the sealed logs. A hash of zero says that there are none, as the
    /// flag's absence does.
    ///
    /// data = public output (outputLength bytes) ‖ sealed output ‖ hash of the sealed logs, if any.
    /// @return executed How many entries were executed by this call.
    function fulfill(bytes calldata batch) external returns (uint256 executed);

    /// @notice Makes a callback that had failed, or that came due after its deadline, with all the gas there
    /// is, at least with what the request had named. Reverts if it fails again. Anyone may; within the grace
    /// period (`prices`) whoever makes it is credited what its gas costs at the block's base fee, out of what was held for
    /// that: nobody earns by having had it fail. The rest is the requester's (`refundExecuted`).
    ///
    /// A callback that the request wanted only before its deadline can be made in the grace period too, if
    /// the entry was executed in time.
    /// @param outstanding From `EntryOutstanding`.
    /// @param output The public output; from `EntryFulfilled`.
    function retryCallback(Entry calldata entry, Outstanding calldata outstanding, bytes calldata output) external;

    /// @notice Returns the callback part and the charge of an unexecuted entry once the deadline has passed.
    /// The entry stays on the log and will still be executed, for its landing part. Anyone may call it.
    function refund(Entry calldata entry) external;

    /// @notice Returns what is held of an executed entry's fee: at once if it was executed late, after the
    /// grace period if its callback failed. Anyone may call it.
    /// @param outstanding From `EntryOutstanding`.
    function refundExecuted(Entry calldata entry, Outstanding calldata outstanding) external;

    /// @notice Returns the whole fee of an entry, top-ups included, that is unexecuted 30 days after its
    /// deadline. The entry stays on the log; whoever still lands it earns nothing. Anyone may call it.
    function reclaim(Entry calldata entry) external;

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

    /// @notice Asks for more or fewer signers. More count at once, also for entries appended before; fewer once
    /// the contract's upgrade delay is over. If its code never changes, neither does its threshold: there would be no
    /// way back from one that no enclaves can meet. Only the owner. Requests are priced for each signature
    /// (`PriceTable.signature`), for fewer once this is called again after the delay.
    /// @param signers How many distinct signers, on distinct machines, must sign a result; at most 16.
    /// @param kinds How many kinds of TEE, admitted by separate routes, must be among them. Intel's TDX and SGX are two
    /// kinds: a machine that has both counts once, for the signer that comes first.
    function setThreshold(bytes32 contractId, uint8 signers, uint8 kinds) external;

    /// @notice A contract's head word; zero if there is no such contract, or nothing of it was executed.
    /// @return packed High to low: commitment 208 ‖ flags 8 ‖ seq 40. seq is the number of entries executed,
    /// commitment that to the state after them. Flags: bit 0 a pending entry's slot has a status; bit 1 the threshold is
    /// to be looked up; bit 2 the contract is stateless; bits 3 to 7 how many must sign, if that is all of the threshold. Of a stateless contract: zero 112 ‖ pending 64 ‖ keyEpoch 32 ‖ flags 8 ‖ zero 40;
    /// pending is how many pending entries are of its current epoch, which is keyEpoch.
    function head(bytes32 contractId) external view returns (uint256 packed);

    /// @notice A contract's log word; zero if there is no such contract.
    /// @return packed High to low: charge 20 (gwei, mantissa 15 ‖ decimal exponent 5) ‖ gasPriceFloor 16 (wei,
    /// mantissa 11 ‖ decimal exponent 5) ‖ baseFeeSixteenths 8 ‖ minimumDeadline 24 ‖ maximumCallbackGas 24 ‖
    /// flags 12 (bit 0 stateless, 1 restricted, 2 paused, 3 the last entry has a slot of its own, 4 a world, 5
    /// abandoned on retirement, 6 abandoned, 7 to 10 how many signatures beyond the first are priced) ‖ finalityClass 8 ‖ runtimeGeneration 16 ‖ codeVersion 16 ‖ keyEpoch 32
    /// ‖ keyGroup 32 ‖ nextSeq 48.
    function logOf(bytes32 contractId) external view returns (uint256 packed);

    /// @notice What is left to be done about an executed entry; zero for nothing.
    /// @return word See `Outstanding`; flags in the low byte as in `EntryOutstanding`.
    function outstandingOf(bytes32 contractId, uint256 seq) external view returns (bytes32 word);

    /// @notice The owner of a contract; zero if there is no such contract.
    function ownerOf(bytes32 contractId) external view returns (address);

    /// @notice A word of this contract's storage, for `SubrosaLens`, which has every other view.
    function extsload(bytes32 slot) external view returns (bytes32 word);

    /// @notice What waits for an account to withdraw, in wei.
    function balanceOf(address account) external view returns (uint256);

    /// @notice How much gas is what: a `PriceTable`, which the lens unpacks.
    /// @return packed High to low: landing 32 ‖ record 32 ‖ callback 32 ‖ signature 16 ‖ inputByte 16 ‖ outputByte 16 ‖
    /// includedFuel 48 ‖ fuelPerGas 32 ‖ grace 32.
    function prices() external view returns (uint256 packed);

    /// @notice The registry that says who may sign.
    function registry() external view returns (ISubrosaRegistry);
}
