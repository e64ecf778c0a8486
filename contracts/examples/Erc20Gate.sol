// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SubrosaConsumer} from "@subrosa/contracts/src/SubrosaConsumer.sol";
import {Asks} from "@subrosa/contracts/src/consumer/Asks.sol";
import {RefundingConsumer} from "@subrosa/contracts/src/consumer/RefundingConsumer.sol";
import {Results} from "@subrosa/contracts/src/consumer/Results.sol";
import {ISubrosaOracle} from "@subrosa/contracts/src/interfaces/ISubrosaOracle.sol";

/// @title Gate by ERC-20: questions at a price in tokens
/// @notice Whoever asks deposits the price. An answer earns it for the treasury; a request that fails,
/// is rejected or misses its deadline returns it. Holding tokens alone would be no gate: a flash loan
/// holds them too, and the same tokens can pass through many accounts.
///
/// What is sold is an answer in time. One that comes after the deadline is on chain all the same, for
/// whoever can read it, and its price may be back with the depositor by then: the log goes on whether
/// or not anyone was paid. Nobody hurries for a fee that does not pay for the gas, so whoever sends too
/// little on purpose may get an answer free of charge, late. `leastFee` is there against that; choose
/// one that relayers gladly take. Where a late answer must not be had for nothing, keep its price:
/// leave out `reclaim`, and let the callback not expire.
///
/// Nothing is transferred in the callback, so no token and no recipient can make it fail. For tokens
/// that arrive in full, as those with a fee on transfer do not.
contract TokenGate is RefundingConsumer {
    using Asks for SubrosaConsumer.Ask;
    using SafeERC20 for IERC20;

    struct Deposit {
        address depositor;
        uint48 deadline;
    }

    uint64 private constant FUEL = 1_000_000;
    uint32 private constant CALLBACK_GAS = 80_000;
    uint48 private constant ANSWER_WITHIN = 1 hours;

    bytes32 public immutable confidential;
    IERC20 public immutable token;
    uint256 public immutable price;
    address public immutable treasury;
    /// @notice The least fee for the oracle, in wei; see above.
    uint256 public immutable leastFee;

    /// @notice Prices waiting for an answer.
    mapping(uint256 seq => Deposit) public deposits;
    /// @notice Tokens that an account may collect.
    mapping(address account => uint256) public owed;

    event Settled(uint256 seq, address indexed to);

    error FeeTooSmall(uint256 fee, uint256 least);
    error NoDeposit(uint256 seq);
    error StillDue(uint256 deadline);

    constructor(
        ISubrosaOracle oracle_,
        bytes32 confidential_,
        IERC20 token_,
        uint256 price_,
        address treasury_,
        uint256 leastFee_
    ) SubrosaConsumer(oracle_) {
        confidential = confidential_;
        token = token_;
        price = price_;
        treasury = treasury_;
        leastFee = leastFee_;
    }

    /// @notice Asks, for the price in tokens, which the sender has approved. The value sent is the fee.
    /// @param keyEpoch The epoch the envelope is encrypted for.
    /// @param maximumChargeGwei The largest execution charge that its sender agrees to.
    function ask(bytes calldata envelope, uint32 keyEpoch, uint40 maximumChargeGwei)
        external
        payable
        returns (uint48 seq)
    {
        if (msg.value < leastFee) revert FeeTooSmall(msg.value, leastFee);
        token.safeTransferFrom(msg.sender, address(this), price);
        Ask memory what = Asks.envelope(confidential).fuel(FUEL).timelyCallback(CALLBACK_GAS).within(ANSWER_WITHIN);
        what = what.inEpoch(keyEpoch).chargedAtMost(maximumChargeGwei);
        seq = _requestRefundable(what.paying(msg.value), envelope);
        deposits[seq] = Deposit(msg.sender, what.deadline);
    }

    /// @notice Returns the price of a request that got no answer in time. The callback expires with the
    /// deadline, so none can come any more.
    function reclaim(uint256 seq) external {
        Deposit memory deposit = deposits[seq];
        if (deposit.depositor == address(0)) revert NoDeposit(seq);
        if (block.timestamp <= deposit.deadline) revert StillDue(deposit.deadline);
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
