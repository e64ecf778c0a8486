// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "./interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle} from "./interfaces/ISubrosaOracle.sol";
import {Terms} from "./consumer/Terms.sol";

/// @title Base for contracts that ask confidential contracts, at their users' expense
/// @notice `_requestPaying` asks on behalf of `msg.sender`, which it puts into the request's context with a
/// nonce, and takes the fee from the value sent; `_onResult` receives the answer. A contract that pays itself
/// inherits `FundedConsumer`.
///
/// A user who sends an envelope reads `nextContext` first and encrypts for exactly that context. The
/// envelope then opens for nobody else, and once: copied from the mempool and sent by another account
/// it has another context.
///
/// Funds. The request is given exactly what it costs in this block (`_quote`); what the user sent beyond that is
/// returned at once. Refunds go straight to the user. What a request costs is the contract's owner's to say, also
/// while it waits to be mined: the price of gas has a floor without a bound, which goes to whoever lands the
/// result, the owner's own node for one. So the value sent is the most that a user can lose: little more than
/// it costs, not a round number.
///
/// Value. `msg.value` reads the same however often it is used, also in every call that a `multicall` of this contract
/// makes by `delegatecall`. Requests use a value once, as many of them as it covers; more is refused rather than taken
/// from what this contract holds for others. What its other functions use is not seen: have no payable multicall
/// beside them.
///
/// Charge, code and epoch. A contract's owner can raise the charge, change the code, or move to another epoch, while a
/// request waits to be mined: the last has an envelope rejected and paid for. `maximumChargeGwei`, `codeVersion`
/// and `keyEpoch` refuse the request instead. Take them from the user, who knows what the envelope was made for;
/// read on chain they say nothing.
///
/// Callbacks. Whoever lands a result chooses what else its transaction does before and after the callback, as
/// with any transaction: it can be called from inside a call that this contract made, while this contract is
/// in the middle of something, and what the callback changes can be used in the same transaction. So record the
/// answer in `_onResult` and let users act on it in a transaction of their own; never trade on it at whatever price
/// there is in that moment. A callback that reverts, as behind a lock, is not lost: anyone can make it
/// again for at least the oracle's grace period, also after the deadline of a request with
/// `callbackExpires`: such a request is over at `deadline` plus that period.
abstract contract SubrosaConsumer is ISubrosaConsumer {
    /// @custom:storage-location erc7201:subrosa.storage.Consumer
    struct ConsumerStorage {
        mapping(address user => uint256) nonces;
    }

    /// @notice What to ask, and on which terms; see `ISubrosaOracle.request`.
    struct Ask {
        bytes32 contractId;
        /// Whether `input` is an envelope rather than a call in the clear.
        bool sealedInput;
        /// Whether that envelope's key opens a session, for later envelopes to name.
        bool opensSession;
        /// Whether the callback is unwanted after the deadline.
        bool callbackExpires;
        uint64 fuelLimit;
        /// Zero for no callback.
        uint32 callbackGasLimit;
        /// Unix seconds.
        uint48 deadline;
        /// Bytes of public and sealed output together that are paid for.
        uint24 outputLimit;
        /// The largest charge agreed to, if `boundsCharge`; kept as four to five digits, rounded up.
        bool boundsCharge;
        uint64 maximumChargeGwei;
        /// The key epoch that `input` was made for; zero for any.
        uint32 keyEpoch;
        /// The version of the code that is meant, if `pinsCode`.
        bool pinsCode;
        uint16 codeVersion;
    }

    /// keccak256(abi.encode(uint256(keccak256("subrosa.storage.Consumer")) - 1)) & ~0xff (ERC-7201)
    bytes32 private constant LOCATION = 0x088b0e6d0698416f5fc758cd1cd879846bdbc86233a6c3991fa7cdc89bdceb00;

    /// @notice The oracle that is asked and that calls back.
    ISubrosaOracle public immutable oracle;

    /// @dev Who paid for the last request in this transaction, and what this contract then had that is not that one's
    /// to ask with.
    address private transient _payer;
    uint256 private transient _others;

    /// @notice Somebody other than the oracle called back.
    /// @custom:remedy Nothing needs doing: only the oracle delivers results.
    error NotOracle(address caller);
    /// @notice The oracle cannot be the zero address.
    /// @custom:remedy Pass the oracle's address on this chain.
    error ZeroOracle();
    /// @notice The request would be on behalf of the oracle: it was made in a callback, where the sender
    /// is no user.
    /// @custom:remedy From `_onResult`, ask with `_requestFor` and name the user.
    error OracleIsNoUser();
    /// @notice The value sent is less than the request costs in this block.
    /// @custom:remedy Send at least `required` wei, with room for the base fee to rise; what is not needed comes
    /// back.
    error ValueTooLow(uint256 value, uint256 required);
    /// @notice Requests before this one left less of the value sent.
    /// @custom:remedy Give each request of a call its part of the value. Rather than through a multicall, or after a
    /// payout by this contract, ask in a transaction of its own.
    error ValueUsed(uint256 value, uint256 left);
    /// @notice The request costs more in this block than whoever pays is ready to.
    /// @custom:remedy Wait for the base fee to fall, or allow more, should the contract's owner not have raised the
    /// price on purpose.
    error FeeTooHigh(uint256 fee, uint256 maximum);
    /// @notice The sender did not take back what it sent too much.
    /// @custom:remedy Send exactly what the request costs, or from an account that accepts a plain transfer.
    error ChangeRefused(address sender);

    /// @param oracle_ The oracle on this chain; fixed for good.
    constructor(ISubrosaOracle oracle_) {
        if (address(oracle_) == address(0)) revert ZeroOracle();
        oracle = oracle_;
    }

    /// @inheritdoc ISubrosaConsumer
    function onSubrosaResult(bytes32 contractId, uint256 seq, uint8 status, bytes calldata output) external {
        if (msg.sender != address(oracle)) revert NotOracle(msg.sender);
        _onResult(contractId, seq, status, output);
    }

    /// @notice The context of the user's next request: address (160 bits) ‖ nonce (96 bits).
    function nextContext(address user) public view returns (bytes32) {
        return _context(user, _consumerStorage().nonces[user]);
    }

    /// @dev Receives the answer to request `seq`, from the oracle, with the gas the request named. If
    /// it reverts, the log moves on all the same and anyone may have the call made again.
    function _onResult(bytes32 contractId, uint256 seq, uint8 status, bytes calldata output) internal virtual;

    /// @dev What a request costs in this block, in wei.
    function _quote(Ask memory ask, uint256 inputLength) internal view returns (uint256 fee) {
        return oracle.quote(ask.contractId, inputLength, ask.outputLimit, ask.callbackGasLimit, ask.fuelLimit);
    }

    /// @dev The same, if that is no more than `maximum` wei. What pays from a balance asks this: the owner's floor on
    /// the price of gas can make a request cost any amount, and `maximumChargeGwei` bounds the charge alone.
    function _quoteAtMost(Ask memory ask, uint256 inputLength, uint256 maximum) internal view returns (uint256 fee) {
        fee = _quote(ask, inputLength);
        if (fee > maximum) revert FeeTooHigh(fee, maximum);
    }

    /// @dev Asks on behalf of `msg.sender`, who pays with the value sent, gets back what of it is not needed, and
    /// gets the refunds. Not from a callback, where the sender is the oracle. The sender is called: do this
    /// last, or behind a lock. For more than one request in a call, see the form below.
    /// @return seq The request's position in the contract's log.
    function _requestPaying(Ask memory ask, bytes memory input) internal returns (uint48 seq) {
        return _requestPaying(ask, input, msg.value);
    }

    /// @dev Asks with a part of the value sent, and returns what of that part is not needed.
    /// @param value Wei. All parts of what was sent with one call are together no more than that, or this reverts.
    /// @return seq The request's position in the contract's log.
    function _requestPaying(Ask memory ask, bytes memory input, uint256 value) internal returns (uint48 seq) {
        uint256 left = _unusedValue();
        if (value > left) revert ValueUsed(value, left);
        uint256 fee = _quote(ask, input.length);
        if (value < fee) revert ValueTooLow(value, fee);
        seq = _requestFor(msg.sender, msg.sender, fee, ask, input);
        if (value != fee) {
            (bool taken,) = msg.sender.call{value: value - fee}("");
            if (!taken) revert ChangeRefused(msg.sender);
        }
        _leaveUnused(left - value);
    }

    /// @dev Asks on behalf of `user`, as from a callback or for a relayed message, with `fee` wei of this contract's.
    /// The confidential contract believes it: name only whom this contract knows to want this, never whom a
    /// caller names.
    /// @param refundTo Whom refunds go to; zero for this contract.
    /// @return seq The request's position in the contract's log.
    function _requestFor(address user, address refundTo, uint256 fee, Ask memory ask, bytes memory input)
        internal
        returns (uint48 seq)
    {
        if (user == address(oracle)) revert OracleIsNoUser();
        bytes32 context = _context(user, _consumerStorage().nonces[user]++);
        return oracle.request{value: fee}(ask.contractId, context, Terms.pack(ask), refundTo, input);
    }

    /// @dev What of the value sent no request used. It is what this contract has beyond what it had before the value
    /// came, or when the sender's last request in this transaction left nothing.
    function _unusedValue() private view returns (uint256) {
        uint256 others = _payer == msg.sender ? _others : 0;
        uint256 balance = address(this).balance;
        if (balance > msg.value && balance - msg.value > others) others = balance - msg.value;
        return balance > others ? balance - others : 0;
    }

    /// @dev Whatever came in or went out while the sender was called is not the sender's to ask with.
    function _leaveUnused(uint256 left) private {
        (_payer, _others) = (msg.sender, address(this).balance - left);
    }

    function _context(address user, uint256 nonce) private pure returns (bytes32) {
        return bytes32(uint256(uint160(user)) << 96 | uint96(nonce));
    }

    function _consumerStorage() private pure returns (ConsumerStorage storage $) {
        bytes32 location = LOCATION;
        assembly ("memory-safe") {
            $.slot := location
        }
    }
}
