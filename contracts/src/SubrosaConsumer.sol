// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "./interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle} from "./interfaces/ISubrosaOracle.sol";

/// @title Base for contracts that ask confidential contracts
/// @notice `_request` asks on behalf of `msg.sender`, which it puts into the request's context with a
/// nonce; `_onResult` receives the answer.
///
/// A user who sends an envelope reads `nextContext` first and encrypts for exactly that context. The
/// envelope then opens for nobody else, and once: copied from the mempool and sent by another account
/// it has another context.
///
/// Funds. `_request` forwards the fee it is told, from this contract's balance. A refund goes to the
/// requester, which is this contract, never straight to the user: pushed if it has a `receive`
/// function, else kept by the oracle until anyone calls `withdrawRefunds`, which sends it where the
/// inheriting contract says with `_refundRecipient`. **Where users bring the fee (`paying(msg.value)`),
/// inherit `RefundingConsumer` and ask with `_requestRefundable`**: it remembers who paid and hands the
/// refund back to that account. This base is for contracts that pay the fees themselves.
///
/// Charge and epoch. A contract's owner can raise the charge, or move to another epoch, while a
/// request waits to be mined: the first makes less of the fee refundable, the second has an envelope
/// rejected and paid for. `maximumChargeGwei` and `keyEpoch` refuse the request instead. Take them
/// from the user, who knows what the envelope was made for; read on chain they say nothing.
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
        /// Wei to send along.
        uint256 fee;
        /// The largest execution charge agreed to; zero for any.
        uint40 maximumChargeGwei;
        /// The key epoch that `input` was made for; zero for any.
        uint32 keyEpoch;
    }

    /// keccak256(abi.encode(uint256(keccak256("subrosa.storage.Consumer")) - 1)) & ~0xff (ERC-7201)
    bytes32 private constant LOCATION = 0x088b0e6d0698416f5fc758cd1cd879846bdbc86233a6c3991fa7cdc89bdceb00;

    /// @notice The oracle that is asked and that calls back.
    ISubrosaOracle public immutable oracle;

    /// @notice Somebody other than the oracle called back.
    /// @custom:remedy Nothing needs doing: only the oracle delivers results.
    error NotOracle(address caller);
    /// @notice The oracle cannot be the zero address.
    /// @custom:remedy Pass the oracle's address on this chain.
    error ZeroOracle();
    /// @notice The request would be on behalf of the oracle: it was made in a callback, where the sender
    /// is no user.
    /// @custom:remedy From `_onResult`, ask with `_requestFor` or `_requestRefundableFor` and name the user.
    error OracleIsNoUser();

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

    /// @notice Sends the refunds that the oracle keeps for this contract to whom it names for that. Anyone
    /// may call it.
    /// @return amount In wei.
    function withdrawRefunds() external returns (uint256 amount) {
        return _withdraw(_refundRecipient());
    }

    /// @notice The context of the user's next request: address (160 bits) ‖ nonce (96 bits).
    function nextContext(address user) public view returns (bytes32) {
        return _context(user, _consumerStorage().nonces[user]);
    }

    /// @dev Receives the answer to request `seq`, from the oracle, with the gas the request named. If
    /// it reverts, the log moves on all the same and anyone may have the call made again.
    function _onResult(bytes32 contractId, uint256 seq, uint8 status, bytes calldata output) internal virtual;

    /// @dev Where refunds go that the oracle could not push: who pays the fees, a treasury for one. This
    /// contract itself only if it has a `receive` function.
    function _refundRecipient() internal view virtual returns (address payable);

    /// @dev Asks on behalf of `msg.sender`, at this contract's expense: the sender gets no refund; see
    /// above. Not from a callback, where the sender is the oracle.
    /// @return seq The request's position in the contract's log.
    function _request(Ask memory ask, bytes memory input) internal returns (uint48 seq) {
        return _requestFor(msg.sender, ask, input);
    }

    /// @dev Asks on behalf of `user`, as from a callback or for a relayed message. The confidential
    /// contract believes it: name only whom this contract knows to want this, never whom a caller names.
    /// @return seq The request's position in the contract's log.
    function _requestFor(address user, Ask memory ask, bytes memory input) internal returns (uint48 seq) {
        if (user == address(oracle)) revert OracleIsNoUser();
        bytes32 context = _context(user, _consumerStorage().nonces[user]++);
        uint256 terms = (ask.sealedInput ? 1 << 240 : 0) | (ask.opensSession ? 2 << 240 : 0)
            | (ask.callbackExpires ? 1 << 224 : 0) | uint256(ask.fuelLimit) << 160 | uint256(ask.callbackGasLimit)
            << 128 | uint256(ask.deadline) << 80 | uint256(ask.maximumChargeGwei) << 40 | uint256(ask.keyEpoch) << 8;
        return oracle.request{value: ask.fee}(ask.contractId, context, terms, input);
    }

    /// @dev Takes refunds that the oracle could not push. `recipient` may be this contract only if it
    /// has a `receive` function.
    function _withdraw(address payable recipient) internal returns (uint256 amount) {
        return oracle.withdraw(recipient);
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
