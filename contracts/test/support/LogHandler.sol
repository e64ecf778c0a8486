// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry, Fulfillment} from "../../src/interfaces/SubrosaTypes.sol";
import {Moody} from "./Consumers.sol";
import {OracleTest} from "./OracleTest.sol";

/// @notice Does what users, relayers and time do to an oracle, in any order, and keeps its own books.
contract LogHandler is OracleTest {
    /// What became of each entry's fee: wei that relayers and requesters got for it.
    struct Books {
        Entry entry;
        uint256 paid;
        uint256 refunded;
        uint256 executions;
    }

    Moody private moody = new Moody();
    mapping(bytes32 contractId => Books[]) private books;
    /// Batches already sent, to be sent again.
    bytes[] private sent;
    mapping(bytes32 contractId => uint256) public highestHead;
    bool public headWentBack;
    uint256 public executed;

    /// @dev Not a test of its own: the invariant test calls this.
    constructor() {
        setUp();
        // Entry 0 of each, executed in `setUp`.
        for (uint256 i = 0; i < 2; ++i) {
            Books storage b = books[i == 0 ? stateful : stateless].push();
            b.executions = 1;
            b.paid = FEE;
        }
        _watch();
    }

    function request(bool which, bool callback, uint96 fee, bool expires) external {
        bytes32 id = which ? stateful : stateless;
        fee = uint96(bound(fee, CHARGE, 1 ether));
        uint256 terms = _terms(callback ? 100_000 : 0) | (expires ? uint256(1) << 224 : 0);
        Books storage b = books[id].push();
        b.entry = _request(id, address(moody), terms, fee);
    }

    function fulfillStateful(uint8 skipped, uint8 count, uint32 gasLimit) external {
        (uint48 seq,) = oracle.head(stateful);
        uint256 from = seq > skipped % 3 ? seq - skipped % 3 : seq;
        if (from == 0) from = 1;
        uint256 available = books[stateful].length - from;
        if (available == 0) return;
        Entry[] memory entries = new Entry[](bound(count, 1, available > 4 ? 4 : available));
        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i] = books[stateful][from + i].entry;
        }
        _send(_batch(_group(_commitmentAt(from) | from, entries)), gasLimit);
    }

    function fulfillStateless(uint8 which) external {
        if (books[stateless].length == 1) return;
        Entry memory entry = books[stateless][bound(which, 1, books[stateless].length - 1)].entry;
        _send(_batch(_group(entry.seq, _list(entry))), type(uint32).max);
    }

    function fulfillAgain(uint8 which) external {
        if (sent.length == 0) return;
        _send(abi.decode(sent[which % sent.length], (Fulfillment)), type(uint32).max);
    }

    function refund(bool which, uint8 index) external {
        bytes32 id = which ? stateful : stateless;
        if (books[id].length == 1) return;
        Books storage b = books[id][bound(index, 1, books[id].length - 1)];
        uint256 before = address(moody).balance;
        try oracle.refund(b.entry) {
            b.refunded += address(moody).balance - before;
        } catch {}
        _watch();
    }

    function retry(uint8 index) external {
        if (books[stateful].length == 1) return;
        Entry memory e = books[stateful][bound(index, 1, books[stateful].length - 1)].entry;
        moody.cheerUp();
        try oracle.retryCallback(stateful, e.seq, e.settlement, 1, _output(e)) {} catch {}
    }

    function wait(uint16 time) external {
        skip(time);
    }

    /// @notice What the oracle must hold for entries whose fee is still open.
    function owed() external view returns (uint256 sum) {
        for (uint256 i = 0; i < 2; ++i) {
            Books[] storage all = books[i == 0 ? stateful : stateless];
            for (uint256 j = 1; j < all.length; ++j) {
                sum += (all[j].entry.payment >> 160) - all[j].paid - all[j].refunded;
            }
        }
    }

    /// @notice Whether every entry was executed, paid and refunded as it may be.
    function sound() external view returns (bool) {
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 id = i == 0 ? stateful : stateless;
            for (uint256 j = 1; j < books[id].length; ++j) {
                Books storage b = books[id][j];
                uint256 fee = b.entry.payment >> 160;
                uint256 charge = uint96(b.entry.payment >> 64);
                uint8 status = _status(b.entry);
                if (b.executions > 1) return false;
                if (b.refunded != 0 && b.refunded != fee - charge) return false;
                if (b.executions == 1 && b.paid != fee - b.refunded) return false;
                if (b.executions == 0 && b.paid != 0) return false;
                if ((status & 1 != 0) != (b.refunded != 0)) return false;
                if (id == stateful && (uint48(_head(id)) > j) != (b.executions == 1)) return false;
                if (id == stateless && (status & 4 != 0) != (b.executions == 1)) return false;
            }
        }
        return true;
    }

    function balance() external view returns (uint256) {
        return address(oracle).balance;
    }

    /// @dev Sends a batch and books what it did, by comparing the oracle before and after.
    function _send(Fulfillment memory f, uint32 gasLimit) private {
        sent.push(abi.encode(f));
        bytes32 id = f.groups[0].contractId;
        uint256 first = uint48(f.groups[0].start);
        uint256 count = f.groups[0].items.length;
        bool[] memory before = new bool[](count);
        for (uint256 i = 0; i < count; ++i) {
            before[i] = _isExecuted(id, first + i);
        }
        uint256 balanceBefore = relayer.balance;
        uint256 limit = bound(gasLimit, 100_000, 3_000_000);
        vm.prank(relayer);
        try oracle.fulfill{gas: limit}(f) returns (uint256 done) {
            executed += done;
            uint256 expected;
            for (uint256 i = 0; i < count; ++i) {
                if (before[i] || !_isExecuted(id, first + i)) continue;
                Books storage b = books[id][first + i];
                ++b.executions;
                b.paid += (b.entry.payment >> 160) - b.refunded;
                expected += (b.entry.payment >> 160) - b.refunded;
                --done;
            }
            require(done == 0, "what it says it executed is what it executed");
            require(relayer.balance - balanceBefore == expected, "the relayer is paid for just that");
        } catch {
            require(limit < 600_000 || block.timestamp > 1_800_000_000 + 7 days, "it fails for lack of gas only");
        }
        _watch();
    }

    function _isExecuted(bytes32 id, uint256 seq) private view returns (bool) {
        if (id == stateful) return seq < uint48(_head(id));
        return uint256(oracle.entryDigest(id, seq)) & 4 != 0;
    }

    /// @dev The commitment after `seq` executed entries.
    function _commitmentAt(uint256 seq) private view returns (uint256) {
        if (seq == 1) return uint256(keccak256(abi.encode("state", stateful, uint48(0)))) >> 48 << 48;
        return _commitment(books[stateful][seq - 1].entry);
    }

    function _watch() private {
        uint256 now_ = uint48(_head(stateful));
        if (now_ < highestHead[stateful]) headWentBack = true;
        highestHead[stateful] = now_;
    }
}
