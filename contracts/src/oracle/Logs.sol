// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {ISubrosaRegistry} from "../interfaces/ISubrosaRegistry.sol";
import {Entry} from "../interfaces/SubrosaTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {PaymentWord, SettlementWord, SettlementWords} from "../libraries/EntryWords.sol";
import {LogSlot} from "../libraries/LogSlot.sol";
import {OracleStorage} from "./OracleStorage.sol";
import {Ownership} from "./Ownership.sol";
import {Pricing} from "./Pricing.sol";
import {Slots} from "./Slots.sol";

/// @title Appending to logs
abstract contract Logs is Ownership, Pricing {
    /// @inheritdoc ISubrosaOracle
    ISubrosaRegistry public immutable registry;

    constructor(ISubrosaRegistry registry_) {
        registry = registry_;
    }

    /// @dev Stores the digest of an entry that continues the log, and logs it. What of it is hashed is filled
    /// in, but for the input's hash; the entry before is `previousDigest`.
    /// @return digest The entry's.
    /// @return The log with the entry.
    function _append(LogSlot log, Entry memory entry, bytes calldata input) internal returns (bytes32 digest, LogSlot) {
        uint256 room;
        bytes32 inputHash;
        // The entry's event is built in memory that is not allocated yet, and the digest's preimage before it in
        // the place of the event's words: the input is copied once.
        assembly ("memory-safe") {
            room := mload(0x40)
            let copy := add(room, 0x100)
            calldatacopy(copy, input.offset, input.length)
            inputHash := keccak256(copy, input.length)
            mstore(add(copy, input.length), 0)
        }
        entry.inputHash = inputHash;
        return _store(log, entry, room, input.length);
    }

    /// @dev The same for an input that was put together here, and whose hash is filled in.
    function _appendChange(LogSlot log, Entry memory entry, bytes memory input)
        internal
        returns (bytes32 digest, LogSlot)
    {
        uint256 room;
        assembly ("memory-safe") {
            room := mload(0x40)
            let copy := add(room, 0x100)
            let length := mload(input)
            mcopy(copy, add(input, 0x20), length)
            mstore(add(copy, length), 0)
        }
        return _store(log, entry, room, input.length);
    }

    /// @param room Where the event is built; the input lies 256 bytes behind, and a word of zeros behind it.
    function _store(LogSlot log, Entry memory entry, uint256 room, uint256 inputLength)
        private
        returns (bytes32 digest, LogSlot)
    {
        bytes32 contractId = entry.contractId;
        if (log.isFull()) revert LogFull(contractId);
        digest = _digest(entry, room);
        bool apart = Slots.store(contractId, log.nextSeq(), log.isStateless(), digest);

        bytes32 topic = EntryAppended.selector;
        assembly ("memory-safe") {
            // previousDigest, context, execution, settlement, payment, refundTo, and the input behind them.
            mcopy(room, add(entry, 0x20), 0x40)
            mcopy(add(room, 0x40), add(entry, 0x80), 0x80)
            mstore(add(room, 0xc0), 0xe0)
            mstore(add(room, 0xe0), inputLength)
            log2(room, add(0x100, and(add(inputLength, 0x1f), not(0x1f))), topic, contractId)
        }
        return (digest, log.withEntry(apart));
    }

    /// @dev `Digests.entry` of an entry in memory, in the 256 bytes from `room` on.
    function _digest(Entry memory entry, uint256 room) private view returns (bytes32 digest) {
        bytes32 domain = Digests.ENTRY;
        assembly ("memory-safe") {
            // context, inputHash, execution; refundTo.
            mcopy(room, add(entry, 0x40), 0x60)
            mstore(add(room, 0x60), mload(add(entry, 0xe0)))
            let executionHash := keccak256(room, 0x80)
            mstore(room, domain)
            mstore(add(room, 0x20), chainid())
            mstore(add(room, 0x40), address())
            // contractId, previousDigest; settlement, payment.
            mcopy(add(room, 0x60), entry, 0x40)
            mstore(add(room, 0xa0), executionHash)
            mcopy(add(room, 0xc0), add(entry, 0xa0), 0x40)
            digest := and(keccak256(room, 0x100), not(0xff))
        }
    }

    /// @dev The digest that the log's next entry continues.
    function _previousDigest(bytes32 contractId, LogSlot log) internal view returns (bytes32) {
        return log.nextSeq() == 0 || log.isStateless() ? bytes32(0) : Slots.lastDigest(contractId, log);
    }

    /// @dev Appends an entry of the contract's owner, or of anyone who keeps it going, at what an entry without
    /// output or callback costs.
    function _appendOwn(
        bytes32 contractId,
        LogSlot log,
        bytes32 context,
        uint256 execution,
        SettlementWord settlement,
        uint256 fuelLimit,
        bytes32 inputHash,
        bytes memory input
    ) internal returns (uint48 seq) {
        if (log.isAbandoned()) revert ContractPaused(contractId);
        seq = log.nextSeq();
        // Whoever owns the contract owes itself no charge.
        (uint256 landing,,) = _price(log.uncharged(), input.length, 0, 0, fuelLimit);
        Entry memory entry = Entry({
            contractId: contractId,
            previousDigest: _previousDigest(contractId, log),
            context: context,
            inputHash: inputHash,
            execution: execution,
            settlement: SettlementWord.unwrap(settlement),
            payment: 0,
            refundTo: address(0)
        });
        entry.payment = PaymentWord.unwrap(_pays(log, _valueInGwei(), landing, 0, 0));
        (, LogSlot next) = _appendChange(log, entry, input);
        OracleStorage.load().logs[contractId] = next;
    }

    /// @dev The settlement word of an entry by the sender, within the log's policy.
    function _settlement(LogSlot log, uint256 callbackGasLimit, uint256 flags, uint256 deadline)
        internal
        view
        returns (SettlementWord)
    {
        if (callbackGasLimit > log.maximumCallbackGas()) {
            revert CallbackGasTooHigh(callbackGasLimit, log.maximumCallbackGas());
        }
        _checkDeadline(log, deadline);
        return SettlementWords.create(msg.sender, callbackGasLimit, flags, deadline);
    }

    /// @dev Reverts unless the log's policy allows this deadline.
    function _checkDeadline(LogSlot log, uint256 deadline) internal view {
        uint256 earliest = block.timestamp + log.minimumDeadline();
        if (deadline < earliest) revert DeadlineTooEarly(deadline, earliest);
    }
}
