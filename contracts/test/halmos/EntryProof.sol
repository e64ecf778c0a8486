// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaRegistry} from "../../src/interfaces/ISubrosaRegistry.sol";
import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {FulfillmentGroup, FulfillmentItem} from "../support/Batches.sol";
import {AdmittingRegistry, OracleUnderProof} from "./OracleUnderProof.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Proofs about what becomes of one entry.
///
/// A digest is a hash without its low byte. That those do not collide either is assumed of every item
/// and claim in the entry's place: one with the entry's digest has its fields. Without that, anything
/// could be passed off as the entry, as halmos finds out at once.
abstract contract EntryProof is Symbolic {
    OracleUnderProof internal oracle;

    function _setUpOracle() internal {
        oracle = new OracleUnderProof(ISubrosaRegistry(address(new AdmittingRegistry())));
        vm.deal(address(oracle), 1 << 127);
        svm.enableSymbolicStorage(address(oracle));
    }

    /// @dev Puts a group in this entry's place: on its contract, with its number.
    function _aim(FulfillmentGroup memory group, Entry memory e) internal view returns (FulfillmentGroup memory) {
        group.start = group.start >> 48 << 48 | _seq(e);
        FulfillmentItem memory item = group.items[0];
        bytes32 executionHash = keccak256(abi.encode(e.context, e.inputHash, e.execution, e.refundTo));
        // Keys and number are none of the item's; whatever keys a batch names, the payment has the entry's or others.
        uint256 payment = item.payment >> 112 << 112 | uint112(e.payment);
        uint256 difference = uint256(group.previousDigest ^ e.previousDigest)
            | uint256(item.executionHash ^ executionHash) | (item.settlement ^ e.settlement) | (payment ^ e.payment);
        bytes32 digest = oracle.digest(e.contractId, group.previousDigest, item.executionHash, item.settlement, payment);
        vm.assume(_either(difference == 0, digest != oracle.digestOf(e)));
        return group;
    }

    /// @dev What anyone may say this entry is.
    function _anyClaim(Entry memory e) internal view returns (Entry memory claimed) {
        claimed = _anyEntry(address(uint160(e.settlement >> 96)));
        claimed.contractId = e.contractId;
        claimed.payment = claimed.payment >> 48 << 48 | _seq(e);
        uint256 difference = uint256(claimed.previousDigest ^ e.previousDigest) | uint256(claimed.context ^ e.context)
            | uint256(claimed.inputHash ^ e.inputHash) | (claimed.execution ^ e.execution)
            | (claimed.settlement ^ e.settlement) | (claimed.payment ^ e.payment)
            | uint256(uint160(claimed.refundTo) ^ uint160(e.refundTo));
        vm.assume(_either(difference == 0, oracle.digestOf(claimed) != oracle.digestOf(e)));
    }
}
