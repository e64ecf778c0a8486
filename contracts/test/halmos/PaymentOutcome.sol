// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {FulfillmentGroup} from "../support/Batches.sol";
import {EntryProof} from "./EntryProof.sol";
import {Payee} from "./Payee.sol";

/// @notice An entry's fee has one outcome: whoever lands the entry has its landing part, and the callback part if it
/// makes the callback in time; its requester has charge and callback part back, if it is late, or neither.
///
/// Bounds: any entry that is pending and not refunded, on a log of either kind, with any other storage
/// whatever; any two operations out of `fulfill` and `refund` at any two times, one after the other or
/// the second from inside the first, with any arguments that name this entry (its contract and
/// number). Batches of one item without public output. The requester takes money and
/// callbacks, refuses them, or reenters once.
contract PaymentOutcomeProof is EntryProof {
    Payee private payee;

    function setUp() public {
        _setUpOracle();
        payee = new Payee();
    }

    function check_fulfill_then_fulfill() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _both(_batch(e), _batch(e));
        _judge(e, relayed, returned);
    }

    function check_fulfill_then_refund() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _both(_batch(e), _claim(e));
        _judge(e, relayed, returned);
    }

    function check_refund_then_fulfill() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _both(_claim(e), _batch(e));
        _judge(e, relayed, returned);
    }

    function check_refund_then_refund() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _both(_claim(e), _claim(e));
        _judge(e, relayed, returned);
    }

    function check_fulfill_inside_fulfill() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _nested(_batch(e), _batch(e));
        _judge(e, relayed, returned);
    }

    function check_refund_inside_fulfill() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _nested(_batch(e), _claim(e));
        _judge(e, relayed, returned);
    }

    function check_fulfill_inside_refund() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _nested(_claim(e), _batch(e));
        _judge(e, relayed, returned);
    }

    function check_refund_inside_refund() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _nested(_claim(e), _claim(e));
        _judge(e, relayed, returned);
    }

    function check_a_full_payment_is_reachable() public {
        Entry memory e = _pending();
        (uint256 relayed,) = _both(_batch(e), _claim(e));
        assert(relayed != _landing(e) + _callback(e) || relayed == 0);
    }

    function check_a_refund_and_then_a_landing_is_reachable() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _both(_claim(e), _batch(e));
        assert(relayed == 0 || returned == 0);
    }

    function check_a_landing_inside_a_refund_is_reachable() public {
        Entry memory e = _pending();
        (uint256 relayed, uint256 returned) = _nested(_claim(e), _batch(e));
        assert(relayed == 0 || returned == 0);
    }

    function _judge(Entry memory e, uint256 relayed, uint256 returned) private pure {
        assert(_either(returned == 0, returned == _callback(e) + _charge(e)));
        // What a failed callback burned is a share of its part.
        uint256 most = _landing(e) + (_callback(e) & _mask(returned == 0));
        assert(_either(relayed == 0, relayed >= _landing(e) && relayed <= most));
    }

    function _pending() private returns (Entry memory e) {
        e = _anyEntry(address(payee));
        oracle.putEntry(e, 0);
        vm.assume(uint40(oracle.headWord(e.contractId)) <= _seq(e));
        vm.assume(oracle.addedTo(e.contractId, _seq(e)) == 0);
    }

    /// @dev A message to the oracle: any batch of one item in this entry's place.
    function _batch(Entry memory e) private view returns (bytes memory) {
        FulfillmentGroup memory group = _plainGroup(e.contractId, 1, address(payee));
        group.items[0].settlement = _anySettlement(address(payee));
        return abi.encodeCall(ISubrosaOracle.fulfill, (_anyBatch(_aim(group, e))));
    }

    /// @dev A message to the oracle: a refund of any entry in this one's place.
    function _claim(Entry memory e) private view returns (bytes memory) {
        return abi.encodeCall(ISubrosaOracle.refund, (_anyClaim(e)));
    }

    function _both(bytes memory first, bytes memory second) private returns (uint256 relayed, uint256 returned) {
        payee.refuse(svm.createBool("refusing"));
        (uint256 relayer, uint256 requester) = (_wealth(RELAYER), _wealth(address(payee)));
        _later();
        _send(first);
        _later();
        _send(second);
        unchecked {
            return (_wealth(RELAYER) - relayer, _wealth(address(payee)) - requester);
        }
    }

    /// @dev The sender inside is the payee, so that what it earns there counts as the relayer's.
    function _nested(bytes memory outer, bytes memory inner) private returns (uint256 relayed, uint256 returned) {
        Courier courier = new Courier();
        payee.arm(address(courier), abi.encodeCall(Courier.send, (address(oracle), inner)));
        (uint256 relayer, uint256 requester) = (_wealth(RELAYER), _wealth(address(payee)));
        uint256 other = _wealth(address(courier));
        _later();
        _send(outer);
        unchecked {
            uint256 carried = _wealth(address(courier)) - other;
            return (_wealth(RELAYER) - relayer + carried, _wealth(address(payee)) - requester);
        }
    }

    function _send(bytes memory message) private {
        vm.prank(RELAYER);
        (bool done,) = address(oracle).call(message);
        done;
    }

    function _wealth(address account) private view returns (uint256) {
        unchecked {
            return account.balance + oracle.balanceOf(account);
        }
    }
}

/// @notice Sends a message on, as a relayer of its own.
contract Courier {
    receive() external payable {}

    function send(address to, bytes calldata message) external {
        (bool done,) = to.call(message);
        done;
    }
}
