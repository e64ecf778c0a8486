// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

import {ISubrosaOracle, Registration} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry, Fulfillment, FulfillmentGroup, FulfillmentItem} from "../../src/interfaces/SubrosaTypes.sol";
import {Reference} from "./Reference.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @notice An oracle with two registered contracts, and an enclave's part: building and signing
/// batches.
abstract contract OracleTest is RegistryTest {
    uint256 internal constant CHARGE = 100_000 gwei;
    uint256 internal constant FEE = 0.003 ether;
    uint256 internal constant ENVELOPE = 1;
    uint256 internal constant EXPIRES = 1;
    uint32 internal constant UPGRADE_DELAY = 2 days;

    ISubrosaOracle internal oracle;
    address internal owner = makeAddr("owner");
    address internal relayer = makeAddr("relayer");
    bytes32 internal stateful;
    bytes32 internal stateless;
    /// The digest of each log's last entry.
    mapping(bytes32 contractId => bytes32) internal lastDigest;

    function setUp() public virtual override {
        super.setUp();
        oracle = ISubrosaOracle(deployCode("SubrosaOracle.sol:SubrosaOracle", abi.encode(registry)));
        vm.deal(owner, 1000 ether);
        Entry memory deployment;
        (stateful, deployment) = _register(false);
        _fulfill(_batch(_group(0, _list(deployment))));
        (stateless, deployment) = _register(true);
        _fulfill(_batch(_group(0, _list(deployment))));
    }

    // Asking.

    function _registration(bool isStateless) internal view returns (Registration memory) {
        return Registration({
            codeCommitment: keccak256("code"),
            context: keccak256("context"),
            keyGroup: KEY_GROUP,
            finalityClass: 3,
            runtimeGeneration: 1,
            stateless: isStateless,
            restricted: false,
            fuelLimit: 1_000_000,
            executionChargeGwei: uint40(CHARGE / 1 gwei),
            minimumDeadline: 60,
            maximumCallbackGas: 1_000_000,
            upgradeDelay: isStateless ? 0 : UPGRADE_DELAY,
            deadline: uint48(block.timestamp + 1 hours)
        });
    }

    function _register(bool isStateless) internal returns (bytes32 contractId, Entry memory entry) {
        vm.recordLogs();
        vm.prank(owner);
        contractId = oracle.register{value: FEE}(_registration(isStateless));
        entry = _appended();
        // Entry 0's input is the commitment, and so is its input hash.
        entry.inputHash = keccak256("code");
        _note(entry);
    }

    function _terms(uint32 callbackGas) internal view returns (uint256) {
        return Reference.terms(0, 0, 500_000, callbackGas, _deadline());
    }

    function _deadline() internal view returns (uint48) {
        return uint48(block.timestamp + 1 hours);
    }

    function _request(bytes32 contractId, address from, uint32 callbackGas) internal returns (Entry memory) {
        return _request(contractId, from, _terms(callbackGas), FEE);
    }

    function _request(bytes32 contractId, address from, uint256 terms, uint256 fee)
        internal
        returns (Entry memory entry)
    {
        vm.recordLogs();
        hoax(from, from.balance + fee);
        oracle.request{value: fee}(contractId, keccak256("user"), terms, "some input");
        entry = _appended();
        _note(entry);
    }

    /// @dev The entry that the only `EntryAppended` among the recorded logs tells of.
    function _appended() internal returns (Entry memory entry) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 found;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != ISubrosaOracle.EntryAppended.selector) continue;
            ++found;
            entry.contractId = logs[i].topics[1];
            uint256 seq;
            bytes memory input;
            (seq, entry.context, entry.execution, entry.settlement, entry.payment, input) =
                abi.decode(logs[i].data, (uint256, bytes32, uint256, uint256, uint256, bytes));
            entry.seq = uint48(seq);
            entry.inputHash = keccak256(input);
        }
        require(found == 1, "one entry is appended");
        bool chained = oracle.logOf(entry.contractId) >> 152 & 1 == 0;
        entry.previousDigest = chained ? lastDigest[entry.contractId] : bytes32(0);
    }

    function _note(Entry memory entry) internal {
        lastDigest[entry.contractId] = _digest(entry);
    }

    function _digest(Entry memory entry) internal view returns (bytes32) {
        return Reference.digest(block.chainid, address(oracle), entry);
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
        return abi.encode(keccak256(abi.encode("output", entry.contractId, entry.seq)));
    }

    /// @dev The commitment that every honest enclave computes after this entry.
    function _commitment(Entry memory entry) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("state", entry.contractId, entry.seq))) >> 48 << 48;
    }

    function _item(Entry memory entry) internal pure returns (FulfillmentItem memory) {
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
    function _group(uint256 start, Entry[] memory entries) internal pure returns (FulfillmentGroup memory group) {
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
        if (entries[0].contractId == stateless) return _group(entries[0].seq, entries);
        return _group(_head(entries[0].contractId), entries);
    }

    function _head(bytes32 contractId) internal view returns (uint256) {
        (uint48 seq, bytes32 commitment) = oracle.head(contractId);
        return uint256(commitment) | seq;
    }

    function _batch(FulfillmentGroup memory a) internal view returns (Fulfillment memory) {
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](1);
        groups[0] = a;
        return _batch(groups);
    }

    function _batch(FulfillmentGroup memory a, FulfillmentGroup memory b) internal view returns (Fulfillment memory) {
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](2);
        (groups[0], groups[1]) = (a, b);
        return _batch(groups);
    }

    function _batch(FulfillmentGroup[] memory groups) internal view returns (Fulfillment memory f) {
        f.groups = groups;
        f.anchorNumber = uint64(block.number - 1);
        f.anchorHash = blockhash(block.number - 1);
        f.configHash = CONFIG;
        f.measurementId = measurement;
        f.keyGroup = KEY_GROUP;
        f.keyEpoch = 1;
        _signBatch(f, signerKey);
    }

    function _signBatch(Fulfillment memory f, uint256 key) internal view {
        (f.r, f.vs) = vm.signCompact(key, _batchMessage(f, block.chainid, address(oracle)));
    }

    function _batchMessage(Fulfillment memory f, uint256 chainId, address verifying) internal pure returns (bytes32) {
        bytes memory hashes;
        for (uint256 g = 0; g < f.groups.length; ++g) {
            FulfillmentGroup memory group = f.groups[g];
            bytes32 digest = group.previousDigest;
            uint256 cursor = group.start;
            for (uint256 i = 0; i < group.items.length; ++i) {
                FulfillmentItem memory item = group.items[i];
                digest = _itemDigest(chainId, verifying, group.contractId, uint48(cursor), digest, item);
                hashes = bytes.concat(hashes, Reference.result(digest, item, bytes32(cursor >> 48 << 48)));
                cursor = (item.result >> 48 << 48) | (uint48(cursor) + 1);
            }
        }
        return Reference.typed("Subrosa", chainId, verifying, _structHash(f, keccak256(hashes)));
    }

    function _structHash(Fulfillment memory f, bytes32 resultsHash) private pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "SignedResults(bytes32[] resultHashes,uint64 anchorNumber,bytes32 anchorHash,bytes32 configHash,bytes32 measurementId,uint32 keyGroup,uint32 keyEpoch)"
        );
        bytes memory anchor = abi.encode(f.anchorNumber, f.anchorHash, f.configHash, f.measurementId);
        bytes memory keys = abi.encode(f.keyGroup, f.keyEpoch);
        return keccak256(bytes.concat(typeHash, resultsHash, anchor, keys));
    }

    function _itemDigest(
        uint256 chainId,
        address verifying,
        bytes32 contractId,
        uint48 seq,
        bytes32 previous,
        FulfillmentItem memory item
    ) private pure returns (bytes32) {
        bytes32 full = keccak256(
            abi.encode(
                Reference.domain("entry"),
                chainId,
                verifying,
                contractId,
                uint256(seq),
                previous,
                item.executionHash,
                item.settlement,
                item.payment
            )
        );
        return bytes32(uint256(full) >> 8 << 8);
    }

    function _fulfill(Fulfillment memory f) internal returns (uint256) {
        vm.prank(relayer);
        return oracle.fulfill(f);
    }

    /// @dev Executes these entries now.
    function _execute(Entry[] memory entries) internal returns (uint256) {
        return _fulfill(_batch(_groupOnHead(entries)));
    }

    function _status(Entry memory entry) internal view returns (uint8) {
        return uint8(uint256(oracle.entryDigest(entry.contractId, entry.seq)));
    }

    function _expectSkip(bytes32 contractId, uint256 seq, uint8 reason) internal {
        vm.expectEmit(true, true, true, true, address(oracle));
        emit ISubrosaOracle.ItemsSkipped(contractId, seq, reason);
    }
}
