// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {Tally} from "../consumers/Tally.sol";
import {Batches, Fulfillment, FulfillmentGroup} from "./Batches.sol";
import {Reference} from "./Reference.sol";
import {RuntimeModel} from "./RuntimeModel.sol";

/// @notice Does what users, relayers, enclaves, governance and time do to the contracts, in any
/// order, predicts what must come of it and remembers whatever did not.
contract ProtocolHandler is RuntimeModel {
    uint256 private constant AMPLE_GAS = 30_000_000;

    /// The last batches sent, to be sent again.
    bytes[4] private sent;
    uint256 private sends;

    /// By `Trust`: whether a batch of such a signer was ever taken.
    bool[TRUSTS] public landed;
    bool public strangerLanded;
    /// A batch with a trusted signer and ample gas did less, or more, than it should.
    bool public notApplied;
    /// How often each situation came up, so that a test can tell that none is missed.
    uint256[TRUSTS] public attempts;
    uint256 public starvedBatches;
    uint256 public retries;

    constructor() {
        setUp();
        _setUpTrust();
        _setUpLedger();
        _setUpRuntimes();
        vm.deal(owner, type(uint128).max);
    }

    function request(uint256 seed) external {
        bytes32 id = ids[seed % 3];
        uint256 fee = FEE + (seed >> 8) % 1e9 * 1 gwei;
        address from = (seed >> 80) % 4 == 0 ? owner : address(tally);
        uint256 flags = (seed >> 88) % 2;
        uint32 callbackGas = (seed >> 96) % 3 == 0 ? 0 : CALLBACK_GAS;
        uint48 deadline = uint48(block.timestamp + 60 + (seed >> 104) % 1 hours);
        _book(_request(id, from, Reference.terms(0, flags, 500_000, callbackGas, deadline), fee));
    }

    function advanceEpoch(uint256 seed) external {
        bytes32 id = ids[seed % 3];
        if (uint32(oracle.logOf(id) >> 80) >= epoch) return;
        vm.recordLogs();
        vm.prank(owner);
        oracle.advanceEpoch{value: FEE}(id, epoch);
        Entry memory entry = _appended();
        _note(entry);
        _book(entry);
        _inspectCountsOfShortLogs();
    }

    function setMood(uint256 seed) external {
        // Willing half of the time.
        tally.setMood(Tally.Mood(seed % 2 == 0 ? 0 : (seed >> 1) % 4), (seed >> 8) % 3 == 0);
    }

    /// @notice A batch over one to three logs, by any signer, perhaps starved of gas, perhaps
    /// repeating what was executed.
    function fulfill(uint256 seed, uint256 gasSeed) external {
        uint256 count = 1 + seed % 3;
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](count);
        uint256 found;
        for (uint256 i = 0; i < count; ++i) {
            (bool any, FulfillmentGroup memory group) = _pick(ids[((seed >> 8) % 3 + i) % 3], seed >> (16 + 16 * i));
            if (any) groups[found++] = group;
        }
        if (found == 0) return;
        assembly ("memory-safe") {
            mstore(groups, found)
        }
        uint256 signer = _anySigner(seed >> 80);
        uint32 keyEpoch = uint32(groups[0].items[0].payment >> 48);
        Fulfillment memory f = _signed(groups, signer, (seed >> 120) % 16 == 0 ? keyEpoch + 1 : keyEpoch);
        sent[sends++ % 4] = abi.encode(signer, f);
        _submit(f, signer, gasSeed % 2 == 0 ? AMPLE_GAS : 50_000 + (gasSeed >> 8) % 1_500_000);
    }

    function fulfillAgain(uint256 seed) external {
        bytes memory batch = sent[seed % 4];
        if (batch.length == 0) return;
        (uint256 signer, Fulfillment memory f) = abi.decode(batch, (uint256, Fulfillment));
        _submit(f, signer, AMPLE_GAS);
    }

    /// @notice A batch that nobody admitted signed, or that was changed after signing.
    function forge(uint256 seed) external {
        (bool any, FulfillmentGroup memory group) = _pick(ids[seed % 3], seed >> 8);
        if (!any) return;
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](1);
        groups[0] = group;
        Fulfillment memory f = _signed(groups, _anySigner(seed >> 40), uint32(group.items[0].payment >> 48));
        uint256 how = (seed >> 80) % 5;
        if (how == 0) _signBatch(f, uint256(keccak256(abi.encode("stranger", seed))));
        if (how == 1) f.groups[0].items[0].result ^= 1 << 100;
        if (how == 2) f.groups[0].items[0].payment ^= 1 << (112 + seed % 144);
        if (how == 3) f.groups[0].start ^= 1 << 60;
        if (how == 4) f.signatures[0][32] ^= 0x80;
        bytes memory batch = Batches.pack(f);
        vm.prank(relayer);
        try oracle.fulfill{gas: AMPLE_GAS}(batch) {
            strangerLanded = true;
        } catch {}
        _inspectHead(group.contractId);
    }

    function refund(uint256 seed) external {
        bytes32 id = ids[seed % 3];
        if (records[id].length == 1) return;
        Record storage r = records[id][1 + (seed >> 8) % (records[id].length - 1)];
        Entry memory e = r.entry;
        address requester = address(uint160(e.settlement >> 96));
        uint256 amount = _callbackPart(e) + _charge(e);
        bool due = block.timestamp > uint48(e.settlement) && r.executions == 0 && r.refunded == 0 && amount != 0;
        uint256 before = _wealth(requester);
        uint256 waiting = oracle.balanceOf(requester);
        try oracle.refund{gas: AMPLE_GAS}(e) {
            if (!due) paidTwice = true;
            if (_wealth(requester) != before + amount) misdirected = true;
            r.refunded += amount;
            owed = owed - amount + oracle.balanceOf(requester) - waiting;
            ++refunds;
        } catch {
            if (due) notApplied = true;
        }
        _inspect(id, _seq(e));
    }

    /// @notice What is held of an executed entry goes back, when it is due.
    function refundExecuted(uint256 seed) external {
        Record storage r = _anyRecord(seed);
        if (_seq(r.entry) == 0) return;
        Entry memory e = r.entry;
        bool due = r.left.held != 0
            && (r.flags & FOR_REQUESTER != 0 || (r.flags != 0 && block.timestamp > r.left.since + GRACE));
        uint256 amount = uint256(r.left.held) * 1 gwei;
        address requester = address(uint160(e.settlement >> 96));
        uint256 before = _wealth(requester);
        uint256 waiting = oracle.balanceOf(requester);
        vm.recordLogs();
        try oracle.refundExecuted{gas: AMPLE_GAS}(e, r.left) {
            if (!due) paidTwice = true;
            if (_wealth(requester) != before + amount) misdirected = true;
            r.refunded += amount;
            (r.left.held, r.flags) = (0, 0);
            _bookOutstanding();
            owed = owed - amount + oracle.balanceOf(requester) - waiting;
            ++refunds;
        } catch {
            if (due) notApplied = true;
        }
        _inspect(e.contractId, _seq(e));
    }

    function retry(uint256 seed) external {
        Record storage r = _anyRecord(seed);
        if (_seq(r.entry) == 0) return;
        Entry memory e = r.entry;
        bool due = r.flags & CALLBACK_DUE != 0;
        uint256 before = tally.total();
        uint256 mine = oracle.balanceOf(address(this));
        vm.recordLogs();
        try oracle.retryCallback{gas: 1_500_000}(e, r.left, _output(e)) {
            // Deliveries are counted by the tally; a success says that there was something to deliver.
            if (!due || (tally.total() == before && address(uint160(e.settlement >> 96)) == address(tally))) {
                slotChanged = true;
            }
            uint256 reward = oracle.balanceOf(address(this)) - mine;
            if (reward > uint256(r.left.held) * 1 gwei) misdirected = true;
            r.paid += reward;
            r.left.held -= uint48(reward / 1 gwei);
            r.flags = 0;
            _bookOutstanding();
            ++retries;
        } catch {}
        _inspect(e.contractId, _seq(e));
    }

    function _anyRecord(uint256 seed) private view returns (Record storage) {
        Record[] storage all = records[ids[seed % 3]];
        return all[(seed >> 8) % all.length];
    }

    function withdraw(uint256 seed) external {
        address[4] memory accounts = [address(tally), relayer, owner, address(this)];
        address account = accounts[seed % 4];
        uint256 waiting = oracle.balanceOf(account);
        vm.prank(account);
        try oracle.withdraw(payable(address(0xcafe))) returns (uint256 amount) {
            if (amount != waiting || waiting == 0) misdirected = true;
            owed -= amount;
        } catch {
            if (waiting != 0) misdirected = true;
        }
    }

    function balance() external view returns (uint256) {
        return address(oracle).balance;
    }

    function calledTwice() external view returns (bool) {
        return tally.twice();
    }

    function starved() external view returns (bool) {
        return tally.starved();
    }

    function delivered() external view returns (uint256) {
        return tally.total();
    }

    /// @dev Of the logs with a head, the epoch of the entry behind it.
    function _oldestEpoch() internal view override returns (uint32 oldest) {
        oldest = epoch;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] == stateless) continue;
            uint256 head = _headSeq(ids[i]);
            if (head >= records[ids[i]].length) continue;
            uint32 itsEpoch = uint32(records[ids[i]][head].entry.payment >> 48);
            if (itsEpoch != 0 && itsEpoch < oldest) oldest = itsEpoch;
        }
    }

    /// @dev Some entries of a log around its head; of a stateless one, any.
    function _pick(bytes32 id, uint256 seed) private view returns (bool, FulfillmentGroup memory group) {
        uint256 length = records[id].length;
        if (length == 1) return (false, group);
        if (id == stateless) return (true, _window(id, 1 + seed % (length - 1), 1));
        uint256 head = _headSeq(id);
        uint256 back = (seed >> 8) % 4 == 0 ? 2 : 0;
        uint256 from = head > back ? head - back : 1;
        if (from >= length) from = length - 1;
        uint256 count = 1 + seed % 3;
        return (true, _window(id, from, count > length - from ? length - from : count));
    }

    function _signed(FulfillmentGroup[] memory groups, uint256 signer, uint32 keyEpoch)
        private
        view
        returns (Fulfillment memory f)
    {
        Signer storage s = signers[signer];
        f.groups = groups;
        f.keyGroup = KEY_GROUP;
        f.keyEpoch = keyEpoch;
        _signBatch(f, s.key);
    }

    /// @dev Sends a batch as the relayer and compares what moved with what had to.
    function _submit(Fulfillment memory f, uint256 signer, uint256 gasLimit) private {
        Trust trust = _trustIn(signers[signer], f.keyEpoch);
        ++attempts[uint256(trust)];
        (uint256 due, bool[] memory before) = _predict(f);
        bytes memory batch = Batches.pack(f);
        bool reentering = tally.mood() == Tally.Mood.Reentering;
        if (reentering) tally.arm(address(oracle), abi.encodeCall(ISubrosaOracle.fulfill, (batch)));
        uint256 relayerBefore = oracle.balanceOf(relayer);
        uint256 tallyBefore = oracle.balanceOf(address(tally));
        uint256 ownerBefore = oracle.balanceOf(owner);

        vm.recordLogs();
        vm.prank(relayer);
        try oracle.fulfill{gas: gasLimit}(batch) returns (uint256 done) {
            landed[uint256(trust)] = true;
            _bookOutstanding();
            (uint256 count, uint256 earned) = _reckon(f, before);
            uint256 byRelayer = oracle.balanceOf(relayer) - relayerBefore;
            uint256 byTally = oracle.balanceOf(address(tally)) - tallyBefore;
            uint256 byOwner = oracle.balanceOf(owner) - ownerBefore;
            if (byRelayer + byTally + byOwner != earned || (byTally != 0 && !reentering)) misdirected = true;
            if (done > count || (done == count && byTally != 0) || (!reentering && done != count)) misdirected = true;
            if (gasLimit == AMPLE_GAS ? count != due : count > due) notApplied = true;
            if (count < due) ++starvedBatches;
        } catch {
            if (trust == Trust.Trusted && gasLimit == AMPLE_GAS) notApplied = true;
        }
        tally.arm(address(0), "");
        for (uint256 g = 0; g < f.groups.length; ++g) {
            _inspectHead(f.groups[g].contractId);
        }
        _inspectCountsOfShortLogs();
    }

    /// @dev What looks at every entry takes too long for long ones.
    function _inspectCountsOfShortLogs() private {
        uint256 length;
        for (uint256 i = 0; i < ids.length; ++i) {
            length += records[ids[i]].length;
        }
        if (length < 32) _inspectCounts();
    }

    /// @dev How many items must be applied if gas is no matter, and which are executed now.
    function _predict(Fulfillment memory f) private view returns (uint256 due, bool[] memory before) {
        before = new bool[](9);
        uint256 position;
        for (uint256 g = 0; g < f.groups.length; ++g) {
            FulfillmentGroup memory group = f.groups[g];
            uint256 seq = uint48(group.start);
            bool stopped;
            for (uint256 i = 0; i < group.items.length; ++i) {
                before[position] = _isExecuted(group.contractId, seq + i);
                // Under another epoch the digest is another one, and so is every digest behind it.
                if (uint32(group.items[i].payment >> 48) != f.keyEpoch) stopped = true;
                if (!before[position++] && !stopped) ++due;
            }
        }
    }

    /// @dev Books what was executed; gives how many, and what that earned in all.
    function _reckon(Fulfillment memory f, bool[] memory before) private returns (uint256 count, uint256 earned) {
        uint256 position;
        for (uint256 g = 0; g < f.groups.length; ++g) {
            bytes32 id = f.groups[g].contractId;
            uint256 seq = uint48(f.groups[g].start);
            for (uint256 i = 0; i < f.groups[g].items.length; ++i) {
                bool was = before[position++];
                if (was || !_isExecuted(id, seq + i)) continue;
                earned += _bookExecution(records[id][seq + i]);
                ++count;
                _inspect(id, seq + i);
            }
        }
    }

    /// @dev What an account has: with it, and waiting for it.
    function _wealth(address account) private view returns (uint256) {
        return account.balance + oracle.balanceOf(account);
    }
}
