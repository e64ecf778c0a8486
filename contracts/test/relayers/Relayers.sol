// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";
import {Fulfillment} from "../../src/interfaces/SubrosaTypes.sol";

/// @notice Gives each batch a gas limit of its choice and carries on if that fails.
contract StarvingRelayer {
    function submit(ISubrosaOracle oracle, Fulfillment calldata f, uint256 gasLimit)
        external
        returns (bool success, uint256 executed)
    {
        try oracle.fulfill{gas: gasLimit}(f) returns (uint256 count) {
            return (true, count);
        } catch {
            return (false, 0);
        }
    }

    function starveRetry(
        ISubrosaOracle oracle,
        bytes32 contractId,
        uint256 seq,
        uint256 settlement,
        bytes calldata output,
        uint256 gasLimit
    ) external returns (bool success) {
        try oracle.retryCallback{gas: gasLimit}(contractId, seq, settlement, 1, output) {
            return true;
        } catch {
            return false;
        }
    }

    receive() external payable {}
}

/// @notice Submits the same batch several times within one transaction.
contract DoubleSubmitter {
    function submit(ISubrosaOracle oracle, Fulfillment calldata f, uint256 times)
        external
        returns (uint256[] memory executed)
    {
        executed = new uint256[](times);
        for (uint256 i = 0; i < times; ++i) {
            executed[i] = oracle.fulfill(f);
        }
    }

    receive() external payable {}
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

    function submit(Fulfillment calldata f) external returns (uint256) {
        again = abi.encodeCall(ISubrosaOracle.fulfill, (f));
        return oracle.fulfill(f);
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

/// @notice Draws its deferred payment out, and while being paid draws again.
contract GreedyWithdrawer {
    ISubrosaOracle private immutable oracle;
    bool private open;
    uint256 public refusals;

    error Closed();

    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    function submit(Fulfillment calldata f) external returns (uint256) {
        return oracle.fulfill(f);
    }

    function collect() external returns (uint256) {
        open = true;
        return oracle.withdraw(payable(address(this)));
    }

    receive() external payable {
        if (!open) revert Closed();
        try oracle.withdraw(payable(address(this))) {}
        catch {
            ++refusals;
        }
    }
}

/// @notice Burns all the gas that comes with its payment.
contract GuzzlingRelayer {
    bool private sober;

    function submit(ISubrosaOracle oracle, Fulfillment calldata f, uint256 gasLimit)
        external
        returns (bool success, uint256 executed)
    {
        try oracle.fulfill{gas: gasLimit}(f) returns (uint256 count) {
            return (true, count);
        } catch {
            return (false, 0);
        }
    }

    function collect(ISubrosaOracle oracle, address payable recipient) external returns (uint256) {
        return oracle.withdraw(recipient);
    }

    receive() external payable {
        while (!sober) {}
    }
}

/// @notice Returns 256 kB on being paid, for whoever copies it.
contract BombingRelayer {
    function submit(ISubrosaOracle oracle, Fulfillment calldata f) external returns (uint256) {
        return oracle.fulfill(f);
    }

    receive() external payable {
        assembly ("memory-safe") {
            return(0, 48000)
        }
    }
}
