// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../../src/interfaces/ISubrosaConsumer.sol";

/// @notice Fails if and only if it gets less gas than its request named: were there a gas limit at
/// which a relayer can make it fail, its callback would be marked as failed.
contract StarvationAlarm is ISubrosaConsumer {
    /// What the call itself takes to get to the first line.
    uint256 private constant ENTRY_GAS = 1500;
    uint256 private immutable promised;

    error Starved(uint256 available);

    constructor(uint256 promised_) {
        promised = promised_;
    }

    function onSubrosaResult(bytes32, uint256, uint8, bytes calldata) external view {
        uint256 available = gasleft();
        if (available < promised - ENTRY_GAS) revert Starved(available);
        // Use up most of the rest too: whoever comes after must not depend on it.
        while (gasleft() > 3000) {}
    }
}

/// @notice Does its work in an inner call and swallows that call's failure, as careless consumers do:
/// with too little gas the work is lost, and nobody sees a failed callback.
contract SwallowingConsumer is ISubrosaConsumer {
    uint256 public done;
    uint256 public lost;
    mapping(uint256 => uint256) private ledger;

    function onSubrosaResult(bytes32, uint256 seq, uint8, bytes calldata) external {
        // Leaves just enough to note the outcome.
        try this.work{gas: gasleft() - 50_000}(seq) {
            ++done;
        } catch {
            ++lost;
        }
    }

    /// @dev Some 113,000 gas.
    function work(uint256 seq) external {
        for (uint256 i = 0; i < 5; ++i) {
            ledger[seq * 5 + i] = 1;
        }
    }
}

/// @notice Lets an inner call burn all it has, catches that, and reverts with what is left.
contract RevertAfterOutOfGas is ISubrosaConsumer {
    error CaughtOutOfGas();

    function onSubrosaResult(bytes32, uint256, uint8, bytes calldata) external view {
        try this.burn() {}
        catch {
            revert CaughtOutOfGas();
        }
    }

    function burn() external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Burns everything it gets in an endless loop, leaving nothing to its caller.
contract GasBurner is ISubrosaConsumer {
    function onSubrosaResult(bytes32, uint256, uint8, bytes calldata) external pure {
        while (true) {}
    }
}

/// @notice Expands memory as far as its gas goes, then returns or reverts with all of it.
contract MemoryBomb {
    bool private immutable reverts;

    constructor(bool reverts_) {
        reverts = reverts_;
    }

    fallback() external payable {
        bool bad = reverts;
        assembly ("memory-safe") {
            // 3 gas a word and words^2 / 512: 8,000 words are some 149,000.
            if bad { revert(0, 256000) }
            return(0, 256000)
        }
    }
}
