// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

import {ISubrosaOracle, Policy} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../../src/interfaces/SubrosaTypes.sol";
import {Batches, Fulfillment, FulfillmentGroup} from "./Batches.sol";
import {OracleTest} from "./OracleTest.sol";
import {Reference} from "./Reference.sol";

/// @notice A requester that does what it is told in its callback: fail, append to the log that is being executed, as
/// often as it is told, or neither.
contract Puppet {
    ISubrosaOracle private immutable oracle;
    bytes32 private target;
    uint256 private terms;
    uint256 private appends;
    bool private fails;

    error Told();

    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    function tell(bool fails_, bytes32 target_, uint256 terms_, uint256 appends_) external {
        (fails, target, terms, appends) = (fails_, target_, terms_, appends_);
    }

    function onSubrosaResult(bytes32, uint256, uint8, bytes calldata) external {
        if (fails) revert Told();
        uint256 times = appends;
        appends = 0;
        for (uint256 i = 0; i < times; ++i) {
            oracle.request{value: 0.01 ether}(target, 0, terms, address(0), "from within");
        }
    }

    receive() external payable {}
}

/// @notice Two logs, a stateful and a stateless one, kept as plain lists beside the oracle's ring: every entry with
/// what happened to it and what of its fee is where. What the oracle stores is compared with that.
contract RingHandler is OracleTest {
    struct Record {
        Entry entry;
        bool executed;
        /// What its slot must say while it is pending.
        uint8 status;
        /// Gwei of top-ups.
        uint256 added;
        Outstanding left;
        uint256 flags;
    }

    uint24 private constant GAS = 1_500_000;

    bytes32[2] internal ids;
    mapping(bytes32 contractId => Record[]) internal records;
    Puppet internal puppet;
    /// Wei that the oracle owes, to whomever.
    uint256 public owed;
    /// What went wrong first.
    string public fault;

    uint256 public executions;
    uint256 public apart;
    uint256 public appendsWithin;
    uint256 public lates;
    uint256 public failures;
    uint256 public settlements;
    uint256 public pendingWrites;

    constructor() {
        setUp();
        puppet = new Puppet(oracle);
        vm.deal(address(puppet), type(uint96).max);
        ids = [stateful, stateless];
        for (uint256 i = 0; i < 2; ++i) {
            Record storage r = records[ids[i]].push();
            r.executed = true;
            r.entry.contractId = ids[i];
        }
        owed = address(oracle).balance;
        vm.prank(owner);
        oracle.setPolicy(stateful, _widePolicy());
        vm.prank(owner);
        oracle.setPolicy(stateless, _widePolicy());
    }

    /// @dev Callbacks may append.
    function _widePolicy() private pure returns (Policy memory policy) {
        policy = _policy();
        policy.maximumCallbackGas = GAS;
    }

    // What users, relayers and time do.

    /// @notice One to forty requests, so that the ring comes around soon.
    function request(uint256 seed) external {
        bytes32 id = ids[seed % 2];
        uint256 count = (seed >> 8) % 8 == 0 ? 1 + (seed >> 16) % 40 : 1 + (seed >> 16) % 4;
        for (uint256 i = 0; i < count; ++i) {
            uint32 callbackGas = (seed >> (24 + i)) % 2 == 0 ? 0 : GAS;
            uint48 deadline = uint48(block.timestamp + 60 + (seed >> 80) % 2 hours);
            uint256 flags = (seed >> (100 + i)) % 2;
            uint256 terms = Reference.terms(0, flags, 1, callbackGas, deadline);
            _book(_request(id, address(puppet), terms, 0.01 ether));
        }
    }

    /// @notice A batch around the head, or of any entries of the stateless log; perhaps of some that were executed.
    function fulfill(uint256 seed) external {
        bytes32 id = ids[seed % 2];
        Record[] storage all = records[id];
        uint256 count = 1 + (seed >> 8) % 12;
        bool within = (seed >> 16) % 4 == 0;
        puppet.tell(
            (seed >> 24) % 4 == 0, id, Reference.terms(0, 0, 1, 0, _deadline()), within ? 1 + (seed >> 32) % 3 : 0
        );
        Entry[] memory entries;
        if (id == stateful) {
            uint256 from = _headSeq(id);
            if ((seed >> 40) % 4 == 0 && from > 2) from -= 2;
            if (from >= all.length) return;
            if (count > all.length - from) count = all.length - from;
            entries = new Entry[](count);
            for (uint256 i = 0; i < count; ++i) {
                entries[i] = all[from + i].entry;
            }
            _submit(_groups(_groupInPlace(entries)));
            return;
        }
        if (all.length == 1) return;
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](count);
        for (uint256 i = 0; i < count; ++i) {
            // Mostly of the newest, so that old ones stay pending.
            uint256 n = uint256(keccak256(abi.encode(seed, i)));
            uint256 back = n % 4 == 0 ? (n >> 8) % (all.length - 1) : (n >> 8) % 8 % (all.length - 1);
            groups[i] = _groupInPlace(_list(all[all.length - 1 - back].entry));
        }
        _submit(groups);
    }

    function addFee(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.executed || r.entry.settlement == 0) return;
        vm.deal(address(this), 1 ether);
        try oracle.addFee{value: 3 gwei}(r.entry) {
            _check(r.status & RECLAIMED == 0, "topped up what was reclaimed");
            r.status |= TOPPED_UP;
            r.added += 3;
            owed += 3 gwei;
            ++pendingWrites;
        } catch {
            _check(r.status & RECLAIMED != 0, "a top-up was refused");
        }
    }

    function cancel(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.entry.settlement == 0) return;
        bool can = !r.executed && r.status & CANCELLED == 0 && uint32(r.entry.settlement >> 64) != 0;
        vm.prank(address(puppet));
        try oracle.cancel(r.entry) {
            _check(can, "cancelled what cannot be");
            if (r.status & REFUNDED == 0) owed -= _callbackPart(r.entry);
            r.status |= CANCELLED;
            ++pendingWrites;
        } catch {
            _check(!can, "cancelling was refused");
        }
    }

    function refund(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.entry.settlement == 0) return;
        bool can = !r.executed && r.status & REFUNDED == 0 && block.timestamp > uint48(r.entry.settlement);
        try oracle.refund(r.entry) {
            _check(can, "refunded what cannot be");
            owed -= _refundable(r);
            r.status |= REFUNDED;
            ++pendingWrites;
        } catch {
            _check(!can, "a refund was refused");
        }
    }

    function reclaim(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.entry.settlement == 0) return;
        bool can = !r.executed && r.status & RECLAIMED == 0 && block.timestamp > uint48(r.entry.settlement) + 30 days;
        try oracle.reclaim(r.entry) {
            _check(can, "taken back what cannot be");
            owed -= _refundable(r) + _landing(r.entry) + r.added * 1 gwei;
            r.status = (r.status | REFUNDED | RECLAIMED) & ~TOPPED_UP;
            r.added = 0;
            ++pendingWrites;
        } catch {
            _check(!can, "taking back was refused");
        }
    }

    /// @notice Makes a callback that is due, or takes back what is held, of an entry whose slot may be another's.
    function settle(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.entry.settlement == 0) return;
        bool expires = r.entry.settlement >> 48 & 1 == 1;
        bool inGrace = block.timestamp <= uint256(r.left.since) + GRACE;
        puppet.tell(false, 0, 0, 0);
        if (seed >> 128 & 1 == 0) {
            bool can = r.flags & CALLBACK_DUE != 0 && (inGrace || !expires);
            uint256 before = oracle.balanceOf(address(this));
            try oracle.retryCallback(r.entry, r.left, _output(r.entry)) {
                _check(can, "made a callback that is not due");
                bool rewarded = inGrace && r.flags & FOR_REQUESTER == 0;
                _check(oracle.balanceOf(address(this)) - before == (rewarded ? _held(r) : 0), "another reward");
                r.flags = rewarded || r.left.held == 0 ? 0 : FOR_REQUESTER;
                ++settlements;
            } catch {
                _check(!can, "a callback that is due was refused");
            }
        } else {
            bool can = r.flags != 0 && r.left.held != 0 && (r.flags & FOR_REQUESTER != 0 || !inGrace);
            try oracle.refundExecuted(r.entry, r.left) {
                _check(can, "returned what is not due");
                owed -= _held(r);
                r.left.held = 0;
                r.flags = r.flags & CALLBACK_DUE != 0 && !expires ? CALLBACK_DUE : 0;
                ++settlements;
            } catch {
                _check(!can, "a return was refused");
            }
        }
    }

    function wait(uint256 seed) external {
        skip(seed % 8 == 0 ? 10 days : seed % 2 hours);
        vm.roll(block.number + 1);
    }

    // What must hold.

    /// @notice What the oracle stores of the last entries, against the lists.
    function inspect() external {
        _inspect(70);
    }

    /// @notice Of all of them.
    function inspectAll() external {
        _inspect(type(uint256).max);
    }

    function _inspect(uint256 window) private {
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 id = ids[i];
            Record[] storage all = records[id];
            _check(_nextSeq(id) == all.length, "the log is as long");
            bool marked;
            for (uint256 seq = all.length > window ? all.length - window : 1; seq < all.length; ++seq) {
                marked = _inspectEntry(all[seq], i) || marked;
            }
            if (i == 0 && marked) _check(_headFlags(id) & 1 == 1, "a pending slot's status is announced");
            if (i == 0 && _headSeq(id) == all.length) _check(_headFlags(id) == 0, "nothing is announced for nothing");
        }
        _check(address(oracle).balance == owed, "the oracle holds what it owes");
    }

    function balance() external view returns (uint256) {
        return address(oracle).balance;
    }

    function _inspectEntry(Record storage r, uint256 log) private returns (bool marked) {
        Entry memory entry = r.entry;
        (bool found, uint8 status) = _find(entry);
        if (!r.executed) {
            // Never written over, whatever came after.
            _check(found, "a pending entry has its slot");
            _check(status == r.status, "its status is what happened");
            _check(_addedTo(entry) == r.added, "top-ups wait");
            marked = status != 0;
        } else {
            if (log == 1 && found) _check(status & EXECUTED != 0, "an executed entry's slot says so");
            _check(_addedTo(entry) == 0, "top-ups are gone");
        }
        if (log == 0) _check((_seq(entry) < _headSeq(entry.contractId)) == r.executed, "the head is where it is");
        bytes32 word = oracle.outstandingOf(entry.contractId, _seq(entry));
        bytes32 expected = r.flags == 0 ? bytes32(0) : Reference.outstanding(_digest(entry), r.left) | bytes32(r.flags);
        _check(word == expected, "what is outstanding is what is left");
    }

    function _submit(FulfillmentGroup[] memory groups) private {
        Fulfillment memory f = _batch(groups);
        uint256[3] memory before = [oracle.balanceOf(relayer), oracle.balanceOf(owner), 0];
        vm.recordLogs();
        uint256 done = _fulfill(f);
        _bookLogs(groups[0].contractId, done, before);
    }

    /// @dev Books what the recorded logs tell of, in order: entries executed, what is left of them, entries appended
    /// from within.
    function _bookLogs(bytes32 id, uint256 done, uint256[3] memory before) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 seen;
        uint256 earned;
        uint256 charged;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == ISubrosaOracle.EntryFulfilled.selector) {
                (uint256 outcome,) = abi.decode(logs[i].data, (uint256, bytes));
                Record storage r = records[id][uint48(outcome)];
                _check(!r.executed, "executed twice");
                r.executed = true;
                ++seen;
                ++executions;
                (uint256 e, uint256 c) = _bookExecution(r);
                (earned, charged) = (earned + e, charged + c);
            } else if (topic == ISubrosaOracle.EntryOutstanding.selector) {
                (uint256 seq, uint8 flags, Outstanding memory left) =
                    abi.decode(logs[i].data, (uint256, uint8, Outstanding));
                Record storage r = records[id][seq];
                if (r.flags == 0) {
                    // A callback failed, in time.
                    _check(flags == CALLBACK_DUE, "a failed callback is due");
                    _check(uint256(left.held) * 1 gwei <= _callbackPart(r.entry), "no more is held than was paid");
                    earned -= uint256(left.held) * 1 gwei;
                    ++failures;
                } else {
                    _check(flags == r.flags && left.held == r.left.held, "late, as predicted");
                }
                (r.left, r.flags) = (left, flags);
            } else if (topic == ISubrosaOracle.EntryAppended.selector) {
                _bookDecoded(logs[i]);
                ++appendsWithin;
            }
        }
        _check(seen == done, "as many as it says");
        _check(oracle.balanceOf(relayer) - before[0] == earned, "the lander has what it earned");
        _check(oracle.balanceOf(owner) - before[1] == charged, "the owner has its charges");
    }

    /// @dev What an execution now earns its lander and the owner, if the callback works; and what is left of a late
    /// one.
    function _bookExecution(Record storage r) private returns (uint256 earned, uint256 charged) {
        Entry memory entry = r.entry;
        earned = (r.status & RECLAIMED != 0 ? 0 : _landing(entry)) + r.added * 1 gwei;
        r.added = 0;
        bool wanted = uint32(entry.settlement >> 64) != 0 && r.status & CANCELLED == 0;
        if (block.timestamp <= uint48(entry.settlement)) {
            return (earned + (wanted ? _callbackPart(entry) : 0), _charge(entry));
        }
        ++lates;
        uint256 held = _refundable(r);
        r.left = Outstanding(1, keccak256(_output(entry)), uint48(held / 1 gwei), uint48(block.timestamp));
        bool due = wanted && entry.settlement >> 48 & 1 == 0;
        r.flags = (due ? CALLBACK_DUE : 0) | (held != 0 ? FOR_REQUESTER : 0);
    }

    function _book(Entry memory entry) private {
        Record[] storage all = records[entry.contractId];
        _check(_seq(entry) == all.length, "positions follow each other");
        if (entry.contractId == stateful && all.length > 1) {
            _check(entry.previousDigest == _digest(all[all.length - 1].entry), "digests chain");
        }
        if (entry.contractId == stateless) _check(entry.previousDigest == 0, "digests do not chain");
        all.push().entry = entry;
        owed += _paid(entry);
        if (_slotAt(entry.contractId, _seq(entry) | 1 << 48) != 0) {
            ++apart;
            _check(oracle.logOf(entry.contractId) >> 155 & 1 == 1, "the log says that its last is apart");
        }
    }

    function _bookDecoded(Vm.Log memory log) private {
        Entry memory entry = _decode(log);
        _note(entry);
        Record[] storage all = records[entry.contractId];
        all.push().entry = entry;
        owed += _paid(entry);
    }

    function _any(uint256 seed) private view returns (Record storage) {
        Record[] storage all = records[ids[seed % 2]];
        // Mostly of those that are still pending or not long executed.
        uint256 window = all.length < 80 || (seed >> 8) % 4 == 0 ? all.length : 80;
        return all[all.length - 1 - (seed >> 16) % window];
    }

    function _refundable(Record storage r) private view returns (uint256) {
        if (r.status & REFUNDED != 0) return 0;
        return _charge(r.entry) + (r.status & CANCELLED != 0 ? 0 : _callbackPart(r.entry));
    }

    function _held(Record storage r) private view returns (uint256) {
        return uint256(r.left.held) * 1 gwei;
    }

    function _check(bool holds, string memory what) internal {
        if (!holds && bytes(fault).length == 0) fault = what;
    }
}
