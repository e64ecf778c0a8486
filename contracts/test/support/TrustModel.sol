// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EpochOpening, SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./OracleTest.sol";

/// @notice Governance, verifiers and time at work, and an own account of whom to trust: nothing here
/// asks the registry what it thinks.
abstract contract TrustModel is OracleTest {
    struct Signer {
        uint256 key;
        address account;
        uint256 build;
        bytes32 configHash;
        uint40 leaseUntil;
        uint32 tcbEvaluation;
        bool revoked;
    }

    struct Build {
        bytes32 id;
        uint8 family;
        bool revoked;
    }

    struct Family {
        uint32 minimum;
        bool stopped;
    }

    /// Why a signer may not sign now; the first that applies.
    enum Trust {
        Trusted,
        Revoked,
        LeaseEnded,
        BuildRevoked,
        FamilyDenied
    }

    bytes32 private constant OTHER_CONFIG = keccak256("another configuration");

    Signer[] internal signers;
    Build[] internal builds;
    mapping(uint256 family => Family) internal families;
    mapping(bytes32 configHash => bool) internal removed;
    uint32 internal epoch = 1;

    /// An admission succeeded that must not, or failed that must succeed.
    bool public wronglyAdmitted;
    bool public wronglyDenied;
    /// A signer's record changed otherwise than by revocation.
    bool public signerRestored;
    /// An epoch was opened by someone who may not, or out of order, or its record changed.
    bool public epochsBroken;

    function _setUpTrust() internal {
        builds.push(Build(measurement, TEE_KIND, false));
        builds.push(Build(registry.addMeasurement(ROOT, TEE_KIND, keccak256("build 1")), TEE_KIND, false));
        builds.push(Build(registry.addMeasurement(ROOT, TEE_KIND + 1, keccak256("build 2")), TEE_KIND + 1, false));
        registry.addConfig(OTHER_CONFIG, KEY_GROUP);
        signers.push(Signer(signerKey, vm.addr(signerKey), 0, CONFIG, uint40(block.timestamp + 7 days), 17, false));
        for (uint256 i = 0; i < 5; ++i) {
            admit(i * 0x10305 + i);
        }
    }

    /// @notice A verifier vouches for a new enclave.
    function admit(uint256 seed) public {
        Signer memory s;
        s.key = uint256(keccak256(abi.encode("signer", signers.length)));
        s.account = vm.addr(s.key);
        // The newest builds, most of which are trusted.
        s.build = builds.length - 1 - seed % 4 % builds.length;
        s.configHash = seed >> 8 & 3 == 3 ? OTHER_CONFIG : CONFIG;
        s.tcbEvaluation = uint32(15 + (seed >> 16) % 6);
        s.leaseUntil = uint40(block.timestamp + 1 hours + (seed >> 24) % 7 days);
        Build memory b = builds[s.build];
        Family memory family = families[b.family];

        SignerAdmission memory a = _admission(s.account);
        a.measurementId = b.id;
        a.teeKind = b.family;
        a.configHash = s.configHash;
        a.tcbEvaluation = s.tcbEvaluation;
        a.notAfter = s.leaseUntil;
        bool allowed = !b.revoked && !removed[s.configHash] && !family.stopped && s.tcbEvaluation >= family.minimum;
        try registry.admit(a, _vouch(a, verifierKey)) {
            if (!allowed) wronglyAdmitted = true;
            signers.push(s);
        } catch {
            if (allowed) wronglyDenied = true;
        }
    }

    /// @notice Shows an old signer again, with a longer lease.
    function admitAgain(uint256 seed) external {
        Signer storage s = signers[_anySigner(seed)];
        SignerAdmission memory a = _admission(s.account);
        a.measurementId = builds[s.build].id;
        a.teeKind = builds[s.build].family;
        a.configHash = s.configHash;
        a.notAfter = uint64(block.timestamp + 30 days);
        try registry.admit(a, _vouch(a, verifierKey)) {
            wronglyAdmitted = true;
        } catch {}
        (uint40 leaseUntil, uint32 tcb,,, bool revoked) = registry.signerOf(s.account);
        if (leaseUntil != s.leaseUntil || tcb != s.tcbEvaluation || revoked != s.revoked) signerRestored = true;
    }

    /// @notice Governance takes trust away, or gives some back where that can be given back.
    function govern(uint256 seed) external {
        uint256 what = seed % 8;
        seed >>= 8;
        if (what == 0) {
            Signer storage s = signers[_anySigner(seed)];
            registry.revokeSigner(s.account);
            s.revoked = true;
        } else if (what == 1) {
            uint256 i = seed % builds.length;
            if (builds[i].revoked) return;
            registry.revokeMeasurement(builds[i].id, 0);
            builds[i].revoked = true;
            // Enclaves of a new build take over.
            bytes32 id = registry.addMeasurement(ROOT, builds[i].family, keccak256(abi.encode("build", builds.length)));
            builds.push(Build(id, builds[i].family, false));
        } else if (what == 2) {
            if (removed[OTHER_CONFIG]) return;
            registry.removeConfig(OTHER_CONFIG);
            removed[OTHER_CONFIG] = true;
        } else if (what < 5) {
            uint8 kind = uint8(TEE_KIND + seed % 2);
            families[kind] = Family(uint32(14 + (seed >> 8) % 4), (seed >> 16) % 4 == 0);
            registry.setFamily(kind, families[kind].minimum, families[kind].stopped);
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

    function _trust(Signer memory s) internal view returns (Trust) {
        if (s.revoked) return Trust.Revoked;
        if (block.timestamp >= s.leaseUntil) return Trust.LeaseEnded;
        if (builds[s.build].revoked) return Trust.BuildRevoked;
        Family memory family = families[builds[s.build].family];
        if (family.stopped || s.tcbEvaluation < family.minimum) return Trust.FamilyDenied;
        return Trust.Trusted;
    }
}
