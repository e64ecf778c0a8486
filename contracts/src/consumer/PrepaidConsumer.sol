// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../SubrosaConsumer.sol";
import {ISubrosaPrepaid} from "../interfaces/ISubrosaPrepaid.sol";

/// @title Base for consumers that draw on a prepaid account
/// @notice Users bring no ether. Whoever can ask spends the account's: decide who may, and how often, besides the
/// account's own limits.
abstract contract PrepaidConsumer is SubrosaConsumer {
    /// @notice Only the prepaid account sends ether here.
    /// @custom:remedy Deposit into the prepaid account instead.
    error NotFromPrepaid(address sender);

    receive() external payable {
        if (msg.sender != address(_prepaid())) revert NotFromPrepaid(msg.sender);
    }

    /// @dev The account to draw on.
    function _prepaid() internal view virtual returns (ISubrosaPrepaid);

    /// @dev Asks on behalf of `msg.sender`, at the account's expense. Not from a callback, where the sender is the
    /// oracle.
    /// @return seq The request's position in the contract's log.
    function _requestPrepaid(Ask memory ask, bytes memory input) internal returns (uint48 seq) {
        uint256 fee = _quote(ask, input.length);
        ISubrosaPrepaid account = _prepaid();
        account.draw(fee);
        return _requestFor(msg.sender, address(account), fee, ask, input);
    }
}
