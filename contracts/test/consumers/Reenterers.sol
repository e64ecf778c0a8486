// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../../src/interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle, Policy} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../../src/interfaces/SubrosaTypes.sol";

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

    function arm(bytes calldata batch_) external {
        batch = abi.encodeCall(ISubrosaOracle.fulfill, (batch_));
    }

    function _mischief() internal override {
        _try(0, batch);
        _try(0, batch);
    }
}

/// @notice Appends to the log that is being executed, as often as it is told.
contract RequestReenterer is Reenterer {
    bytes32 private immutable target;
    uint256 private immutable terms;
    uint256 private immutable fee;
    uint256 private immutable times;

    constructor(ISubrosaOracle oracle_, bytes32 target_, uint256 terms_, uint256 fee_, uint256 times_)
        payable
        Reenterer(oracle_)
    {
        (target, terms, fee, times) = (target_, terms_, fee_, times_);
    }

    function _mischief() internal override {
        for (uint256 i = 0; i < times; ++i) {
            _try(fee, abi.encodeCall(ISubrosaOracle.request, (target, bytes32(0), terms, address(0), "from within")));
        }
    }
}

/// @notice Makes calls to the oracle that it was given, each twice: about the entry whose result it is being told,
/// and about others.
contract RefundReenterer is Reenterer {
    bytes[] private attempts;

    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function arm(Entry calldata entry) external {
        attempts.push(abi.encodeCall(ISubrosaOracle.refund, (entry)));
    }

    function armCancel(Entry calldata entry) external {
        attempts.push(abi.encodeCall(ISubrosaOracle.cancel, (entry)));
    }

    function armReclaim(Entry calldata entry) external {
        attempts.push(abi.encodeCall(ISubrosaOracle.reclaim, (entry)));
    }

    function _mischief() internal override {
        for (uint256 i = 0; i < attempts.length; ++i) {
            _try(0, attempts[i]);
            _try(0, attempts[i]);
        }
    }
}

/// @notice Refuses its first callback, then has it made again, or its rest returned, from within the second.
contract RetryReenterer is Reenterer {
    bytes private retry;
    bytes private claim;
    bool private willing;

    error FirstTimeNever();

    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function arm(Entry calldata entry, Outstanding calldata left, bytes calldata output) external {
        retry = abi.encodeCall(ISubrosaOracle.retryCallback, (entry, left, output));
        claim = abi.encodeCall(ISubrosaOracle.refundExecuted, (entry, left));
    }

    function relent() external {
        willing = true;
    }

    function _mischief() internal override {
        if (!willing) revert FirstTimeNever();
        _try(0, retry);
        _try(0, claim);
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

/// @notice Owns a contract and turns its policy inside out while one of its entries is executed; raises the threshold
/// too, and offers the contract away.
contract PolicyReenterer is Reenterer {
    bytes32 private target;

    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function accept(bytes32 contractId) external {
        target = contractId;
        oracle.acceptOwnership(contractId);
    }

    function _mischief() internal override {
        Policy memory policy = Policy(200_000 ether / 1 gwei, 255, type(uint64).max, type(uint24).max, 0, true, true);
        _try(0, abi.encodeCall(ISubrosaOracle.setPolicy, (target, policy)));
        _try(0, abi.encodeCall(ISubrosaOracle.transferOwnership, (target, address(1))));
    }
}

/// @notice Owns a contract and asks for more signers from within a callback.
contract ThresholdReenterer is Reenterer {
    bytes32 private target;

    constructor(ISubrosaOracle oracle_) Reenterer(oracle_) {}

    function accept(bytes32 contractId) external {
        target = contractId;
        oracle.acceptOwnership(contractId);
    }

    function _mischief() internal override {
        _try(0, abi.encodeCall(ISubrosaOracle.setThreshold, (target, 2, 0)));
    }
}

/// @notice Tops pending entries up from within a callback, the one whose result it is told among them.
contract TopUpReenterer is Reenterer {
    bytes[] private attempts;

    constructor(ISubrosaOracle oracle_) payable Reenterer(oracle_) {}

    function arm(Entry calldata entry) external {
        attempts.push(abi.encodeCall(ISubrosaOracle.addFee, (entry)));
    }

    function _mischief() internal override {
        for (uint256 i = 0; i < attempts.length; ++i) {
            _try(1 gwei, attempts[i]);
        }
    }
}
