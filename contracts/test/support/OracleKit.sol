// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

import {ISubrosaOracle, Policy, PriceTable, Registration} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../../src/interfaces/SubrosaTypes.sol";
import {Batches, Fulfillment, FulfillmentGroup, FulfillmentItem} from "./Batches.sol";
import {Cast} from "./Cast.sol";
import {Reference} from "./Reference.sol";

/// @notice An oracle with two registered contracts, on any registry, and an enclave's part: building and signing
/// batches.
abstract contract OracleKit is Cast {
    uint256 internal constant CHARGE = 100_000 gwei;
    /// More than enough; what is too much is for landing.
    uint256 internal constant FEE = 0.01 ether;
    uint256 internal constant BASE_FEE = 1 gwei;
    uint256 internal constant GRACE = 1 days;
    uint256 internal constant ENVELOPE = 1;
    uint256 internal constant EXPIRES = 1;
    uint32 internal constant UPGRADE_DELAY = 2 days;

    // Status of a slot.
    uint8 internal constant REFUNDED = 1;
    uint8 internal constant CANCELLED = 2;
    uint8 internal constant EXECUTED = 4;
    uint8 internal constant TOPPED_UP = 8;
    uint8 internal constant RECLAIMED = 16;
    // Flags of what is outstanding.
    uint256 internal constant CALLBACK_DUE = 1;
    uint256 internal constant FOR_REQUESTER = 2;

    ISubrosaOracle internal oracle;
    address internal owner = makeAddr("owner");
    address internal relayer = makeAddr("relayer");
    bytes32 internal stateful;
    bytes32 internal stateless;
    /// The digest of each log's last entry.
    mapping(bytes32 contractId => bytes32) internal lastDigest;

    /// @dev With the chain and a registry set up that trusts the signer for the group's first epoch.
    function _setUpOracle(address registry_) internal {
        vm.fee(BASE_FEE);
        oracle = _deployOracle(registry_);
        vm.deal(owner, 1000 ether);
        Entry memory deployment;
        (stateful, deployment) = _register(false);
        _execute(_list(deployment));
        (stateless, deployment) = _register(true);
        _execute(_list(deployment));
    }

    function _deployOracle(address registry_) internal returns (ISubrosaOracle) {
        return ISubrosaOracle(deployCode(_oracleArtifact(), abi.encode(registry_, _table())));
    }

    function _table() internal pure returns (PriceTable memory) {
        return PriceTable({
            landing: 68_000,
            record: 30_000,
            callback: 12_000,
            signature: 12_000,
            inputByte: 12,
            outputByte: 60,
            includedFuel: 1_000_000,
            fuelPerGas: 1000,
            grace: uint32(GRACE)
        });
    }

    // Asking.

    function _policy() internal pure returns (Policy memory) {
        return Policy({
            chargeGwei: uint64(CHARGE / 1 gwei),
            baseFeeSixteenths: 24,
            gasPriceFloor: 0.5 gwei,
            minimumDeadline: 60,
            maximumCallbackGas: 1_000_000,
            restricted: false,
            paused: false
        });
    }

    function _registration(bool isStateless) internal view returns (Registration memory r) {
        r.codeCommitment = keccak256("code");
        r.context = keccak256("context");
        r.keyGroup = KEY_GROUP;
        r.keyEpoch = oracle.registry().currentEpoch(KEY_GROUP);
        r.finalityClass = 3;
        r.runtimeGeneration = 1;
        r.stateless = isStateless;
        r.fuelLimit = 1_000_000;
        r.upgradeDelay = isStateless ? 0 : UPGRADE_DELAY;
        r.deadline = _deadline();
        r.policy = _policy();
    }

    function _register(bool isStateless) internal returns (bytes32, Entry memory) {
        return _register(_registration(isStateless));
    }

    function _register(Registration memory r) internal returns (bytes32 contractId, Entry memory entry) {
        vm.recordLogs();
        vm.prank(owner);
        contractId = oracle.register{value: FEE}(r);
        entry = _appended();
        // Entry 0's input is the commitment, and so is its input hash.
        entry.inputHash = r.codeCommitment;
        _note(entry);
    }

    /// @dev A new contract whose entry 0 is executed.
    function _registered(Registration memory r) internal returns (bytes32 contractId) {
        Entry memory deployment;
        (contractId, deployment) = _register(r);
        _execute(_list(deployment));
    }

    function _terms(uint32 callbackGas) internal view returns (uint256) {
        return Reference.terms(0, 0, 500_000, callbackGas, _deadline());
    }

    function _deadline() internal view returns (uint48) {
        return uint48(vm.getBlockTimestamp() + 1 hours);
    }

    function _request(bytes32 contractId, address from, uint32 callbackGas) internal returns (Entry memory) {
        return _request(contractId, from, _terms(callbackGas), FEE);
    }

    function _request(bytes32 contractId, address from, uint256 terms, uint256 fee) internal returns (Entry memory) {
        return _request(contractId, from, terms, fee, address(0));
    }

    function _request(bytes32 contractId, address from, uint256 terms, uint256 fee, address refundTo)
        internal
        returns (Entry memory entry)
    {
        vm.recordLogs();
        hoax(from, from.balance + fee);
        oracle.request{value: fee}(contractId, keccak256("user"), terms, refundTo, "some input");
        entry = _appended();
        _note(entry);
    }

    /// @dev The entry that the only `EntryAppended` among the recorded logs tells of.
    function _appended() internal returns (Entry memory entry) {
        Entry[] memory all = _allAppended();
        require(all.length == 1, "one entry is appended");
        return all[0];
    }

    function _allAppended() internal returns (Entry[] memory all) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        all = new Entry[](logs.length);
        uint256 found;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != ISubrosaOracle.EntryAppended.selector) continue;
            all[found++] = _decode(logs[i]);
        }
        assembly ("memory-safe") {
            mstore(all, found)
        }
    }

    function _decode(Vm.Log memory log) internal pure returns (Entry memory entry) {
        entry.contractId = log.topics[1];
        bytes memory input;
        (entry.previousDigest, entry.context, entry.execution, entry.settlement, entry.payment, entry.refundTo, input) =
            abi.decode(log.data, (bytes32, bytes32, uint256, uint256, uint256, address, bytes));
        entry.inputHash = keccak256(input);
    }

    function _note(Entry memory entry) internal {
        lastDigest[entry.contractId] = _digest(entry);
    }

    function _digest(Entry memory entry) internal view returns (bytes32) {
        return Reference.digest(block.chainid, address(oracle), entry);
    }

    function _seq(Entry memory entry) internal pure returns (uint48) {
        return uint48(entry.payment);
    }

    // What entries pay.

    function _landing(Entry memory entry) internal pure returns (uint256) {
        return (entry.payment >> 208) * 1 gwei;
    }

    function _callbackPart(Entry memory entry) internal pure returns (uint256) {
        return uint48(entry.payment >> 160) * uint256(1 gwei);
    }

    function _charge(Entry memory entry) internal pure returns (uint256) {
        return uint48(entry.payment >> 112) * uint256(1 gwei);
    }

    /// @dev What whoever lands it in time and makes its callback earns.
    function _earned(Entry memory entry) internal pure returns (uint256) {
        return _landing(entry) + _callbackPart(entry);
    }

    function _paid(Entry memory entry) internal pure returns (uint256) {
        return _landing(entry) + _callbackPart(entry) + _charge(entry);
    }

    // Answering.

    function _list(Entry memory a) internal pure returns (Entry[] memory list) {
        list = new Entry[](1);
        list[0] = a;
    }

    function _list(Entry memory a, Entry memory b) internal pure returns (Entry[] memory list) {
        list = new Entry[](2);
        (list[0], list[1]) = (a, b);
    }

    function _list(Entry memory a, Entry memory b, Entry memory c) internal pure returns (Entry[] memory list) {
        list = new Entry[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function _output(Entry memory entry) internal pure returns (bytes memory) {
        return abi.encode(keccak256(abi.encode("output", entry.contractId, _seq(entry))));
    }

    /// @dev The commitment that every honest enclave computes after this entry; none to the state of a contract
    /// that has none.
    function _commitment(Entry memory entry) internal view returns (uint256) {
        if (_isStateless(entry.contractId)) return 0;
        return _commitmentAt(entry.contractId, _seq(entry));
    }

    function _commitmentAt(bytes32 contractId, uint256 seq) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("state", contractId, seq))) >> 48 << 48;
    }

    function _item(Entry memory entry) internal view returns (FulfillmentItem memory) {
        bytes memory output = _output(entry);
        return FulfillmentItem({
            executionHash: Reference.execution(entry),
            settlement: entry.settlement,
            payment: entry.payment,
            result: _commitment(entry) | uint256(1) << 40 | uint256(12) << 32 | output.length,
            data: bytes.concat(output, "sealed")
        });
    }

    /// @dev A group of consecutive entries on this head.
    function _group(uint256 start, Entry[] memory entries) internal view returns (FulfillmentGroup memory group) {
        group.contractId = entries[0].contractId;
        group.start = start;
        group.previousDigest = entries[0].previousDigest;
        group.items = new FulfillmentItem[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            group.items[i] = _item(entries[i]);
        }
    }

    /// @dev A group of consecutive entries on the head that the oracle has now.
    function _groupOnHead(Entry[] memory entries) internal view returns (FulfillmentGroup memory) {
        if (_isStateless(entries[0].contractId)) return _group(_seq(entries[0]), entries);
        return _group(_head(entries[0].contractId), entries);
    }

    /// @dev The group that honest enclaves make of consecutive entries, wherever the oracle is.
    function _groupInPlace(Entry[] memory entries) internal view returns (FulfillmentGroup memory) {
        bytes32 id = entries[0].contractId;
        uint256 seq = _seq(entries[0]);
        return _group(seq == 0 || _isStateless(id) ? seq : _commitmentAt(id, seq - 1) | seq, entries);
    }

    /// @dev commitment 208 ‖ seq 48, without flags.
    function _head(bytes32 contractId) internal view returns (uint256) {
        uint256 word = oracle.head(contractId);
        // A stateless contract's counts what is pending.
        return word & 4 << 40 != 0 ? 0 : word & ~(uint256(0xff) << 40);
    }

    function _headSeq(bytes32 contractId) internal view returns (uint256) {
        return uint40(oracle.head(contractId));
    }

    function _headFlags(bytes32 contractId) internal view returns (uint8) {
        return uint8(oracle.head(contractId) >> 40);
    }

    function _nextSeq(bytes32 contractId) internal view returns (uint256) {
        return uint48(oracle.logOf(contractId));
    }

    function _isStateless(bytes32 contractId) internal view returns (bool) {
        return oracle.logOf(contractId) >> 152 & 1 == 1;
    }

    function _groups(FulfillmentGroup memory a) internal pure returns (FulfillmentGroup[] memory groups) {
        groups = new FulfillmentGroup[](1);
        groups[0] = a;
    }

    function _batch(FulfillmentGroup memory a) internal view returns (Fulfillment memory) {
        return _batch(_groups(a));
    }

    function _batch(FulfillmentGroup memory a, FulfillmentGroup memory b) internal view returns (Fulfillment memory) {
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](2);
        (groups[0], groups[1]) = (a, b);
        return _batch(groups);
    }

    function _batch(FulfillmentGroup[] memory groups) internal view returns (Fulfillment memory f) {
        f.groups = groups;
        f.keyGroup = KEY_GROUP;
        f.keyEpoch = 1;
        _signBatch(f, signerKey);
    }

    /// @dev Signs as the first and only signer.
    function _signBatch(Fulfillment memory f, uint256 key) internal view {
        f.signatures = new bytes[](1);
        f.signatures[0] = _compact(key, Batches.message(f, block.chainid, address(oracle)));
    }

    /// @dev Signs with the first key as the first signer, and with the others in the order that is asked for.
    function _signAll(Fulfillment memory f, uint256[] memory keys) internal view {
        _signBatch(f, keys[0]);
        bytes32 message = Batches.comessage(f, block.chainid, address(oracle));
        bytes[] memory all = new bytes[](keys.length);
        all[0] = f.signatures[0];
        for (uint256 i = 1; i < keys.length; ++i) {
            for (uint256 k = i; k > 1 && vm.addr(keys[k]) < vm.addr(keys[k - 1]); --k) {
                (keys[k], keys[k - 1]) = (keys[k - 1], keys[k]);
            }
        }
        for (uint256 i = 1; i < keys.length; ++i) {
            all[i] = _compact(keys[i], message);
        }
        f.signatures = all;
    }

    function _compact(uint256 key, bytes32 message) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, message);
        return abi.encodePacked(r, vs);
    }

    function _fulfill(Fulfillment memory f) internal returns (uint256) {
        bytes memory packed = Batches.pack(f);
        vm.prank(relayer);
        return oracle.fulfill(packed);
    }

    /// @dev Executes these entries now.
    function _execute(Entry[] memory entries) internal returns (uint256) {
        return _fulfill(_batch(_groupOnHead(entries)));
    }

    // What is stored.

    function _oracleStorage() internal pure returns (uint256) {
        return Reference.location("subrosa.storage.Oracle");
    }

    /// @dev A slot of the ring, or, from 2^48 on, one of its own.
    function _slotAt(bytes32 contractId, uint256 position) internal view returns (bytes32) {
        bytes32 slots = keccak256(abi.encode(contractId, _oracleStorage()));
        return oracle.extsload(keccak256(abi.encode(position, slots)));
    }

    /// @dev Whether an entry's digest lies where it may, and with which status.
    function _find(Entry memory entry) internal view returns (bool found, uint8 status) {
        bytes32 digest = _digest(entry);
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 slot = _slotAt(entry.contractId, i == 0 ? _seq(entry) % 64 : _seq(entry) | 1 << 48);
            if (slot >> 8 << 8 == digest) return (true, uint8(uint256(slot)));
        }
    }

    function _status(Entry memory entry) internal view returns (uint8 status) {
        bool found;
        (found, status) = _find(entry);
        require(found, "the entry has a slot");
    }

    /// @dev Flags of what is outstanding of an entry.
    function _outstandingFlags(Entry memory entry) internal view returns (uint256) {
        return uint8(uint256(oracle.outstandingOf(entry.contractId, _seq(entry))));
    }

    /// @dev What is outstanding of an entry executed just now, if this much, in wei, is held.
    function _left(Entry memory entry, uint256 held) internal view returns (Outstanding memory) {
        return Outstanding(1, keccak256(_output(entry)), uint48(held / 1 gwei), uint48(vm.getBlockTimestamp()));
    }

    function _assertOutstanding(Entry memory entry, Outstanding memory left, uint256 flags) internal view {
        bytes32 word = oracle.outstandingOf(entry.contractId, _seq(entry));
        assertEq(word, Reference.outstanding(_digest(entry), left) | bytes32(flags), "outstanding");
    }

    function _assertNothingOutstanding(Entry memory entry) internal view {
        assertEq(oracle.outstandingOf(entry.contractId, _seq(entry)), 0, "nothing is outstanding");
    }

    /// @dev What the only `EntryOutstanding` among the recorded logs says.
    function _lastOutstanding() internal returns (Outstanding memory left) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bool found;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != ISubrosaOracle.EntryOutstanding.selector) continue;
            (,, left) = abi.decode(logs[i].data, (uint256, uint8, Outstanding));
            found = true;
        }
        require(found, "something is outstanding");
    }

    /// @dev How many contracts are counted for an epoch.
    function _contractsIn(uint32 keyGroup, uint32 keyEpoch) internal view returns (uint256) {
        uint256 keys = uint256(keyGroup) << 32 | keyEpoch;
        return uint256(oracle.extsload(keccak256(abi.encode(keys, _oracleStorage() + 12))));
    }

    function _addedTo(Entry memory entry) internal view returns (uint256) {
        bytes32 added = keccak256(abi.encode(entry.contractId, _oracleStorage() + 11));
        return uint256(oracle.extsload(keccak256(abi.encode(uint256(_seq(entry)), added))));
    }

    /// @dev The first word of `EntryFulfilled`.
    function _outcomeWord(uint256 result, uint256 seq) internal pure returns (uint256) {
        bytes memory head = abi.encodePacked(bytes20(bytes32(result)), uint48(result), uint48(seq));
        return uint256(bytes32(head));
    }

    function _expectSkip(bytes32 contractId, uint256 seq, uint8 reason) internal {
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.ItemsSkipped(contractId, seq, reason);
    }
}
