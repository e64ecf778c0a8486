// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What the `Vault` of the tests is upgraded to: the same storage, and the number of the version.
contract Successor {
    uint256 private _value;
    mapping(uint256 => uint256) private _log;
    uint256 private _calls;

    constructor(uint256 bonus) {
        require(bonus != 13, "unlucky");
        _value += bonus;
    }

    function add(uint256 amount) external returns (uint256) {
        _value += 10 * amount;
        _log[_calls++] = amount;
        return _value;
    }

    function value() external view returns (uint256) {
        return _value;
    }

    function calls() external view returns (uint256) {
        return _calls;
    }
}
