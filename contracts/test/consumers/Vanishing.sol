// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";

/// @notice Destroys itself when called back, its money going to the oracle that called: a balance
/// that nobody is owed.
contract SelfDestructor {
    constructor() payable {}

    fallback() external payable {
        selfdestruct(payable(msg.sender));
    }
}

/// @notice Asks and is gone: in the transaction that made it, so that its code is really deleted.
contract OneTransactionRequester {
    constructor(ISubrosaOracle oracle, bytes32 contractId, uint256 terms) payable {
        oracle.request{value: msg.value}(contractId, bytes32(0), terms, address(0), "some input");
        selfdestruct(payable(address(0xdead)));
    }
}

/// @notice Reverts whatever is called, and takes no money.
contract Reverter {
    error Never();

    fallback() external payable {
        revert Never();
    }
}

/// @notice Takes callbacks, but no money: refunds wait until it withdraws them.
contract EtherRefuser {
    error NoMoney();

    uint256 public callbacks;

    function onSubrosaResult(bytes32, uint256, uint8, bytes calldata) external {
        ++callbacks;
    }

    function collect(ISubrosaOracle oracle, address payable recipient) external returns (uint256) {
        return oracle.withdraw(recipient);
    }

    receive() external payable {
        revert NoMoney();
    }
}
