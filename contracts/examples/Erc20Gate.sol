// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SubrosaConsumer} from "@subrosa/contracts/src/SubrosaConsumer.sol";
import {Asks} from "@subrosa/contracts/src/consumer/Asks.sol";
import {Results} from "@subrosa/contracts/src/consumer/Results.sol";
import {ISubrosaOracle} from "@subrosa/contracts/src/interfaces/ISubrosaOracle.sol";
import {PriceSlot} from "@subrosa/contracts/src/libraries/PriceSlot.sol";

/// @title Gate by ERC-20: questions at a price in tokens
/// @notice Whoever asks deposits the price. An answer earns it for the treasury; a request that fails,
/// is rejected or misses its deadline returns it. Holding tokens alone would be no gate: a flash loan
/// holds them too, and the same tokens can pass through many accounts.
///
/// What is sold is an answer in time. One that comes after the deadline is on chain all the same, for
/// whoever can read it, and its price may be back with the depositor by then: the log goes on whether
/// or not anyone was paid. The oracle takes no request whose fee does not pay for an answer, so nobody gets one late by
/// paying too little. Where a late answer must not be had for nothing, keep its price:
/// leave out `reclaim`, and let the callback not expire.
///
/// Nothing is transferred in the callback, so no token and no recipient can make it fail. For tokens
/// that arrive in full, as those with a fee on transfer do not.
contract TokenGate is SubrosaConsumer {
    using Asks for SubrosaConsumer.Ask;
    using SafeERC20 for IERC20;

    struct Deposit {
        address depositor;
        /// Unix seconds after which no callback can come any more.
        uint48 over;
    }

    uint64 private constant FUEL = 1_000_000;
    uint32 private constant CALLBACK_GAS = 80_000;
    uint48 private constant ANSWER_WITHIN = 1 hours;
    uint24 private constant OUTPUT = 1024;

    bytes32 public immutable confidential;
    IERC20 public immutable token;
    uint256 public immutable price;
    address public immutable treasury;

    /// @notice Prices waiting for an answer.
    mapping(uint256 seq => Deposit) public deposits;
    /// @notice Tokens that an account may collect.
    mapping(address account => uint256) public owed;

    event Settled(uint256 seq, address indexed to);

    error NoDeposit(uint256 seq);
    error StillDue(uint256 until);

    constructor(
        ISubrosaOracle oracle_,
        bytes32 confidential_,
        IERC20 token_,
        uint256 price_,
        address treasury_
    ) SubrosaConsumer(oracle_) {
        confidential = confidential_;
        token = token_;
        price = price_;
        treasury = treasury_;
    }

    /// @notice Asks, for the price in tokens, which the sender has approved. The value sent pays the
    /// oracle; what is not needed comes back at once.
    /// @param keyEpoch The epoch the envelope is encrypted for.
    /// @param maximumChargeGwei The largest charge that its sender agrees to.
    function ask(bytes calldata envelope, uint32 keyEpoch, uint64 maximumChargeGwei)
        external
        payable
        returns (uint48 seq)
    {
        token.safeTransferFrom(msg.sender, address(this), price);
        Ask memory what = Asks.envelope(confidential).fuel(FUEL).output(OUTPUT).timelyCallback(CALLBACK_GAS);
        what = what.within(ANSWER_WITHIN).inEpoch(keyEpoch).chargedAtMost(maximumChargeGwei);
        // The sender is called with what it paid too much, so the deposit is there before.
        uint48 next = uint48(oracle.logOf(confidential));
        // A callback that failed can be made in the oracle's grace period.
        deposits[next] = Deposit(msg.sender, what.deadline + uint48(PriceSlot.wrap(oracle.prices()).grace()));
        seq = _requestPaying(what, envelope);
        if (seq != next) revert NoDeposit(seq);
    }

    /// @notice Returns the price of a request that got no answer in time, once no callback can come any more: a late
    /// one is none, and one that failed can be made for as long as the oracle's grace period.
    function reclaim(uint256 seq) external {
        Deposit memory deposit = deposits[seq];
        if (deposit.depositor == address(0)) revert NoDeposit(seq);
        if (block.timestamp <= deposit.over) revert StillDue(deposit.over);
        _settle(seq, deposit.depositor);
    }

    /// @notice Takes what is owed to the sender.
    function collect() external returns (uint256 amount) {
        amount = owed[msg.sender];
        owed[msg.sender] = 0;
        token.safeTransfer(msg.sender, amount);
    }

    function _onResult(bytes32, uint256 seq, uint8 status, bytes calldata) internal override {
        address depositor = deposits[seq].depositor;
        if (depositor == address(0)) revert NoDeposit(seq);
        _settle(seq, Results.succeeded(status) ? treasury : depositor);
    }

    function _settle(uint256 seq, address to) private {
        delete deposits[seq];
        owed[to] += price;
        emit Settled(seq, to);
    }
}
