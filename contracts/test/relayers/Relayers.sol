// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../../src/interfaces/SubrosaTypes.sol";

/// @notice Gives each batch a gas limit of its choice and carries on if that fails.
contract StarvingRelayer {
    function submit(ISubrosaOracle oracle, bytes calldata batch, uint256 gasLimit)
        external
        returns (bool success, uint256 executed)
    {
        try oracle.fulfill{gas: gasLimit}(batch) returns (uint256 count) {
            return (true, count);
        } catch {
            return (false, 0);
        }
    }

    function starveRetry(
        ISubrosaOracle oracle,
        Entry calldata entry,
        Outstanding calldata left,
        bytes calldata output,
        uint256 gasLimit
    ) external returns (bool success) {
        try oracle.retryCallback{gas: gasLimit}(entry, left, output) {
            return true;
        } catch {
            return false;
        }
    }
}

/// @notice Submits the same batch several times within one transaction.
contract DoubleSubmitter {
    function submit(ISubrosaOracle oracle, bytes calldata batch, uint256 times)
        external
        returns (uint256[] memory executed)
    {
        executed = new uint256[](times);
        for (uint256 i = 0; i < times; ++i) {
            executed[i] = oracle.fulfill(batch);
        }
    }
}

/// @notice On being paid submits its batch again, and asks for money that does not wait for it.
contract ReentrantRelayer {
    ISubrosaOracle private immutable oracle;
    bytes private again;
    uint256 public executedAgain;
    bool public withdrew;

    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    function submit(bytes calldata batch) external returns (uint256) {
        again = abi.encodeCall(ISubrosaOracle.fulfill, (batch));
        return oracle.fulfill(batch);
    }

    function collect(address payable recipient) external returns (uint256) {
        return oracle.withdraw(recipient);
    }

    receive() external payable {
        (bool success, bytes memory result) = address(oracle).call(again);
        if (success) executedAgain += abi.decode(result, (uint256));
        (withdrew,) = address(oracle).call(abi.encodeCall(ISubrosaOracle.withdraw, (payable(address(this)))));
    }
}

/// @notice Draws its payment out, and while being paid draws again.
contract GreedyWithdrawer {
    ISubrosaOracle private immutable oracle;
    uint256 public refusals;

    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    function submit(bytes calldata batch) external returns (uint256) {
        return oracle.fulfill(batch);
    }

    function collect() external returns (uint256) {
        return oracle.withdraw(payable(address(this)));
    }

    receive() external payable {
        try oracle.withdraw(payable(address(this))) {}
        catch {
            ++refusals;
        }
    }
}

/// @notice Locks a consumer, lands its result from inside the consumer's own call, so that its callback fails, and
/// makes the callback itself afterwards.
contract Saboteur {
    ISubrosaOracle private immutable oracle;
    bytes private batch;

    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    function arm(bytes calldata batch_) external {
        batch = batch_;
    }

    function makeAnew(Entry calldata entry, Outstanding calldata left, bytes calldata output) external {
        oracle.retryCallback(entry, left, output);
    }

    /// @notice A payout that hands over control.
    receive() external payable {
        if (batch.length != 0) oracle.fulfill(batch);
    }
}
