// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice A requester that takes payments and callbacks, refuses them, or makes a call of its own
/// meanwhile.
contract Payee {
    bool private refusing;
    address private target;
    bytes private message;

    function refuse(bool refusing_) external {
        refusing = refusing_;
    }

    /// @notice Makes this call, once, when next called.
    function arm(address target_, bytes calldata message_) external {
        (target, message) = (target_, message_);
    }

    receive() external payable {
        _react();
    }

    fallback() external payable {
        _react();
    }

    function _react() private {
        if (refusing) revert();
        address to = target;
        if (to == address(0)) return;
        target = address(0);
        // It may fail.
        (bool done,) = to.call(message);
        done;
    }
}
