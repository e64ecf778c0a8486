// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Fulfillment, FulfillmentGroup, FulfillmentItem} from "../interfaces/SubrosaTypes.sol";
import {Anchors} from "../libraries/Anchors.sol";
import {BatchCalldata} from "../libraries/BatchCalldata.sol";
import {PaymentWord, ResultWord, SettlementWord} from "../libraries/EntryWords.sol";
import {HeadSlot} from "../libraries/HeadSlot.sol";
import {Callbacks} from "./Callbacks.sol";
import {Escrow} from "./Escrow.sol";
import {Logs} from "./Logs.sol";
import {OracleStorage} from "./OracleStorage.sol";
import {SignedResults} from "./SignedResults.sol";

/// @title Applying signed results
/// @notice Reentrancy needs no guard. An item counts only while its group's cursor equals the stored
/// head, the head is moved before the item's callback, and both are read anew for the next item; so
/// whatever a callback does to this contract, each entry is executed, paid for and called back once.
abstract contract Fulfillments is SignedResults, Logs, Escrow, Callbacks {
    using BatchCalldata for FulfillmentGroup[];
    using BatchCalldata for FulfillmentGroup;
    using BatchCalldata for FulfillmentItem[];
    using BatchCalldata for FulfillmentItem;
    using BatchCalldata for bytes;

    /// @dev Reasons of `ItemsSkipped`.
    uint8 private constant ALREADY_EXECUTED = 1;
    uint8 private constant WRONG_HEAD = 2;
    uint8 private constant UNKNOWN_ENTRY = 3;
    uint8 private constant WRONG_EPOCH = 4;

    /// @dev What applying groups has come to.
    struct Progress {
        /// Items executed.
        uint256 executed;
        /// Wei that the sender has earned.
        uint256 earned;
        /// Whether gas ran low.
        bool ended;
    }

    /// @inheritdoc ISubrosaOracle
    function fulfill(Fulfillment calldata fulfillment) external returns (uint256 executed) {
        Anchors.check(fulfillment.anchorNumber, fulfillment.anchorHash);
        (bytes32[] memory digests, address signer) = _recover(fulfillment);
        registry.checkSigner(signer, fulfillment.keyGroup, fulfillment.keyEpoch);

        uint256 keys = uint256(fulfillment.keyGroup) << 32 | fulfillment.keyEpoch;
        Progress memory progress;
        uint256 first;
        FulfillmentGroup[] calldata groups = fulfillment.groups;
        for (uint256 g = 0; g < groups.length && !progress.ended; ++g) {
            FulfillmentGroup calldata group = groups.nth(g);
            _applyGroup(group, digests, first, keys, progress);
            unchecked {
                first += group.itemsOf().length;
            }
        }
        if (progress.earned != 0) _pay(msg.sender, progress.earned);
        return progress.executed;
    }

    /// @dev Applies as many of a group's items as continue the head.
    /// @param first Where the digests of the group's items start in `digests`.
    function _applyGroup(
        FulfillmentGroup calldata group,
        bytes32[] memory digests,
        uint256 first,
        uint256 keys,
        Progress memory progress
    ) private {
        OracleStorage.Layout storage $ = OracleStorage.load();
        bytes32 contractId = group.contractId;
        // Only a stateful log has a head, from its first execution on, so the log's word is read only
        // for a new log and a stateless one.
        OracleStorage.Head storage stored = $.heads[contractId];
        if (stored.word.isZero() && $.logs[contractId].isStateless()) {
            _applyStateless(group, digests, first, keys, progress);
            return;
        }

        FulfillmentItem[] calldata items = group.itemsOf();
        HeadSlot cursor = HeadSlot.wrap(group.start);
        uint256 known = 0;
        bool announced = false;
        for (uint256 i = 0; i < items.length; ++i) {
            FulfillmentItem calldata item = items.nth(i);
            HeadSlot next = cursor.advance(ResultWord.wrap(item.result).newCommitment());
            HeadSlot head = stored.word;

            if (!head.equals(cursor)) {
                if (head.seq() <= cursor.seq()) {
                    emit ItemsSkipped(contractId, cursor.seq(), WRONG_HEAD);
                    return;
                }
                if (!announced) {
                    emit ItemsSkipped(contractId, cursor.seq(), ALREADY_EXECUTED);
                    announced = true;
                }
                cursor = next;
                continue;
            }

            if (known == 0) known = _known(group, digests, first, i);
            if (i >= known) {
                emit ItemsSkipped(contractId, cursor.seq(), UNKNOWN_ENTRY);
                return;
            }
            if (PaymentWord.wrap(item.payment).keys() != keys) {
                emit ItemsSkipped(contractId, cursor.seq(), WRONG_EPOCH);
                return;
            }
            if (_lacksGas(contractId, cursor.seq(), item, progress)) return;

            stored.word = next;
            _settle(contractId, cursor.seq(), item, progress);
            cursor = next;
        }
    }

    /// @dev Applies a group of a stateless contract: one entry, in no order, marked in its own slot.
    /// Further items are skipped, as their digests are chained and so never on such a log.
    function _applyStateless(
        FulfillmentGroup calldata group,
        bytes32[] memory digests,
        uint256 first,
        uint256 keys,
        Progress memory progress
    ) private {
        OracleStorage.Layout storage $ = OracleStorage.load();
        bytes32 contractId = group.contractId;
        FulfillmentItem[] calldata items = group.itemsOf();
        HeadSlot cursor = HeadSlot.wrap(group.start);

        for (uint256 i = 0; i < items.length; ++i) {
            FulfillmentItem calldata item = items.nth(i);
            uint256 seq = cursor.seq();
            bytes32 slot = $.entries[contractId][seq];

            if (OracleStorage.digestOf(slot) != digests[first + i]) {
                emit ItemsSkipped(contractId, seq, UNKNOWN_ENTRY);
                return;
            }
            if (slot & OracleStorage.EXECUTED != 0) {
                emit ItemsSkipped(contractId, seq, ALREADY_EXECUTED);
            } else if (PaymentWord.wrap(item.payment).keys() != keys) {
                emit ItemsSkipped(contractId, seq, WRONG_EPOCH);
                return;
            } else {
                if (_lacksGas(contractId, seq, item, progress)) return;
                $.entries[contractId][seq] = slot | OracleStorage.EXECUTED;
                _settle(contractId, seq, item, progress);
            }
            cursor = cursor.advance(ResultWord.wrap(item.result).newCommitment());
        }
    }

    /// @dev How many of a group's items are on the log for certain: up to the last whose digest is
    /// stored. Digests chain, so that one slot vouches for every item before it, and as a rule it is
    /// the group's last, one slot for the whole group. Zero if there is none from item `from` on.
    function _known(FulfillmentGroup calldata group, bytes32[] memory digests, uint256 first, uint256 from)
        private
        view
        returns (uint256 known)
    {
        mapping(uint256 => bytes32) storage entries = OracleStorage.load().entries[group.contractId];
        uint256 start = HeadSlot.wrap(group.start).seq();
        for (known = group.itemsOf().length; known > from; --known) {
            bytes32 slot = entries[start + known - 1];
            if (OracleStorage.digestOf(slot) == digests[first + known - 1]) return known;
        }
        return 0;
    }

    /// @dev Ends the batch if less gas is left than the item may need.
    function _lacksGas(bytes32 contractId, uint256 seq, FulfillmentItem calldata item, Progress memory progress)
        private
        returns (bool)
    {
        uint256 required = _requiredGas(SettlementWord.wrap(item.settlement), item.dataOf().length);
        if (gasleft() >= required) return false;
        emit BatchEnded(contractId, seq, required);
        progress.ended = true;
        return true;
    }

    /// @dev Credits the fee of an item just marked as executed, and makes its callback.
    function _settle(bytes32 contractId, uint256 seq, FulfillmentItem calldata item, Progress memory progress) private {
        SettlementWord settlement = SettlementWord.wrap(item.settlement);
        PaymentWord payment = PaymentWord.wrap(item.payment);
        bool late = settlement.isLate();
        // Before the deadline nothing can have been refunded, and the slot need not be read.
        bool refunded = late && OracleStorage.load().entries[contractId][seq] & OracleStorage.REFUNDED != 0;
        unchecked {
            progress.earned += refunded ? payment.executionCharge() : payment.fee();
            ++progress.executed;
        }

        bytes calldata data = item.dataOf();
        emit EntryFulfilled(contractId, seq, item.result, data);
        if (settlement.callbackGasLimit() != 0 && !(late && settlement.callbackExpires())) {
            ResultWord result = ResultWord.wrap(item.result);
            _callBack(contractId, seq, settlement, result.status(), data.slice(0, result.outputLength()));
        }
    }
}
