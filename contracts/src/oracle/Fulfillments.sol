// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaConsumer} from "../interfaces/ISubrosaConsumer.sol";
import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Outstanding} from "../interfaces/SubrosaTypes.sol";
import {Batch, Group, Item} from "../libraries/Batch.sol";
import {PaymentWord, ResultWord, SettlementWord} from "../libraries/EntryWords.sol";
import {HeadSlot} from "../libraries/HeadSlot.sol";
import {Quorum} from "../libraries/Quorum.sol";
import {Words} from "../libraries/Words.sol";
import {Callbacks} from "./Callbacks.sol";
import {Logs} from "./Logs.sol";
import {OracleStorage} from "./OracleStorage.sol";
import {SignedResults} from "./SignedResults.sol";
import {Slots} from "./Slots.sol";
import {Thresholds} from "./Thresholds.sol";

/// @title Applying signed results
/// @notice Reentrancy needs no guard. An item counts only while its group's cursor equals the stored
/// head, the head is moved before the item's callback, and both are read anew for the next item; so
/// whatever a callback does to this contract, each entry is executed, paid for and called back once.
abstract contract Fulfillments is SignedResults, Logs, Thresholds, Callbacks {
    using Words for bytes32[];

    /// @dev Reasons of `ItemsSkipped`.
    uint8 private constant ALREADY_EXECUTED = 1;
    uint8 private constant WRONG_HEAD = 2;
    uint8 private constant UNKNOWN_ENTRY = 3;
    uint8 private constant TOO_FEW_SIGNERS = 4;

    /// @dev Stands for where the next group starts when gas ran low: behind every batch.
    uint256 private constant ENDED = type(uint256).max;

    /// @dev What applying groups has come to, and the item that is being applied. One for a batch: a pointer is
    /// cheaper to hand on than what it points at.
    struct Work {
        /// Who signed.
        Quorum quorum;
        /// keyGroup 32 ‖ keyEpoch 32, of all items' entries.
        uint256 keys;
        /// The digests of all items' entries.
        bytes32[] digests;
        /// Items executed.
        uint256 executed;
        /// Gwei that the payee has earned.
        uint256 earned;
        /// Gwei that the owner of the group's contract has earned.
        uint256 charged;
        bytes32 contractId;
        uint256 seq;
        bytes32 digest;
        /// Of the entry's slot.
        bytes32 status;
        SettlementWord settlement;
        ResultWord result;
        Item item;
    }

    /// @inheritdoc ISubrosaOracle
    function fulfill(bytes calldata batch) external returns (uint256 executed) {
        Reading memory reading = _open(batch);
        Work memory work;
        bytes32 resultsHash;
        (work.digests, resultsHash) = _hash(reading);
        work.quorum = _signers(registry, reading, resultsHash);
        work.keys = reading.keys;

        uint256 first = 0;
        uint256 offset = reading.groups;
        while (offset < reading.end) {
            Group group = Group.wrap(offset);
            offset = _applyGroup(group, first, work);
            if (work.charged != 0) {
                _credit(OracleStorage.load().owners[group.contractId()], work.charged);
                work.charged = 0;
            }
            unchecked {
                first += group.count();
            }
        }
        if (work.earned != 0) _credit(reading.payee == address(0) ? msg.sender : reading.payee, work.earned);
        return work.executed;
    }

    /// @dev Applies as many of a group's items as continue the head.
    /// @param first Where the digests of the group's items start.
    /// @return offset Where the next group starts.
    function _applyGroup(Group group, uint256 first, Work memory work) private returns (uint256 offset) {
        unchecked {
            bytes32 id = group.contractId();
            OracleStorage.Head storage stored = OracleStorage.load().heads[id];
            HeadSlot head = stored.word;
            if (head.isStateless()) return _applyStateless(group, first, work);
            uint256 end = first + group.count();
            uint256 cursor = group.start();
            uint256 known = 0;
            bool announced = false;
            offset = Item.unwrap(group.first());
            for (uint256 i = first; i != end; ++i) {
                // A callback may have moved it.
                if (i != first) head = stored.word;
                Item item = Item.wrap(offset);
                uint256 length = item.dataLength();
                uint256 next = offset + Batch.ITEM + length;
                uint256 advanced = uint256(item.result().newCommitment()) | uint48(cursor + 1);
                // As a rule nothing else has to be looked up.
                bool flagged = HeadSlot.unwrap(head) != cursor;
                if (flagged && !head.isAt(cursor)) {
                    if (head.seq() <= uint48(cursor)) return _skip(id, uint48(cursor), item, WRONG_HEAD, end - i);
                    if (!announced) emit ItemsSkipped(id, uint48(cursor), ALREADY_EXECUTED);
                    announced = true;
                } else {
                    if (known == 0) known = _known(id, uint48(cursor), work.digests, i, end);
                    if (i >= known) return _skip(id, uint48(cursor), item, UNKNOWN_ENTRY, end - i);
                    SettlementWord settlement = item.settlement();
                    bool leaves = settlement.leavesEpoch();
                    uint256 gasLimit = leaves ? 0 : settlement.callbackGasLimit();
                    if (_lacksGas(id, uint48(cursor), length, gasLimit)) return ENDED;
                    if (flagged || leaves || settlement.isLate()) {
                        _load(id, item, uint48(cursor), i, work);
                        // What a slot held before another item's callback need not be what it holds now.
                        if (head.isMarked()) (, work.status) = Slots.find(id, work.seq, work.digest);
                        if (head.hasThreshold() && !_suffices(work, head)) {
                            return _skip(id, work.seq, item, TOO_FEW_SIGNERS, end - i);
                        }
                        stored.word = _next(work, head);
                        _settle(work);
                    } else {
                        stored.word = HeadSlot.wrap(advanced);
                        _settleSwiftly(id, i, item, settlement, uint48(cursor), work);
                    }
                }
                cursor = advanced;
                offset = next;
            }
        }
    }

    /// @dev `_settle` of an entry in time whose slot has no status: what nearly all of them are.
    function _settleSwiftly(
        bytes32 id,
        uint256 index,
        Item item,
        SettlementWord settlement,
        uint256 seq,
        Work memory work
    ) private {
        unchecked {
            PaymentWord fee = item.fee();
            uint256 gasLimit = settlement.callbackGasLimit();
            (bool made, uint256 used) = _announce(id, seq, item, settlement.requester(), gasLimit);
            uint256 earned = fee.landing();
            if (gasLimit != 0) {
                if (made) {
                    earned += fee.callback();
                } else {
                    _load(id, item, seq, index, work);
                    earned += _keepCallback(work, fee.callback(), used);
                }
            }
            work.earned += earned;
            work.charged += fee.charge();
            ++work.executed;
        }
    }

    /// @dev Applies a group of a stateless contract: one entry, in no order, marked in its own slot. Digests of such
    /// are not chained, so further items are not on the log.
    /// @return offset Where the next group starts.
    function _applyStateless(Group group, uint256 first, Work memory work) private returns (uint256 offset) {
        bytes32 id = group.contractId();
        Item item = group.first();
        _load(id, item, uint48(group.start()), first, work);
        (uint256 position, bytes32 slot) = Slots.find(id, work.seq, work.digest);
        work.status = slot;
        if (slot == 0 || group.count() != 1) return _skip(id, work.seq, item, UNKNOWN_ENTRY, group.count());
        if (slot & Slots.EXECUTED != 0) return _skip(id, work.seq, item, ALREADY_EXECUTED, 1);
        OracleStorage.Head storage stored = OracleStorage.load().heads[id];
        HeadSlot head = stored.word;
        if (head.hasThreshold() && !_suffices(work, head)) {
            return _skip(id, work.seq, item, TOO_FEW_SIGNERS, 1);
        }
        uint256 gasLimit = work.settlement.wantsCallback() ? work.settlement.callbackGasLimit() : 0;
        if (_lacksGas(id, work.seq, item.dataLength(), gasLimit)) return ENDED;
        OracleStorage.load().entries[id][position] = slot | Slots.EXECUTED;
        if (head.keyEpoch() == uint32(work.keys)) stored.word = head.withoutEntry();
        else _leaveEpoch(id, work.keys);
        _settle(work);
        return item.end();
    }

    /// @dev Reads an item.
    function _load(bytes32 id, Item item, uint256 seq, uint256 index, Work memory work) private pure {
        work.contractId = id;
        work.seq = seq;
        work.item = item;
        work.digest = work.digests.nth(index);
        work.settlement = item.settlement();
        work.result = item.result();
        work.status = 0;
    }

    /// @dev Says why an item, and those after it, were not applied.
    /// @return offset Where the last of so many items ends.
    function _skip(bytes32 id, uint256 seq, Item item, uint8 reason, uint256 count) private returns (uint256 offset) {
        emit ItemsSkipped(id, seq, reason);
        for (; count != 0; --count) {
            offset = item.end();
            item = Item.wrap(offset);
        }
    }

    /// @dev The head once the item that it is at is executed.
    function _next(Work memory work, HeadSlot head) private view returns (HeadSlot next) {
        next = head.advance(work.result.newCommitment());
        // Nothing is pending any more, so nothing that is has a status.
        if (head.isMarked() && next.seq() == OracleStorage.load().logs[work.contractId].nextSeq()) {
            next = next.unmarked();
        }
    }

    /// @dev Up to which of a group's digests its entries are on the log for certain: the last that is stored.
    /// Digests chain, so that one slot vouches for every item before it, and as a rule it is
    /// the group's last, one slot for the whole group. Zero if there is none from `from` on, whose entry has
    /// position `seq`.
    /// @return known The digest's index plus one.
    function _known(bytes32 id, uint256 seq, bytes32[] memory digests, uint256 from, uint256 end)
        private
        view
        returns (uint256 known)
    {
        unchecked {
            seq -= 1 + from;
            for (known = end; known != from; --known) {
                if (Slots.isStored(id, seq + known, digests.nth(known - 1))) return known;
            }
            return 0;
        }
    }

    /// @dev Whether the signers are as many as the contract asks for.
    function _suffices(Work memory work, HeadSlot head) private view returns (bool) {
        uint256 signers = head.signers();
        if (signers != 0) return work.quorum.suffices(signers, 0);
        OracleStorage.Threshold memory threshold = _threshold(work.contractId);
        return threshold.signers < 2 || work.quorum.suffices(threshold.signers, threshold.kinds);
    }

    /// @dev Ends the batch if less gas is left than the item may need.
    function _lacksGas(bytes32 id, uint256 seq, uint256 length, uint256 gasLimit) private returns (bool) {
        uint256 required = _requiredGas(gasLimit, length);
        if (gasleft() >= required) return false;
        emit BatchEnded(id, seq, required);
        return true;
    }

    /// @dev Accounts for an item just marked as executed, and makes its callback.
    function _settle(Work memory work) private {
        unchecked {
            PaymentWord fee = work.item.fee();
            SettlementWord settlement = work.settlement;
            uint256 gasLimit = settlement.callbackGasLimit();
            // No sum of gwei that was ever escrowed overflows.
            uint256 earned = fee.landing();
            ++work.executed;
            if (work.status != 0) {
                earned = _landing(work, earned);
                if (work.status & Slots.CANCELLED != 0) gasLimit = 0;
            }
            if (settlement.leavesEpoch()) {
                gasLimit = 0;
                _leaveEpoch(work.contractId, work.keys >> 32 << 32 | settlement.callbackGasLimit());
            }
            if (settlement.isLate()) {
                _announce(work.contractId, work.seq, work.item, address(0), 0);
                _settleLate(work, fee, gasLimit != 0 && !settlement.callbackExpires());
            } else {
                work.charged += fee.charge();
                (bool made, uint256 used) =
                    _announce(work.contractId, work.seq, work.item, settlement.requester(), gasLimit);
                if (gasLimit != 0) earned += made ? fee.callback() : _keepCallback(work, fee.callback(), used);
            }
            work.earned += earned;
        }
    }

    /// @dev Holds what the part for a callback, in gwei, that failed exceeds the share of the gas it burned for whoever
    /// makes it succeed.
    /// @return earned What of it the payee has earned.
    function _keepCallback(Work memory work, uint256 part, uint256 used) private returns (uint256 earned) {
        earned = _burned(part, work.settlement.callbackGasLimit(), used);
        _leave(work.contractId, work.seq, work.digest, _outstanding(work, part - earned), CALLBACK_DUE);
    }

    /// @dev The landing part of an entry whose slot says that it was topped up or returned.
    function _landing(Work memory work, uint256 part) private returns (uint256) {
        if (work.status & Slots.RECLAIMED != 0) part = 0;
        if (work.status & Slots.TOPPED_UP != 0) {
            mapping(uint256 => uint256) storage added = OracleStorage.load().added[work.contractId];
            part += added[work.seq];
            delete added[work.seq];
        }
        return part;
    }

    /// @dev One entry less that a contract needs the keys of an epoch for that it left: the one that says so, or of a
    /// stateless contract one that was appended before. After the last of them it needs those keys no more.
    function _leaveEpoch(bytes32 id, uint256 keys) private {
        OracleStorage.Layout storage $ = OracleStorage.load();
        mapping(uint256 => uint256) storage counts = $.waiting[id];
        // Nobody who waits: of the epoch's contracts one less.
        if (counts[keys] == 0) counts = $.contracts;
        --counts[keys];
    }

    /// @dev `emit EntryFulfilled(…)`, and the callback with exactly this much gas, which is there; none if that is
    /// zero. The callee may reenter. In assembly because the data is copied once for both, and because nothing of what
    /// the callee returns is: a huge return value costs the callee only.
    /// @return success Whether the callee neither reverted nor ran out of gas. An account without code always
    /// succeeds.
    /// @return used Gas of the callback alone: what the event costs is in the landing part.
    function _announce(bytes32 id, uint256 seq, Item item, address requester, uint256 gasLimit)
        private
        returns (bool success, uint256 used)
    {
        bytes32 topic = EntryFulfilled.selector;
        bytes4 selector = ISubrosaConsumer.onSubrosaResult.selector;
        ResultWord result = item.result();
        uint256 outcome = result.outcome(seq);
        uint256 length = item.dataLength();
        assembly ("memory-safe") {
            // Room before it for the rest of the callback's message.
            let data := add(mload(0x40), 0xa4)
            let padded := and(add(length, 0x1f), not(0x1f))
            // The padding may hold what was in memory before; there is a word of it at most.
            mstore(add(data, sub(padded, 0x20)), 0)
            mstore(sub(data, 0x60), outcome)
            mstore(sub(data, 0x40), 0x40)
            mstore(sub(data, 0x20), length)
            calldatacopy(data, add(item, 118), length)
            log2(sub(data, 0x60), add(0x60, padded), topic, id)

            success := 1
            if gasLimit {
                let outputLength := and(result, 0x7fffffff)
                // What follows the output is no padding.
                mstore(add(data, outputLength), 0)
                mstore(sub(data, 0xa4), selector)
                mstore(sub(data, 0xa0), id)
                mstore(sub(data, 0x80), seq)
                mstore(sub(data, 0x60), and(shr(40, result), 0xff))
                mstore(sub(data, 0x40), 0x80)
                mstore(sub(data, 0x20), outputLength)
                padded := and(add(outputLength, 0x1f), not(0x1f))
                used := gas()
                success := call(gasLimit, requester, 0, sub(data, 0xa4), add(0xa4, padded), 0, 0)
                used := sub(used, gas())
            }
        }
    }

    /// @dev Keeps what is the requester's of a late entry's fee, and its callback, which is made at its caller's
    /// cost.
    function _settleLate(Work memory work, PaymentWord fee, bool callback) private {
        uint256 held = _refundable(fee, work.status);
        uint256 flags = (callback ? CALLBACK_DUE : 0) | (held != 0 ? FOR_REQUESTER : 0);
        if (flags != 0) _leave(work.contractId, work.seq, work.digest, _outstanding(work, held), flags);
    }

    function _outstanding(Work memory work, uint256 held) private view returns (Outstanding memory) {
        return Outstanding({
            status: work.result.status(),
            outputHash: keccak256(work.item.output()),
            held: uint48(held),
            since: uint48(block.timestamp)
        });
    }
}
