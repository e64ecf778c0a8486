// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Registration} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {Batches, Fulfillment, FulfillmentGroup} from "./Batches.sol";
import {OracleTest} from "./OracleTest.sol";
import {SignerWords} from "./SignerWords.sol";

/// @notice Owners who ask for more signatures and for fewer, of three logs, and enclaves that sign in any company:
/// beside an account of who is on which machine, of which kind and let in by whom, and of what counts when.
contract ThresholdHandler is OracleTest {
    struct Enclave {
        uint256 key;
        uint8 kind;
        uint256 machine;
        uint16 vouchers;
        bool admitted;
    }

    struct Demand {
        uint8 signers;
        uint8 kinds;
        uint8 nextSigners;
        uint8 nextKinds;
        uint256 from;
    }

    uint8 private constant MOST = 4;

    Enclave[] private enclaves;
    bytes32[3] private ids;
    mapping(bytes32 contractId => Demand) private demands;
    mapping(bytes32 contractId => Entry[]) private pending;
    address private user = makeAddr("user");

    /// What went wrong first.
    string public fault;

    uint256 public landed;
    uint256 public tooFew;
    uint256 public sameMachine;
    uint256 public sameRoute;
    uint256 public raised;
    uint256 public announced;
    uint256 public fallen;
    uint256 public neverLower;
    uint256 public strangers;
    uint256 public doubles;

    constructor() {
        setUp();
        // Whose code never changes has a threshold that never falls.
        Registration memory r = _registration(true);
        (r.signers, r.kinds) = (2, 1);
        (bytes32 fixed_,) = _register(r);
        demands[fixed_] = Demand(2, 1, 0, 0, 0);
        ids = [stateful, fixed_, _registered(_registration(false))];
        enclaves.push(Enclave(signerKey, TEE_KIND, 1, 1, true));
        // Pairs of a kind on two machines, of another on one, some on machines without identity, some let in together.
        _add(TEE_KIND, 1, 1);
        _add(TEE_KIND, 2, 2);
        _add(2, 7, 4);
        _add(2, 3, 1);
        _add(3, 0, 8);
        _add(3, 0, 16);
        _add(4, 5, 12);
        _add(4, 6, 32);
    }

    function request(uint256 seed) external {
        bytes32 id = ids[seed % 3];
        if (pending[id].length > 8) return;
        pending[id].push(_request(id, user, 0));
    }

    /// @notice More counts at once, less after the delay, or never.
    function ask(uint256 seed) external {
        bytes32 id = ids[seed % 3];
        uint8 signers = uint8((seed >> 8) % (MOST + 1));
        uint8 kinds = uint8((seed >> 16) % (MOST + 2));
        if (id == ids[1]) (signers, kinds) = (signers % 2, kinds % 2);
        Demand memory d = _settled(id);
        bool more = signers >= d.signers && kinds >= d.kinds;
        bool allowed = kinds <= signers && id != ids[1];
        vm.prank(owner);
        try oracle.setThreshold(id, signers, kinds) {
            _check(allowed, "a threshold was set that must not");
            if (more) {
                demands[id] = Demand(signers, kinds, 0, 0, 0);
                ++raised;
            } else {
                demands[id] = Demand(d.signers, d.kinds, signers, kinds, block.timestamp + UPGRADE_DELAY);
                ++announced;
            }
        } catch {
            _check(!allowed, "a threshold was refused");
            if (kinds <= signers) ++neverLower;
        }
    }

    /// @notice A result of one log, or of two in one batch, signed by some enclaves, the first of whom may be any.
    function fulfill(uint256 seed) external {
        bytes32 id = ids[seed % 3];
        if (pending[id].length == 0) return;
        bytes32 other = ids[(seed % 3 + 1 + (seed >> 8) % 2) % 3];
        bool both = (seed >> 16) % 4 == 0 && pending[other].length != 0;
        FulfillmentGroup[] memory groups = new FulfillmentGroup[](both ? 2 : 1);
        groups[0] = _groupOnHead(_list(pending[id][0]));
        if (both) groups[1] = _groupOnHead(_list(pending[other][0]));
        Fulfillment memory f;
        (f.groups, f.keyGroup, f.keyEpoch) = (groups, KEY_GROUP, 1);

        uint256[] memory who = _choose(seed >> 24);
        uint256[] memory keys = new uint256[](who.length);
        bool known = true;
        for (uint256 i = 0; i < who.length; ++i) {
            keys[i] = enclaves[who[i]].key;
            if (!enclaves[who[i]].admitted) known = false;
        }
        _signAll(f, keys);
        bool twice = (seed >> 200) % 32 == 0 && keys.length > 1;
        if (twice) _repeat(f);
        bytes memory batch = Batches.pack(f);
        vm.prank(relayer);
        try oracle.fulfill(batch) returns (uint256 done) {
            _check(known, "a stranger's signature was taken");
            _check(!twice, "a signature was counted twice");
            _see(id, who, _hasLanded(id));
            if (both) _see(other, who, _hasLanded(other));
            _check(done <= groups.length, "more than there is");
        } catch {
            _check(!known || twice, "signatures were refused");
            if (twice) ++doubles;
            else ++strangers;
        }
    }

    /// @notice An enclave goes, or the one that went comes back.
    function dismiss(uint256 seed) external {
        for (uint256 i = 0; i < enclaves.length; ++i) {
            Enclave storage gone = enclaves[i];
            if (gone.admitted) continue;
            gone.admitted = true;
            return registry.admit(vm.addr(gone.key), SignerWords.create(gone.kind, gone.machine, gone.vouchers));
        }
        Enclave storage e = enclaves[seed % enclaves.length];
        e.admitted = false;
        registry.dismiss(vm.addr(e.key));
    }

    function wait(uint256 seed) external {
        skip(seed % 3 == 0 ? (seed >> 8) % 3 days : (seed >> 8) % 10 minutes);
    }

    function inspect() external {
        for (uint256 i = 0; i < 3; ++i) {
            uint256 flags = _headFlags(ids[i]);
            Demand memory d = demands[ids[i]];
            // Of what is not about slots and order. It may outlast a threshold that fell.
            if (d.signers > 1) _check(flags & ~uint256(5) != 0, "a threshold is not announced in the head");
        }
    }

    /// @dev What counts now.
    function _settled(bytes32 id) private returns (Demand memory) {
        Demand storage d = demands[id];
        if (d.from != 0 && block.timestamp >= d.from) {
            if (d.nextSigners < d.signers) ++fallen;
            (d.signers, d.kinds, d.from) = (d.nextSigners, d.nextKinds, 0);
        }
        return d;
    }

    function _see(bytes32 id, uint256[] memory who, bool done) private {
        Demand memory d = _settled(id);
        (uint256 machines, uint256 kinds) = _count(who);
        bool enough = d.signers < 2 || (machines >= d.signers && kinds >= d.kinds);
        _check(!done || enough, "it moved without as many as it asks for");
        _check(done || !enough, "it did not move although there were enough");
        if (!done) {
            ++tooFew;
            if (who.length >= d.signers && machines < d.signers) ++sameMachine;
            if (machines >= d.signers) ++sameRoute;
            return;
        }
        ++landed;
        Entry[] storage waiting = pending[id];
        for (uint256 i = 1; i < waiting.length; ++i) {
            waiting[i - 1] = waiting[i];
        }
        waiting.pop();
    }

    /// @dev Of a log whose first pending entry was in the batch.
    function _hasLanded(bytes32 id) private view returns (bool) {
        Entry memory entry = pending[id][0];
        if (id != ids[1]) return _headSeq(id) > _seq(entry);
        return _status(entry) & EXECUTED != 0;
    }

    /// @dev Machines that are distinct, and kinds of which each was let in by somebody else, in the order of signing.
    function _count(uint256[] memory who) private view returns (uint256 machines, uint256 kinds) {
        uint16 routes;
        bool[5] memory counted;
        for (uint256 i = 0; i < who.length; ++i) {
            Enclave memory e = enclaves[who[i]];
            bool seen;
            for (uint256 k = 0; k < i; ++k) {
                Enclave memory earlier = enclaves[who[k]];
                if (earlier.kind == e.kind && earlier.machine == e.machine) seen = true;
            }
            if (seen) continue;
            ++machines;
            if (counted[e.kind] || routes & e.vouchers != 0) continue;
            counted[e.kind] = true;
            routes |= e.vouchers;
            ++kinds;
        }
    }

    /// @dev Some enclaves, the first any of them, the others in order of their addresses.
    function _choose(uint256 seed) private view returns (uint256[] memory who) {
        uint256 count = 1 + seed % (MOST + 1);
        who = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            who[i] = ((seed >> 8) + i * (1 + (seed >> 16) % 2 * 3)) % enclaves.length;
        }
        for (uint256 i = 1; i < count; ++i) {
            for (uint256 k = i; k > 1 && _address(who[k]) < _address(who[k - 1]); --k) {
                (who[k], who[k - 1]) = (who[k - 1], who[k]);
            }
        }
    }

    /// @dev The last signer once more.
    function _repeat(Fulfillment memory f) private pure {
        bytes[] memory all = new bytes[](f.signatures.length + 1);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = f.signatures[i < f.signatures.length ? i : i - 1];
        }
        f.signatures = all;
    }

    function _address(uint256 which) private view returns (address) {
        return vm.addr(enclaves[which].key);
    }

    function _add(uint8 kind, uint256 machine, uint16 vouchers) private {
        uint256 key = uint256(keccak256(abi.encode("enclave", enclaves.length)));
        enclaves.push(Enclave(key, kind, machine, vouchers, true));
        registry.admit(vm.addr(key), SignerWords.create(kind, machine, vouchers));
    }

    function _check(bool holds, string memory what) private {
        if (!holds && bytes(fault).length == 0) fault = what;
    }
}
