// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaGuest} from "../../../../contracts/src/guest/SubrosaGuest.sol";

/// A confidential contract for tests: one number, and ways to misbehave.
contract Vault {
    error Refused(uint256 reason);

    uint256 private _value;
    mapping(uint256 => uint256) private _log;
    uint256 private _calls;

    constructor(uint256 initial) {
        require(initial != 13, "unlucky");
        _value = initial;
    }

    function add(uint256 amount) external returns (uint256) {
        _value += amount;
        _log[_calls++] = amount;
        return _value;
    }

    function value() external view returns (uint256) {
        return _value;
    }

    function refuse(uint256 reason) external {
        _value = 0;
        revert Refused(reason);
    }

    function spin() external {
        while (true) {
            _value++;
        }
    }

    function who() external view returns (address sender, bytes32 context, uint256 time, uint256 number) {
        return (msg.sender, SubrosaGuest.context(), block.timestamp, block.number);
    }

    function dice() external view returns (bytes memory) {
        return SubrosaGuest.randomBytes(32, "");
    }
}
