// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../../src/interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle, Policy} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry, Fulfillment} from "../../src/interfaces/SubrosaTypes.sol";

/// @notice Does its mischief in each callback and notes how it went. A failed attempt never makes the
/// callback fail, so that everything it did stays.
abstract contract Reenterer is ISubrosaConsumer {
    ISubrosaOracle internal immutable oracle;
    uint256 public callbacks;
    /// Attempts that did not revert.
    uint256 public successes;
    /// Attempts that did.
    uint256 public refusals;

    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    function onSubrosaResult(bytes32, uint256, uint8, bytes calldata) external {
        ++callbacks;
        _mischief();
    }

    function _mischief() internal virtual;

    function _try(uint256 value, bytes memory call) internal {
        (bool success,) = address(oracle).call{value: value}(call);
        if (success) ++successes;
        else ++refusals;
    }

    receive() external payable {}
}

/// @notice Submits the very batch it is called back from, twice.
contract FulfillReenterer is Reenterer {
    bytes private batch;

    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function arm(Fulfillment calldata f) external {
        batch = abi.encodeCall(ISubrosaOracle.fulfill, (f));
    }

    function _mischief() internal override {
        _try(0, batch);
        _try(0, batch);
    }
}

/// @notice Appends to the log that is being executed.
contract RequestReenterer is Reenterer {
    bytes32 private immutable target;
    uint256 private immutable terms;
    uint256 private immutable fee;

    constructor(ISubrosaOracle oracle_, bytes32 target_, uint256 terms_, uint256 fee_) payable Reenterer(oracle_) {
        (target, terms, fee) = (target_, terms_, fee_);
    }

    function _mischief() internal override {
        _try(fee, abi.encodeCall(ISubrosaOracle.request, (target, bytes32(0), terms, "from within")));
    }
}

/// @notice Asks for its money back for the entry whose result it is being told, and for others.
contract RefundReenterer is Reenterer {
    bytes[] private attempts;

    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function arm(Entry calldata entry) external {
        attempts.push(abi.encodeCall(ISubrosaOracle.refund, (entry)));
    }

    function _mischief() internal override {
        for (uint256 i = 0; i < attempts.length; ++i) {
            _try(0, attempts[i]);
            _try(0, attempts[i]);
        }
    }
}

/// @notice Refuses its first callback, then has it made again from within the second.
contract RetryReenterer is Reenterer {
    bytes private retry;
    bool private willing;

    error FirstTimeNever();

    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function arm(bytes32 contractId, uint256 seq, uint256 settlement, uint8 status, bytes calldata output) external {
        retry = abi.encodeCall(ISubrosaOracle.retryCallback, (contractId, seq, settlement, status, output));
    }

    function relent() external {
        willing = true;
    }

    function _mischief() internal override {
        if (!willing) revert FirstTimeNever();
        _try(0, retry);
    }
}

/// @notice Draws out what waits for it while it is being called back, and again while it is paid.
contract WithdrawReenterer is Reenterer {
    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function _mischief() internal override {
        Purse purse = new Purse(oracle);
        _try(0, abi.encodeCall(ISubrosaOracle.withdraw, (payable(address(purse)))));
        _try(0, abi.encodeCall(ISubrosaOracle.withdraw, (payable(address(purse)))));
    }
}

/// @notice Takes money, and on doing so asks for more.
contract Purse {
    ISubrosaOracle private immutable oracle;

    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    receive() external payable {
        (bool success,) = address(oracle).call(abi.encodeCall(ISubrosaOracle.withdraw, (payable(address(this)))));
        require(!success, "nothing is this account's own");
    }
}

/// @notice Owns a contract and turns its policy inside out while one of its entries is executed.
contract PolicyReenterer is Reenterer {
    bytes32 private target;

    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function accept(bytes32 contractId) external {
        target = contractId;
        oracle.acceptOwnership(contractId);
    }

    function _mischief() internal override {
        Policy memory policy = Policy(type(uint40).max, type(uint24).max, 0, true, true);
        _try(0, abi.encodeCall(ISubrosaOracle.setPolicy, (target, policy)));
        _try(0, abi.encodeCall(ISubrosaOracle.transferOwnership, (target, address(1))));
    }
}
