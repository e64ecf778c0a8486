// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Call, ISubrosaOracle, Policy} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {Fulfillment, FulfillmentGroup} from "./Batches.sol";
import {Reference} from "./Reference.sol";
import {RingBooks} from "./RingBooks.sol";

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

/// @notice Does what users, relayers, owners and time do to two logs, in any order, and keeps books of it.
contract RingHandler is RingBooks {
    Puppet internal puppet;
    address private heir = makeAddr("heir");

    /// How often each was done.
    uint256 public requests;
    uint256 public lists;
    uint256 public refusedFees;
    uint256 public repricings;
    uint256 public topUps;
    uint256 public cancellations;
    uint256 public refunds;
    uint256 public reclaims;
    uint256 public retries;
    uint256 public returns_;

    constructor() {
        setUp();
        puppet = new Puppet(oracle);
        vm.deal(address(puppet), type(uint96).max);
        _setUpBooks();
        _setPolicy(stateful, _widePolicy());
        _setPolicy(stateless, _widePolicy());
    }

    /// @dev Callbacks may append.
    function _widePolicy() private pure returns (Policy memory policy) {
        policy = _policy();
        policy.maximumCallbackGas = GAS;
    }

    /// @notice One to forty requests, so that the ring comes around soon, each for what is quoted or for more.
    function request(uint256 seed) external {
        bytes32 id = ids[seed % 2];
        uint256 count = (seed >> 8) % 8 == 0 ? 1 + (seed >> 16) % 40 : 1 + (seed >> 16) % 4;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 terms, uint256 fee) = _terms(id, seed, i);
            if ((seed >> (120 + i)) % 16 == 0) _offerLess(id, terms, fee);
            bool exactly = (seed >> (140 + i)) % 2 == 0;
            address refundTo = (seed >> (160 + i)) % 4 == 0 ? heir : address(0);
            _book(
                _request(id, address(puppet), terms, exactly ? fee : fee + (seed >> 200) % 1e9 * 1 gwei, refundTo),
                exactly
            );
            ++requests;
        }
    }

    /// @notice Several in one call, at the sum of what they cost or more, which is for the last.
    function requestMany(uint256 seed) external {
        bytes32 id = ids[seed % 2];
        Call[] memory calls = new Call[](1 + (seed >> 8) % 5);
        uint256 sum = (seed >> 200) % 2 == 0 ? 0 : 1 gwei;
        for (uint256 i = 0; i < calls.length; ++i) {
            (uint256 terms, uint256 fee) = _terms(id, seed, i);
            calls[i] = Call(keccak256("user"), terms, "some input");
            sum += fee;
        }
        vm.recordLogs();
        hoax(address(puppet), address(puppet).balance + sum);
        oracle.requestMany{value: sum}(id, address(0), calls);
        Entry[] memory all = _allAppended();
        _check(all.length == calls.length, "as many as were asked");
        for (uint256 i = 0; i < all.length; ++i) {
            _note(all[i]);
            _book(all[i], i + 1 < all.length || (seed >> 200) % 2 == 0);
        }
        ++lists;
    }

    /// @notice The owner changes what it charges, or the chain what gas costs.
    function reprice(uint256 seed) external {
        if (seed % 2 == 0) {
            vm.fee((seed >> 8) % 20 gwei);
        } else {
            bytes32 id = ids[(seed >> 8) % 2];
            Policy memory policy = _widePolicy();
            // Prices that the log's word keeps exactly.
            policy.chargeGwei = uint64((seed >> 16) % 4 * 100_000);
            policy.baseFeeSixteenths = uint8((seed >> 32) % 33);
            policy.gasPriceFloor = uint64((seed >> 48) % 20 * 0.1 gwei);
            _setPolicy(id, policy);
        }
        ++repricings;
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
            r.toppedUp += 3 gwei;
            owed += 3 gwei;
            ++topUps;
        } catch {
            _check(r.status & RECLAIMED != 0, "a top-up was refused");
        }
    }

    function cancel(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.entry.settlement == 0) return;
        bool can = !r.executed && r.status & CANCELLED == 0 && uint32(r.entry.settlement >> 64) != 0;
        uint256 before = _wealth(r.entry);
        vm.prank(address(puppet));
        try oracle.cancel(r.entry) {
            _check(can, "cancelled what cannot be");
            _bookReturn(r, r.status & REFUNDED == 0 ? _callbackPart(r.entry) : 0, before);
            r.status |= CANCELLED;
            ++cancellations;
        } catch {
            _check(!can, "cancelling was refused");
        }
    }

    function refund(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.entry.settlement == 0) return;
        uint256 amount = _refundable(r);
        bool can = !r.executed && amount != 0 && block.timestamp > uint48(r.entry.settlement);
        uint256 before = _wealth(r.entry);
        try oracle.refund(r.entry) {
            _check(can, "refunded what cannot be");
            _bookReturn(r, amount, before);
            r.status |= REFUNDED;
            ++refunds;
        } catch {
            _check(!can, "a refund was refused");
        }
    }

    function reclaim(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.entry.settlement == 0) return;
        bool can = !r.executed && r.status & RECLAIMED == 0 && block.timestamp > uint48(r.entry.settlement) + 30 days;
        uint256 before = _wealth(r.entry);
        try oracle.reclaim(r.entry) {
            _check(can, "taken back what cannot be");
            _bookReturn(r, _refundable(r) + _landing(r.entry) + r.added * 1 gwei, before);
            r.status = (r.status | REFUNDED | RECLAIMED) & ~TOPPED_UP;
            r.added = 0;
            ++reclaims;
        } catch {
            _check(!can, "taking back was refused");
        }
    }

    /// @notice Makes a callback that is due, or takes back what is held, of an entry whose slot may be another's.
    function settle(uint256 seed) external {
        Record storage r = _any(seed);
        if (r.entry.settlement == 0) return;
        puppet.tell(false, 0, 0, 0);
        if (seed >> 128 & 1 == 0) _retry(r);
        else _takeBack(r);
    }

    function wait(uint256 seed) external {
        skip(seed % 8 == 0 ? 10 days : seed % 2 hours);
        vm.roll(block.number + 1);
    }

    function _retry(Record storage r) private {
        bool inGrace = block.timestamp <= uint256(r.left.since) + GRACE;
        bool can = r.flags & CALLBACK_DUE != 0 && (inGrace || r.entry.settlement >> 48 & 1 == 0);
        uint256 before = oracle.balanceOf(address(this));
        try oracle.retryCallback(r.entry, r.left, _output(r.entry)) {
            _check(can, "made a callback that is not due");
            uint256 reward = oracle.balanceOf(address(this)) - before;
            // Of what is held for that, in time, and of nothing that is the requester's.
            _gain(reward <= (inGrace && r.flags & FOR_REQUESTER == 0 ? _held(r) : 0), "another reward");
            r.toLander += reward;
            r.left.held -= uint48(reward / 1 gwei);
            r.flags = r.left.held == 0 ? 0 : FOR_REQUESTER;
            ++retries;
        } catch {
            _check(!can, "a callback that is due was refused");
        }
    }

    function _takeBack(Record storage r) private {
        bool inGrace = block.timestamp <= uint256(r.left.since) + GRACE;
        bool can = r.flags != 0 && r.left.held != 0 && (r.flags & FOR_REQUESTER != 0 || !inGrace);
        uint256 before = _wealth(r.entry);
        try oracle.refundExecuted(r.entry, r.left) {
            _check(can, "returned what is not due");
            _bookReturn(r, _held(r), before);
            r.left.held = 0;
            r.flags = r.flags & CALLBACK_DUE != 0 && r.entry.settlement >> 48 & 1 == 0 ? CALLBACK_DUE : 0;
            ++returns_;
        } catch {
            _check(!can, "a return was refused");
        }
    }

    function _submit(FulfillmentGroup[] memory groups) private {
        Fulfillment memory f = _batch(groups);
        uint256[2] memory before = [oracle.balanceOf(relayer), oracle.balanceOf(owner)];
        vm.recordLogs();
        uint256 done = _fulfill(f);
        _bookLogs(groups[0].contractId, done, before);
    }

    /// @dev Of the i-th request of a call: what it asks for, and what is quoted for that.
    function _terms(bytes32 id, uint256 seed, uint256 i) private view returns (uint256 terms, uint256 fee) {
        uint32 callbackGas = (seed >> (24 + i)) % 2 == 0 ? 0 : GAS;
        uint48 deadline = uint48(block.timestamp + 60 + (seed >> 80) % 2 hours);
        uint64 fuel = (seed >> (100 + i)) % 4 == 0 ? MUCH_FUEL : LITTLE_FUEL;
        terms = Reference.terms(0, (seed >> (110 + i)) % 2, fuel, callbackGas, deadline);
        fee = oracle.quote(id, INPUT_LENGTH, OUTPUT_LIMIT, callbackGas, fuel);
    }

    function _offerLess(bytes32 id, uint256 terms, uint256 fee) private {
        if (fee == 0) return;
        hoax(address(puppet), address(puppet).balance + fee);
        try oracle.request{value: fee - 1 gwei}(id, 0, terms, address(0), "some input") {
            _cover(false, "less than was quoted was taken");
        } catch {
            ++refusedFees;
        }
    }

    function _setPolicy(bytes32 id, Policy memory policy) private {
        vm.prank(owner);
        oracle.setPolicy(id, policy);
        policies[id] = policy;
    }

    function _any(uint256 seed) private view returns (Record storage) {
        Record[] storage all = records[ids[seed % 2]];
        // Mostly of those that are still pending or not long executed.
        uint256 window = all.length < 80 || (seed >> 8) % 4 == 0 ? all.length : 80;
        return all[all.length - 1 - (seed >> 16) % window];
    }
}
