// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EpochOpening, SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
import {QuoteStub, TrustBooks} from "./TrustBooks.sol";

/// @notice Governance, vouchers and time at work, each outcome predicted from the books.
abstract contract TrustModel is TrustBooks {
    uint16 private constant UP_TO_DATE = 1 << 1;

    uint32 internal epoch = 1;

    /// An admission succeeded that must not, or failed that must succeed.
    bool public wronglyAdmitted;
    bool public wronglyDenied;
    /// A signer's record changed otherwise than by revocation or renewal.
    bool public signerRestored;
    /// A voucher found a place that was not free, or none although one was.
    bool public placesBroken;
    /// A guardian gave trust back, or could not take it.
    bool public guardianGave;
    /// An epoch was opened by someone who may not, or out of order, or its record changed.
    bool public epochsBroken;
    /// How often each came up.
    uint256 public renewals;
    uint256 public registrations;
    uint256 public turnedAway;
    uint256 public loosenings;
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
        signers.push(Signer(signerKey, vm.addr(signerKey), 0, CONFIG, PRODUCT, until, 17, 1, false));
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
        s.product = _product(builds[s.build].family, seed >> 12);
        s.tcbEvaluation = uint32(15 + (seed >> 16) % 6);
        s.leaseUntil = uint40(block.timestamp + 1 hours + (seed >> 24) % 7 days);
        bool allowed = _isAcceptable(s);
        bool vouched;
        bool done;
        (done, vouched, s.vouchers) = _show(s, seed >> 64);
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
        if (change == 2) s.product = _product(builds[s.build].family, seed >> 168);
        s.tcbEvaluation = uint32(15 + (seed >> 176) % 6);
        s.leaseUntil = uint40(block.timestamp + 1 hours + (seed >> 184) % 7 days);
        if (s.leaseUntil == known.leaseUntil) return;

        bool same = s.build == known.build && s.configHash == known.configHash && s.product == known.product;
        bool running = !known.revoked && block.timestamp < known.leaseUntil;
        bool allowed = same && running && s.leaseUntil > known.leaseUntil && _isAcceptable(s);
        bool vouched;
        bool done;
        (done, vouched, s.vouchers) = _show(s, seed >> 64);
        if (done && !(allowed && vouched)) wronglyAdmitted = true;
        if (!done && allowed && vouched) wronglyDenied = true;
        if (done) {
            ++renewals;
            known.leaseUntil = s.leaseUntil;
            known.tcbEvaluation = s.tcbEvaluation;
            known.vouchers = s.vouchers;
        }
        (uint40 leaseUntil, uint32 tcb,,, bool revoked) = registry.signerOf(s.account);
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
            uint256 i = seed % builds.length;
            if (builds[i].revoked) return;
            // Enclaves of a new build take over.
            _addBuild(builds[i].family);
            registry.revokeMeasurement(builds[i].id, builds[builds.length - 1].id);
            builds[i].revoked = true;
        } else if (what == 2) {
            bytes32 config = configs[seed % configs.length];
            if (removed[config]) return;
            registry.removeConfig(config);
            removed[config] = true;
            _addConfig();
        } else if (what == 3 || what == 14) {
            uint8 kind = uint8(TEE_KIND + seed % 2);
            families[kind] = Family(uint32(14 + (seed >> 8) % 4), (seed >> 16) % 4 == 0);
            registry.setFamily(kind, families[kind].minimum, families[kind].stopped);
        } else if (what == 4) {
            _restrictFamily(uint8(TEE_KIND + seed % 2), uint32(14 + (seed >> 8) % 4), (seed >> 16) % 4 == 0);
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
        } else if (what == 13) {
            _refuseOrAcceptStatus(seed);
        }
    }

    /// @notice A signer opens an epoch: the next one, or one that is not.
    function openEpoch(uint256 seed) external {
        Signer storage s = signers[_anySigner(seed)];
        uint32 which = epoch + uint32((seed >> 8) % 3);
        EpochOpening memory opening = _opening(which);
        opening.configHash = s.configHash;
        bytes32 record = registry.epochRecord(KEY_GROUP, epoch);
        bool allowed = which == epoch + 1 && _trust(s) == Trust.Trusted;
        try registry.openEpoch(opening, builds[s.build].id, s.account, _signOpening(opening, s.key)) {
            if (!allowed) epochsBroken = true;
        } catch {
            if (allowed) epochsBroken = true;
        }
        if (registry.epochRecord(KEY_GROUP, epoch) != record) epochsBroken = true;
        if (allowed) ++epoch;
        if (registry.currentEpoch(KEY_GROUP) != epoch) epochsBroken = true;
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

    /// @dev Goes through if it asks no less of the family than was asked, and then lifts no stop.
    function _restrictFamily(uint8 kind, uint32 minimum, bool stop) private {
        Family storage family = families[kind];
        bool allowed = minimum >= family.minimum;
        try registry.restrictFamily(kind, minimum, stop) {
            if (!allowed) guardianGave = true;
            family.minimum = minimum;
            if (stop) family.stopped = true;
        } catch {
            if (allowed) guardianGave = true;
            ++loosenings;
        }
        (uint32 actual, bool stopped) = registry.familyOf(kind);
        if (actual != family.minimum || stopped != family.stopped) guardianGave = true;
    }

    /// @dev The status that all quotes have, beside one that none has; accepted again by who appoints.
    function _refuseOrAcceptStatus(uint256 seed) private {
        if (statusRefused) {
            if (dcapInUse == NONE) return;
            registry.setDcap(vouchers[dcapInUse].account, UP_TO_DATE);
            statusRefused = false;
        } else {
            bool whole = seed % 2 == 0;
            registry.refuseTcbStatuses(whole ? UP_TO_DATE : 1 << 2);
            if (whole) statusRefused = true;
        }
        (, uint16 accepted) = registry.dcapVerification();
        if (accepted != (statusRefused ? 0 : UP_TO_DATE)) guardianGave = true;
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
