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
/// requester, which is this contract: pushed if it has a `receive` function, else kept by the oracle
/// until this contract calls `_withdraw`. Passing refunds on to users is the inheriting contract's
/// task; it knows from the oracle's `Refunded` event, or from its own record of what it sent.
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

    /// @dev Asks on behalf of `msg.sender`.
    /// @return seq The request's position in the contract's log.
    function _request(Ask memory ask, bytes memory input) internal returns (uint48 seq) {
        bytes32 context = _context(msg.sender, _consumerStorage().nonces[msg.sender]++);
        uint256 terms = (ask.sealedInput ? 1 << 240 : 0) | (ask.opensSession ? 2 << 240 : 0)
            | (ask.callbackExpires ? 1 << 224 : 0) | uint256(ask.fuelLimit) << 160 | uint256(ask.callbackGasLimit)
            << 128 | uint256(ask.deadline) << 80;
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
