// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaSuspensions} from "../../src/interfaces/ISubrosaSuspensions.sol";
import {EpochMember, EpochOpening, SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
import {QuoteStub, TrustBooks} from "./TrustBooks.sol";

/// @notice Governance, vouchers and time at work, each outcome predicted from the books.
abstract contract TrustModel is TrustBooks {
    uint16 private constant UP_TO_DATE = 1 << 1;

    struct Suspension {
        ISubrosaSuspensions.Subject subject;
        uint8 family;
        bytes32 id;
    }

    uint32 internal epoch = 1;
    mapping(uint256 epoch => EpochMember[]) private membersOf;
    EpochMember[] private scheduled;
    uint32 private scheduledFor;
    Suspension[] private pending;
    mapping(bytes32 subject => uint256) private liftedAt;

    /// An admission succeeded that must not, or failed that must succeed.
    bool public wronglyAdmitted;
    bool public wronglyDenied;
    /// A signer's record changed otherwise than by revocation or renewal.
    bool public signerRestored;
    /// A voucher found a place that was not free, or none although one was.
    bool public placesBroken;
    /// Something was suspended or lifted that must not be, or could not be.
    bool public suspensionsBroken;
    /// An epoch was opened by someone who may not, or out of order, or its record changed.
    bool public epochsBroken;
    /// How often each came up.
    uint256 public renewals;
    uint256 public shortened;
    uint256 public registrations;
    uint256 public turnedAway;
    uint256 public cooldowns;
    uint256 public refusedStatuses;

    function _setUpTrust() internal {
        for (uint8 kind = TEE_KIND; kind < TEE_KIND + 2; ++kind) {
            // Without a minimum nobody registers by quote.
            families[kind].minimum = 1;
            registry.setFamily(kind, 1, false);
        }
        builds.push(Build(measurement, MEASUREMENT_HASH, TEE_KIND, false));
        _addBuild(TEE_KIND);
        _addBuild(TEE_KIND + 1);
        configs.push(CONFIG);
        _addConfig();
        vouchers.push(Voucher(verifierKey, vm.addr(verifierKey), true, false, 0));
        _addVerifier();
        _replaceDcap();
        uint40 until = uint40(block.timestamp + 7 days);
        signers.push(
            Signer(signerKey, vm.addr(signerKey), 0, CONFIG, PRODUCT, until, 17, 1, false, keccak256("machine"))
        );
        isMember[1][_pair(measurement, CONFIG)] = true;
        membersOf[1].push(EpochMember(measurement, CONFIG));
        for (uint8 kind = TEE_KIND; kind < TEE_KIND + 2; ++kind) {
            registry.allowMachine(kind, _machine(0), true);
        }
        for (uint256 i = 0; i < 5; ++i) {
            admit(i * 0x10305 + i);
        }
    }

    /// @notice A new enclave finds who vouches for it.
    function admit(uint256 seed) public {
        Signer memory s;
        s.key = uint256(keccak256(abi.encode("signer", signers.length)));
        s.account = vm.addr(s.key);
        // The newest builds, most of which are trusted.
        s.build = builds.length - 1 - seed % 4 % builds.length;
        s.configHash = configs[configs.length - 1 - (seed >> 8) % 2];
        if ((seed >> 232) % 2 == 0) _takeOneThatIsNeeded(s, seed >> 233);
        s.product = _product(builds[s.build].family, seed >> 12);
        s.machine = _machine(seed >> 14);
        s.tcbEvaluation = uint32(15 + (seed >> 16) % 6);
        s.leaseUntil = uint40(block.timestamp + 1 hours + (seed >> 24) % 7 days);
        bool allowed = _isAcceptable(s);
        bool vouched;
        bool done;
        (done, vouched, s.vouchers) = _show(s, seed >> 64);
        if (_restsOnSuspended(s, s.vouchers)) allowed = false;
        if (done && !(allowed && vouched)) wronglyAdmitted = true;
        if (!done && allowed && vouched) wronglyDenied = true;
        if (done) signers.push(s);
    }

    /// @notice An old signer shows itself again: most are the same enclave and have a longer lease.
    function renew(uint256 seed) external {
        Signer storage known = signers[_anySigner(seed)];
        Signer memory s = known;
        uint256 change = (seed >> 160) % 12;
        if (change == 0) s.build = (s.build + 1) % builds.length;
        if (change == 1) s.configHash = s.configHash == configs[0] ? configs[configs.length - 1] : configs[0];
        if (change == 3) s.machine = s.machine == _machine(1) ? _machine(2) : _machine(1);
        if (change == 2) s.product = _product(builds[s.build].family, seed >> 168);
        s.tcbEvaluation = uint32(15 + (seed >> 176) % 6);
        s.leaseUntil = uint40(block.timestamp + 1 hours + (seed >> 184) % 7 days);
        if (s.leaseUntil == known.leaseUntil) return;

        bool same = s.build == known.build && s.configHash == known.configHash && s.product == known.product
            && s.machine == known.machine;
        bool running = !known.revoked && block.timestamp < known.leaseUntil;
        bool allowed = same && running && _isAcceptable(s);
        bool vouched;
        bool done;
        (done, vouched, s.vouchers) = _show(s, seed >> 64);
        uint256 barred = _suspendedOf(s.vouchers);
        // A suspended voucher adds nothing to what it vouched for; what rests on one that was taken away may get
        // a shorter lease by others.
        if (barred & ~known.vouchers != 0) allowed = false;
        bool captive = barred == 0 && (_suspendedOf(known.vouchers) | _revokedOf(known.vouchers)) != 0;
        if (s.leaseUntil < known.leaseUntil && !captive) allowed = false;
        if (done && s.leaseUntil < known.leaseUntil) ++shortened;
        if (done && !(allowed && vouched)) wronglyAdmitted = true;
        if (!done && allowed && vouched) wronglyDenied = true;
        if (done) {
            ++renewals;
            known.leaseUntil = s.leaseUntil;
            known.tcbEvaluation = s.tcbEvaluation;
            known.vouchers = s.vouchers;
        }
        (uint40 leaseUntil, uint32 tcb,,, bool revoked,) = registry.signerOf(s.account);
        if (leaseUntil != known.leaseUntil || tcb != known.tcbEvaluation || revoked != known.revoked) {
            signerRestored = true;
        }
    }

    /// @notice Governance takes trust away, or gives some back where that can be given back.
    function govern(uint256 seed) external {
        uint256 what = seed % 16;
        seed >>= 8;
        if (what == 0) {
            Signer storage s = signers[_anySigner(seed)];
            registry.revokeSigner(s.account);
            s.revoked = true;
        } else if (what == 1) {
            uint256 i = _someBuild(seed);
            if (i == NONE) return;
            // Enclaves of a new build take over.
            _addBuild(builds[i].family);
            registry.revokeMeasurement(builds[i].id, builds[builds.length - 1].id);
            builds[i].revoked = true;
        } else if (what == 2) {
            bytes32 config = _someConfig(seed);
            if (config == 0) return;
            registry.removeConfig(config);
            removed[config] = true;
            _addConfig();
        } else if (what == 3 || what == 14) {
            uint8 kind = uint8(TEE_KIND + seed % 2);
            families[kind] = Family(uint32(14 + (seed >> 8) % 4), (seed >> 16) % 4 == 0);
            registry.setFamily(kind, families[kind].minimum, families[kind].stopped);
        } else if (what == 4) {
            _suspendOrLift(seed);
        } else if (what < 7) {
            _denyOrAllow(uint8(TEE_KIND + seed % 2), seed >> 8);
        } else if (what == 7) {
            _retireOrTrust(seed % vouchers.length);
        } else if (what == 8) {
            _revokeVoucher(seed % vouchers.length);
        } else if (what == 9) {
            _replaceDcap();
        } else if (what == 10) {
            threshold = 1 + seed % 2;
            registry.setVerifierThreshold(uint16(threshold));
        } else if (what < 13) {
            if (_trusted() < 3) _addVerifier();
            else if (what == 12) _revokeVoucher(vouchers.length - 1 - seed % 4);
        } else if (what == 13) {
            _refuseOrAcceptStatus();
        } else {
            _denyMachineOrRestrict(seed);
        }
    }

    /// @notice A signer opens an epoch: the next one, or one that is not.
    function openEpoch(uint256 seed) external {
        Signer storage s = signers[_anySigner(seed)];
        uint32 which = epoch + uint32((seed >> 8) % 3);
        // Now and then as it was scheduled before: its members may not be trusted any more.
        if (which == epoch + 1 && (scheduledFor != which || (seed >> 16) % 4 != 0) && !_scheduleNewest(which)) return;
        EpochOpening memory opening = _opening(which);
        opening.configHash = s.configHash;
        bytes32 record = registry.epochRecord(KEY_GROUP, epoch);
        bool allowed = which == epoch + 1 && _trust(s) == Trust.Trusted && _mayOpen(s);
        try registry.openEpoch(opening, s.account, _signOpening(opening, s.key)) {
            if (!allowed) epochsBroken = true;
        } catch {
            if (allowed) epochsBroken = true;
        }
        if (registry.epochRecord(KEY_GROUP, epoch) != record) epochsBroken = true;
        if (allowed) {
            ++epoch;
            for (uint256 i = 0; i < scheduled.length; ++i) {
                isMember[epoch][_pair(scheduled[i].measurementId, scheduled[i].configHash)] = true;
                membersOf[epoch].push(scheduled[i]);
            }
        }
        if (registry.currentEpoch(KEY_GROUP) != epoch) epochsBroken = true;
    }

    function _members() internal view override returns (EpochMember[] memory) {
        return scheduledFor == 0 ? super._members() : scheduled;
    }

    /// @dev The newest pairs that can be used.
    function _scheduleNewest(uint32 which) private returns (bool) {
        delete scheduled;
        for (uint256 i = builds.length; i > 0 && scheduled.length < 7; --i) {
            for (uint256 k = configs.length; k > 0 && k + 2 > configs.length && scheduled.length < 8; --k) {
                EpochMember memory member = EpochMember(builds[i - 1].id, configs[k - 1]);
                if (!_usable(member)) continue;
                scheduled.push(member);
                for (uint256 at = scheduled.length - 1; at > 0 && _precedes(member, scheduled[at - 1]); --at) {
                    scheduled[at] = scheduled[at - 1];
                    scheduled[at - 1] = member;
                }
            }
        }
        scheduledFor = which;
        if (scheduled.length == 0) {
            scheduledFor = 0;
            return false;
        }
        registry.scheduleEpoch(_schedule(which));
        return true;
    }

    /// @dev The first epoch in which an entry is to be executed before others can be.
    function _oldestEpoch() internal view virtual returns (uint32) {
        return 1;
    }

    /// @dev Whether nobody could execute what waits in some epoch any more, were these revoked. That is what
    /// a set is for, and would be the end of the logs here.
    function _strands(bytes32 measurementId, bytes32 configHash) private view returns (bool) {
        for (uint32 e = _oldestEpoch(); e <= epoch; ++e) {
            bool left;
            for (uint256 i = 0; i < membersOf[e].length; ++i) {
                EpochMember memory m = membersOf[e][i];
                if (m.measurementId != measurementId && m.configHash != configHash && _usable(m)) left = true;
            }
            if (!left) return true;
        }
        return false;
    }

    /// @dev One that can be revoked.
    function _someBuild(uint256 seed) private view returns (uint256 which) {
        for (uint256 i = 0; i < builds.length; ++i) {
            which = (seed + i) % builds.length;
            if (!builds[which].revoked && !_strands(builds[which].id, 0)) return which;
        }
        return NONE;
    }

    function _someConfig(uint256 seed) private view returns (bytes32 config) {
        for (uint256 i = 0; i < configs.length; ++i) {
            config = configs[(seed + i) % configs.length];
            if (!removed[config] && !_strands(0, config)) return config;
        }
        return 0;
    }

    function _takeOneThatIsNeeded(Signer memory s, uint256 seed) private view {
        EpochMember[] storage members = membersOf[_oldestEpoch()];
        EpochMember memory m = members[seed % members.length];
        for (uint256 i = 0; i < builds.length; ++i) {
            if (builds[i].id == m.measurementId) (s.build, s.configHash) = (i, m.configHash);
        }
    }

    function _precedes(EpochMember memory a, EpochMember storage b) private view returns (bool) {
        if (a.measurementId != b.measurementId) return a.measurementId < b.measurementId;
        return a.configHash < b.configHash;
    }

    function _usable(EpochMember memory member) private view returns (bool) {
        for (uint256 i = 0; i < builds.length; ++i) {
            if (builds[i].id == member.measurementId && builds[i].revoked) return false;
        }
        return !removed[member.configHash]
            && !suspended[_subject(ISubrosaSuspensions.Subject.Measurement, 0, member.measurementId)]
            && !suspended[_subject(ISubrosaSuspensions.Subject.Configuration, 0, member.configHash)];
    }

    /// @dev Whether a signer's pair is scheduled, and all that are can be used.
    function _mayOpen(Signer memory s) private view returns (bool among) {
        for (uint256 i = 0; i < scheduled.length; ++i) {
            if (!_usable(scheduled[i])) return false;
            EpochMember memory m = scheduled[i];
            if (m.measurementId == builds[s.build].id && m.configHash == s.configHash) among = true;
        }
    }

    function wait(uint256 time) external {
        skip(time % 4 == 0 ? (time >> 8) % 12 hours : (time >> 8) % 10 minutes);
        vm.roll(block.number + 1);
    }

    /// @dev Mostly one of the newest, as the older are mostly revoked or expired.
    function _anySigner(uint256 seed) internal view returns (uint256) {
        uint256 choice = seed >> 4;
        if (seed % 4 == 0) return choice % signers.length;
        return signers.length - 1 - choice % 5 % signers.length;
    }

    /// @dev Shows a signer to the registry, by a quote or by verifiers' word. Gives whether that went
    /// through, whether those who vouch may, and who they are.
    function _show(Signer memory s, uint256 seed) private returns (bool done, bool vouched, uint256 mask) {
        if (seed % 4 == 0 && dcapInUse != NONE && s.product != PRODUCT) {
            if (statusRefused) ++refusedStatuses;
            try registry.registerSignerDcap(_quoteOf(s)) {
                ++registrations;
                done = true;
            } catch {}
            return (done, !statusRefused, 1 << dcapInUse);
        }
        uint256[] memory chosen = _chooseVerifiers(seed >> 2);
        vouched = chosen.length == threshold;
        SignerAdmission memory a = _statement(s);
        bytes[] memory signatures = new bytes[](chosen.length);
        for (uint256 i = 0; i < chosen.length; ++i) {
            if (!vouchers[chosen[i]].trusted) vouched = false;
            signatures[i] = _vouchOne(a, vouchers[chosen[i]].key);
            mask |= 1 << chosen[i];
        }
        try registry.admit(a, signatures) {
            done = true;
        } catch {}
    }

    /// @dev As many as must sign, in order of their addresses; once in a while some that may not.
    function _chooseVerifiers(uint256 seed) private view returns (uint256[] memory chosen) {
        uint256[] memory pool = new uint256[](vouchers.length);
        uint256 count;
        for (uint256 i = 0; i < vouchers.length; ++i) {
            if (vouchers[i].key != 0 && (vouchers[i].trusted || seed % 8 == 0)) pool[count++] = i;
        }
        chosen = new uint256[](count < threshold ? count : threshold);
        for (uint256 i = 0; i < chosen.length; ++i) {
            chosen[i] = pool[((seed >> 3) + i) % count];
        }
        if (chosen.length == 2 && vouchers[chosen[0]].account > vouchers[chosen[1]].account) {
            (chosen[0], chosen[1]) = (chosen[1], chosen[0]);
        }
    }

    function _addBuild(uint8 family) private {
        bytes32 hash = keccak256(abi.encode("build", builds.length));
        builds.push(Build(registry.addMeasurement(ROOT, family, hash), hash, family, false));
    }

    function _addConfig() private {
        configs.push(keccak256(abi.encode("configuration", configs.length)));
        registry.addConfig(configs[configs.length - 1], KEY_GROUP);
    }

    /// @dev Suspends something that a signer rests on, or the signer, or lifts what was suspended first.
    function _suspendOrLift(uint256 seed) private {
        if (pending.length > 1 || (pending.length == 1 && seed % 2 == 0)) {
            Suspension memory first = pending[0];
            pending[0] = pending[pending.length - 1];
            pending.pop();
            registry.lift(first.subject, first.family, first.id);
            bytes32 name = _subject(first.subject, first.family, first.id);
            (suspended[name], liftedAt[name]) = (false, block.timestamp);
            try registry.lift(first.subject, first.family, first.id) {
                suspensionsBroken = true;
            } catch {}
            // What was lifted lately, nobody can suspend.
            return _suspend(first);
        }
        Signer memory s = signers[_anySigner(seed >> 8)];
        uint8 family = builds[s.build].family;
        Suspension[7] memory choices = [
            Suspension(ISubrosaSuspensions.Subject.Measurement, 0, builds[s.build].id),
            Suspension(ISubrosaSuspensions.Subject.Configuration, 0, s.configHash),
            Suspension(ISubrosaSuspensions.Subject.Voucher, 0, _id(vouchers[(seed >> 40) % vouchers.length].account)),
            Suspension(ISubrosaSuspensions.Subject.Signer, 0, _id(s.account)),
            Suspension(ISubrosaSuspensions.Subject.Machine, 0, s.machine),
            Suspension(ISubrosaSuspensions.Subject.Product, family, s.product),
            Suspension(ISubrosaSuspensions.Subject.Family, family, 0)
        ];
        Suspension memory choice = choices[(seed >> 48) % 7];
        if (choice.subject == ISubrosaSuspensions.Subject.Machine && choice.id == 0) return;
        _suspend(choice);
    }

    function _suspend(Suspension memory choice) private {
        bytes32 name = _subject(choice.subject, choice.family, choice.id);
        bool lately = liftedAt[name] != 0 && block.timestamp < liftedAt[name] + COOLDOWN;
        bool allowed = !suspended[name] && !lately;
        try registry.suspend(choice.subject, choice.family, choice.id) {
            if (!allowed) suspensionsBroken = true;
            suspended[name] = true;
            pending.push(choice);
        } catch {
            if (allowed) suspensionsBroken = true;
            if (lately) ++cooldowns;
        }
        (bool actual,) = registry.suspensionOf(choice.subject, choice.family, choice.id);
        if (actual != suspended[name]) suspensionsBroken = true;
    }

    function _denyMachineOrRestrict(uint256 seed) private {
        if (seed % 4 != 0) {
            bytes32 machine = _machine((seed >> 8) % 3);
            deniedMachine[machine] = !deniedMachine[machine];
            return registry.denyMachine(machine, deniedMachine[machine]);
        }
        uint8 family = uint8(TEE_KIND + (seed >> 8) % 2);
        restrictedFamily[family] = !restrictedFamily[family] && (seed >> 16) % 2 == 0;
        registry.restrictMachines(family, restrictedFamily[family]);
    }

    /// @dev The status that all quotes have, or one that none has.
    function _refuseOrAcceptStatus() private {
        if (dcapInUse == NONE) return;
        statusRefused = !statusRefused;
        registry.setDcap(vouchers[dcapInUse].account, statusRefused ? 1 << 2 : UP_TO_DATE);
    }

    function _denyOrAllow(uint8 family, uint256 which) private {
        bytes32 product = _product(family, which);
        if (denied[product]) registry.allowProduct(family, product);
        else registry.denyProduct(family, product);
        denied[product] = !denied[product];
    }

    function _addVerifier() private {
        uint256 key = uint256(keccak256(abi.encode("verifier", vouchers.length)));
        vouchers.push(Voucher(key, vm.addr(key), false, false, 0));
        _trustVerifier(vouchers.length - 1);
    }

    function _trustVerifier(uint256 which) private {
        Voucher storage v = vouchers[which];
        // Its own place is still its own while a lease may rest on it.
        bool allowed = !v.revoked && (_leftLately(v) || _hasPlace());
        try registry.setVerifier(v.account, true) {
            if (!allowed) placesBroken = true;
            v.trusted = true;
        } catch {
            if (allowed) placesBroken = true;
            ++turnedAway;
        }
    }

    function _retireOrTrust(uint256 which) private {
        Voucher storage v = vouchers[which];
        if (v.key == 0) return;
        if (!v.trusted) return _trustVerifier(which);
        registry.setVerifier(v.account, false);
        (v.trusted, v.left) = (false, uint40(block.timestamp));
    }

    /// @dev Any of them, trusted or retired.
    function _revokeVoucher(uint256 which) private {
        Voucher storage v = vouchers[which];
        if (v.revoked) return;
        if (v.key != 0) registry.revokeVerifier(v.account);
        else registry.revokeDcap(v.account);
        if (v.trusted) v.left = uint40(block.timestamp);
        (v.trusted, v.revoked) = (false, true);
        if (which == dcapInUse) dcapInUse = NONE;
    }

    function _replaceDcap() private {
        address stub = address(new QuoteStub());
        // The former's place is not free yet.
        bool allowed = _hasPlace();
        try registry.setDcap(stub, UP_TO_DATE) {
            if (!allowed) placesBroken = true;
            if (dcapInUse != NONE) {
                (vouchers[dcapInUse].trusted, vouchers[dcapInUse].left) = (false, uint40(block.timestamp));
            }
            statusRefused = false;
            dcapInUse = vouchers.length;
            vouchers.push(Voucher(0, stub, true, false, 0));
        } catch {
            if (allowed) placesBroken = true;
            ++turnedAway;
        }
    }

    function _trusted() private view returns (uint256 count) {
        for (uint256 i = 0; i < vouchers.length; ++i) {
            if (vouchers[i].key != 0 && vouchers[i].trusted) ++count;
        }
    }
}
