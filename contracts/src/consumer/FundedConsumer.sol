// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../SubrosaConsumer.sol";

/// @title Base for contracts that ask at their own expense
/// @notice Requests are paid from this contract's balance, exactly what they cost, up to what the inheriting contract
/// allows for each. Refunds go where it says.
abstract contract FundedConsumer is SubrosaConsumer {
    /// @notice Takes refunds that the oracle could not push to this contract, and sends them to whom it names for
    /// that. Anyone may call it.
    /// @return amount In wei.
    function withdrawRefunds() external returns (uint256 amount) {
        return oracle.withdraw(_refundRecipient());
    }

    /// @dev Where refunds go: who pays the fees, a treasury for one. This contract itself only if it has a
    /// `receive` function.
    function _refundRecipient() internal view virtual returns (address payable);

    /// @dev Asks on behalf of `msg.sender`, at this contract's expense. Not from a callback, where the sender is the
    /// oracle.
    /// @param maximumFee What this contract is ready to pay, in wei. Take it from whoever looks after its balance:
    /// without a bound, the confidential contract's owner takes all of it with one request, see `_quoteAtMost`.
    /// @return seq The request's position in the contract's log.
    function _request(Ask memory ask, bytes memory input, uint256 maximumFee) internal returns (uint48 seq) {
        uint256 fee = _quoteAtMost(ask, input.length, maximumFee);
        return _requestFor(msg.sender, _refundRecipient(), fee, ask, input);
    }
}
